"""A real token, SoftHSM, for a server to keep its premium vaults' keys in."""
import io
import os
import subprocess

from keys import public

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
BOOLEAN, NUMBER, MECHANISMS = 1, 2, 5  # the kinds of SoftHSM's attributes; the others have a length before them
CKA_ID = 0x102
LABEL, PIN = "premium", "25519-25519"


class Token:
	def __init__(self, folder):
		self.tokens, self.pin_file = folder / "tokens", folder / "pin"
		self.tokens.mkdir()
		conf = folder / "softhsm2.conf"
		conf.write_text(f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
		self.environment = {"SOFTHSM2_CONF": str(conf)}
		self.pin_file.write_text(PIN + "\n")
		self.pin_file.chmod(0o600)
		subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", "87654321", "--pin", PIN],
		    check=True, capture_output=True, env={**os.environ, **self.environment})

	@property
	def objects(self):
		"""How many there are, keys and the one that wraps them."""
		return len([path for path in self.tokens.rglob("*.object") if path.name != "token.object" and is_whole(path)])

	@property
	def options(self):
		module = next(path for path in MODULES if os.path.exists(path))
		return ("--hsm-module", module, "--hsm-token", LABEL, "--hsm-pin-file", self.pin_file)


def attributes(data):
	"""What a file of SoftHSM's holds, by type; None: it ends too early."""
	data, found = io.BytesIO(data), {}

	def take(length):
		if len(part := data.read(length)) < length:
			raise EOFError
		return part

	def number():
		return int.from_bytes(take(8), "big")

	try:
		number()  # how often it was written
		while data.tell() < len(data.getbuffer()):
			name, kind = number(), number()
			found[name] = take({BOOLEAN: 1, NUMBER: 8}.get(kind) or number() * (8 if kind == MECHANISMS else 1))
	except EOFError:
		return None
	return found


def is_whole(path):
	"""
	Whether the token finds it by its name.  SoftHSM writes an object several times before it is one; where it is killed meanwhile a
	stump is left, without a name or cut off, that nobody can find or destroy through PKCS#11.
	"""
	try:
		return bool((attributes(path.read_bytes()) or {}).get(CKA_ID))
	except FileNotFoundError:
		return False


def premium(server, name="premium"):
	"""A vault of the premium tier."""
	body = {"location": "local", "properties": {"tenantId": server.tenant, "sku": {"family": "A", "name": "premium"},
	    "enableRbacAuthorization": True}}
	group = f"{server.scope()}/resourceGroups/premium"
	server.manage("PUT", group, {"location": "local"}, version="2021-04-01")
	path = f"{group}/providers/Microsoft.KeyVault/vaults/{name}"
	server.manage("PUT", path, body, version="2023-07-01").expect(201)
	server.assign(server.admin, "00482a5a-887f-4fb3-b363-3b7fe8e74483", path)
	return server.vault(name)


def shown(bundle):
	"""The public key; a type's name says where the other half is."""
	return public({**bundle["key"], "kty": bundle["key"]["kty"].removesuffix("-HSM")})
