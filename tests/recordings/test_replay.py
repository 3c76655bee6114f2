"""Every recording of the original replays; and the driver notices when one is not what it was."""
import collections
import copy
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from replay import Mismatch, Replay, is_transition, left_out, load  # noqa: E402
from strongroom import Server  # noqa: E402

RECORDINGS = sorted((HERE / "data").glob("*.jsonl"))
CRUD = HERE / "data" / "test_secrets_client.test_secret_crud_operations.jsonl"
VERSIONS = HERE / "data" / "test_secrets_client.test_list_versions.jsonl"
BACKUP = HERE / "data" / "test_secrets_client.test_backup_restore.jsonl"
PURGE = HERE / "data" / "test_secrets_client.test_purge.jsonl"
KEYS = HERE / "data" / "test_key_client.test_key_crud_operations.jsonl"
SIGN = HERE / "data" / "test_crypto_client.test_sign_and_verify.jsonl"
SIGN_EC = HERE / "data" / "test_crypto_client.test_ec_verify_local.jsonl"
ENCRYPT = HERE / "data" / "test_crypto_client.test_encrypt_and_decrypt.jsonl"
CERTIFICATES = HERE / "data" / "test_examples_certificates.test_example_certificate_crud_operations.jsonl"
UNWRAP = HERE / "data" / "test_crypto_client.test_wrap_local.jsonl"


def at(exchanges, status, method, path=""):
	"""The last exchange of that kind."""
	return [each for each in exchanges if each["status"] == status and each["method"] == method
	    and path in each["path"]][-1]


def reorder(exchanges):
	reply = at(exchanges, 200, "GET")["reply"]
	reply.move_to_end("id")


def reorder_attributes(exchanges):
	at(exchanges, 200, "PATCH")["reply"]["attributes"].move_to_end("exp")


def drop_member(exchanges):
	del at(exchanges, 200, "PATCH")["reply"]["attributes"]["recoverableDays"]


def add_member(exchanges):
	at(exchanges, 200, "PATCH")["reply"]["value"] = "crud_secret_valued267137a"


def change_status(exchanges):
	at(exchanges, 200, "DELETE")["status"] = 202


def change_value(exchanges):
	at(exchanges, 200, "GET")["reply"]["value"] += "x"


def change_tag(exchanges):
	at(exchanges, 200, "PATCH")["reply"]["tags"]["foo"] += "x"


def change_flag(exchanges):
	at(exchanges, 200, "PATCH")["reply"]["attributes"]["enabled"] = True


def change_expiry(exchanges):
	at(exchanges, 200, "DELETE")["reply"]["attributes"]["exp"] += 1


def change_level(exchanges):
	at(exchanges, 200, "PATCH")["reply"]["attributes"]["recoveryLevel"] = "Purgeable"


def change_type(exchanges):
	at(exchanges, 200, "PATCH")["reply"]["attributes"]["exp"] = "2524723200"


def change_retention(exchanges):
	at(exchanges, 200, "DELETE")["reply"]["scheduledPurgeDate"] += 1


def change_version(exchanges):
	"""Another version's id where the same one was answered."""
	at(exchanges, 200, "PATCH")["reply"]["id"] = exchanges[1]["reply"]["id"]


def change_header(exchanges):
	at(exchanges, 200, "PATCH")["headers"]["cache-control"] = "no-store"


def drop_header(exchanges):
	del at(exchanges, 200, "PATCH")["headers"]["pragma"]


def add_header(exchanges):
	at(exchanges, 200, "PATCH")["headers"]["etag"] = "x"


def change_challenge(exchanges):
	headers = exchanges[0]["headers"]
	headers["www-authenticate"] = headers["www-authenticate"].replace(", ", ",")


def change_401(exchanges):
	exchanges[0]["reply"]["error"]["message"] += " "


def change_error(exchanges):
	at(exchanges, 404, "GET")["reply"]["error"]["message"] += "."


