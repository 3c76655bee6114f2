"""A real token, SoftHSM, for a server to keep its premium vaults' keys in."""
import os
import subprocess

from keys import public

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
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
		"""How many there are, keys and the one that wraps them; where SoftHSM was killed while it wrote one, a stump is left."""
		return len([path for path in self.tokens.rglob("*.object") if path.name != "token.object" and path.stat().st_size > 600])

	@property
	def options(self):
		module = next(path for path in MODULES if os.path.exists(path))
		return ("--hsm-module", module, "--hsm-token", LABEL, "--hsm-pin-file", self.pin_file)


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
