"""Service limits: what one vault is asked within ten seconds."""
import time

import pytest

from certs import SELF, begin, chain, make_pfx, merged, wait
from keys import create, digest_for, key_of, rsa_in
from strongroom import unique

MESSAGE = ("Request was not processed because too many requests were received. Reason: "
    "VaultRequestTypeLimitReached")


@pytest.fixture
def limited(server):
	"""Three secrets can be set in a window, but in `wide` six and in `free` any number."""
	return server(vaults=["main", "other", "wide", "free"],
	    options=["--throttle", "1", "--throttle-vault", "Wide=2,free=0"])


def put(vault):
	return vault.put(f"/secrets/{unique()}", {"value": "x"})


def refused(vault):
	"""Set secrets until it is refused: the number that were let through, and the refusal."""
	for passed in range(100):
		reply = put(vault)
		if reply.status != 200:
			return passed, reply.expect(429, "Throttled")
	raise AssertionError("100 got through")


def in_one_window(vault, steps):
	"""What ${steps} returns, all of it done in a window of which nothing was taken before."""
	for _ in range(4):
		asked = time.monotonic()
		seconds = int(refused(vault)[1].header("Retry-After"))
		assert 1 <= seconds <= 10
		time.sleep(seconds)
		result = steps()
		# Rounded up: the window may have begun a second earlier.
		if time.monotonic() < asked + seconds - 1 + 10:
			return result
	pytest.fail("this machine is too slow for a window of ten seconds")


def test_exactly_the_limit(limited):
	main, other, wide, free = (limited.vault(name) for name in limited.vaults)

	def steps():
		counted = [refused(vault)[0] for vault in (main, other, wide)]
		return counted, [put(free).status for _ in range(20)], main.get("/secrets").status, put(main)

	counted, unlimited, read, reply = in_one_window(main, steps)
	assert counted == [3, 3, 6]
	assert set(unlimited) == {200}
	assert read == 200  # another kind of request has a budget of its own
	assert reply.expect(429, "Throttled").error["message"] == MESSAGE
	assert reply.header("x-ms-keyvault-service-version")


def test_secrets_of_templates_count(limited):
	"""Set through resource management they take of the same budget."""
	main = limited.vault("main")

	def put_there():
		return limited.manage("PUT", f"{limited.scope('main')}/secrets/{unique()}", {"properties": {"value": "x"}},
		    version="2023-07-01")

	def steps():
		return [put_there().status, put(main).status, put_there().status, put(main).status], put_there()

	statuses, last = in_one_window(main, steps)
	assert sorted(set(statuses[:3])) in ([200], [200, 201]) and statuses[3] == 429
	assert last.expect(429).error["message"] == MESSAGE and last.header("Retry-After")


def test_refusals_put_nothing_off(limited):
	main = limited.vault("main")

	def steps():
		for _ in range(20):
			put(main)

	in_one_window(main, steps)
	assert in_one_window(main, lambda: refused(main)[0]) == 3


def test_strangers_take_nothing(limited):
	main = limited.vault("main")
	nobody = limited.vault("main", limited.make_principal())
	nobody.principal.token()

	def steps():
		before = [main.put("/secrets/a", {"value": "x"}, token=False).status for _ in range(5)]
		before += [put(nobody).status for _ in range(5)]
		passed = refused(main)[0]
		return before, passed, main.put("/secrets/a", {"value": "x"}, token=False), put(nobody)

	before, passed, unknown, unfit = in_one_window(main, steps)
	assert before == [401] * 5 + [403] * 5
	assert passed == 3
	# Nor are they told that others have been busy.
	for reply in (unknown.expect(401, "Unauthorized"), unfit.expect(403, "Forbidden", "ForbiddenByRbac")):
		assert reply.header("Retry-After") is None


def test_limits_stay_when_the_vault_changes(limited):
	main = limited.vault("main")

	def change(body):
		return limited.manage("PATCH", limited.scope("main"), body, version="2023-07-01").status

	def steps():
		passed = refused(main)[0]
		changed = [change({"tags": {"a": "b"}}), change({"properties": {"enabledForDeployment": True}})]
		return passed, changed, put(main).status

	assert in_one_window(main, steps) == (3, [200, 200], 429)


def signs(key):
	"""Sign until it is refused: how often it was let."""
	digest = digest_for("RS256")
	for passed in range(100):
		reply = key.ask("sign", "RS256" if key.rsa else "ES256", digest)
		if reply.status != 200:
			reply.expect(429, "Throttled")
			return passed
	raise AssertionError("100 got through")


def test_keys_count_by_their_size(limited):
	"""One percent of 4,000 small uses: an RSA-4096 key takes eight of them each time, an EC key one."""
	main = limited.vault("main")
	large, small = rsa_in(main, "large", 4096)[0], key_of(main, create(main, "small"))
	large.rsa, small.rsa = True, False
	assert in_one_window(main, lambda: (signs(large), signs(small))) == (5, 0)

	def others():
		made = [main.post("/keys/other/create", {"kty": "EC"}) for _ in range(2)]
		return signs(small), made

	passed, made = in_one_window(main, others)
	assert passed == 40
	# One is always made, however small the share.
	made[0].expect(200)
	made[1].expect(429, "Throttled")


def test_certificates_count(limited):
	"""Imports with the secrets that are set, a new key with the keys, everything else for itself."""
	main = limited.vault("main")
	value = make_pfx(*chain())

	def bring():
		return main.post(f"/certificates/{unique('c')}/import", {"value": value})

	def steps():
		done = [bring().status, put(main).status, bring().status]
		return done, bring(), put(main), main.get("/certificates").status

	done, brought, set_too, listed = in_one_window(main, steps)
	assert done == [200] * 3 and listed == 200
	for reply in (brought, set_too):
		assert reply.expect(429, "Throttled").error["message"] == MESSAGE and reply.header("Retry-After")


def test_certificates_keys_count(limited):
	"""Of what is refused nothing is left; a renewal with the key that there is makes none."""
	main = limited.vault("main")
	kept, later = unique("c"), unique("c")
	policy = merged(SELF, key_props={"reuse_key": True})
	begin(main, kept, policy)
	wait(main, kept)

	def steps():
		made = main.post(f"/certificates/{unique('c')}/create", {"policy": SELF})
		refused_ones = [main.post(f"/certificates/{later}/create", {"policy": SELF}), main.post("/keys/other/create", {"kty": "EC"})]
		again = main.post(f"/certificates/{kept}/create", {"policy": policy})
		return made, refused_ones, again

	made, refused_ones, again = in_one_window(main, steps)
	made.expect(202)
	again.expect(202)
	for reply in refused_ones:
		reply.expect(429, "Throttled")
	main.get(f"/certificates/{later}").expect(404, "CertificateNotFound")
	main.get(f"/certificates/{later}/pending").expect(404, "PendingCertificateNotFound")
	wait(main, kept)


def test_development_servers_have_none(server):
	main = server().vault("main")
	for number in range(310):
		main.put("/secrets/many", {"value": str(number)}).expect(200)


@pytest.mark.parametrize("option", [("--throttle", "100001"), ("--throttle-vault", "main"),
    ("--throttle-vault", "main=x")])
def test_bad_settings(server, option):
	with pytest.raises(AssertionError, match=f"{option[0][2:]}: "):
		server(options=option)
