"""Rotation policies: what they say, and what the scheduler does by them, under a clock that is moved."""
import json
import threading
import time

import pytest

from keys import b64, bring, create, digest_for, ec_jwk, ec_key, encrypts, flipped, key_of, public, random, rsa_jwk, rsa_key, \
    verifies, version_of
from strongroom import ROLES, unique
from test_life import DAY, eventually, records

NOTICE = {"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}


@pytest.fixture
def name():
	return unique("k")


@pytest.fixture
def one(server):
	return server(vaults=["main"])


def rotate(after=None, before=None):
	trigger = {"timeAfterCreate": after} if after else {"timeBeforeExpiry": before}
	return {"trigger": trigger, "action": {"type": "Rotate"}}


def notify(before):
	return {"trigger": {"timeBeforeExpiry": before}, "action": {"type": "Notify"}}


def policy(*actions, expiry=None):
	return {"lifetimeActions": list(actions), "attributes": {"expiryTime": expiry} if expiry else {}}


def put(vault, name, *actions, expiry=None):
	return vault.put(f"/keys/{name}/rotationpolicy", policy(*actions, expiry=expiry)).expect(200).json


def versions(vault, name):
	"""In the order they were made."""
	items = vault.items(f"/keys/{name}/versions")
	return sorted(items, key=lambda item: (item["attributes"]["created"], item["kid"]))


def eventually_versions(vault, name, count):
	eventually(lambda: len(versions(vault, name)) >= count)
	time.sleep(1.2)  # the scheduler has looked once more
	made = versions(vault, name)
	assert len(made) == count
	return made


def told(server, operation):
	return [line for line in records(server) if line["operationName"] == operation]


# The policy

def test_default(main, name):
	create(main, name)
	assert main.get(f"/keys/{name}/rotationpolicy").expect(200).json == {
	    "id": f"{main.url}/keys/{name}/rotationpolicy", "lifetimeActions": [NOTICE], "attributes": {}}


def test_set(main, name):
	create(main, name)
	before = int(time.time())
	made = put(main, name, notify("P10D"), rotate(after="P60D"), expiry="P90D")
	assert made["lifetimeActions"] == [notify("P10D"), rotate(after="P60D")]
	assert made["attributes"]["expiryTime"] == "P90D"
	assert before <= made["attributes"]["created"] == made["attributes"]["updated"] <= time.time()
	assert main.get(f"/keys/{name.upper()}/rotationpolicy").expect(200).json["lifetimeActions"] == made["lifetimeActions"]
	time.sleep(1.1)
	again = put(main, name, rotate(after="P18M"))
	assert again["lifetimeActions"] == [rotate(after="P18M"), NOTICE]
	assert list(again["attributes"]) == ["created", "updated"]
	assert again["attributes"]["created"] == made["attributes"]["created"] < again["attributes"]["updated"]
	assert main.get(f"/keys/{name}/rotationpolicy").json == again


TRIGGER = "The trigger of a lifetime action must have exactly one of timeAfterCreate and timeBeforeExpiry."
BAD = {
	"two rotates": (policy(rotate("P10D"), rotate("P20D")), "at most one Rotate"),
	"two notifies": (policy(notify("P10D"), notify("P20D")), "at most one Notify"),
	"many": (policy(*[rotate("P10D")] * 9), ""),
	"unknown action": (policy({**notify("P10D"), "action": {"type": "Renew"}}), "must be Rotate or Notify"),
	"no action": (policy({"trigger": {"timeAfterCreate": "P10D"}}), ""),
	"no trigger": (policy({"action": {"type": "Rotate"}}), ""),
	"neither": (policy({"trigger": {}, "action": {"type": "Rotate"}}), TRIGGER),
	"both": (policy({"trigger": {"timeAfterCreate": "P9D", "timeBeforeExpiry": "P9D"}, "action": {"type": "Rotate"}}), TRIGGER),
	"notify after creation": (policy({**rotate("P10D"), "action": {"type": "Notify"}}), "can only have the trigger timeBeforeExpiry"),
	"before no expiry": (policy(rotate(before="P30D")), "needs an expiryTime"),
	"short expiry": (policy(expiry="P27D"), "at least 28 days"),
	"short expiry in hours": (policy(expiry="PT671H"), "at least 28 days"),
	"too soon": (policy(rotate("P6D")), "at least 7 days"),
	"too soon in hours": (policy(rotate("PT167H")), "at least 7 days"),
	"too late": (policy(rotate("P84D"), expiry="P90D"), "at least 7 days less than expiryTime"),
	"before creation": (policy(rotate(before="P84D"), expiry="P90D"), "at least 7 days less than expiryTime"),
	"notify too late": (policy(notify("P6D"), expiry="P90D"), "at least 7 days"),
	"notify before creation": (policy(notify("P90D"), expiry="P90D"), "at least 7 days less than expiryTime"),
	"empty duration": (policy(rotate("P")), "Invalid value of timeAfterCreate"),
	"minutes": (policy(rotate("P10DT5M")), "Invalid value of timeAfterCreate"),
	"negative": (policy(rotate("-P10D")), "Invalid value of timeAfterCreate"),
	"fraction": (policy(rotate("P1.5Y")), "Invalid value of timeAfterCreate"),
	"lower case": (policy(rotate("p90d")), "Invalid value of timeAfterCreate"),
	"for ever": (policy(expiry="P99999999Y"), "Invalid value of expiryTime"),
	"a number": (policy(rotate(90)), ""),
	"no list": ({"lifetimeActions": {}}, ""),
	"no object": ([], ""),
}


@pytest.mark.parametrize("body, says", BAD.values(), ids=BAD)
def test_bad(main, name, body, says):
	create(main, name)
	before = put(main, name, rotate(after="P60D"), expiry="P90D")
	error = main.put(f"/keys/{name}/rotationpolicy", body).expect(400, "BadParameter").error
	assert says in error["message"]
	assert main.get(f"/keys/{name}/rotationpolicy").json == before


def test_of_no_key(main, name):
	for ask in (lambda: main.get(f"/keys/{name}/rotationpolicy"), lambda: main.put(f"/keys/{name}/rotationpolicy", policy())):
		ask().expect(404, "KeyNotFound")
		create(main, name)
		ask().expect(200)
		main.delete(f"/keys/{name}").expect(200)
		ask().expect(404, "KeyNotFound")
		main.delete(f"/deletedkeys/{name}").expect(204)


@pytest.mark.parametrize("version, status", [("2016-10-01", 400), ("7.2", 400), ("7.3", 200), ("7.5-preview.1", 200), ("2026-04-01", 200)])
def test_api_versions(shared, main, name, version, status):
	create(main, name)
	vault = shared.vault("main", version=version)
	vault.get(f"/keys/{name}/rotationpolicy").expect(status)
	vault.put(f"/keys/{name}/rotationpolicy", policy(rotate("P10D"))).expect(status)
	assert len(main.get(f"/keys/{name}/rotationpolicy").json["lifetimeActions"]) == (2 if status == 200 else 1)


def test_who_may(shared, principal, name):
	"""Roles at the vault, and at the key alone."""
	vault = shared.vault("access")
	create(vault, name)
	create(vault, f"{name}-other")
	scope = shared.scope("access")
	officer, user = principal(("Key Vault Crypto Officer", scope)), principal(("Key Vault Crypto User", scope))
	reader, narrow = principal(("Key Vault Reader", scope)), principal(("Key Vault Crypto Officer", f"{scope}/keys/{name}"))

	def ask(who, key=name):
		vault = shared.vault("access", who)
		return vault.get(f"/keys/{key}/rotationpolicy").status, vault.put(f"/keys/{key}/rotationpolicy", policy()).status

	assert [ask(who) for who in (officer, user, reader, narrow)] == [(200, 200), (403, 403), (200, 403), (200, 200)]
	assert ask(narrow, f"{name}-other") == (403, 403)
	denied = shared.vault("access", user).put(f"/keys/{name}/rotationpolicy", policy()).expect(403, "Forbidden", "ForbiddenByRbac")
	assert "Microsoft.KeyVault/vaults/keyrotationpolicies/write" in denied.error["message"]
	assert f"/keys/{name}" in denied.error["message"].lower()


# Rotation

def test_by_hand_goes_by_the_policy(main, name):
	create(main, name, attributes={"exp": int(time.time()) + 999 * DAY, "nbf": 5}, tags={"a": "b"}, key_ops=["sign"])
	rotated = main.post(f"/keys/{name}/rotate").expect(200).json
	assert "exp" not in rotated["attributes"]
	put(main, name, expiry="P28D")
	rotated = main.post(f"/keys/{name}/rotate").expect(200).json
	attributes = rotated["attributes"]
	assert attributes["exp"] - attributes["created"] == 28 * DAY and "nbf" not in attributes and attributes["enabled"]
	assert rotated["tags"] == {"a": "b"} and rotated["key"]["key_ops"] == ["sign"]


@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_over_several_periods(one, kind):
	"""A version a period, each as the one before; what was made with an old one is still opened with it."""
	main = one.vault("main")
	jwk = rsa_jwk(rsa_key()) if kind == "RSA" else ec_jwk(ec_key("P-521"), "P-521")
	first = bring(main, "k", jwk, tags={"team": "a"}, attributes={"nbf": 1})
	put(main, "k", rotate(after="P30D"), notify("P10D"), expiry="P60D")
	time.sleep(1.5)
	assert len(versions(main, "k")) == 1
	one.advance("29d")
	time.sleep(1.5)
	assert len(versions(main, "k")) == 1
	bundles, secret = [first], random(32)
	for period in range(3):
		one.advance("1d" if period == 0 else "30d")
		assert len(eventually_versions(main, "k", period + 2)) == period + 2
		bundles.append(main.get("/keys/k").json)
	for before, after in zip(bundles, bundles[1:]):
		key, attributes = after["key"], after["attributes"]
		assert {**before["key"], "kid": 0, "n": 0, "x": 0, "y": 0} == {**key, "kid": 0, "n": 0, "x": 0, "y": 0}
		assert public(key).public_numbers() != public(before["key"]).public_numbers()
		assert after["tags"] == {"team": "a"} and attributes["enabled"] and "nbf" not in attributes
		assert attributes["exp"] - attributes["created"] == 60 * DAY
		assert 30 * DAY <= attributes["created"] - before["attributes"]["created"] <= 30 * DAY + 20
		assert main.get(before["key"]["kid"].removeprefix(main.url)).json == before, "old versions stay as they were"
	for bundle in bundles:
		old = key_of(main, bundle)
		if kind == "RSA":
			assert old.use("decrypt", "RSA-OAEP-256", encrypts(public(bundle["key"]), "RSA-OAEP-256", secret)) == secret
		elif bundle in bundles[-2:]:  # the others have expired, or nearly: they verify, and sign no more
			digest = digest_for("ES512")
			signature = old.use("sign", "ES512", digest)
			assert verifies(public(bundle["key"]), "ES512", digest, signature)
			assert old.verify("ES512", digest, signature) and not old.verify("ES512", digest, flipped(signature))
	lines = told(one, "KeyRotateIfDue")
	assert [line["properties"]["id"].rsplit("/", 2)[1:] for line in lines] == [["k", version_of(bundle)] for bundle in bundles[1:]]
	for line in lines:
		assert line["resourceId"] == one.scope("main").upper() and line["resultType"] == "Success"
		assert line["properties"]["httpStatusCode"] == 200
	one.stop()
	assert one.cli("audit", "verify").returncode == 0


def test_before_expiry(one):
	"""Only a version with an expiry; the time is that of its own expiry."""
	main = one.vault("main")
	for each in ("endless", "soon", "later"):
		create(main, each)
		put(main, each, rotate(before="P10D"), expiry="P40D")
	now = int(time.time())
	main.patch("/keys/soon", {"attributes": {"exp": now + 20 * DAY}}).expect(200)
	main.patch("/keys/later", {"attributes": {"exp": now + 20 * DAY}}).expect(200)
	main.patch("/keys/later", {"attributes": {"exp": now + 30 * DAY}}).expect(200)
	one.advance("9d")
	time.sleep(1.5)
	assert len(versions(main, "soon")) == 1
	one.advance("1d")
	eventually_versions(main, "soon", 2)
	assert len(versions(main, "later")) == 1
	one.advance("10d")
	eventually_versions(main, "later", 2)
	one.advance("20d")
	eventually_versions(main, "soon", 3)
	assert len(versions(main, "endless")) == 1


def test_only_one_after_a_long_time(one):
	"""A clock that jumps, and a server that was down: what was missed is not made up for."""
	main = one.vault("main")
	create(main, "k")
	put(main, "k", rotate(after="P10D"), expiry="P28D")
	one.advance("400d")
	second = eventually_versions(main, "k", 2)[1]["attributes"]
	assert abs(second["created"] - time.time() - 400 * DAY) < 30 and second["exp"] == second["created"] + 28 * DAY
	one.advance("9d")
	one.restart()
	time.sleep(1.5)
	assert len(versions(main, "k")) == 2
	one.advance("100d")
	one.kill()
	one.start()
	eventually_versions(main, "k", 3)
	assert len(told(one, "KeyRotateIfDue")) == 2


def test_an_old_key_is_due_at_once(one):
	main = one.vault("main")
	create(main, "k")
	one.advance("100d")
	put(main, "k", rotate(after="P99D"))
	assert "exp" not in eventually_versions(main, "k", 2)[1]["attributes"]


def test_the_policy_and_the_version_decide_when(one):
	"""Whatever changes either moves what was scheduled; what was scheduled before is not done."""
	main = one.vault("main")
	for each in ("longer", "dropped", "by-hand", "created", "imported"):
		create(main, each)
		put(main, each, rotate(after="P10D"))
	put(main, "longer", rotate(after="P30D"))
	put(main, "dropped")
	one.advance("5d")
	main.post("/keys/by-hand/rotate").expect(200)
	create(main, "created")
	bring(main, "imported", ec_jwk(ec_key(), "P-256"))
	one.advance("6d")
	time.sleep(2.5)
	assert [len(versions(main, each)) for each in ("longer", "dropped", "by-hand", "created", "imported")] == [1, 1, 2, 2, 2]
	one.advance("5d")
	for each in ("by-hand", "created", "imported"):
		eventually_versions(main, each, 3)
	assert [len(versions(main, each)) for each in ("longer", "dropped")] == [1, 1]
	one.advance("14d")
	eventually_versions(main, "longer", 2)
	assert len(versions(main, "dropped")) == 1


def test_a_disabled_key(one):
	"""It is not brought back into use by the clock; enabled, it rotates."""
	main = one.vault("main")
	made = create(main, "k")
	put(main, "k", rotate(after="P10D"))
	main.patch("/keys/k", {"attributes": {"enabled": False}}).expect(200)
	one.advance("50d")
	time.sleep(2)
	assert main.get("/keys/k").json["key"]["kid"] == made["key"]["kid"]
	main.patch("/keys/k", {"attributes": {"enabled": True}}).expect(200)
	eventually_versions(main, "k", 2)


def test_deleted_recovered_purged(one):
	main = one.vault("main")
	for each in ("recovered", "purged", "kept"):
		create(main, each)
		put(main, each, rotate(after="P10D"), expiry="P90D")
		main.delete(f"/keys/{each}").expect(200)
	one.advance("20d")
	time.sleep(2)
	assert not told(one, "KeyRotateIfDue")
	main.post("/deletedkeys/recovered/recover").expect(200)
	eventually_versions(main, "recovered", 2)
	assert main.get("/keys/recovered/rotationpolicy").json["lifetimeActions"][0] == rotate(after="P10D")
	main.delete("/deletedkeys/purged").expect(204)
	create(main, "purged")
	assert main.get("/keys/purged/rotationpolicy").json["attributes"] == {}, "a new key of that name has no policy"
	one.advance("20d")
	eventually_versions(main, "recovered", 3)
	assert len(versions(main, "purged")) == 1
	one.advance("60d")
	eventually(lambda: main.get("/deletedkeys/kept").status == 404)
	create(main, "kept")
	assert main.get("/keys/kept/rotationpolicy").json["attributes"] == {}


def test_backup_and_restore(one, server):
	main = one.vault("main")
	create(main, "k")
	made = put(main, "k", rotate(after="P30D"), notify("P9D"), expiry="P60D")
	blob = main.post("/keys/k/backup").expect(200).json["value"]
	one.advance("10d")
	put(main, "k")
	main.delete("/keys/k").expect(200)
	main.delete("/deletedkeys/k").expect(204)
	main.post("/keys/restore", {"value": blob}).expect(200)
	assert main.get("/keys/k/rotationpolicy").json == made
	one.advance("19d")
	time.sleep(1.5)
	assert len(versions(main, "k")) == 1
	one.advance("1d")
	eventually_versions(main, "k", 2)
	# What never had one has none afterwards.
	create(main, "plain")
	blob = main.post("/keys/plain/backup").expect(200).json["value"]
	main.delete("/keys/plain").expect(200)
	main.delete("/deletedkeys/plain").expect(204)
	main.post("/keys/restore", {"value": blob}).expect(200)
	assert main.get("/keys/plain/rotationpolicy").json["attributes"] == {}


def test_a_deleted_vault(one):
	"""Nothing is made in it; recovered, it catches up within an hour."""
	main, path = one.vault("main"), one.scope("main")
	create(main, "k")
	put(main, "k", rotate(after="P10D"))
	one.manage("DELETE", path, version="2023-07-01").expect(200)
	one.advance("20d")
	time.sleep(2)
	body = {"location": "local", "properties": {"tenantId": one.tenant, "sku": {"family": "A", "name": "standard"},
	    "createMode": "recover"}}
	one.manage("PUT", path, body, version="2023-07-01")
	assert len(versions(main, "k")) == 1
	one.advance("61m")
	eventually_versions(main, "k", 2)


def test_announced_once(one):
	"""Thirty days before the expiry when no policy says otherwise; again only for another expiry."""
	main, now = one.vault("main"), int(time.time())
	made = {each: create(main, each, attributes={"exp": now + 40 * DAY}) for each in ("usual", "late", "moved", "off")}
	put(main, "late", notify("P7D"))
	main.delete("/keys/off").expect(200)
	one.advance("9d")
	time.sleep(1.5)
	assert not told(one, "KeyNearExpiryEventGridNotification")
	main.patch("/keys/moved", {"attributes": {"exp": now + 60 * DAY}}).expect(200)

	def names():
		return [line["properties"]["id"].rsplit("/", 2)[1] for line in told(one, "KeyNearExpiryEventGridNotification")]

	one.advance("2d")
	eventually(lambda: names() == ["usual"])
	main.patch("/keys/usual", {"tags": {"a": "b"}}).expect(200)
	main.patch("/keys/usual", {"attributes": {"enabled": False}}).expect(200)
	put(main, "usual", notify("P20D"))
	one.restart()
	one.advance("16d")
	time.sleep(2)
	assert names() == ["usual"]
	one.advance("7d")
	eventually(lambda: sorted(names()) == ["late", "moved", "usual"])
	main.patch("/keys/usual", {"attributes": {"exp": now + 100 * DAY}}).expect(200)
	one.advance("60d")
	eventually(lambda: sorted(names()) == ["late", "moved", "usual", "usual"])
	line = told(one, "KeyNearExpiryEventGridNotification")[0]
	assert line["properties"]["id"] == f"{one.scope('main')}/keys/usual/{version_of(made['usual'])}"
	assert [len(versions(main, each)) for each in ("usual", "late", "moved")] == [1, 1, 1]


def test_killed_in_the_middle(one):
	"""Each key has its one new version, however often the server is killed while it makes them."""
	main, count = one.vault("main"), 40
	for number in range(count):
		create(main, f"k{number}", "RSA" if number % 8 == 0 else "EC")
		put(main, f"k{number}", rotate(after="P10D"))
	one.advance("11d")
	for wait in (0.3, 0.5, 0.2, 0.8):
		time.sleep(wait)
		one.kill()
		one.start()
	eventually(lambda: len(told(one, "KeyRotateIfDue")) >= count, 60)
	time.sleep(1.5)
	assert [len(versions(main, f"k{number}")) for number in range(count)] == [2] * count
	lines = told(one, "KeyRotateIfDue")
	assert sorted(line["properties"]["id"].rsplit("/", 1)[1] for line in lines) == \
	    sorted(version_of({"key": {"kid": versions(main, f"k{number}")[1]["kid"]}}) for number in range(count))
	one.stop()
	assert one.cli("audit", "verify").returncode == 0


def test_by_hand_at_the_same_time(one):
	"""A manual rotation and the scheduled one: one of them, or one after the other, never two that are scheduled."""
	main, names = one.vault("main"), [f"k{number}" for number in range(30)]
	for each in names:
		create(main, each)
		put(main, each, rotate(after="P10D"), expiry="P28D")

	def by_hand(mine):
		vault = one.vault("main")
		for each in mine:
			vault.post(f"/keys/{each}/rotate").expect(200)

	threads = [threading.Thread(target=by_hand, args=(names[number::3],)) for number in range(3)]
	one.advance("10d")
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	time.sleep(2.5)
	scheduled = [line["properties"]["id"].rsplit("/", 2)[1] for line in told(one, "KeyRotateIfDue")]
	assert len(set(scheduled)) == len(scheduled)
	for each in names:
		assert len(versions(main, each)) == 2 + scheduled.count(each)
	one.advance("10d")
	for each in names:
		eventually(lambda: len(versions(main, each)) == 3 + scheduled.count(each))


def test_thousands_at_once_hold_nothing_up(server):
	"""While they rotate, requests are answered, other things that are due are done, and the server stops when it is told to."""
	one = server(vaults=["main"])
	main, count = one.vault("main"), 2000

	def make(start):
		vault = one.vault("main")
		for number in range(start, count, 4):
			if number % 10:
				create(vault, f"k{number}")
			else:
				bring(vault, f"k{number}", rsa_jwk(rsa_key()))
			put(vault, f"k{number}", rotate(after="P89D"))

	threads = [threading.Thread(target=make, args=(start,)) for start in range(4)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	main.set("s", "x")
	main.remove("s")
	one.advance("91d")
	eventually(lambda: main.get("/deletedsecrets/s").status == 404)
	for _ in range(200):
		main.get("/keys/k1").expect(200)
	done = eventually(lambda: len(told(one, "KeyRotateIfDue")), 60)
	assert done < count, "it was over before it could be looked at"
	one.stop()
	done = len(told(one, "KeyRotateIfDue"))
	assert done < count, "it went on to the end"
	one.start()
	eventually(lambda: len(told(one, "KeyRotateIfDue")) > min(done + 100, count - 1), 60)
	names = [line["properties"]["id"].rsplit("/", 2)[1] for line in told(one, "KeyRotateIfDue")]
	assert len(set(names)) == len(names)
