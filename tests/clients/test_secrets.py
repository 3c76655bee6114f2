"""Secrets on the wire: what they may hold, how they are told, listed, deleted and brought back."""
import base64
import concurrent.futures
import json
import re
import time
import uuid

import pytest

from strongroom import unique, version_of

DAY = 86400
NOT_FOUND = ("A secret with (name/id) {} was not found in this key vault. If you recently deleted this "
    "secret you may be able to recover it using the correct recovery command. For help resolving this "
    "issue, please see https://go.microsoft.com/fwlink/?linkid=2125182")


@pytest.fixture
def name():
	return unique("p")


# Names

@pytest.mark.parametrize("bad", ["bad_name", "a.b", "a%20b", "%C3%BC", "a~b", "n" * 128])
def test_bad_name(main, bad):
	reply = main.put(f"/secrets/{bad}", {"value": "x"}).expect(400, "BadParameter")
	if re.fullmatch(r"[\w.~]+", bad):
		assert reply.error["message"] == f"The request URI contains an invalid name: {bad}"
	main.get(f"/secrets/{bad}").expect(400, "BadParameter")
	assert main.delete(f"/deletedsecrets/{bad}").status == 400


@pytest.mark.parametrize("bad", ["a%00b", "%FF", "a%", "%zz", "%C3%28", "%ED%A0%80"])
def test_name_that_is_no_text(main, bad):
	reply = main.put(f"/secrets/{bad}", {"value": "x"}).expect(400)
	assert reply.error["code"] in ("BadParameter", "BadRequest") and reply.error["message"]


@pytest.mark.parametrize("good", ["n" * 127, "0", "-", "--a--", "Z9-", "versions", "backup", "recover"])
def test_good_name(other, good):
	assert other.set(good)["id"].startswith(f"{other.url}/secrets/{good}/")
	other.get(f"/secrets/{good}/").expect(200)
	assert len(other.items(f"/secrets/{good}/versions")) == 1
	other.remove(good)
	other.delete(f"/deletedsecrets/{good}").expect(204)


# Bodies

def body_of(value_bytes):
	return b'{"value":"' + value_bytes + b'"}'


@pytest.mark.parametrize("value", ["", "x", "x" * 25600, "é" * 12800, "🗝" * 6400, "\t\r\n\"\\/\b\f\x1f\x7f",
    "\u2028\ufeff\ufffd\U0010ffff"], ids=["empty", "one", "25600", "é", "🗝", "control", "odd"])
def test_value_comes_back(main, name, value):
	assert main.set(name, value)["value"] == value
	assert main.value(name) == value
	reply = main.put(f"/secrets/{name}", json.dumps({"value": value}, ensure_ascii=False).encode())
	assert reply.expect(200).json["value"] == value
	assert main.value(name) == value


@pytest.mark.parametrize("value", ["x" * 25601, "é" * 12801, "🗝" * 6401, "x" * 500000])
def test_value_is_too_long(main, name, value):
	main.put(f"/secrets/{name}", {"value": value}).expect(400, "BadParameter")
	main.get(f"/secrets/{name}").expect(404)


def test_value_with_nul(main, name):
	reply = main.put(f"/secrets/{name}", b'{"value":"a\\u0000b"}')
	assert reply.status in (200, 400)
	if reply.status == 200:
		assert main.value(name) == "a\0b"


GOOD_MEMBERS = [
	{"tags": {str(i): "x" for i in range(15)}}, {"tags": {"n" * 512: "v" * 512}}, {"tags": {"": ""}},
	{"tags": {}}, {"tags": None}, {"tags": {"a": None}}, {"contentType": "c" * 255}, {"contentType": None}, {"contentType": ""},
	{"attributes": {}}, {"attributes": None}, {"attributes": {"enabled": None, "nbf": None, "exp": None}},
	{"attributes": {"exp": 32503680000}}, {"attributes": {"exp": 1}}, {"attributes": {"nbf": 5, "exp": 5}},
	{"unknown": {"deep": [1, {"er": None}]}}, {"id": "x", "kid": 7, "managed": True},
	{"attributes": {"created": 1, "recoveryLevel": "x", "unknown": []}},
]


@pytest.mark.parametrize("members", GOOD_MEMBERS, ids=lambda members: json.dumps(members)[:40])
def test_good_members(main, name, members):
	made = main.set(name, **members)
	assert made["value"] == "value"
	assert abs(made["attributes"]["created"] - time.time()) < 30
	for member in ("tags", "contentType"):
		if members.get(member) not in (None, {}, "", {"a": None}):
			assert made[member] == members[member]
		elif members.get(member, None) is None:
			assert member not in made


