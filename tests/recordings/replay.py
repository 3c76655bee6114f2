#!/usr/bin/env python3
"""Replay recorded traffic of the original against a server of ours, and compare every answer.

	replay.py RECORDING...      (each gets a vault of its own on a fresh server with an HSM token)

A recording is a file of JSON lines: method, host, path, query, body, status, headers, reply, and
`times` where the same poll was repeated.  Status, headers and reply are compared, members in their
order.  Nothing differs but what the rules below say; what a rule let pass is counted and printed.

    host        the recorded vault, NAME.vault.azure.net (with or without :443, as nextLink has it),
                stands for ours
    version     a recorded version id stands for one of ours, from its first sight on, both ways
    time        created, updated, deletedDate and scheduledPurgeDate are of today: see Replay.times
    blob        a recorded backup stands for ours
    skiptoken   a recorded token stands for ours
    page        versions are listed by their random ids: the same ones on pages of the same sizes
    transition  the original deletes, purges and recovers in the background, we at once (reference of
                the data plane, section 11): a 404 or 409 is left out when the very next line of the
                recording is the same request again and its status is 200
    text        TEXTS: where the original's wording has changed since (sections 3.1 and 5)
    build       the value of x-ms-keyvault-service-version
    number      n, x and y of a key that was made there stand for ours, of the same length, from their
                first sight on; those of a key that was brought in are the same
    octet       a modulus brought in with its sign octet was told with it, and is not today; nor is the
                zero that exponents of keys in an HSM began with (section 9.2)
    result      a recorded signature or ciphertext stands for ours, of the same length; RS* has no chance
                in it: made by a key that was brought in, it is the same
    local       a ciphertext that the recorded client made by itself, for the recorded key, is made anew
                for ours: of the plaintext that came back
    poll        a pending operation goes on at its own pace: it is asked until it is as far as recorded
    issued      csr, cer, x5t and request_id of what was made there stand for ours, from their first sight
                on; those of a certificate that was brought in are the same
    validity    a certificate made there begins ten minutes before it was signed, as ours, and lasts as
                long; its version comes right after
    merged      the recorded certificate is of the recorded key: another one is made for ours
Left out, and counted as well:
    hard        a vault that deletes for good (recoveryLevel Purgeable), as there are none any more
    denied      a caller whose access policy had no `get` (the account of the recordings has it again later)
    login       what was asked of another host than the vault
    bare        a challenge without a body, as it was before 2020
    expired     an import of a certificate that has expired since
"""
import base64
import collections
import json
import math
import re
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))
from certs import csr_of, issue, new_key, der  # noqa: E402
from hsm import Token, premium  # noqa: E402
from keys import b64, encrypts, public, unb64  # noqa: E402
from strongroom import Server  # noqa: E402

RECORDED = re.compile(r"https://[\w-]+\.vault\.azure\.net(?::443)?(?=/)")
VERSION = re.compile(r"(?<=/)[0-9a-f]{32}(?![0-9a-f])")
TIMES = ("created", "updated", "deletedDate", "scheduledPurgeDate")
NUMBERS = ("n", "x", "y")
ISSUED = ("csr", "cer", "x5t", "request_id")
VALIDITY = ("nbf", "exp")
MAKES = ("sign", "encrypt", "wrapkey")

# Recorded text -> what the original says today, which is what we say.
TEXTS = {
	"Request is missing a Bearer or PoP token.": "AKV10000: Request is missing a Bearer or PoP token.",
}
CHALLENGE = re.compile(r'Bearer authorization="https://login\.windows\.net/[0-9a-f-]{36}", '
    r'resource="https://vault\.azure\.net"')

# Headers that are compared by value, and must be there or not as recorded; keep this list whole.
HEADERS = ("cache-control", "content-type", "expires", "pragma", "strict-transport-security",
    "www-authenticate", "x-content-type-options", "location")


class Mismatch(Exception):
	pass


def load(path):
	with open(path) as lines:
		return [json.loads(line, object_pairs_hook=collections.OrderedDict) for line in lines]


def same_request(one, other):
	return all(one[part] == other[part] for part in ("method", "path", "query", "body"))


def is_transition(exchanges, index):
	one, *rest = exchanges[index:index + 2]
	return bool(one["status"] in (404, 409) and rest and same_request(one, rest[0])
	    and rest[0]["status"] == 200)


