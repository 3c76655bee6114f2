"""Keys of premium vaults, in a real token (SoftHSM) behind a real server."""
import http.client
import threading
import time

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

import test_issuing as issuing
from certs import SELF, begin, leaf_of, merged, pfx_of, wait
from hsm import PIN, premium, shown
from keys import RSA_ENCRYPTION, create, digest_for, ec_key, ec_jwk, encrypts, key_of, public, random, rsa_in, rsa_jwk, rsa_key, \
    unb64, verifies
from strongroom import unique
from test_life import eventually, records


@pytest.fixture
def one(server, token):
	return server(options=token.options, environment=token.environment)


def test_every_type(one):
	vault = premium(one)
	for bits in (2048, 3072):
		bundle = create(vault, unique("rsa"), "RSA-HSM", key_size=bits)
		key = key_of(vault, bundle)
		assert bundle["key"]["kty"] == "RSA-HSM" and shown(bundle).key_size == bits
		for algorithm in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
			digest = digest_for(algorithm)
			signature = key.use("sign", algorithm, digest)
			assert verifies(shown(bundle), algorithm, digest, signature) and key.verify(algorithm, digest, signature)
		for algorithm in RSA_ENCRYPTION:
			secret = random(32)
			assert key.use("decrypt", algorithm, encrypts(shown(bundle), algorithm, secret)) == secret
			assert key.use("unwrapkey", algorithm, key.use("wrapkey", algorithm, secret)) == secret
	for crv, algorithm in (("P-256", "ES256"), ("P-256K", "ES256K"), ("P-384", "ES384"), ("P-521", "ES512")):
		bundle = create(vault, unique("ec"), "EC-HSM", crv=crv)
		digest = digest_for(algorithm)
		assert verifies(shown(bundle), algorithm, digest, key_of(vault, bundle).use("sign", algorithm, digest))
	for bits in (128, 192, 256):
		key = key_of(vault, create(vault, unique("oct"), "oct-HSM", key_size=bits))
		reply = key.ask("encrypt", f"A{bits}GCM", b"message", aad=b"about").expect(200).json
		assert key.use("decrypt", f"A{bits}GCM", unb64(reply["value"]), iv=unb64(reply["iv"]), tag=unb64(reply["tag"]),
		    aad=b"about") == b"message"
		secret = random(32)
		assert key.use("unwrapkey", f"A{bits}KW", key.use("wrapkey", f"A{bits}KW", secret)) == secret


def test_shape(one):
	premium(one)
	bundle = create(one.vault("premium", version="7.6"), "k", "EC-HSM")
	assert bundle["attributes"]["hsmPlatform"] == "2" and bundle["attributes"]["exportable"] is False


@pytest.mark.parametrize("jwk, algorithm", [(lambda: rsa_jwk(rsa_key(2048)), "RS256"), (lambda: ec_jwk(ec_key("P-384"), "P-384"), "ES384")],
    ids=["rsa", "ec"])
def test_import_backup_and_rotation(one, jwk, algorithm):
	"""`Hsm: true` puts a key into the token; its backup opens there, and what becomes of one copy is not the other's fate."""
	vault, other, digest = premium(one), premium(one, "second"), digest_for(algorithm)
	bundle = vault.put("/keys/k", {"key": jwk(), "Hsm": True}).expect(200).json
	assert bundle["key"]["kty"].endswith("-HSM")
	signature = key_of(vault, bundle).use("sign", algorithm, digest)
	assert verifies(shown(bundle), algorithm, digest, signature)
	blob = vault.post("/keys/k/backup").expect(200).json["value"]
	# A standard vault has no token's keys, however they come.
	one.vault("main").post("/keys/restore", {"value": blob}).expect(400)
	restored = other.post("/keys/restore", {"value": blob}).expect(200).json
	assert shown(restored) == shown(bundle)
	vault.delete("/keys/k").expect(200)
	vault.delete("/deletedkeys/k").expect(204)
	assert verifies(shown(bundle), algorithm, digest, key_of(other, restored).use("sign", algorithm, digest))
	assert not [path for path in one.folder.rglob("*") if path.is_file() and PIN.encode() in path.read_bytes()]
	rotated = other.post("/keys/k/rotate").expect(200).json
	assert rotated["key"]["kty"] == bundle["key"]["kty"] and shown(rotated) != shown(bundle)
	one.restart()
	assert key_of(other, rotated).verify(algorithm, digest, key_of(other, rotated).use("sign", algorithm, digest))


