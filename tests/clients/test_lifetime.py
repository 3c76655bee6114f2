"""Lifetime actions under a moved clock: certificates renew, contacts are told, failures are tried again."""
import base64
import datetime
import json
import time

import pytest
from cryptography import x509

from certs import PEM, issue, new_key, pem_of
from pebble import acme_server, issuer
from postoffice import USER, Mailbox
from strongroom import unique, wait_until

DAY = 86400
RENEW_90 = [{"trigger": {"lifetime_percentage": 90}, "action": {"action_type": "AutoRenew"}}]
RENEW_DAYS = [{"trigger": {"days_before_expiry": 30}, "action": {"action_type": "AutoRenew"}}]
MAIL_DAYS = [{"trigger": {"days_before_expiry": 20}, "action": {"action_type": "EmailContacts"}}]


@pytest.fixture
def name():
	return unique("cert")


@pytest.fixture
def mailbox(tmp_path):
	box = Mailbox(tmp_path / "mail").start()
	yield box
	box.stop()


def policy(issuer, actions, months=12, reuse=False):
	return {"policy": {"key_props": {"kty": "EC", "crv": "P-256", "exportable": True, "reuse_key": reuse},
	    "issuer": {"name": issuer}, "x509_props": {"subject": "CN=www.example.com", "validity_months": months,
	        "sans": {"dns_names": ["www.example.com"]}}, "lifetime_actions": actions}, "tags": {"team": "web"}}


def create(vault, name, body):
	vault.request("POST", f"/certificates/{name}/create", body).expect(202)
	wait_until(lambda: operation(vault, name)["status"] == "completed")
	return latest(vault, name)


def operation(vault, name):
	return vault.get(f"/certificates/{name}/pending").expect(200).json


def latest(vault, name):
	return vault.get(f"/certificates/{name}").expect(200).json


def versions(vault, name):
	return vault.get(f"/certificates/{name}/versions").expect(200).json["value"]


def renewed(vault, name, before):
	wait_until(lambda: latest(vault, name)["id"] != before["id"])
	return latest(vault, name)


def advance_to(server, vault, name, when):
	"""So that it is then, by the server's clock."""
	days, seconds = divmod(when - now(vault, name), DAY)
	for amount in (f"{days}d", f"{seconds}s"):
		if int(amount[:-1]):
			server.advance(amount)


def now(vault, name):
	"""The server's time: of a secret that is set."""
	return vault.set(f"{name}-clock", "x")["attributes"]["created"]


@pytest.mark.parametrize("actions, before_end", [(RENEW_90, None), (RENEW_DAYS, 30 * DAY)], ids=["percentage", "days"])
def test_renews_when_it_is_time(server, name, actions, before_end):
	one = server(vaults=("one",))
	vault = one.vault("one")
	first = create(vault, name, policy("Self", actions))
	attributes = first["attributes"]
	due = attributes["exp"] - before_end if before_end else \
	    attributes["nbf"] + (attributes["exp"] - attributes["nbf"]) * 90 // 100
	time.sleep(2)
	advance_to(one, vault, name, due - 60)
	time.sleep(3)
	assert latest(vault, name) == first, "not a minute early"
	one.restart()
	advance_to(one, vault, name, due + 1)
	second = renewed(vault, name, first)
	assert due <= second["attributes"]["created"] <= due + 30
	assert second["tags"] == {"team": "web"} and second["policy"] == first["policy"]
	assert second["attributes"]["exp"] - due >= 360 * DAY
	assert len(versions(vault, name)) == 2
	assert operation(vault, name)["status"] == "completed"
	one.stop()
	assert '"operationName":"CertificateRenew"' in "".join(path.read_text(errors="replace") for path in (one.data / "audit").glob("*.log"))


@pytest.mark.parametrize("reuse", [True, False])
def test_key_is_used_again_or_not(server, name, reuse):
	one = server(vaults=("one",))
	vault = one.vault("one")
	first = create(vault, name, policy("Self", RENEW_DAYS, reuse=reuse))
	one.advance("340d")
	second = renewed(vault, name, first)
	keys = [x509.load_der_x509_certificate(base64.b64decode(each["cer"])).public_key().public_numbers()
	    for each in (first, second)]
	assert (keys[0] == keys[1]) == reuse


def test_three_years(server, name):
	"""Renewals follow one another, over restarts."""
	one = server(vaults=("one",))
	vault = one.vault("one")
	create(vault, name, policy("Self", RENEW_DAYS, months=3))
	for month in range(18):
		before = latest(vault, name)
		one.advance("63d")
		if month % 6 == 0:
			one.restart()
		renewed(vault, name, before)
	assert len(vault.items(f"/certificates/{name}/versions")) == 19