BAD_BODIES = {
	"empty": b"", "space": b" ", "array": b"[]", "text": b'"x"', "number": b"1", "null": b"null",
	"cut": b'{"value":"x"', "trailing": b'{"value":"x"} x', "two": b'{"value":"x"}{}', "comma": b'{"value":"x",}',
	"single quotes": b"{'value':'x'}", "no value": b"{}", "null value": b'{"value":null}',
	"number value": b'{"value":1}', "flag value": b'{"value":true}', "object value": b'{"value":{}}',
	"array value": b'{"value":["x"]}', "VALUE": b'{"VALUE":"x"}',
	"twice": b'{"value":"x","value":"y"}', "twice inside": b'{"value":"x","tags":{"a":"1","a":"2"}}',
	"not UTF-8": body_of(b"\xff\xfe"), "overlong": body_of(b"\xc0\x80"), "surrogate": body_of(b"\xed\xa0\x80"),
	"lone surrogate": body_of(b"\\ud800"), "bad escape": body_of(b"\\x41"), "control": body_of(b"a\nb"),
	"nested arrays": b'{"value":"x","junk":' + b"[" * 100000 + b"]" * 100000 + b"}",
	"nested objects": b'{"value":"x","junk":' + b'{"a":' * 100000 + b"1" + b"}" * 100000 + b"}",
	"open brackets": b"[" * 100000, "open in value": b'{"value":' + b"[" * 100000,
	"tags array": b'{"value":"x","tags":[]}', "tags text": b'{"value":"x","tags":"a=b"}',
	"tag number": b'{"value":"x","tags":{"a":1}}', "tag object": b'{"value":"x","tags":{"a":{}}}',
	"type number": b'{"value":"x","contentType":1}', "attributes text": b'{"value":"x","attributes":"x"}',
	"attributes array": b'{"value":"x","attributes":[]}',
	"enabled text": b'{"value":"x","attributes":{"enabled":"true"}}',
	"enabled number": b'{"value":"x","attributes":{"enabled":1}}',
	"exp text": b'{"value":"x","attributes":{"exp":"1"}}',
	"exp fraction": b'{"value":"x","attributes":{"exp":1.5}}',
	"exp flag": b'{"value":"x","attributes":{"exp":true}}',
	"exp huge": b'{"value":"x","attributes":{"exp":99999999999999999999}}',
	"exp hugest": b'{"value":"x","attributes":{"exp":1e999}}',
	"exp digits": b'{"value":"x","attributes":{"exp":' + b"9" * 10000 + b"}}",
	"nbf after exp": b'{"value":"x","attributes":{"nbf":6,"exp":5}}',
	"16 tags": json.dumps({"value": "x", "tags": {str(i): "" for i in range(16)}}).encode(),
	"tag name 513": json.dumps({"value": "x", "tags": {"n" * 513: ""}}).encode(),
	"tag value 513": json.dumps({"value": "x", "tags": {"n": "v" * 513}}).encode(),
	"type 256": json.dumps({"value": "x", "contentType": "c" * 256}).encode(),
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_bad_body(main, name, body):
	reply = main.put(f"/secrets/{name}", body).expect(400, "BadParameter")
	assert reply.error["message"]
	main.get(f"/secrets/{name}").expect(404)


def test_sixteen_tags_message(main, name):
	reply = main.put(f"/secrets/{name}", BAD_BODIES["16 tags"]).expect(400, "BadParameter")
	assert re.fullmatch(r"Property \w* ?has invalid value\r\n", reply.error["message"])


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8",
    "application/json;charset=UTF-8", "text/json", None])
def test_content_types(main, name, kind):
	headers = {"Content-Type": kind} if kind else {}
	main.put(f"/secrets/{name}", b'{"value":"x"}', headers=headers).expect(200)


@pytest.mark.parametrize("body", [None, b"", b"{}"], ids=["none", "empty", "{}"])
def test_posts_without_parameters(main, name, body):
	main.set(name)
	main.post(f"/secrets/{name}/backup", body).expect(200)
	main.remove(name)
	main.post(f"/deletedsecrets/{name}/recover", body).expect(200)


# Bundles