def left_out(exchange):
	"""By which rule it is not replayed; None: by none."""
	if not exchange["host"].endswith(".vault.azure.net"):
		return "login"
	reply = exchange["reply"] or {}
	if exchange["status"] == 401 and exchange["reply"] is None:
		return "bare"
	if reply.get("attributes", {}).get("recoveryLevel") == "Purgeable":
		return "hard"
	if verb_of(exchange) == "import" and reply.get("attributes", {}).get("exp", math.inf) < time.time():
		return "expired"
	if exchange["method"] == "GET" and reply.get("error", {}).get("innererror", {}).get("code") == "ForbiddenByPolicy":
		return "denied"
	return None


def name_of(url):
	"""Of the object that a URL or path is about."""
	found = re.search(r"certificates/([\w-]+)", url)
	return found[1] if found else ""


def id_of(item):
	"""Of a bundle or an item of a list."""
	return item.get("id") or item.get("kid") or item.get("key", {}).get("kid")


def verb_of(exchange):
	return exchange["path"].rsplit("/", 1)[1].lower()


class Replay:
	def __init__(self, vault):
		self.vault = vault
		self.rules = collections.Counter()
		self.versions = {}  # recorded -> ours
		self.blobs = {}
		self.random = {}  # numbers of keys, signatures, ciphertexts: recorded -> ours
		self.keys = {}  # our kid -> our JWK
		self.brought = set()  # numbers that were sent
		self.taken = set()  # our kids of keys that were brought in
		self.merged = set()
		self.imported = set()  # names of certificates that were brought in
		self.tokens = {}
		self.listed = set() # versions, on any page
		self.clocks = collections.defaultdict(dict)  # (name, member, recorded time) -> {version: our time}
		self.compared = self.late = 0

	def run(self, exchanges):
		self.exchanges = exchanges
		for index, exchange in enumerate(exchanges):
			rule = "transition" if is_transition(exchanges, index) else left_out(exchange)
			if rule:
				self.rules[rule] += exchange.get("times", 1)
				continue
			for _ in range(exchange.get("times", 1)):
				try:
					self.replay(exchange)
				except Mismatch as error:
					raise Mismatch(f"line {index + 1}, {exchange['method']} {exchange['path']}: {error}") from None
		return self

	# Asking

	def replay(self, exchange):
		token = False if exchange["status"] == 401 else None
		body = exchange["body"]
		if isinstance(body, dict):
			body = self.body(exchange, body)
		query = exchange["query"]
		if recorded := re.search(r"(?<=\$skiptoken=)[^&]+", query):
			self.rules["skiptoken"] += 1
			query = query.replace(recorded[0], self.tokens[recorded[0]])
		reply = self.ask(exchange, body, query, token)
		if reply is None:
			self.late += 1
			return
		self.compared += 1
		self.equal("status", exchange["status"], reply.status)
		self.headers(exchange, reply)
		if exchange["reply"] is None:
			self.equal("body", b"", reply.body)
			return
		try:
			ours = json.loads(reply.body, object_pairs_hook=collections.OrderedDict)
		except ValueError:
			raise Mismatch(f"no JSON: {reply.body!r}") from None
		self.compare("reply", exchange["reply"], ours, exchange)
		if "key" in ours:
			self.keys[ours["key"]["kid"]] = ours["key"]
			if exchange["method"] == "PUT":
				self.taken.add(ours["key"]["kid"])

	def ask(self, exchange, body, query, token):
		"""None: a poll that came too late."""
		until = time.monotonic() + 30
		wanted = (exchange["reply"] or {}).get("status")
		while True:
			reply = self.vault.request(exchange["method"], self.our_versions(exchange["path"]), body, query=query,
			    token=token)
			if wanted is None or exchange["method"] != "GET" or reply.status != 200 or reply.json["status"] == wanted:
				return reply
			self.rules["poll"] += 1
			if wanted == "inProgress":
				return None
			if time.monotonic() > until:
				return reply
			time.sleep(0.2)

	def merge_body(self, exchange, body):
		"""A certificate as recorded, of our key; twice in base64, as that client sends it."""
		self.rules["merged"] += 1
		self.merged.add(name_of(exchange["path"]))
		pending = self.vault.get(exchange["path"].removesuffix("/merge")).expect(200).json
		ca = new_key()
		made = issue(csr_of(pending).public_key(), "merged.test", ca, "ca", days=1)
		return {**body, "x5c": [base64.b64encode(der(made).encode()).decode()]}

	def body(self, exchange, body):
		value = body.get("value")
		if verb_of(exchange) == "merge":
			return self.merge_body(exchange, body)
		if verb_of(exchange) == "import":
			self.imported.add(exchange["path"].split("/")[2])
		if isinstance(body.get("key"), dict):
			self.brought |= {body["key"][name] for name in NUMBERS if name in body["key"]}
		elif value in self.blobs:
			self.rules["blob"] += 1
			return {**body, "value": self.blobs[value]}
		elif value in self.random:
			self.rules["result"] += 1
			return {**body, "value": self.random[value]}
		elif verb_of(exchange) in ("decrypt", "unwrapkey"):
			self.rules["local"] += 1
			plain = unb64(exchange["reply"]["value"])
			return {**body, "value": b64(encrypts(public(self.keys[self.our_kid(exchange)]), body["alg"], plain))}
		return body

	def our_kid(self, exchange):
		"""Of the key that is used."""
		return self.vault.url + self.our_versions(exchange["path"].rsplit("/", 1)[0])

	# Comparing

	def equal(self, where, recorded, ours):
		if recorded != ours:
			raise Mismatch(f"{where} is {ours!r}, recorded {recorded!r}")

	def headers(self, exchange, reply):
		for name in HEADERS:
			recorded = exchange["headers"].get(name)
			if name == "www-authenticate" and recorded and CHALLENGE.fullmatch(recorded):
				self.rules["text"] += 1
				server = self.vault.server
				recorded = (f'Bearer authorization="https://{server.host("login")}/{server.tenant}", '
					f'resource="{server.resource}"')
			if name == "location" and recorded:
				recorded = self.our_url(recorded)
				ids = [re.search(r"(?<=request_id=)[0-9a-f]{32}$", text) for text in (recorded, reply.header(name))]
				if all(ids):
					recorded = recorded.replace(ids[0][0], ids[1][0])
			self.equal(name, recorded, reply.header(name))
		unknown = set(exchange["headers"]) - set(HEADERS) - {"x-ms-keyvault-service-version"}
		if unknown:
			raise Mismatch(f"recorded headers nobody compares: {unknown}")
		self.rules["build"] += 1
		if not reply.header("x-ms-keyvault-service-version"):
			raise Mismatch("no x-ms-keyvault-service-version")

	def compare(self, where, recorded, ours, exchange, about=None):
		"""${about} is the recorded id of the object that this is part of."""
		if type(recorded) is not type(ours):
			raise Mismatch(f"{where} is {ours!r}, recorded {recorded!r}")
		if isinstance(recorded, dict):
			about = id_of(recorded) or about
			self.equal(f"{where}'s members", list(recorded), list(ours))
			for name in recorded:
				if name not in TIMES:
					self.member(f"{where}.{name}", name, recorded[name], ours[name], exchange, about)
			self.times(where, recorded, ours, about, exchange)
			name = name_of(about or "")
			if "nbf" in recorded and "certificates/" in (about or "") and name not in self.imported | self.merged:
				self.validity(where, recorded, ours)
		elif isinstance(recorded, list):
			self.equal(f"{where}'s length", len(recorded), len(ours))
			if exchange["path"].endswith("/versions"):
				recorded = self.page(where, recorded, ours)
			for index, pair in enumerate(zip(recorded, ours)):
				self.compare(f"{where}[{index}]", *pair, exchange)
		else:
			self.text(where, recorded, ours)

	def member(self, where, name, recorded, ours, exchange, about):
		if name == "value" and exchange["path"].endswith("/backup"):
			self.rules["blob"] += 1
			if not isinstance(ours, str) or not re.fullmatch(r"[\w-]{100,}", ours):
				raise Mismatch(f"{where} is no backup: {ours!r}")
			self.blobs[recorded] = ours
		elif name in NUMBERS and isinstance(recorded, str):
			self.number(where, recorded, ours)
		elif name in ISSUED and name_of(about or exchange["path"]) not in self.imported:
			self.issued(where, name, recorded, ours)
		elif name in VALIDITY and "certificates/" in (about or "") and name_of(about) not in self.imported:
			self.rules["validity"] += 1
		elif name == "value" and verb_of(exchange) in MAKES:
			self.result(where, recorded, ours, exchange)
		elif name == "e" and recorded == "AAEAAQ":
			self.rules["octet"] += 1
			self.equal(where, "AQAB", ours)
		elif name == "nextLink" and recorded is not None:
			self.next_link(where, recorded, ours)
		else:
			self.compare(where, recorded, ours, exchange, about)

	def number(self, where, recorded, ours):
		if recorded not in self.brought:
			self.stands("number", where, recorded, ours)
			return
		bare = b64(unb64(recorded).lstrip(b"\0"))
		self.rules["octet"] += bare != recorded
		self.equal(where, bare, ours)

	def result(self, where, recorded, ours, exchange):
		certain = re.fullmatch(r"RS\d+", exchange["body"]["alg"]) and self.our_kid(exchange) in self.taken
		if certain:
			self.equal(where, recorded, ours)
		else:
			self.stands("result", where, recorded, ours)

	def issued(self, where, name, recorded, ours):
		if recorded not in self.random:
			if ours in self.random.values() or bool(ours) != bool(recorded):
				raise Mismatch(f"{where}: {ours} is not a new one")
			self.rules["issued"] += 1
			self.random[recorded] = ours
		self.equal(where, self.random[recorded], ours)

	def validity(self, where, recorded, ours):
		"""Of what was issued there, and here."""
		if not 0 <= ours["created"] - 600 - ours["nbf"] < 60:
			raise Mismatch(f"{where}: begins at {ours['nbf']}, made at {ours['created']}")
		lasts = [each["exp"] - each["nbf"] for each in (recorded, ours)]
		if abs(lasts[0] - lasts[1]) > 2 * 86400 or any((last - 600) % 86400 for last in lasts):
			raise Mismatch(f"{where}: lasts {lasts[1]}, recorded {lasts[0]}")

	def stands(self, rule, where, recorded, ours):
		"""Something random for something random."""
		if not isinstance(ours, str) or len(ours) != len(recorded) or not re.fullmatch(r"[\w-]+", ours):
			raise Mismatch(f"{where} is {ours!r}, recorded {recorded!r}")
		if recorded not in self.random:
			if ours in self.random.values():
				raise Mismatch(f"{where}: {ours} is not a new one")
			self.rules[rule] += 1
			self.random[recorded] = ours
		self.equal(where, self.random[recorded], ours)

	def text(self, where, recorded, ours):
		if not isinstance(recorded, str):
			self.equal(where, recorded, ours)
			return
		if recorded in TEXTS:
			self.rules["text"] += 1
			recorded = TEXTS[recorded]
		if RECORDED.match(recorded):
			self.rules["host"] += 1
			theirs, mine = VERSION.findall(recorded), VERSION.findall(ours)
			if len(theirs) == len(mine):
				for pair in zip(theirs, mine):
					self.bind(where, *pair)
			recorded = self.our_url(recorded)
		elif older := re.fullmatch(r"Certificate not found: ([\w-]+)", recorded):
			# So the build of 2020 said it of any; today's does so when one is backed up.
			today = f"A certificate with (name/id) {older[1]} was not found in this key vault. "
			if ours.startswith(today):
				self.rules["text"] += 1
				return
		self.equal(where, self.our_versions(recorded), ours)

	def bind(self, where, recorded, ours):
		if recorded not in self.versions:
			if ours in self.versions.values():
				raise Mismatch(f"{where}: {ours} is not a new version")
			self.rules["version"] += 1
			self.versions[recorded] = ours
		self.equal(f"{where}'s version", self.versions[recorded], ours)

	def our_versions(self, text):
		return VERSION.sub(lambda match: self.versions.get(match[0], match[0]), text)

	def our_url(self, url):
		return self.our_versions(RECORDED.sub(self.vault.url, url))

	def next_link(self, where, recorded, ours):
		link = re.compile(r"^([^?]*\?api-version=[^&]*&\$skiptoken=)([\w-]+)((?:&maxresults=\d+)?)$")
		theirs, mine = link.match(recorded), link.match(ours or "")
		if not theirs or not mine:
			raise Mismatch(f"{where} is {ours!r}, recorded {recorded!r}")
		self.rules["host"] += 1
		head = RECORDED.sub(self.vault.url, theirs[1])
		self.equal(where, (head, theirs[3]), (mine[1], mine[3]))
		self.rules["skiptoken"] += 1
		self.tokens[theirs[2]] = mine[2]

	def page(self, where, recorded, ours):
		"""The recorded items in our order: those with the versions that are on this page of ours."""
		self.rules["page"] += 1
		ids = [id_of(item) for item in ours]
		self.equal(f"{where}'s order", sorted(ids), ids)
		listed = {id_of(item): item for exchange in self.exchanges if exchange["path"].endswith("/versions")
		    for item in exchange["reply"]["value"]}
		by_ours = {self.our_url(key): item for key, item in listed.items()}
		for each in ids:
			if each not in by_ours:
				raise Mismatch(f"{where} lists {each}, which is no recorded version")
			if each in self.listed:
				raise Mismatch(f"{where} lists {each} again")
			self.listed.add(each)
		return [by_ours[each] for each in ids]

	def times(self, where, recorded, ours, about, exchange):
		"""Ours are whole seconds of now.  What was equal in a reply is equal, what was before is not
		after; a time of the same version is the same again; the retention is exact."""
		name, _, version = re.sub(r"^/(secrets|keys|certificates)/", "", RECORDED.sub("", about or "")).partition("/")
		for member in TIMES:
			if member not in recorded:
				continue
			self.rules["time"] += 1
			mine, ahead = ours[member], 90 * 86400 if member == "scheduledPurgeDate" else 0
			if type(mine) is not int or abs(mine - ahead - time.time()) > 300:
				raise Mismatch(f"{where}.{member} is {mine!r}")
			known = self.clocks[name, member, recorded[member]]
			if version == "policy" and ("policy" not in known or exchange["method"] != "GET"):
				known["policy", len(known)] = known["policy"] = mine  # changed in the recorded second, and in a later one here
			elif version and version != "policy":
				self.equal(f"{where}.{member}", known.setdefault(version, mine), mine)
			elif mine not in known.values():
				raise Mismatch(f"{where}.{member} is {mine!r}, which no version of {name} has")
		if "created" in recorded:
			changed = recorded["updated"] > recorded["created"]
			if ours["updated"] < ours["created"] or not changed and ours["updated"] != ours["created"]:
				raise Mismatch(f"{where}: created {ours['created']}, updated {ours['updated']}")
		if "deletedDate" in recorded:
			self.equal(f"{where}'s retention", recorded["scheduledPurgeDate"] - recorded["deletedDate"],
			    ours["scheduledPurgeDate"] - ours["deletedDate"])


