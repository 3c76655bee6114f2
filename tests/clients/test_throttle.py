"""Service limits: what one vault is asked within ten seconds."""
import time

import pytest

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


def await_window(vault):
	"""Wait for a window to begin: ten seconds are left, and nothing was taken."""
	time.sleep(int(refused(vault)[1].header("Retry-After")))
	# Retry-After is rounded up, so some of the new window may have gone; not more than a second.


def test_exactly_the_limit(limited):
	main, other, wide, free = (limited.vault(name) for name in limited.vaults)
	main.get("/secrets").expect(200)  # signs in
	await_window(main)
	passed, reply = refused(main)
	assert passed == 3
	assert reply.error["message"] == MESSAGE and "innererror" not in reply.error
	assert 1 <= int(reply.header("Retry-After")) <= 10
	assert reply.header("x-ms-keyvault-service-version")
	# Others have budgets of their own, and so do other kinds of requests.
	assert refused(other)[0] == 3
	assert refused(wide)[0] == 6
	for _ in range(20):
		put(free).expect(200)
	main.get("/secrets").expect(200)
	# Refusals put nothing off: once waited for, the whole limit is there.
	for _ in range(10):
		seconds = put(main).expect(429).header("Retry-After")
	time.sleep(int(seconds))
	assert refused(main)[0] == 3


def test_strangers_take_nothing(limited):
	main = limited.vault("main")
	nobody = limited.vault("main", limited.make_principal())
	main.get("/secrets").expect(200)
	await_window(main)
	for _ in range(5):
		main.put("/secrets/a", {"value": "x"}, token=False).expect(401)
		put(nobody).expect(403, "Forbidden", "ForbiddenByRbac")
	assert refused(main)[0] == 3
	# They are told of nothing either.
	main.put("/secrets/a", {"value": "x"}, token=False).expect(401)
	put(nobody).expect(403)


def test_limits_stay_when_the_vault_changes(limited):
	main = limited.vault("main")
	path = limited.scope("main")
	main.get("/secrets").expect(200)
	limited.manage("GET", path).expect(200)
	await_window(main)
	assert refused(main)[0] == 3
	limited.manage("PATCH", path, {"tags": {"a": "b"}}).expect(200)
	limited.manage("PATCH", path, {"properties": {"enabledForDeployment": True}}).expect(200)
	put(main).expect(429)


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
	await_window(main)
	assert signs(large) == 5
	assert signs(small) == 0
	await_window(main)
	assert signs(small) == 40
	# At least one is always made.
	main.post("/keys/other/create", {"kty": "EC"}).expect(200)
	main.post("/keys/other/create", {"kty": "EC"}).expect(429, "Throttled")


def test_development_servers_have_none(server):
	main = server().vault("main")
	for number in range(310):
		main.put("/secrets/many", {"value": str(number)}).expect(200)


@pytest.mark.parametrize("option", [("--throttle", "100001"), ("--throttle-vault", "main"),
    ("--throttle-vault", "main=x")])
def test_bad_settings(server, option):
	with pytest.raises(AssertionError, match=f"{option[0][2:]}: "):
		server(options=option)