def test_shapes(main, name):
	made = main.put(f"/secrets/{name}", {"tags": {"b": "2", "a": "1"}, "contentType": "t", "value": "v",
	    "attributes": {"exp": 4, "nbf": 3, "enabled": True}}).expect(200).json
	assert list(made) == ["value", "contentType", "id", "attributes", "tags"]
	assert list(made["attributes"]) == ["enabled", "nbf", "exp", "created", "updated", "recoveryLevel",
	    "recoverableDays"]
	attributes = made["attributes"]
	assert attributes["created"] == attributes["updated"]
	assert (attributes["enabled"], attributes["nbf"], attributes["exp"]) == (True, 3, 4)
	assert (attributes["recoveryLevel"], attributes["recoverableDays"]) == ("Recoverable+Purgeable", 90)
	assert re.fullmatch(rf"{re.escape(main.url)}/secrets/{name}/[0-9a-f]{{32}}", made["id"])
	assert made["tags"] == {"b": "2", "a": "1"}
	assert main.get(f"/secrets/{name}").json == made
	assert main.get(f"/secrets/{name}/{version_of(made)}").json == made

	patched = main.patch(f"/secrets/{name}", {}).expect(200).json
	assert list(patched) == ["contentType", "id", "attributes", "tags"]
	item = next(each for each in main.items("/secrets") if each["id"] == f"{main.url}/secrets/{name}")
	assert list(item) == ["contentType", "id", "attributes", "tags"]
	(item,) = main.items(f"/secrets/{name}/versions")
	assert (list(item), item["id"]) == (["contentType", "id", "attributes", "tags"], made["id"])

	deleted = main.remove(name)
	order = ["recoveryId", "deletedDate", "scheduledPurgeDate", "contentType", "id", "attributes", "tags"]
	assert list(deleted) == order
	assert deleted["id"] == made["id"]
	assert main.get(f"/deletedsecrets/{name}").json == deleted
	item = next(each for each in main.items("/deletedsecrets") if each["recoveryId"] == deleted["recoveryId"])
	assert (list(item), item["id"]) == (order, f"{main.url}/secrets/{name}")

	recovered = main.post(f"/deletedsecrets/{name}/recover").expect(200).json
	assert list(recovered) == ["contentType", "id", "attributes", "tags"]
	assert recovered["attributes"]["created"] == attributes["created"]


def test_plain_bundle_has_no_empty_members(main, name):
	made = main.put(f"/secrets/{name}", {"value": "v"}).expect(200).json
	assert list(made) == ["value", "id", "attributes"]
	assert list(made["attributes"]) == ["enabled", "created", "updated", "recoveryLevel", "recoverableDays"]


@pytest.mark.parametrize("vault, level, days", [("main", "Recoverable+Purgeable", 90),
    ("protected", "Recoverable", 90), ("short", "CustomizedRecoverable+Purgeable", 7)])
def test_recovery_level(shared, vault, level, days, name):
	attributes = shared.vault(vault).set(name)["attributes"]
	assert (attributes["recoveryLevel"], attributes["recoverableDays"]) == (level, days)


def test_latest_is_the_newest(main, name):
	made = [main.set(name, str(i)) for i in range(12)]
	assert main.value(name) == "11"
	assert main.get(f"/secrets/{name}/").json["id"] == made[-1]["id"]
	assert len({bundle["id"] for bundle in made}) == 12
	deleted = main.remove(name)
	assert deleted["id"] == made[-1]["id"]


def test_content_type_is_not_converted(main, name):
	main.set(name, contentType="text/plain")
	for kind in ("application/x-pem-file", "application/x-pkcs12", "text/plain"):
		main.get(f"/secrets/{name}", query=f"api-version=2025-07-01&outContentType={kind}").expect(400, "BadParameter")


def test_dates_are_informational(main, name):
	main.set(name, "expired", attributes={"exp": 1})
	assert main.value(name) == "expired"
	main.set(name, "not yet", attributes={"nbf": 32503680000})
	assert main.value(name) == "not yet"


