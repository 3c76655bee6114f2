"""Years of many certificates under a moved clock: none is served expired that could be renewed.

The clock leaps by a week at most, less than any certificate's time between renewal and end.  Between
the leaps people work (disable, delete, recover, change policies and tags, renew by hand, merge what
others signed), issuers go away for weeks and come back, and the server is stopped, or killed in the
middle of it.  After every leap each certificate is asked for as its users do; every new version is
looked at whole; what could not be renewed says why, and its contacts were told, once.

Nothing is decided by how long it takes: it waits for what has to come, and what came too early, too
often or without cause is seen by the times and numbers of what is there.

Pebble goes by the wall's clock: its certificates begin today, and to have them end in half a year
by the vault's clock it is started anew with a longer validity.  So it forgets its accounts, too.
"""
import base64
import collections
import contextlib
import datetime
import json
import os
import random
import sys
import time
import uuid
from pathlib import Path

import pytest
from cryptography import x509

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))
import certs  # noqa: E402
from fleet import ACME_DAYS, DAY, HOUR, MIXTURE, STEP_MAX, Certificate, announcement, renewal  # noqa: E402
from pebble import Pebble  # noqa: E402
from postoffice import Mailbox  # noqa: E402
from strongroom import Server, version_of  # noqa: E402

COUNT = int(os.environ.get("STRONGROOM_SOAK_CERTIFICATES", 40))
DAYS = int(os.environ.get("STRONGROOM_SOAK_DAYS", 366))
RECOVERED_AFTER = 60 * DAY  # at the latest: a month before the vault would purge it
SECONDS = 300  # real ones, until something that has to come is missing
VAULTS = ("soak-one", "soak-two", "soak-three")
CONTACTS = ("first@example.org", "second@example.org")
OWN = {"provider": "Strongroom"}

# How an issuer fails, and what its operations say then.
FAILURES = {
	"disabled": "The issuer is disabled.",
	"replaced": "The issuer's provider could not be reached from here.",
	"removed": "The issuer is not there.",
}


class Outages:
	"""When something is away: for one week to seven, again and again, from the first weeks on."""

	def __init__(self, chance, now):
		self.chance = chance
		self.away, self.turn = False, now + chance.randint(10, 25) * DAY

	def turned(self, now):
		"""Whether it went away or came back."""
		if now < self.turn:
			return False
		self.away = not self.away
		self.turn = now + self.chance.randint(*((7, 50) if self.away else (20, 70))) * DAY
		return True