class Vaults:
	"""Vaults without a history, on servers of their own with a token; premium ones for keys in an HSM."""

	def __init__(self, folder):
		self.folder, self.servers, self.names = folder, [], []

	def fresh(self, exchanges):
		if not self.names:  # a server is started with 64 vaults at most
			self.names = [f"replay-{index}" for index in range(60)]
			self.servers.append(self.start(self.folder / str(len(self.servers))))
		server, name = self.servers[-1], self.names.pop()
		if any('-HSM"' in json.dumps(each["body"]) for each in exchanges):
			return premium(server, f"premium-{name}")
		return server.vault(name)

	def start(self, folder):
		folder.mkdir()
		token = Token(folder)
		return Server(folder / "server", self.names, token.options, environment=token.environment).start()

	def stop(self):
		for server in self.servers:
			server.stop()


def main(paths):
	if not paths:
		sys.exit(__doc__)
	totals = collections.Counter()
	failed = 0
	with tempfile.TemporaryDirectory() as folder:
		vaults = Vaults(Path(folder))
		for path in paths:
			exchanges = load(path)
			replay = Replay(vaults.fresh(exchanges))
			try:
				replay.run(exchanges)
				outcome = "same"
			except Mismatch as error:
				failed += 1
				outcome = f"DIFFERS: {error}"
			totals.update(replay.rules)
			print(f"{Path(path).stem}: {replay.compared} compared, {outcome}")
		vaults.stop()
	print("let pass by rule:", ", ".join(f"{rule} {count}" for rule, count in totals.most_common()))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