def test_disabled(main, name):
	made = main.set(name, attributes={"enabled": False})
	reply = main.get(f"/secrets/{name}").expect(403, "Forbidden", "SecretDisabled")
	assert reply.error["message"] == "Operation get is not allowed on a disabled secret."
	assert list(reply.json) == ["error"] and list(reply.error) == ["code", "message", "innererror"]
	main.get(f"/secrets/{name}/{version_of(made)}").expect(403, "Forbidden", "SecretDisabled")
	assert main.items(f"/secrets/{name}/versions")[0]["attributes"]["enabled"] is False
	blob = main.backup(name)
	main.set(name, "enabled again")
	assert main.value(name) == "enabled again"
	main.get(f"/secrets/{name}/{version_of(made)}").expect(403)
	main.remove(name)
	main.delete(f"/deletedsecrets/{name}").expect(204)
	restored = main.post("/secrets/restore", {"value": blob}).expect(200).json
	assert restored["attributes"]["enabled"] is False
	main.get(f"/secrets/{name}").expect(403, "Forbidden", "SecretDisabled")


# PATCH

def test_patch(main, name):
	made = main.set(name, "kept", contentType="one", tags={"a": "1", "b": "2"}, attributes={"exp": 100})
	path = f"/secrets/{name}"

	patched = main.patch(path, {"value": "changed?", "tags": {"c": "3"}}).expect(200)
	assert b"kept" not in patched.body and b"changed?" not in patched.body
	assert patched.json["tags"] == {"c": "3"}, "the whole map is replaced"
	assert patched.json["contentType"] == "one"
	assert patched.json["attributes"]["exp"] == 100
	assert patched.json["id"] == made["id"], "no new version"

	patched = main.patch(path, {"contentType": "two", "attributes": {"nbf": 50}}).expect(200).json
	assert patched["tags"] == {"c": "3"}, "a PATCH without tags keeps them"
	assert (patched["contentType"], patched["attributes"]["nbf"], patched["attributes"]["exp"]) == ("two", 50, 100)

	patched = main.patch(path, {"tags": None, "contentType": None,
	    "attributes": {"exp": None, "enabled": None}}).expect(200).json
	assert (patched["tags"], patched["contentType"], patched["attributes"]["exp"]) == ({"c": "3"}, "two", 100)

	patched = main.patch(path, {"tags": {}}).expect(200).json
	assert patched.get("tags", {}) == {}
	assert main.value(name) == "kept"
	main.patch(path, None).expect(200)
	main.patch(path + "/", {"attributes": {"enabled": False}}).expect(200)
	main.get(path).expect(403)


def test_patch_of_a_version(main, name):
	old, new = main.set(name, "old"), main.set(name, "new")
	main.patch(f"/secrets/{name}/{version_of(old)}", {"contentType": "old's"}).expect(200)
	assert "contentType" not in main.get(f"/secrets/{name}").json
	assert main.get(f"/secrets/{name}/{version_of(old)}").json["contentType"] == "old's"
	main.patch(f"/secrets/{name}", {"contentType": "new's"}).expect(200)
	assert main.get(f"/secrets/{name}/{version_of(new)}").json["contentType"] == "new's"
	assert main.get(f"/secrets/{name}/{version_of(old)}").json["contentType"] == "old's"


def test_patch_changes_updated(main, name):
	made = main.set(name)
	time.sleep(1.1)
	patched = main.patch(f"/secrets/{name}", {"tags": {"a": "b"}}).expect(200).json
	assert patched["attributes"]["created"] == made["attributes"]["created"]
	assert patched["attributes"]["updated"] > made["attributes"]["updated"]


@pytest.mark.parametrize("body", [b"{", b"[]", {"tags": {str(i): "" for i in range(16)}}, {"contentType": "c" * 256},
    {"attributes": {"enabled": "no"}}, {"attributes": {"nbf": 9, "exp": 8}}], ids=lambda body: str(body)[:30])
def test_bad_patch(main, name, body):
	made = main.set(name)
	main.patch(f"/secrets/{name}", body).expect(400, "BadParameter")
	assert main.get(f"/secrets/{name}").json == made


def test_new_version_inherits_nothing(main, name):
	main.set(name, contentType="t", tags={"a": "b"}, attributes={"exp": 100, "enabled": False})
	made = main.set(name)
	assert list(made) == ["value", "id", "attributes"]
	assert made["attributes"]["enabled"] is True and "exp" not in made["attributes"]


# Missing ones