def change_code(exchanges):
	at(exchanges, 404, "GET")["reply"]["error"]["code"] = "NotFound"


def change_last_status(exchanges):
	"""What the recording ends with is no transition."""
	at(exchanges, 404, "GET")["status"] = 200


def body_of_purge(exchanges):
	at(exchanges, 204, "DELETE")["reply"] = collections.OrderedDict()


def lose_version(exchanges):
	del at(exchanges, 200, "GET", "/versions")["reply"]["value"][0]


def move_version(exchanges):
	"""A page of five and two instead of six and one."""
	first, last = [each for each in exchanges if each["path"].endswith("/versions")]
	last["reply"]["value"].insert(0, first["reply"]["value"].pop())


def drop_next(exchanges):
	[each for each in exchanges if each["path"].endswith("/versions")][0]["reply"]["nextLink"] = None


def change_next(exchanges):
	first = [each for each in exchanges if each["path"].endswith("/versions")][0]["reply"]
	first["nextLink"] = first["nextLink"].replace("&maxresults=6", "")


def change_restored(exchanges):
	reply = at(exchanges, 200, "POST", "/restore")["reply"]
	reply["id"] = reply["id"][:-1] + ("0" if reply["id"][-1] != "0" else "1")


def change_recovery_id(exchanges):
	at(exchanges, 200, "DELETE")["reply"]["recoveryId"] += "/"


def other(text, at=-9):
	"""Base64url of other octets."""
	return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:]


def change_number(exchanges):
	"""Another key when it is told again."""
	key = at(exchanges, 200, "GET", "/keys/")["reply"]["key"]
	key["n"] = other(key["n"])


def shorten_number(exchanges):
	for each in exchanges:
		if "crud-P-256" in each["path"] and each["reply"].get("key"):
			each["reply"]["key"]["x"] = each["reply"]["key"]["x"][:-2]


def change_brought(exchanges):
	"""Another modulus than was brought in."""
	key = at(exchanges, 200, "PUT")["reply"]["key"]
	key["n"] = other(key["n"])


def change_exponent(exchanges):
	at(exchanges, 200, "PATCH")["reply"]["key"]["e"] = "Aw"


def reorder_operations(exchanges):
	at(exchanges, 200, "PATCH")["reply"]["key"]["key_ops"].reverse()


def reorder_key(exchanges):
	at(exchanges, 200, "GET", "/keys/")["reply"]["key"].move_to_end("kty")


def change_signature(exchanges):
	"""Of a key that was brought in: it can't be another one."""
	reply, verified = at(exchanges, 200, "POST", "/sign")["reply"], at(exchanges, 200, "POST", "/verify")["body"]
	reply["value"] = verified["value"] = other(reply["value"])


def change_verdict(exchanges):
	at(exchanges, 200, "POST", "/verify")["reply"]["value"] = False


def change_digest(exchanges):
	at(exchanges, 200, "POST", "/verify")["body"]["digest"] = "A" * 43


def lengthen_signature(exchanges):
	at(exchanges, 200, "POST", "/sign")["reply"]["value"] += "AAAA"


def change_plaintext(exchanges):
	reply = at(exchanges, 200, "POST", "/decrypt")["reply"]
	reply["value"] = other(reply["value"])


def other_thumbprint(exchanges):
	"""Another certificate when it is told again."""
	reply = at(exchanges, 200, "PATCH")["reply"]
	reply["x5t"] = other(reply["x5t"])


def change_validity(exchanges):
	for each in exchanges:
		if (each["reply"] or {}).get("cer"):
			each["reply"]["attributes"]["exp"] += 31 * 86400


def change_request(exchanges):
	at(exchanges, 200, "GET", "/pending")["reply"]["request_id"] = "0" * 32


def change_outcome(exchanges):
	at(exchanges, 200, "GET", "/pending")["reply"]["status"] = "failed"


def drop_policy(exchanges):
	del at(exchanges, 200, "PATCH")["reply"]["policy"]