def test_what_is_not_renewed(server, name):
	one = server(vaults=("one",))
	vault = one.vault("one")
	first = create(vault, name, policy("Self", RENEW_DAYS))
	off = create(vault, name + "-off", policy("Self", RENEW_DAYS))
	gone = create(vault, name + "-gone", policy("Self", RENEW_DAYS))
	mails = create(vault, name + "-mails", policy("Self", MAIL_DAYS))
	vault.request("PATCH", f"/certificates/{name}-off", {"attributes": {"enabled": False}}).expect(200)
	vault.delete(f"/certificates/{name}-gone").expect(200)
	one.advance("340d")
	renewed(vault, name, first)
	time.sleep(3)
	assert latest(vault, name + "-off")["id"] == off["id"] and latest(vault, name + "-mails")["id"] == mails["id"]
	vault.request("PATCH", f"/certificates/{name}-off", {"attributes": {"enabled": True}}).expect(200)
	renewed(vault, name + "-off", off)


def test_recovered_certificate_is_renewed(server, name):
	one = server(vaults=("one",))
	vault = one.vault("one")
	first = create(vault, name, policy("Self", RENEW_DAYS))
	one.advance("300d")
	vault.delete(f"/certificates/{name}").expect(200)
	one.advance("40d")
	time.sleep(2)
	vault.request("POST", f"/deletedcertificates/{name}/recover").expect(200)
	renewed(vault, name, first)


def test_changed_policy_counts(server, name):
	one = server(vaults=("one",))
	vault = one.vault("one")
	first = create(vault, name, policy("Self", MAIL_DAYS))
	one.advance("300d")
	vault.request("PATCH", f"/certificates/{name}/policy", {"lifetime_actions": [
	    {"trigger": {"days_before_expiry": 100}, "action": {"action_type": "AutoRenew"}}]}).expect(200)
	renewed(vault, name, first)


def test_failing_issuer_is_tried_again(server, pebble, name):
	"""Seen in the pending operation; each failure waits longer; it works when the issuer does."""
	ca = pebble()
	one, vault = acme_server(server, ca)
	first = create(vault, name, policy("acme", RENEW_DAYS))
	vault.put("/certificates/issuers/acme", {"provider": "DigiCert"}).expect(200)
	exp = first["attributes"]["exp"]
	advance_to(one, vault, name, exp - 30 * DAY + 1)
	ids = set()
	for hours in (2, 3, 5):
		failed = wait_until(lambda: (each := operation(vault, name))["status"] == "failed"
		    and each["request_id"] not in ids and each)
		assert failed["error"]["code"] == "Certificate issuer error"
		ids.add(failed["request_id"])
		one.advance(f"{hours}h")
	vault.put("/certificates/issuers/acme", issuer(ca)).expect(200)
	one.advance("1d")
	second = renewed(vault, name, first)
	assert second["tags"] == {"team": "web"} and operation(vault, name)["status"] == "completed"


def looked(vault):
	"""All that is due has been looked at: one that stands behind it in the queue is renewed."""
	behind, key = unique("behind"), new_key()
	begin = datetime.datetime.fromtimestamp(now(vault, behind) - 10 * DAY, datetime.timezone.utc)
	own = issue(key.public_key(), behind, key, days=11, start=begin)
	imported = vault.post(f"/certificates/{behind}/import", {"value": pem_of(key, [own]), "policy": {
	    "issuer": {"name": "Self"}, "secret_props": {"contentType": PEM}, "lifetime_actions": RENEW_90}}).expect(200).json
	renewed(vault, behind, imported)


def test_issuer_gives_less_than_the_policy_asks(server, pebble, name):
	"""Ten days, to be renewed 30 before their end: that would be always."""
	ca = pebble()
	ca.stop_server()
	ca.start_server(validity=10 * DAY)
	one, vault = acme_server(server, ca)
	first, begun = create(vault, name, policy("acme", RENEW_DAYS)), operation(vault, name)
	looked(vault)
	advance_to(one, vault, name, first["attributes"]["nbf"] + 8 * DAY - 60)
	looked(vault)
	assert operation(vault, name) == begun
	one.advance("61s")
	second = renewed(vault, name, first)
	assert second["attributes"]["created"] >= first["attributes"]["nbf"] + 8 * DAY


def test_issuer_of_another_clock(server, pebble, name):
	"""What it gives is due at once: that is no reason to ask again at once."""
	ca = pebble()
	ca.stop_server()
	ca.start_server(validity=1000 * DAY)
	one, vault = acme_server(server, ca)
	latest = create(vault, name, policy("acme", [{"trigger": {"lifetime_percentage": 1},
	    "action": {"action_type": "AutoRenew"}}]))
	one.advance("11d")
	for minutes in (60, 120):
		latest, begun = renewed(vault, name, latest), operation(vault, name)
		looked(vault)
		one.advance(f"{minutes - 10}m")
		looked(vault)
		assert operation(vault, name) == begun, minutes
		one.advance("10m")