def test_missing(main, name):
	for method, path in (("GET", ""), ("GET", "/"), ("PATCH", ""), ("DELETE", "")):
		reply = main.request(method, f"/secrets/{name}{path}").expect(404, "SecretNotFound")
		assert reply.error["message"] == NOT_FOUND.format(name)
		assert list(reply.error) == ["code", "message"]
	main.post(f"/secrets/{name}/backup").expect(404, "SecretNotFound")
	reply = main.post(f"/deletedsecrets/{name}/recover").expect(404, "SecretNotFound")
	assert reply.error["message"] == NOT_FOUND.format(name)
	for method in ("GET", "DELETE"):
		reply = main.request(method, f"/deletedsecrets/{name}").expect(404, "SecretNotFound")
		assert reply.error["message"] == f"Deleted Secret not found: {name}"
	assert main.get(f"/secrets/{name}/versions").expect(200).body == b'{"value":[],"nextLink":null}'


def test_missing_version(main, name):
	main.set(name)
	version = uuid.uuid4().hex
	for method in ("GET", "PATCH"):
		reply = main.request(method, f"/secrets/{name}/{version}").expect(404, "SecretNotFound")
		assert reply.error["message"] == NOT_FOUND.format(f"{name}/{version}")
	for bad in ("zzz", "0" * 31, "0" * 33, "g" * 32, "%20"):
		assert main.get(f"/secrets/{name}/{bad}").status in (400, 404)


# Lists

@pytest.fixture(scope="module")
def listed(shared):
	"""A vault of known content: 60 secrets."""
	vault = shared.vault("other")
	for each in vault.items("/secrets"):
		vault.remove(each["id"].rsplit("/", 1)[1])
	vault.made = ["a-b", "a1", "A-C", "B", "a", "b-", "Z9", "aB", "A0", "-"] + [f"item-{i:02}" for i in range(50)]
	for each in vault.made:
		vault.set(each, "x")
	return vault


def test_list_order(listed):
	found = [each["id"].rsplit("/", 1)[1] for each in listed.items("/secrets")]
	assert found == sorted(listed.made, key=str.upper)


@pytest.mark.parametrize("size", [1, 2, 7, 24, 25, None])
def test_pages(listed, size):
	pages = list(listed.pages("/secrets", size))
	sizes = [len(page["value"]) for page in pages]
	assert sum(sizes) == 60 and max(sizes) <= (size or 25)
	found = [each["id"] for page in pages for each in page["value"]]
	assert len(set(found)) == 60
	for page in pages:
		assert list(page) == ["value", "nextLink"]
	assert len(pages) > 1


def test_next_link(listed, shared):
	form = r"https://other\.vault\.localhost:{}/secrets\?api-version=7\.4&\$skiptoken=[\w-]+".format(shared.port)
	link = listed.get("/secrets").expect(200).json["nextLink"]
	assert re.fullmatch(form, link), link
	link = listed.get("/secrets", query="maxresults=3&api-version=7.4").expect(200).json["nextLink"]
	assert re.fullmatch(form + "&maxresults=3", link), link
	link = listed.follow(link).expect(200).json["nextLink"]
	assert re.fullmatch(form + "&maxresults=3", link), link
	link = listed.get("/secrets", query="api-version=7.1").expect(200).json["nextLink"]
	assert re.fullmatch(form.replace(r"7\.4", r"7\.1"), link), link


def test_next_link_percent_encoded(listed):
	"""As clients that parse and rebuild the URL send it."""
	link = listed.get("/secrets").expect(200).json["nextLink"]
	first = listed.follow(link).expect(200).json
	assert listed.follow(link.replace("$", "%24").replace("-version", "%2Dversion")).expect(200).json == first


def test_last_page_has_null(listed):
	*_, last = listed.pages("/secrets", 25)
	assert last["nextLink"] is None


def test_page_survives_changes(listed):
	"""Names that come or go between pages neither repeat nor hide the others."""
	pages = listed.pages("/secrets", 10)
	first = next(pages)
	gone = first["value"][-1]["id"].rsplit("/", 1)[1]
	listed.remove(gone)
	listed.set("-0", "comes late, sorts early")
	rest = [each["id"] for page in pages for each in page["value"]]
	listed.post(f"/deletedsecrets/{gone}/recover").expect(200)
	listed.remove("-0")
	listed.delete("/deletedsecrets/-0").expect(204)
	seen = [each["id"] for each in first["value"]] + rest
	assert len(seen) == len(set(seen)) == 60


@pytest.mark.parametrize("value", ["0", "26", "-1", "abc", "1.5", "", "99999999999999999999", "1e1", "%31%20", "0x5"])
@pytest.mark.parametrize("path", ["/secrets", "/secrets/n/versions", "/deletedsecrets"])
def test_bad_maxresults(main, path, value):
	main.get(path, query=f"api-version=7.4&maxresults={value}").expect(400, "BadParameter")