def change_location(exchanges):
	headers = at(exchanges, 202, "POST")["headers"]
	headers["location"] = headers["location"].replace("/pending", "")


def change_usages(exchanges):
	at(exchanges, 200, "PATCH")["reply"]["policy"]["x509_props"]["key_usage"].reverse()


def change_kid(exchanges):
	reply = at(exchanges, 200, "POST", "/unwrapkey")["reply"]
	reply["kid"] = reply["kid"].rpartition("/")[0]


ALTERATIONS = [
	*((CRUD, each) for each in (reorder, reorder_attributes, drop_member, add_member, change_status, change_value,
	    change_tag, change_flag, change_expiry, change_level, change_type, change_retention, change_version,
	    change_header, drop_header, add_header, change_challenge, change_401, change_recovery_id)),
	*((VERSIONS, each) for each in (lose_version, move_version, drop_next, change_next)),
	(BACKUP, change_restored),
	*((PURGE, each) for each in (change_error, change_code, change_last_status, body_of_purge)),
	*((KEYS, each) for each in (change_number, shorten_number, change_brought, change_exponent, reorder_operations,
	    reorder_key, change_expiry, drop_member, change_level, change_retention, change_recovery_id)),
	*((SIGN, each) for each in (change_signature, change_verdict, change_digest)),
	*((CERTIFICATES, each) for each in (other_thumbprint, change_validity, change_request, change_outcome, drop_policy,
	    change_location, change_usages, change_expiry, drop_member, change_level, change_retention,
	    change_recovery_id)),
	(SIGN_EC, lengthen_signature), (ENCRYPT, change_plaintext), (UNWRAP, change_kid),
]


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
	"""A vault without a history, again and again; a server is started with 64 at most."""
	names, servers = [f"replay-{index}" for index in range(60)], []

	def fresh():
		while True:
			servers.append(Server(tmp_path_factory.mktemp("replay"), names).start())
			yield from map(servers[-1].vault, names)

	vaults = fresh()
	yield lambda: next(vaults)
	for server in servers:
		server.stop()


@pytest.fixture(scope="module", autouse=True)
def summary(request):
	"""What the rules let pass, at the end of a run with -s or -rP."""
	totals = collections.Counter()
	yield totals
	print("\nlet pass by rule:", ", ".join(f"{rule} {count}" for rule, count in totals.most_common()))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_recording(vault, summary, path):
	exchanges = load(path)
	replay = Replay(vault()).run(exchanges)
	absent = sum(is_transition(exchanges, index) or left_out(each) is not None for index, each in enumerate(exchanges))
	assert replay.compared + replay.late >= len(exchanges) - absent
	assert replay.compared > 0 or {left_out(each) for each in exchanges} <= {"expired", "hard", "login"}
	summary.update(replay.rules)


@pytest.mark.parametrize("path, alter", ALTERATIONS, ids=lambda value: getattr(value, "__name__", ""))
def test_altered_recording_fails(vault, path, alter):
	exchanges = load(path)
	original = copy.deepcopy(exchanges)
	alter(exchanges)
	assert list(map(str, exchanges)) != list(map(str, original)), "nothing was altered"
	with pytest.raises(Mismatch):
		Replay(vault()).run(exchanges)


def test_transitions_are_few_and_what_they_seem():
	for path in RECORDINGS:
		exchanges = load(path)
		for index, each in enumerate(exchanges):
			if is_transition(exchanges, index):
				assert each["status"] in (404, 409) and exchanges[index + 1]["status"] == 200
				assert re.match(r"/(deleted)?(secrets|keys|certificates)/", each["path"])
	purge = load(PURGE)
	assert not is_transition(purge, len(purge) - 2), "a final 404 is compared"


def test_what_is_left_out():
	seen = collections.Counter(left_out(each) for path in RECORDINGS for each in load(path))
	del seen[None]
	assert seen == {"hsm": 3, "hard": 8, "denied": 3, "login": 4, "expired": 1, "bare": 1}
