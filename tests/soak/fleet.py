"""The soak's certificates: what each was asked to be, and what was seen of it since."""
import base64
import calendar
import datetime
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import verification

from certs import PEM, PFX, leaf_of, spki
from strongroom import version_of

HOUR, DAY = 3600, 86400
STEP_MAX = 7 * DAY

# How many of a hundred, by whom, renewed by itself, contacts told.
MIXTURE = (
	(30, "Self", True, False),
	(10, "Self", True, True),
	(5, "Self", False, True),
	(20, "own", True, False),
	(20, "shaky", True, True),
	(8, "acme", True, False),
	(7, "Unknown", False, True),
)

# Months of validity, how often, when to renew: days before the end, percents.  Each leaves more
# than STEP_MAX, for the server can't renew in between what the clock leaps over.
VALIDITIES = (
	(1, 2, (9, 14), (45, 68)),
	(2, 2, (9, 30), (45, 80)),
	(3, 3, (10, 45), (50, 85)),
	(6, 3, (10, 90), (50, 90)),
	(12, 3, (15, 120), (60, 95)),
	(24, 1, (20, 200), (60, 95)),
)

KEYS = (({"kty": "RSA", "key_size": 2048}, 6), ({"kty": "RSA", "key_size": 3072}, 1),
	({"kty": "EC", "crv": "P-256"}, 7), ({"kty": "EC", "crv": "P-384"}, 3), ({"kty": "EC", "crv": "P-521"}, 2))

ACME_DAYS = 180        # what Pebble gives; its policies say days before the end
ACME_TRIGGERS = (30, 60)


def weighted(chance, rows, weight):
	return chance.choices(rows, [weight(row) for row in rows])[0]


def in_months(now, months):
	"""As a calendar has it: the last day of a month where there is no such day."""
	date = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
	year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
	day = min(date.day, calendar.monthrange(year, month + 1)[1])
	return int(date.replace(year=year, month=month + 1, day=day).timestamp())


def renewal(chance, issuer, months):
	"""An AutoRenew of a policy of so many months."""
	if issuer == "acme":
		trigger = {"days_before_expiry": chance.choice(ACME_TRIGGERS)}
	else:
		days, percents = next(row[2:] for row in VALIDITIES if row[0] == months)
		trigger = {"days_before_expiry": chance.randint(*days)} if chance.random() < 0.5 else \
		    {"lifetime_percentage": chance.randint(*percents)}
	return {"trigger": trigger, "action": {"action_type": "AutoRenew"}}


def announcement(chance, months):
	"""Before the renewal, or after it: then only those are told of whose renewal failed."""
	trigger = {"days_before_expiry": chance.randint(2, 20 * months)}
	return {"trigger": trigger, "action": {"action_type": "EmailContacts"}}


def lifetime_at(trigger, start, end):
	if "lifetime_percentage" in trigger:
		return start + (end - start) * trigger["lifetime_percentage"] // 100
	return end - trigger["days_before_expiry"] * DAY


class Version:
	"""A version as it was seen first."""

	def __init__(self, bundle, value):
		attributes = bundle["attributes"]
		self.id = version_of(bundle)
		self.begin, self.end, self.created = (attributes[name] for name in ("nbf", "exp", "created"))
		self.certificate = bundle["cer"]
		self.value = hashlib.sha256(value.encode()).digest()
		self.spki = spki(leaf_of(bundle).public_key())
		self.told = False  # that its contacts were to be told