class Soak:
	def __init__(self, folder, seed):
		self.chance = random.Random(seed)
		self.told = collections.Counter()  # what happened, for the summary
		self.pebble = Pebble(folder / "pebble").start()
		self.mailbox = Mailbox(folder / "mail").start()
		self.server = Server(folder / "server", vaults=VAULTS, options=[*self.mailbox.options, "--log-level", "warn",
		    "--acme-ca", self.pebble.ca, "--acme-http-listen", f"127.0.0.1:{self.pebble.http_port}"]).start()
		self.vaults = [self.server.vault(name) for name in VAULTS]
		self.certificates, self.roots = [], {}
		self.authority_key = certs.new_key()
		self.letters = collections.Counter()  # seen: (version, recipient)
		self.disturbed = 0  # in which leap the server ended at last, or Pebble: what was under way may fail
		self.disruptions = []
		self.now = self.clock()
		self.end = self.now + DAYS * DAY

	def close(self):
		self.mailbox.stop()
		self.pebble.stop()
		if self.server.process.poll() is None:
			self.server.kill()

	# The clock

	def clock(self, seconds=0):
		reply = self.server.manage("POST", "/strongroom/clock", {"advance": seconds}).expect(200)
		return reply.json["now"]

	# The beginning

	def begin(self):
		for vault in self.vaults:
			vault.put("/certificates/contacts", {"contacts": [{"email": each} for each in CONTACTS]}).expect(200)
			vault.put("/certificates/issuers/own", OWN).expect(200)
			vault.put("/certificates/issuers/shaky", OWN).expect(200)
			vault.put("/certificates/issuers/acme", {"provider": "ACME",
			    "org_details": {"id": self.pebble.directory}}).expect(200)
		self.restart_pebble()
		names = (f"cert-{number}" for number in range(COUNT))
		kinds = [kind for kind in MIXTURE for _ in range(max(1, round(kind[0] * COUNT / 100)))][:COUNT]
		kinds += [MIXTURE[0]] * (COUNT - len(kinds))
		for number, (name, kind) in enumerate(zip(names, kinds, strict=True)):
			self.certificates.append(Certificate(self.vaults[number % len(VAULTS)], name, kind, self.chance))
		for each in self.certificates:
			begun = each.vault.post(f"{each.path}/create", {"policy": each.asked, "tags": each.tags}).expect(202).json
			each.by_hand.add(begun["request_id"])
			if each.issuer == "Unknown":
				self.merge(each, begun["csr"])
		self.wait_for(self.certificates, lambda each: each.pending()["status"] == "completed")
		for each in self.certificates:
			self.take(each)
		self.outages = {vault.name: Outages(self.chance, self.now) for vault in self.vaults}
		self.outages["acme"] = Outages(self.chance, self.now)

	def merge(self, certificate, csr):
		"""What an authority that the vault can't ask makes of its request."""
		request = x509.load_der_x509_csr(base64.b64decode(csr))
		start = datetime.datetime.fromtimestamp(self.clock(), datetime.timezone.utc)
		usage = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
		    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
		root = certs.issue(self.authority_key.public_key(), "elsewhere", self.authority_key, ca=True, days=9000, start=start,
		    more=[x509.KeyUsage(**usage | {"key_cert_sign": True}),
		        x509.SubjectKeyIdentifier.from_public_key(self.authority_key.public_key())])
		more = [x509.SubjectAlternativeName([x509.DNSName(certificate.host)]),
		    x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority_key.public_key()),
		    x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])]
		leaf = certs.issue(request.public_key(), certificate.host, self.authority_key, "elsewhere",
		    days=certificate.months * 30, start=start, more=more)
		certificate.vault.post(f"{certificate.path}/pending/merge",
		    {"x5c": [certs.der(each) for each in (leaf, root)], "tags": certificate.tags}).expect(201)

	# What has to come

	def wait(self, missing, nudge=2):
		"""Until nothing is missing; the vault's clock goes some ten times as fast meanwhile."""
		deadline = time.monotonic() + SECONDS
		while rest := missing():
			assert time.monotonic() < deadline, self.describe(rest)
			time.sleep(0.2)
			self.now = self.clock(nudge)

	def wait_for(self, rest, done):
		"""Until that was true once of each."""
		rest = list(rest)

		def missing():
			rest[:] = [each for each in rest if not done(each)]
			return rest

		self.wait(missing)

	def describe(self, rest):
		return "\n".join([f"by {self.now}: missing {len(rest)}"] + [str(each) if not isinstance(each, Certificate) else
		    f"{each.name} in {each.vault.name} by {each.issuer}, due at {each.renewal_due}, retry by {each.retry_by}: "
		    f"{each.pending()}" for each in rest[:5]])

	def away(self, certificate):
		"""Whether its issuer is."""
		if certificate.issuer == "shaky":
			return self.outages[certificate.vault.name].away
		return certificate.issuer == "acme" and self.outages["acme"].away

	def possible(self, certificate):
		"""Whether it can be renewed now."""
		return certificate.renews and certificate.live and certificate.enabled and not self.away(certificate) and \
		    certificate.retry_by <= self.now

	def acted(self, certificate):
		"""Whether what is due by now has come of a certificate, or the reason why it can not."""
		if certificate.renewing:
			certificate.renewing = certificate.pending()["status"] != "completed"
			if certificate.renewing:
				return False
			self.take(certificate)
		if not (certificate.renews and certificate.live and certificate.enabled) or \
		    max(certificate.renewal_due, certificate.retry_by) > self.now:
			return True
		if version_of(certificate.get()) != certificate.latest.id:
			self.take(certificate)
			return certificate.renewal_due > self.now
		operation = certificate.pending()
		if operation["status"] == "failed":
			return self.failed(certificate, operation)
		return certificate.issuer == "acme" and self.away(certificate) and self.waits(certificate, operation)

	def failed(self, certificate, operation):
		"""A new failure, at a time of failures."""
		certificate.note(operation)
		if operation["request_id"] in certificate.over:
			return False
		certificate.over.add(operation["request_id"])
		assert operation["error"]["code"] and operation["error"]["message"], operation
		if certificate.issuer == "shaky":
			assert operation["error"]["message"] == FAILURES[self.outages[certificate.vault.name].how], operation
		else:
			assert certificate.issuer == "acme", operation
			assert self.away(certificate) or self.told["leaps"] - self.disturbed <= 1, operation["error"]
		self.told["renewals that failed"] += 1
		certificate.failed(self.now)
		return True

	def waits(self, certificate, operation):
		"""For an issuer that does not answer: the operation says so."""
		if "onnect" not in operation.get("status_details", ""):
			return False
		if certificate.note(operation):
			self.told["renewals that waited"] += 1
		certificate.tries, certificate.retry_by, certificate.failing = 5, self.now + DAY, True
		return True

	def settle(self):
		"""Wait for all that is due."""
		for each in self.certificates:
			due = each.due("EmailContacts") if each.live and each.enabled else None
			if due is not None and due <= self.now:
				each.latest.told = True
		self.wait(lambda: [each for each in self.certificates if not self.acted(each)])
		self.wait(self.letters_missing)

	def letters_missing(self):
		if self.mailbox.refuse:
			return []
		while self.mailbox.messages:
			_, (to,), message = self.mailbox.messages.pop()
			url = next(word for word in message.get_content().split() if "/certificates/" in word)
			self.letters[url.rsplit("/", 1)[1], to] += 1
		return [(each.name, version.id, to) for each in self.certificates for version in each.versions[-2:]
		    if version.told for to in CONTACTS if not self.letters[version.id, to]]

	def take(self, certificate):
		"""Its new version."""
		self.now = self.clock()
		bundle, operation = certificate.get(), certificate.pending()
		if certificate.versions:
			due = certificate.renewal_due
			by_hand = operation["request_id"] in certificate.by_hand
			assert by_hand or due <= bundle["attributes"]["created"], f"{certificate.name}: too early"
			self.told["renewals by hand" if by_hand else "renewals"] += 1
			self.told[f"renewals by {certificate.issuer}"] += not by_hand
			self.told["renewals after failures"] += certificate.failing and not by_hand
		assert operation["status"] == "completed", operation
		certificate.note(operation)
		certificate.take(bundle, certificate.secret(), self.roots_of(certificate), self.now)

	def roots_of(self, certificate):
		if certificate.issuer == "Self":
			return None
		if certificate.issuer == "acme":  # Pebble shows its root to nobody here
			return [certificate.read(certificate.secret())[1][1]]
		if certificate.issuer == "Unknown":
			return [certificate.read(certificate.secret())[1][-1]]
		name = certificate.vault.name
		if name not in self.roots:
			reply = certificate.vault.get("/authority/root", query="", token=False).expect(200)
			self.roots[name] = [x509.load_der_x509_certificate(reply.body)]
		return self.roots[name]

	# What happens

	def turn_issuers(self):
		for vault in self.vaults:
			outage = self.outages[vault.name]
			if not outage.turned(self.now):
				continue
			path = "/certificates/issuers/shaky"
			if not outage.away:
				vault.put(path, OWN).expect(200)
				continue
			outage.how = self.chance.choice(list(FAILURES))
			self.told["outages of issuers"] += 1
			if outage.how == "disabled":
				vault.patch(path, {"attributes": {"enabled": False}}).expect(200)
			elif outage.how == "replaced":
				vault.put(path, {"provider": "DigiCert"}).expect(200)
			else:
				vault.delete(path).expect(200)
		if self.outages["acme"].turned(self.now):
			if self.outages["acme"].away:
				self.told["outages of issuers"] += 1
				self.pebble.stop_server()
			else:
				self.start_pebble()

	def start_pebble(self):
		self.disturbed = self.told["leaps"]
		self.pebble.start_server(validity=self.now - int(time.time()) + ACME_DAYS * DAY)

	def restart_pebble(self):
		self.pebble.stop_server()
		self.start_pebble()

	def people_work(self):
		"""On some of those that nothing waits for."""
		for each in self.certificates:
			if self.chance.random() < 0.01:
				work = self.chance.choice((self.toggle, self.delete, self.change_tags, self.change_policy, self.renew))
				work(each)
			elif not each.live and (self.chance.random() < 0.4 or self.now - each.deleted > RECOVERED_AFTER):
				self.recover(each)
			elif not each.enabled and self.chance.random() < 0.3:
				self.toggle(each)
			elif each.issuer in ("Unknown", "Self") and not each.renews and each.live and each.enabled and \
			    each.latest.told and self.chance.random() < 0.1:
				self.renew(each)

	def toggle(self, each):
		if each.live:
			each.enabled = not each.enabled
			each.vault.patch(f"{each.path}/{each.latest.id}", {"attributes": {"enabled": each.enabled}}).expect(200)

	def delete(self, each):
		if each.live and not each.failing:
			each.vault.delete(each.path).expect(200)
			each.live, each.deleted = False, self.now

	def recover(self, each):
		each.vault.post(f"/deletedcertificates/{each.name}/recover").expect(200)
		each.live = True

	def change_tags(self, each):
		if each.live:
			each.tags = each.tags | {"changed": str(self.now)}
			each.vault.patch(f"{each.path}/{each.latest.id}", {"tags": each.tags}).expect(200)

	def change_policy(self, each):
		"""When it acts, and whether the next key is a new one; not while there is no such issuer."""
		if each.live and not each.failing and not self.away(each):
			actions = [renewal(self.chance, each.issuer, each.months)] if each.renews else []
			actions += [announcement(self.chance, each.months)] if each.mails else []
			each.asked["key_props"]["reuse_key"] = self.chance.random() < 0.5
			each.vault.patch(f"{each.path}/policy", {"lifetime_actions": actions,
			    "key_props": each.asked["key_props"]}).expect(200)
			each.policy = each.get()["policy"]

	def renew(self, each):
		"""By hand: by those that can be had at once, and what others sign."""
		if not each.live or not each.enabled or each.issuer not in ("Self", "own", "Unknown"):
			return
		begun = each.vault.post(f"{each.path}/create", {"tags": each.tags}).expect(202).json
		each.by_hand.add(begun["request_id"])
		if each.issuer == "Unknown":
			self.merge(each, begun["csr"])
		each.renewing = True

	def disrupt(self):
		"""In every ten leaps the server is killed once and stopped once, at any moment of it."""
		if not self.disruptions:
			self.disruptions = ["kill", "stop"] + [None] * 8
			self.chance.shuffle(self.disruptions)
		how = self.disruptions.pop()
		if how is None:
			return
		self.disturbed = self.told["leaps"]
		time.sleep(self.chance.uniform(0, 2.5))
		self.server.kill() if how == "kill" else self.server.stop()
		self.told[f"times: {how}"] += 1
		self.server.forget_connections()
		self.server.tokens.clear()
		self.server.start()

	# Steps

	def leap(self):
		self.turn_issuers()
		self.people_work()
		self.settle()
		could = {each.name for each in self.certificates if self.possible(each)}
		self.now = self.clock(self.chance.choice((5 * HOUR, DAY, 3 * DAY, *[STEP_MAX] * 8)))
		self.told["leaps"] += 1
		for vault in self.vaults:
			for item in vault.items("/certificates"):
				assert item["attributes"]["exp"] > self.now or item["id"].rsplit("/", 1)[1] not in could, item
		if self.chance.random() < 0.05 and not self.mailbox.refuse:
			self.mailbox.refuse.update(dict.fromkeys(CONTACTS, "451 later"))
			self.told["outages of the mail server"] += 1
		else:
			self.mailbox.refuse.clear()
		if not self.outages["acme"].away and any(each.issuer == "acme" and each.renewal_due <= self.now
		    for each in self.certificates):
			self.restart_pebble()
		self.disrupt()
		self.settle()
		self.use()

	def use(self):
		"""As the certificates' users do."""
		for each in self.certificates:
			reply = each.vault.get(f"/secrets/{each.name}")
			if not each.live:
				reply.expect(404)
				continue
			if not each.enabled:
				reply.expect(403)
				continue
			served = version_of(reply.expect(200).json)
			if served != each.latest.id:
				self.take(each)
			assert reply.json["attributes"]["exp"] == each.latest.end or served != each.latest.id
			self.told["times that one was asked for"] += 1
			if each.latest.end <= self.now:
				assert not self.possible(each), f"{each.name} is served expired, and could have been renewed"
				self.told["expired, and could not be renewed"] += 1

	# The end

	def finish(self):
		for each in self.certificates:
			if not each.live:
				self.recover(each)
			if not each.enabled:
				self.toggle(each)
		for outage in self.outages.values():
			if outage.away:
				outage.turn = self.now
			else:
				outage.turn = self.end + 1000 * DAY
		for _ in range(3):
			self.last_leap()
		assert all(self.possible(each) and each.latest.end > self.now for each in self.certificates if each.renews)
		for each in self.certificates:
			each.check_kept()
		twice = {key: count for key, count in self.letters.items() if count > 1}
		assert len(twice) <= self.told["times: kill"] * len(CONTACTS), twice
		self.server.stop()
		self.check_log()

	def last_leap(self):
		self.turn_issuers()
		self.settle()
		self.mailbox.refuse.clear()
		self.now = self.clock(DAY + HOUR)
		if any(each.issuer == "acme" and each.renewal_due <= self.now for each in self.certificates):
			self.restart_pebble()
		self.settle()
		self.use()

	def check_log(self):
		"""One record for every renewal that began; the chain is whole."""
		verified = self.server.cli("audit", "verify", timeout=300)
		assert verified.returncode == 0, verified.stdout + verified.stderr
		begun = collections.Counter()
		for path in sorted((self.server.data / "audit").glob("audit-*.log")):
			for line in path.read_bytes().rstrip(b"\0").splitlines():
				if b'"CertificateRenew"' in line:
					record = json.loads(line)
					assert record["properties"]["httpStatusCode"] == 202, record
					begun[record["properties"]["id"].rsplit("/", 1)[1]] += 1
		for each in self.certificates:
			seen = len(each.operations - each.by_hand)
			# One that failed may have been followed by the next before anybody looked: while an issuer is away.
			unseen = self.told["outages of issuers"] if each.issuer == "acme" else 0
			assert 0 <= begun[each.name] - seen <= unseen, f"{each.name} by {each.issuer}: {begun[each.name]} records, {seen} seen"
		said = [line for line in self.server.output().splitlines() if ".failed" in line]
		assert not said, said[:5]