def test_rotation_waits_for_the_token(one, token):
	"""A key of the token rotates in the token; while it is away that is told, and tried again until it is back."""
	vault = premium(one)
	first = create(vault, "k", "EC-HSM")
	body = {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P10D"}, "action": {"type": "Rotate"}}]}
	vault.put("/keys/k/rotationpolicy", body).expect(200)
	digest = digest_for("ES256")
	signature = key_of(vault, first).use("sign", "ES256", digest)

	def told():
		return [line["properties"]["httpStatusCode"] for line in records(one) if line["operationName"] == "KeyRotateIfDue"]

	one.advance("10d")
	eventually(lambda: told() == [200])
	second = vault.get("/keys/k").json
	assert second["key"]["kty"] == "EC-HSM" and shown(second) != shown(first)
	assert verifies(shown(second), "ES256", digest, key_of(vault, second).use("sign", "ES256", digest))
	assert key_of(vault, first).verify("ES256", digest, signature) and key_of(vault, first).use("sign", "ES256", digest)
	token.tokens.rename(away := token.tokens.with_name("away"))
	one.advance("10d")
	eventually(lambda: told() == [200, 503])
	one.restart()
	one.advance("61m")
	eventually(lambda: told() == [200, 503, 503])
	away.rename(token.tokens)
	time.sleep(1.5)
	assert vault.get("/keys/k").json == second
	one.advance("61m")
	eventually(lambda: told()[-1] == 200 or one.advance("61m"))
	third = vault.get("/keys/k").json
	assert verifies(shown(third), "ES256", digest, key_of(vault, third).use("sign", "ES256", digest))
	assert len(vault.items("/keys/k/versions")) == 3


def test_token_goes_and_comes_back(one, token):
	vault = premium(one)
	bundle = create(vault, "k", "EC-HSM")
	key, digest = key_of(vault, bundle), digest_for("ES256")
	signature = key.use("sign", "ES256", digest)
	one.tolerated = (503,)
	token.tokens.rename(away := token.tokens.with_name("away"))
	for _ in range(20):
		key.ask("sign", "ES256", digest).expect(503)
	vault.post("/keys/other/create", {"kty": "RSA-HSM"}).expect(503)
	# What needs no token goes on.
	vault.get(key.path).expect(200)
	assert key.verify("ES256", digest, signature)
	rsa_in(vault, "software")[0].use("sign", "RS256", digest)
	away.rename(token.tokens)
	for attempt in range(40):
		reply = key.ask("sign", "ES256", digest)
		if reply.status == 200:
			break
		reply.expect(503)
		time.sleep(0.25)
	assert verifies(shown(bundle), "ES256", digest, unb64(reply.expect(200).json["value"]))
	assert vault.get("/keys/other").status == 404


def purge(vault, name):
	vault.delete(f"/keys/{name}").expect(200)
	vault.delete(f"/deletedkeys/{name}").expect(204)


def test_a_purge_destroys(one, token):
	"""What a key had in the token goes with it, every version, however it came; and nothing of another key."""
	vault, digest = premium(one), digest_for("ES256")
	stays = create(vault, "stays", "EC-HSM")
	before = token.objects
	create(vault, "k", "EC-HSM")
	vault.post("/keys/k/rotate").expect(200)
	vault.put("/keys/k", {"key": rsa_jwk(rsa_key(2048)), "Hsm": True}).expect(200)
	create(vault, "k", "EC")
	assert token.objects == before + 3
	blob = vault.post("/keys/k/backup").expect(200).json["value"]
	vault.delete("/keys/k").expect(200)
	time.sleep(1.5)
	vault.post("/deletedkeys/k/recover").expect(200)
	assert token.objects == before + 3, "recovered, it is whole"
	purge(vault, "k")
	eventually(lambda: token.objects == before)
	vault.post("/keys/restore", {"value": blob}).expect(200)
	assert token.objects == before + 3
	vault.post("/keys/restore", {"value": blob}).expect(409)
	vault.delete("/keys/k").expect(200)
	one.advance("90d")
	eventually(lambda: token.objects == before)
	assert verifies(shown(stays), "ES256", digest, key_of(vault, stays).use("sign", "ES256", digest))


def test_a_purge_while_the_token_is_away(one, token):
	"""The key is gone for who asks; the token destroys its object when it is back."""
	vault = premium(one)
	create(vault, "stays", "EC-HSM")
	before = token.objects
	for number in range(3):
		create(vault, f"k{number}", "EC-HSM")
	token.tokens.rename(away := token.tokens.with_name("away"))
	for number in range(3):
		purge(vault, f"k{number}")
	time.sleep(2.5)
	one.restart()
	time.sleep(1.5)
	away.rename(token.tokens)
	assert token.objects == before + 3
	eventually(lambda: token.objects == before or one.advance("61s"))


def test_a_vaults_purge_destroys(one, token):
	vault, other = premium(one), premium(one, "second")
	create(other, "stays", "EC-HSM")
	before = token.objects
	for number in range(3):
		create(vault, f"k{number}", "EC-HSM")
	vault.delete("/keys/k0").expect(200)
	group = f"{one.scope()}/resourceGroups/premium/providers/Microsoft.KeyVault/vaults/premium"
	one.manage("DELETE", group, version="2023-07-01").expect(200)
	time.sleep(1.5)
	assert token.objects == before + 3
	deleted = f"{one.scope()}/providers/Microsoft.KeyVault/locations/local/deletedVaults/premium/purge"
	assert one.manage("POST", deleted, version="2023-07-01").status in (200, 202)
	eventually(lambda: token.objects == before)
	assert other.get("/keys/stays").status == 200


def test_a_refused_key_is_destroyed(one, token):
	"""Its name went to a deleted key while it was made: 409, and an hour later nothing of it is left."""
	vault = premium(one)
	create(vault, "stays", "EC-HSM")
	before, statuses = token.objects, []

	def make(name):
		statuses.append(one.vault("premium").post(f"/keys/{name}/create", {"kty": "RSA-HSM", "key_size": 4096}).status)

	for attempt in range(30):
		thread = threading.Thread(target=make, args=(f"k{attempt}",))
		thread.start()
		time.sleep(0.05 * (1 + attempt % 10))  # until it is begun, however slow the machine
		create(vault, f"k{attempt}")
		vault.delete(f"/keys/k{attempt}").expect(200)
		thread.join()
		if statuses[-1] == 409 and token.objects == before + 1:
			break
		vault.delete(f"/deletedkeys/k{attempt}").expect(204)
		eventually(lambda: token.objects == before)
	else:
		pytest.fail(f"no key was refused once it was made: {statuses}")
	time.sleep(1.5)
	assert token.objects == before + 1
	one.advance("61m")
	eventually(lambda: token.objects == before)


def test_killed_while_keys_are_made(one, token):
	"""What was made in the token and not kept is destroyed; what was kept stays, and works."""
	vault, digest, stop = premium(one), digest_for("ES256"), threading.Event()
	create(vault, "first", "EC-HSM")
	base, answered = token.objects - 1, []

	def make(number):
		made = 0
		while not stop.is_set():
			try:
				one.vault("premium").post(f"/keys/k{number}-{made}/create", {"kty": "EC-HSM"})
				answered.append(made)
				made += 1
			except (OSError, http.client.HTTPException):
				time.sleep(0.05)

	for _ in range(4):
		stop.clear()
		threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
		before = len(answered)
		for thread in threads:
			thread.start()
		eventually(lambda: len(answered) > before + 2, 60)
		one.kill()
		stop.set()
		for thread in threads:
			thread.join()
		one.forget_connections()
		one.start()
	names = [item["kid"].rsplit("/", 1)[1] for item in vault.items("/keys")]
	kept = sum(len(vault.items(f"/keys/{name}/versions")) for name in names)
	assert kept > 1 and token.objects >= base + kept
	one.advance("61m")
	eventually(lambda: token.objects == base + kept, 90)  # one that could not be destroyed is tried again in a minute
	time.sleep(1.5)
	assert token.objects == base + kept
	for name in names:
		bundle = vault.get(f"/keys/{name}").json
		assert verifies(shown(bundle), "ES256", digest, key_of(vault, bundle).use("sign", "ES256", digest))


def test_a_token_that_is_away_at_the_start(server, token):
	token.tokens.rename(away := token.tokens.with_name("away"))
	token.tokens.mkdir()
	one = server(options=token.options, environment=token.environment)
	vault = premium(one)
	one.tolerated = (503,)
	vault.post("/keys/k/create", {"kty": "EC-HSM"}).expect(503)
	token.tokens.rmdir()
	away.rename(token.tokens)
	for attempt in range(40):
		reply = vault.post("/keys/k/create", {"kty": "EC-HSM"})
		if reply.status == 200:
			break
		reply.expect(503)
		time.sleep(0.25)
	reply.expect(200)


def test_refused(server, one):
	premium(one)
	standard = one.vault("main")
	for body in ({"kty": "RSA-HSM"}, {"kty": "EC-HSM"}, {"kty": "oct-HSM", "key_size": 256}):
		standard.post("/keys/k/create", body).expect(400, "BadParameter", "KeyTypeNotSupported")
	bare = premium(server(vaults=("main",)), "tokenless")
	error = bare.post("/keys/k/create", {"kty": "RSA-HSM"}).expect(400, "BadParameter").error
	assert "HSM" in error["message"]
	for vault in (standard, bare):
		vault.get("/keys/k").expect(404)


def test_bad_ciphertext_is_no_lost_token(one):
	"""However bad what comes in is: the same refusal as software's, and the token stays."""
	vault = premium(one)
	key = key_of(vault, create(vault, "k", "RSA-HSM"))
	for size in (1, 255, 256, 257):
		for algorithm in RSA_ENCRYPTION:
			reply = key.ask("decrypt", algorithm, random(size))
			if reply.status == 200:  # RSA1_5: one in some ten thousand random blocks opens
				assert algorithm == "RSA1_5"
				continue
			assert reply.expect(400, "BadParameter").error["message"] == "The parameter is incorrect.\r\n"
	key.ask("sign", "RS256", random(31)).expect(400, "BadParameter")
	key.use("sign", "RS256", digest_for("RS256"))


@pytest.mark.parametrize("change, says", [
	(lambda token: token.pin_file.write_text("0000\n"), "PIN"),
	(lambda token: token.pin_file.chmod(0o644), "hsm|PIN|pin"),
	(lambda token: token.pin_file.unlink(), "pin|PIN"),
], ids=["wrong PIN", "others may read the PIN", "no PIN"])
def test_bad_settings(server, token, change, says):
	change(token)
	with pytest.raises(AssertionError, match=says):
		server(options=token.options, environment=token.environment)


@pytest.mark.parametrize("key_props", [{"kty": "EC-HSM", "crv": "P-256"}, {"kty": "RSA-HSM", "exportable": False}],
    ids=["EC", "RSA"])
def test_certificate_of_a_key_in_the_token(one, key_props):
	vault, name = premium(one), unique("c")
	begin(vault, name, merged(SELF, key_props={"crv": None, **key_props}))
	wait(vault, name)
	made = vault.get(f"/certificates/{name}").expect(200).json
	leaf = leaf_of(made)
	leaf.verify_directly_issued_by(leaf)
	assert made["policy"]["key_props"]["exportable"] is False and made["policy"]["key_props"]["kty"] == key_props["kty"]
	bundle = vault.get(f"/keys/{name}").expect(200).json
	assert shown(bundle).public_numbers() == leaf.public_key().public_numbers() and bundle["key"]["kty"] == key_props["kty"]
	private, certificate, _ = pfx_of(vault.get(f"/secrets/{name}").expect(200).json)
	assert private is None and (certificate is None or certificate == leaf)
	algorithm = "ES256" if key_props["kty"] == "EC-HSM" else "RS256"
	digest = digest_for(algorithm)
	assert verifies(leaf.public_key(), algorithm, digest, key_of(vault, bundle).use("sign", algorithm, digest))
	vault.post(f"/certificates/{name}/create", {"policy": merged(SELF, key_props={"kty": "EC-HSM", "crv": "P-256",
	    "exportable": True})}).expect(400, "BadParameter")


def test_an_operation_without_a_version_leaves_nothing(one, token):
	"""However it ends, its key goes; one that is a version's stays."""
	vault, digest = premium(one), digest_for("ES256")
	in_token = merged(SELF, key_props={"crv": "P-256", "kty": "EC-HSM", "reuse_key": True})
	begin(vault, "c", in_token)
	wait(vault, "c")
	bundle, before = vault.get("/keys/c").expect(200).json, token.objects
	pending, fresh = "/certificates/c/pending", merged(in_token, key_props={"reuse_key": False})
	vault.put("/certificates/issuers/nobody", {"provider": "Test"}).expect(200)

	def cancel(policy):
		begin(vault, "c", merged(policy, issuer={"name": "Unknown"}))
		vault.patch(pending, {"cancellation_requested": True}).expect(200)
		wait(vault, "c", "cancelled")

	def delete(policy):
		begin(vault, "c", merged(policy, issuer={"name": "Unknown"}))
		vault.delete(pending).expect(200)

	def fail(policy):
		begin(vault, "c", merged(policy, issuer={"name": "nobody"}))
		wait(vault, "c", "failed")

	for end in (cancel, delete, fail):
		begin(vault, "c", merged(fresh, issuer={"name": "Unknown"}))
		assert token.objects == before + 1
		vault.delete(pending).expect(200)
		end(fresh)
		eventually(lambda: token.objects == before)
		end(in_token)
		time.sleep(1.5)
		assert token.objects == before
	assert verifies(shown(bundle), "ES256", digest, key_of(vault, bundle).use("sign", "ES256", digest))
	vault.delete(pending)
	begin(vault, "c", in_token)
	wait(vault, "c")
	assert token.objects == before
	leaf = leaf_of(vault.get("/certificates/c").expect(200).json)
	assert leaf.public_key().public_numbers() == shown(bundle).public_numbers()


def test_an_authority_in_the_token(one, token):
	"""Its two keys are in there: it issues, and answers, after a restart too; while the token is away all waits, and then goes on."""
	vault = premium(one)
	create(premium(one, "second"), "stays", "EC-HSM")
	before = token.objects
	vault.put("/certificates/issuers/own", issuing.OWN).expect(200)
	issuing.create(vault, "c", issuing.policy("own", "c.example.com"))
	assert token.objects == before + 2
	_, (leaf, intermediate) = issuing.chain_of(vault, "c")
	root = x509.load_der_x509_certificate(issuing.authority(vault, "root").body)
	leaf.verify_directly_issued_by(intermediate)
	intermediate.verify_directly_issued_by(root)

	def crl():
		made = x509.load_der_x509_crl(issuing.authority(vault, "crl").body)
		assert made.is_signature_valid(intermediate.public_key())
		return made

	def state():
		return ocsp.load_der_ocsp_response(issuing.ask_ocsp(vault, issuing.ocsp_request(leaf, intermediate)).body)

	assert crl().get_revoked_certificate_by_serial_number(leaf.serial_number) is None
	assert state().certificate_status == ocsp.OCSPCertStatus.GOOD
	one.restart()
	issuing.revoke(vault, leaf)
	assert crl().get_revoked_certificate_by_serial_number(leaf.serial_number)
	assert state().certificate_status == ocsp.OCSPCertStatus.REVOKED
	assert token.objects == before + 2

	one.tolerated = (503,)
	token.tokens.rename(away := token.tokens.with_name("away"))
	# What was signed is told all the same; what was not has to wait.
	crl(), state()
	one.advance("13h")
	vault.request("GET", "/authority/crl", query="", token=False).expect(503)
	assert state().response_status == ocsp.OCSPResponseStatus.TRY_LATER
	vault.request("POST", "/certificates/d/create", issuing.policy("own", "d.example.com")).expect(202)
	eventually(lambda: "The issuer:" in issuing.pending(vault, "d").get("status_details", ""))
	one.restart()
	assert issuing.pending(vault, "d")["status"] == "inProgress"
	away.rename(token.tokens)
	eventually(lambda: issuing.pending(vault, "d")["status"] == "completed" or one.advance("2m"))
	_, (leaf, again) = issuing.chain_of(vault, "d")
	assert again == intermediate
	leaf.verify_directly_issued_by(intermediate)
	assert state().certificate_status == ocsp.OCSPCertStatus.GOOD and crl()

	path = f"{one.scope()}/resourceGroups/premium/providers/Microsoft.KeyVault/vaults/premium"
	one.manage("DELETE", path, version="2023-07-01").expect(200)
	purged = f"{one.scope()}/providers/Microsoft.KeyVault/locations/local/deletedVaults/premium/purge"
	assert one.manage("POST", purged, version="2023-07-01").status in (200, 202)
	eventually(lambda: token.objects == before or one.advance("61s"))