class Certificate:
	def __init__(self, vault, name, kind, chance):
		_, self.issuer, self.renews, self.mails = kind
		self.vault, self.name, self.path = vault, name, f"/certificates/{name}"
		self.host = f"{name}.example.com"
		self.months = 6 if self.issuer == "acme" else weighted(chance, VALIDITIES, lambda row: row[1])[0]
		self.pem, self.exportable = chance.random() < 0.4, chance.random() < 0.75
		self.tags = {"team": chance.choice(("web", "mail", "shop")), "number": name}
		actions = [renewal(chance, self.issuer, self.months)] if self.renews else []
		actions += [announcement(chance, self.months)] if self.mails else []
		self.asked = {"issuer": {"name": self.issuer}, "lifetime_actions": actions,
		    "key_props": {**weighted(chance, KEYS, lambda row: row[1])[0], "exportable": self.exportable,
		        "reuse_key": chance.random() < 0.5},
		    "secret_props": {"contentType": PEM if self.pem else PFX},
		    "x509_props": {"subject": f"CN={self.host}", "validity_months": self.months,
		        "sans": {"dns_names": [self.host]}}}
		self.policy = None       # as the server shows it
		self.versions = []
		self.operations = set()  # begun by the server itself: their request_ids
		self.by_hand = set()
		self.over = set()        # those that failed
		self.enabled, self.live = True, True
		self.renewing = False    # by hand
		self.forget_failures()

	def forget_failures(self):
		self.tries, self.retry_by, self.failing = 0, 0, False

	def failed(self, now):
		"""Seen at ${now}: when it is tried again, at the latest."""
		self.retry_by = now + min(HOUR << self.tries, DAY)
		self.tries += 1
		self.failing = True

	@property
	def latest(self):
		return self.versions[-1]

	def due(self, action):
		"""When the latest version's action is due; None without such an action."""
		for each in self.policy["lifetime_actions"]:
			if each["action"]["action_type"] == action:
				return lifetime_at(each["trigger"], self.latest.begin, self.latest.end)
		return None

	@property
	def renewal_due(self):
		return self.due("AutoRenew")

	def pending(self):
		return self.vault.get(f"{self.path}/pending").expect(200).json

	def get(self):
		return self.vault.get(self.path).expect(200).json

	def secret(self):
		return self.vault.get(f"/secrets/{self.name}").expect(200).json

	def note(self, operation):
		"""An operation that is there; true when it has not been seen yet."""
		number = operation["request_id"]
		seen = number in self.operations or number in self.by_hand
		if not seen:
			self.operations.add(number)
		return not seen

	# A version that was not there yet

	def take(self, bundle, secret, roots, now):
		"""All that is to be said of it; ${roots}: who its chain has to end at, None: itself."""
		version = Version(bundle, secret["value"])
		before = self.versions[-1] if self.versions else None
		key = self.vault.get(f"/keys/{self.name}").expect(200).json["key"]
		assert version_of(secret) == key["kid"].rsplit("/", 1)[1] == version.id, self.name
		leaf = leaf_of(bundle)
		private, chain = self.read(secret)
		assert chain[0] == leaf and (private is not None) == self.exportable, self.name
		assert private is None or spki(private.public_key()) == version.spki, self.name
		assert public_numbers(key) == leaf.public_key().public_numbers(), self.name
		self.check_times(version, leaf, now)
		self.check_chain(chain, roots, now)
		assert bundle["tags"] == self.tags, self.name
		if before:
			assert bundle["policy"] == self.policy, self.name
			assert (version.spki == before.spki) == self.asked["key_props"]["reuse_key"], self.name
			assert version.certificate != before.certificate, self.name
		self.policy = bundle["policy"]
		self.versions.append(version)
		self.forget_failures()
		listed = self.vault.items(f"{self.path}/versions")
		assert sorted(version_of(each) for each in listed) == sorted(each.id for each in self.versions), self.name

	def read(self, secret):
		"""The private key, or None; the certificates, the leaf first."""
		assert secret["contentType"] == (PEM if self.pem else PFX), self.name
		if self.pem:
			text = secret["value"].encode()
			key = serialization.load_pem_private_key(text, None) if b"PRIVATE KEY" in text else None
			return key, x509.load_pem_x509_certificates(text)
		bundle = pkcs12.load_pkcs12(base64.b64decode(secret["value"]), b"")
		chain = ([bundle.cert] if bundle.cert else []) + bundle.additional_certs
		return bundle.key, [each.certificate for each in chain]

	def check_times(self, version, leaf, now):
		begin, end = (int(time.timestamp()) for time in (leaf.not_valid_before_utc, leaf.not_valid_after_utc))
		assert (begin, end) == (version.begin, version.end) and begin <= version.created <= now < end, self.name
		if self.issuer in ("Self", "own", "shaky"):
			assert abs(end - in_months(version.created, self.months)) <= DAY, self.name

	def check_chain(self, chain, roots, now):
		if roots is None:
			leaf, = chain
			assert leaf.issuer == leaf.subject
			return leaf.verify_directly_issued_by(leaf)
		when = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
		verifier = verification.PolicyBuilder().store(verification.Store(roots)).time(when.replace(tzinfo=None)) \
		    .build_server_verifier(x509.DNSName(self.host))
		return verifier.verify(chain[0], chain[1:])

	def check_kept(self):
		"""Every version is what it was."""
		for each in self.versions:
			bundle = self.vault.get(f"{self.path}/{each.id}").expect(200).json
			secret = self.vault.get(f"/secrets/{self.name}/{each.id}").expect(200).json
			key = self.vault.get(f"/keys/{self.name}/{each.id}").expect(200).json["key"]
			assert bundle["cer"] == each.certificate, (self.name, each.id)
			assert hashlib.sha256(secret["value"].encode()).digest() == each.value, (self.name, each.id)
			assert public_numbers(key) == leaf_of(bundle).public_key().public_numbers(), (self.name, each.id)


def public_numbers(key):
	"""Of a JSON Web Key."""
	def number(name):
		return int.from_bytes(base64.urlsafe_b64decode(key[name] + "=="), "big")

	if key["kty"] == "RSA":
		return rsa.RSAPublicNumbers(number("e"), number("n"))
	curve = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}[key["crv"]]()
	return ec.EllipticCurvePublicNumbers(number("x"), number("y"), curve)