def test_forged_skiptoken(listed, main):
	link = listed.get("/secrets").expect(200).json["nextLink"]
	token = re.search(r"skiptoken=([^&]+)", link)[1]
	recorded = base64.urlsafe_b64encode(b'{"NextMarker":"2!8!MDAwMDAh-","TargetLocation":0}').decode().rstrip("=")
	changed = token[:-8] + ("A" if token[-8] != "A" else "B") + token[-7:]
	forged = {"truncated": token[:-4], "empty": "", "garbage": "AAAA", "not base64": "%21%21", "changed": changed,
	    "azure's": recorded, "longer": token + "AAAA", "huge": "A" * 5000, "one": token[:1]}
	for what, text in forged.items():
		reply = listed.get("/secrets", query=f"api-version=7.4&$skiptoken={text}")
		assert reply.status == 400, (what, reply)
		assert reply.error["code"] == "BadParameter"
	elsewhere = main.get("/secrets", query=f"api-version=7.4&$skiptoken={token}")
	assert elsewhere.status == 400 or not {each["id"] for each in elsewhere.json["value"]} - \
	    {each["id"] for each in main.items("/secrets")}
	assert listed.get("/secrets/item-01/versions", query=f"api-version=7.4&$skiptoken={token}").status in (200, 400)


def test_list_holds_no_values(main, name):
	main.set(name, "in-no-list")
	main.set(name, "in-no-list", attributes={"enabled": False})
	for path in ("/secrets", f"/secrets/{name}/versions"):
		for page in main.pages(path):
			assert "in-no-list" not in json.dumps(page)


def test_version_list(main, name):
	made = [main.set(name, str(i)) for i in range(30)]
	listed = main.items(f"/secrets/{name}/versions")
	ids = [each["id"] for each in listed]
	assert ids == sorted(each["id"] for each in made), "by id, not by time"
	pages = list(main.pages(f"/secrets/{name}/versions", 7))
	assert [each for page in pages for each in page["value"]] == listed
	link = pages[0]["nextLink"]
	assert re.match(rf"{re.escape(main.url)}/secrets/{name}/versions\?api-version=7\.4&\$skiptoken=[\w-]+&maxresults=7$",
	    link)


def test_item_of_list_is_the_latest_version(main, name):
	main.set(name, contentType="old", tags={"a": "old"})
	main.set(name, contentType="new")
	(item,) = [each for each in main.items("/secrets") if each["id"].endswith(f"/{name}")]
	assert item["contentType"] == "new" and "tags" not in item


# Deleted secrets

@pytest.mark.parametrize("vault, days", [("main", 90), ("short", 7), ("protected", 90)])
def test_deleted(shared, vault, days, name):
	vault = shared.vault(vault)
	versions = [vault.set(name, str(i), tags={"n": str(i)}) for i in range(3)]
	deleted = vault.remove(name)
	assert deleted["scheduledPurgeDate"] == deleted["deletedDate"] + days * DAY
	assert abs(deleted["deletedDate"] - time.time()) < 30
	assert deleted["recoveryId"] == f"{vault.url}/deletedsecrets/{name}"
	assert deleted["tags"] == {"n": "2"}
	assert "value" not in deleted

	for method, path, body in (("GET", "", None), ("GET", "/" + version_of(versions[0]), None), ("PATCH", "", {}),
	    ("DELETE", "", None)):
		reply = vault.request(method, f"/secrets/{name}{path}", body).expect(404, "SecretNotFound")
		assert reply.error["message"].startswith(f"A secret with (name/id) {name}{path} was not found")
	reply = vault.put(f"/secrets/{name}", {"value": "x"})
	assert reply.expect(409, "Conflict", "ObjectIsDeletedButRecoverable").error["message"] == (
		f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; "
		"in this state, the secret can only be recovered or purged.")
	vault.post(f"/secrets/{name}/backup").expect(404)
	assert vault.items(f"/secrets/{name}/versions") == []
	assert name not in [each["id"].rsplit("/", 1)[1] for each in vault.items("/secrets")]
	assert vault.get(f"/deletedsecrets/{name}").expect(200).json == deleted

	recovered = vault.post(f"/deletedsecrets/{name}/recover").expect(200).json
	assert recovered["id"] == versions[-1]["id"] and "value" not in recovered
	assert [vault.value(name, version_of(each)) for each in versions] == ["0", "1", "2"]
	reply = vault.get(f"/deletedsecrets/{name}").expect(404, "SecretNotFound")
	assert reply.error["message"] == f"Deleted Secret not found: {name}"
	vault.delete(f"/deletedsecrets/{name}").expect(404, "SecretNotFound")