@pytest.fixture
def soak(tmp_path):
	seed = os.environ.get("STRONGROOM_SOAK_SEED") or uuid.uuid4().hex
	print(f"STRONGROOM_SOAK_SEED={seed}")
	one = Soak(tmp_path, seed)
	with contextlib.closing(one):
		yield one


@pytest.mark.timeout(7200)
def test_certificates(soak):
	begun = time.monotonic()
	soak.begin()
	print(f"{COUNT} certificates are there after {time.monotonic() - begun:.0f} s", flush=True)
	while soak.now < soak.end:
		soak.leap()
		if soak.told["leaps"] % 20 == 0:
			print(f"{(soak.end - soak.now) // DAY} days to go, {soak.told['renewals']} renewals", flush=True)
	soak.finish()
	told = soak.told
	print(f"{COUNT} certificates over {DAYS} days in {time.monotonic() - begun:.0f} s")
	for what, count in sorted(told.items()):
		print(f"  {what}: {count}")
	print(f"  letters: {sum(soak.letters.values())}")
	assert told["renewals"] > COUNT * DAYS / 250, "too little happened for this to say anything"
	assert told["renewals that failed"] and told["renewals that waited"] and told["renewals after failures"]
	assert told["times: kill"] and told["times: stop"] and soak.letters