def test_contacts_are_told_once(server, mailbox, name):
	one = server(vaults=("one",), options=mailbox.options)
	vault = one.vault("one")
	vault.put("/certificates/contacts", {"contacts": [{"email": "a@example.org"}, {"email": "b@example.org"}]}).expect(200)
	first = create(vault, name, policy("Self", MAIL_DAYS))
	one.advance("340d")
	time.sleep(2)
	assert not mailbox.messages
	mailbox.refuse["a@example.org"] = "451 later"
	advance_to(one, vault, name, first["attributes"]["exp"] - 20 * DAY + 1)
	wait_until(lambda: mailbox.messages)
	mailbox.refuse.clear()
	one.restart()
	one.advance("2m")
	wait_until(lambda: len(mailbox.messages) == 2)
	assert sorted(to for _, (to,), _ in mailbox.messages) == ["a@example.org", "b@example.org"]
	sender, _, message = mailbox.messages[0]
	assert sender == USER and name in message["Subject"] and "expires on" in message["Subject"]
	assert first["id"].rsplit("/", 1)[0] in message.get_content()
	vault.request("PATCH", f"/certificates/{name}", {"tags": {"new": "tag"}}).expect(200)
	one.advance("1d")
	time.sleep(3)
	assert len(mailbox.messages) == 2


def test_refused_letters_are_given_up(server, mailbox, name):
	one = server(vaults=("one",), options=mailbox.options)
	vault = one.vault("one")
	vault.put("/certificates/contacts", {"contacts": [{"email": "a@example.org"}]}).expect(200)
	create(vault, name, policy("Self", MAIL_DAYS))
	mailbox.refuse["a@example.org"] = "550 nobody"
	one.advance("350d")
	wait_until(lambda: "given up" in one.output())
	assert "a@example.org" not in one.output() and not mailbox.messages


def told(server, operation):
	"""The audit log's records of an operation."""
	lines = [line for file in sorted((server.data / "audit").glob("audit-*.log")) for line in
	    file.read_bytes().rstrip(b"\0").decode().splitlines()]
	return [record for record in map(json.loads, lines) if record.get("operationName") == operation]


def test_announcements(server, name):
	"""That the end is near, and that it has come: once for each version, whatever the policy's actions."""
	one = server(vaults=("one",))
	vault = one.vault("one")
	names = {each: f"{each}-{name}" for each in ("ends", "renewed", "off", "deleted", "short")}
	made = {each: create(vault, names[each], policy("Self", RENEW_DAYS if each == "renewed" else MAIL_DAYS,
	    months=1 if each == "short" else 12)) for each in names}
	vault.patch(f"/certificates/{names['off']}", {"attributes": {"enabled": False}}).expect(200)
	ids = lambda what: [line["properties"]["id"] for line in told(one, f"Certificate{what}EventGridNotification")]  # noqa: E731
	of = lambda each: f"{one.scope('one')}/certificates/{names[each]}/{made[each]['id'].rsplit('/', 1)[1]}"  # noqa: E731
	advance_to(one, vault, name, made["short"]["attributes"]["exp"] - 30 * DAY + 1)
	wait_until(lambda: ids("NearExpiry") == [of("short")])
	advance_to(one, vault, name, made["ends"]["attributes"]["exp"] - 30 * DAY - 3600)
	wait_until(lambda: ids("Expired") == [of("short")])
	time.sleep(2)
	assert ids("NearExpiry") == [of("short")], "not an hour early"
	vault.delete(f"/certificates/{names['deleted']}").expect(200)
	one.advance("2h")
	due = [of(each) for each in ("ends", "off", "renewed", "short")]
	wait_until(lambda: sorted(ids("NearExpiry")) == sorted(due))
	renewed(vault, names["renewed"], made["renewed"])
	one.restart()
	vault.patch(f"/certificates/{names['ends']}", {"tags": {"a": "b"}}).expect(200)
	vault.post(f"/deletedcertificates/{names['deleted']}/recover").expect(200)
	wait_until(lambda: sorted(ids("NearExpiry")) == sorted([*due, of("deleted")]))
	one.advance("31d")
	wait_until(lambda: sorted(ids("Expired")) == sorted(of(each) for each in ("deleted", "ends", "off", "short")))
	time.sleep(2)
	assert sorted(ids("NearExpiry")) == sorted([*due, of("deleted")])
	assert len(ids("Expired")) == 4


def test_announced_late(server, name):
	"""Of a certificate that ended while nobody looked, only that is told; the next one is looked at anew."""
	one = server(vaults=("one",))
	vault = one.vault("one")
	create(vault, name, policy("Self", MAIL_DAYS))
	one.advance("500d")
	wait_until(lambda: told(one, "CertificateExpiredEventGridNotification"))
	create(vault, name, policy("Self", MAIL_DAYS, months=1))
	one.advance("2d")
	wait_until(lambda: told(one, "CertificateNearExpiryEventGridNotification"))
	assert [len(told(one, f"Certificate{what}EventGridNotification")) for what in ("NearExpiry", "Expired")] == [1, 1]