def test_recover_of_live(main, name):
	main.set(name)
	reply = main.post(f"/deletedsecrets/{name}/recover")
	reply.expect(400, "MethodNotAllowed", "RequestNotAllowedOnNonDeletedObject")
	assert reply.error["message"] == f"Secret exists already: {name}"
	assert list(reply.error) == ["code", "message", "innererror"]


def test_purge(main, name):
	old = main.set(name)
	main.remove(name)
	main.delete(f"/deletedsecrets/{name}").expect(204)
	main.get(f"/deletedsecrets/{name}").expect(404, "SecretNotFound")
	main.delete(f"/deletedsecrets/{name}").expect(404, "SecretNotFound")
	main.post(f"/deletedsecrets/{name}/recover").expect(404, "SecretNotFound")
	new = main.set(name, "anew")
	assert [each["id"] for each in main.items(f"/secrets/{name}/versions")] == [new["id"]]
	main.get(f"/secrets/{name}/{version_of(old)}").expect(404, "SecretNotFound")


def test_purge_protection(shared, name):
	vault = shared.vault("protected")
	vault.set(name)
	vault.remove(name)
	reply = vault.delete(f"/deletedsecrets/{name}").expect(403)
	assert reply.error["code"] == "Forbidden"
	assert re.fullmatch(r'Operation "purge" is not allowed because purge protection is enabled for this vault\. Key '
	    r'Vault service will automatically purge it after the retention period has passed\.\r\nVault: '
	    r'protected;location=\w+', reply.error["message"].rstrip("\r\n"))
	vault.get(f"/deletedsecrets/{name}").expect(200)
	vault.post(f"/deletedsecrets/{name}/recover").expect(200)


def test_purge_protection_and_missing(shared, name):
	shared.vault("protected").delete(f"/deletedsecrets/{name}").expect(404, "SecretNotFound")


# Backup

def test_restore_into_another_vault(main, shared, name):
	made = [main.set(name, str(i), contentType=f"t{i}", tags={"n": str(i)}, attributes={"exp": 9 + i})
	    for i in range(30)]
	time.sleep(1.1)
	short = shared.vault("short")
	blob = main.backup(name)
	assert re.fullmatch(r"[\w-]+", blob), "base64url without padding"
	restored = short.post("/secrets/restore", {"value": blob}).expect(200).json
	assert list(restored) == ["contentType", "id", "attributes", "tags"]
	assert restored["id"] == made[-1]["id"].replace(main.url, short.url)
	assert restored["attributes"]["recoverableDays"] == 7, "the vault's, not the backup's"
	for bundle in made:
		copy = short.get(f"/secrets/{name}/{version_of(bundle)}").expect(200).json
		assert copy["value"] == bundle["value"] and copy["tags"] == bundle["tags"]
		for member in ("enabled", "exp", "created", "updated"):
			assert copy["attributes"][member] == bundle["attributes"][member]
	assert short.value(name) == "29"
	main.set(name, "goes its own way")
	assert short.value(name) == "29"


def test_restore_conflict(main, name):
	made = main.set(name)
	blob = main.backup(name)
	reply = main.post("/secrets/restore", {"value": blob}).expect(409, "Conflict")
	assert reply.error["message"] == (
		f"There was a conflict restoring the secret '{made['id']}'. This can happen if either: a second secret with "
		"the same name was created after the first secret was deleted; thus trying to restore a secret whose name "
		"is already in use. To fix this, rename the second secret to something else so that the restore works. The "
		"second probable cause of this exception is when multiple operations are performed in parallel against the "
		"secret. To avoid this error, perform operations against a secret in a sequential manner.")
	main.remove(name)
	assert main.post("/secrets/restore", {"value": blob}).expect(409).error["code"] == "Conflict"
	main.delete(f"/deletedsecrets/{name}").expect(204)
	main.post("/secrets/restore", {"value": blob}).expect(200)


def malformed(vault, blob):
	reply = vault.post("/secrets/restore", {"value": blob}).expect(400, "Malformed backup blob")
	assert reply.error["message"] == "Backup blob contains invalid or corrupt version."


def test_damaged_backup(main, shared, name):
	main.set(name)
	blob = main.backup(name)
	target = shared.vault("short")
	middle = len(blob) // 2
	changed = blob[:middle] + ("A" if blob[middle] != "A" else "B") + blob[middle + 1:]
	own = base64.urlsafe_b64encode(b"\x29AzureKeyVaultSecretBackupV1.microsoft.com" + b"e30.a.b.c.d").decode()
	for damaged in (blob[:-4], blob[:100], blob[4:], changed, blob + "AAAA", "AAAA", "", "!!!", "x" * 50000,
	    blob[::-1], own.rstrip("=")):
		malformed(target, damaged)
	target.get(f"/secrets/{name}").expect(404)
	for body in (b"{}", b'{"value":null}', b'{"value":7}', b"{"):
		assert target.post("/secrets/restore", body).expect(400).error["code"] in (
			"BadParameter", "Malformed backup blob")


def test_backup_of_another_installation(main, server, name):
	foreign = server(vaults=["main"]).vault("main")
	foreign.set(name, "elsewhere")
	malformed(main, foreign.backup(name))
	main.get(f"/secrets/{name}").expect(404)


def test_large_backup(main, shared, name):
	"""What can be backed up can be restored; what can't is refused at once."""
	made = [main.set(name, f"{i:02}" * 12800) for i in range(25)]
	blob = main.backup(name)
	restored = shared.vault("short").post("/secrets/restore", {"value": blob}).expect(200).json
	assert version_of(restored) == version_of(made[-1])
	assert shared.vault("short").value(name, version_of(made[7])) == "07" * 12800
	for i in range(25, 50):
		main.set(name, f"{i:02}" * 12800)
	main.post(f"/secrets/{name}/backup").expect(400)


def test_backup_of_too_many_versions(main, name):
	with concurrent.futures.ThreadPoolExecutor(8) as pool:
		list(pool.map(lambda i: main.set(name, str(i)), range(500)))
	main.backup(name)
	main.set(name, "500")
	main.set(name, "501")
	main.post(f"/secrets/{name}/backup").expect(400)
	assert len(main.items(f"/secrets/{name}/versions")) == 502


def test_backup_hides_the_value(main, name):
	main.set(name, "plainly-not-there")
	blob = main.backup(name)
	decoded = base64.urlsafe_b64decode(blob + "=" * (-len(blob) % 4))
	assert b"plainly-not-there" not in decoded
	for form in (base64.b64encode, base64.urlsafe_b64encode, bytes.hex):
		assert form(b"plainly-not-")[:16] not in (decoded if form is not bytes.hex else decoded.decode("latin-1"))


# Many at once

def test_parallel_writers(main, name):
	with concurrent.futures.ThreadPoolExecutor(32) as pool:
		made = list(pool.map(lambda i: main.put(f"/secrets/{name}", {"value": str(i)}), range(32)))
	assert [reply.status for reply in made] == [200] * 32
	ids = {reply.json["id"]: reply.json["value"] for reply in made}
	assert len(ids) == 32
	assert {each["id"] for each in main.items(f"/secrets/{name}/versions")} == set(ids)
	for identifier, value in ids.items():
		assert main.value(name, identifier.rsplit("/", 1)[1]) == value
	latest = main.get(f"/secrets/{name}").json
	assert ids[latest["id"]] == latest["value"]


def test_parallel_updates_lose_nothing(main, name):
	made = main.set(name)

	def change(i):
		members = {"contentType": f"t{i}"} if i % 2 else {"tags": {"i": str(i)}}
		return main.patch(f"/secrets/{name}", members).status

	with concurrent.futures.ThreadPoolExecutor(16) as pool:
		assert set(pool.map(change, range(32))) == {200}
	bundle = main.get(f"/secrets/{name}").json
	assert bundle["id"] == made["id"] and bundle["contentType"] and bundle["tags"]


def test_parallel_deletes_and_recovers(main, name):
	main.set(name, "survivor")

	def act(i):
		if i % 2:
			return main.delete(f"/secrets/{name}").status
		return main.post(f"/deletedsecrets/{name}/recover").status

	with concurrent.futures.ThreadPoolExecutor(16) as pool:
		assert set(pool.map(act, range(64))) <= {200, 400, 404, 409}
	main.post(f"/deletedsecrets/{name}/recover")
	assert main.value(name) == "survivor"
