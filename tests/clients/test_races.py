"""Many at once at the same few things: afterwards there is one truth about each of them."""
import random
import threading
import time
import uuid

from certs import SELF, chain, leaf_of, make_pfx, pfx_of
from keys import number
from strongroom import unique, wait_until

VAULTS = "Microsoft.KeyVault/vaults"
VERSION = "2023-07-01"
SECONDS = 8


class Crowd:
	"""Threads that do one of ${acts} after the other; the first failure of any is the test's."""

	def __init__(self, acts, threads=8, seconds=SECONDS):
		self.acts, self.seconds, self.failure, self.seen = acts, seconds, None, {}
		self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(threads)]

	def run(self, number):
		chance, end = random.Random(number), time.monotonic() + self.seconds
		try:
			while time.monotonic() < end and not self.failure:
				act = chance.choice(self.acts)
				reply = act(chance)
				key = (act.__name__, reply.status)
				self.seen[key] = self.seen.get(key, 0) + 1
		except BaseException as failure:
			self.failure = self.failure or failure

	def go(self):
		for thread in self.threads:
			thread.start()
		for thread in self.threads:
			thread.join()
		if self.failure:
			raise self.failure
		return self.seen


class Vaults:
	"""What can be done to a few vaults in a few groups."""

	def __init__(self, server, groups=1):
		self.server = server
		self.groups = [f"{server.scope()}/resourceGroups/race-{number}" for number in range(groups)]
		self.names = [f"race-kv-{number}" for number in range(2)]
		for group in self.groups:
			self.put_group(None, group)

	def put_group(self, chance, group=None):
		return self.server.manage("PUT", group or chance.choice(self.groups), {"location": "westeurope"}, version="2021-04-01")

	def delete_group(self, chance):
		return self.server.manage("DELETE", chance.choice(self.groups), version="2021-04-01")

	def path(self, chance):
		return f"{chance.choice(self.groups)}/providers/{VAULTS}/{chance.choice(self.names)}"

	def create(self, chance, **properties):
		body = {"location": "westeurope", "properties": {"tenantId": self.server.tenant,
		    "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True, **properties}}
		return self.server.manage("PUT", self.path(chance), body, version=VERSION)

	def recover(self, chance):
		return self.create(chance, createMode="recover")

	def tag(self, chance):
		return self.server.manage("PATCH", self.path(chance), {"tags": {"a": str(chance.random())}}, version=VERSION)

	def delete(self, chance):
		return self.server.manage("DELETE", self.path(chance), version=VERSION)

	def assign(self, chance):
		return self.server.manage("PUT", f"{self.path(chance)}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}",
		    self.server.assignment(self.server.admin, "acdd72a7-3385-48ef-bd42-f606fba81ae7"))

	def purge(self, chance):
		return self.server.manage("POST", f"{self.deleted()}/{chance.choice(self.names)}/purge", version=VERSION)

	def deleted(self):
		return f"{self.server.scope()}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults"

	def set(self, chance):
		return self.server.vault(chance.choice(self.names)).put(f"/secrets/s{chance.randrange(3)}", {"value": f"v{chance.random()}"})

	def value(self, chance):
		return self.server.vault(chance.choice(self.names)).get(f"/secrets/s{chance.randrange(3)}")

	def drop(self, chance):
		return self.server.vault(chance.choice(self.names)).delete(f"/secrets/s{chance.randrange(3)}")

	def set_by_management(self, chance):
		return self.server.manage("PUT", f"{self.path(chance)}/secrets/s{chance.randrange(3)}", {"properties": {"value": "v"}},
		    version=VERSION)

	def check(self, name):
		"""Live, deleted or free; what is in it can be read, if there is anything."""
		live = [group for group in self.groups
		    if self.server.manage("GET", f"{group}/providers/{VAULTS}/{name}", version=VERSION).status == 200]
		gone = self.server.manage("GET", f"{self.deleted()}/{name}", version=VERSION)
		assert len(live) + (gone.status == 200) <= 1, (name, live, gone)
		listed = self.server.manage("GET", f"{self.server.scope()}/providers/{VAULTS}", version=VERSION).expect(200).json["value"]
		assert [item["name"] for item in listed].count(name) == len(live)
		body = {"name": name, "type": VAULTS}
		free = self.server.manage("POST", f"{self.server.scope()}/providers/Microsoft.KeyVault/checkNameAvailability", body,
		    version=VERSION).expect(200).json["nameAvailable"]
		assert free == (not live and gone.status == 404)
		vault = self.server.vault(name)
		if not live:
			assert vault.get("/secrets").status == 404
			return
		for item in vault.get("/secrets").expect(200).json["value"]:
			assert vault.get("/secrets/" + item["id"].rsplit("/", 1)[1]).expect(200).json["value"].startswith("v")


def finish(server, vaults):
	"""As it is, after a restart, and in the audit log."""
	for name in vaults.names:
		vaults.check(name)
	server.restart()
	for name in vaults.names:
		vaults.check(name)
	server.stop()
	assert server.cli("audit", "verify").returncode == 0


def test_vaults(server):
	one = server(vaults=("main",))
	vaults = Vaults(one)
	acts = [vaults.create, vaults.recover, vaults.tag, vaults.delete, vaults.purge, vaults.assign, vaults.set, vaults.set, vaults.value,
	    vaults.drop, vaults.set_by_management]
	seen = Crowd(acts).go()
	for done in (("create", 201), ("recover", 200), ("delete", 200), ("purge", 200), ("set", 200)):
		assert seen.get(done), (done, seen)
	finish(one, vaults)


def test_groups(server):
	one = server(vaults=("main",))
	vaults = Vaults(one, groups=2)
	acts = [vaults.create, vaults.create, vaults.recover, vaults.delete, vaults.purge, vaults.put_group, vaults.delete_group, vaults.set,
	    vaults.tag]
	seen = Crowd(acts).go()
	assert seen.get(("delete_group", 200)) and seen.get(("create", 201)), seen
	for group in vaults.groups:
		vaults.put_group(None, group)
	finish(one, vaults)


def test_a_group_is_deleted_although_the_server_dies(server):
	"""More than one commit holds: the rest follows after each restart, and the names in it are free."""
	one = server(vaults=("main",))
	vaults = Vaults(one)
	group, spaces = vaults.groups[0], "providers/Microsoft.ManagedIdentity/userAssignedIdentities"
	for number in range(230):
		one.manage("PUT", f"{group}/{spaces}/one-{number}", {"location": "westeurope"}, version="2023-01-31").expect(201)
	vaults.create(random.Random(1)).expect(201)
	one.manage("DELETE", group, version="2021-04-01").expect(202)
	one.kill()
	one.forget_connections()
	one.start()
	refused = one.manage("PUT", f"{group}/{spaces}/late", {"location": "westeurope"}, version="2023-01-31").status
	assert refused in (404, 409), refused
	end = time.monotonic() + 30
	while one.manage("GET", group, version="2021-04-01").status != 404:
		assert time.monotonic() < end, "the group is still there"
		time.sleep(0.1)
	vaults.put_group(None, group).expect(201)
	assert one.manage("GET", f"{group}/resources", version="2021-04-01").expect(200).json["value"] == []
	principals = one.graph("GET", "/servicePrincipals").expect(200).json["value"]
	assert not [item for item in principals if item["displayName"].startswith("one-")]
	finish(one, vaults)


class Keys:
	"""What can be done to a few keys of one vault."""

	def __init__(self, server):
		self.vault = server.vault("main")

	def path(self, chance):
		return f"/keys/k{chance.randrange(3)}"

	def create(self, chance):
		return self.vault.post(self.path(chance) + "/create", chance.choice(({"kty": "EC"}, {"kty": "EC", "crv": "P-521"})))

	def create_slowly(self, chance):
		return self.vault.post(self.path(chance) + "/create", {"kty": "RSA"})

	def rotate(self, chance):
		return self.vault.post(self.path(chance) + "/rotate")

	def sign(self, chance):
		body = {"alg": chance.choice(("ES256", "ES512", "RS256")), "value": "A" * 43}
		return self.vault.post(self.path(chance) + "/sign", body)

	def switch(self, chance):
		return self.vault.patch(self.path(chance), {"attributes": {"enabled": chance.random() < 0.7}})

	def delete(self, chance):
		return self.vault.delete(self.path(chance))

	def recover(self, chance):
		return self.vault.post(f"/deletedkeys/k{chance.randrange(3)}/recover")

	def purge(self, chance):
		return self.vault.delete(f"/deletedkeys/k{chance.randrange(3)}")

	def check(self):
		"""Every version of every live key is there and can be used, once it is enabled."""
		for item in self.vault.get("/keys").expect(200).json["value"]:
			name = item["kid"].rsplit("/", 1)[1]
			for version in self.vault.get(f"/keys/{name}/versions").expect(200).json["value"]:
				path = "/keys/" + version["kid"].split("/keys/")[1]
				crv = self.vault.patch(path, {"attributes": {"enabled": True}}).expect(200).json["key"].get("crv")
				body = {"P-256": ("ES256", 43), "P-521": ("ES512", 86), None: ("RS256", 43)}[crv]
				self.vault.post(path + "/sign", {"alg": body[0], "value": "A" * body[1]}).expect(200)


def test_keys(server):
	"""Made, used, switched off and taken away at once: nothing is half there, nothing is an error of the server's."""
	one = server(vaults=("main",))
	keys = Keys(one)
	acts = [keys.create, keys.create, keys.create_slowly, keys.rotate, keys.sign, keys.sign, keys.switch, keys.delete, keys.recover,
	    keys.purge]
	seen = Crowd(acts).go()
	assert not [key for key in seen if key[1] >= 500], seen
	for done in (("create", 200), ("create_slowly", 200), ("sign", 200), ("delete", 200), ("recover", 200), ("purge", 204)):
		assert seen.get(done), (done, seen)
	keys.check()
	one.restart()
	keys.check()
	one.stop()
	assert one.cli("audit", "verify").returncode == 0


class Certificates:
	"""What can be done to two names, as certificates and as what collides with them."""

	def __init__(self, vault):
		self.vault, self.names = vault, [unique("race") for _ in range(2)]
		key, certificates = chain()
		self.file = make_pfx(key, certificates)

	def name(self, chance):
		return chance.choice(self.names)

	def create(self, chance):
		return self.vault.post(f"/certificates/{self.name(chance)}/create", {"policy": SELF})

	def bring(self, chance):
		return self.vault.post(f"/certificates/{self.name(chance)}/import", {"value": self.file})

	def cancel(self, chance):
		return self.vault.patch(f"/certificates/{self.name(chance)}/pending", {"cancellation_requested": True})

	def forget(self, chance):
		return self.vault.delete(f"/certificates/{self.name(chance)}/pending")

	def update(self, chance):
		return self.vault.patch(f"/certificates/{self.name(chance)}", {"attributes": {"enabled": chance.random() < 0.8}})

	def delete(self, chance):
		return self.vault.delete(f"/certificates/{self.name(chance)}")

	def recover(self, chance):
		return self.vault.post(f"/deletedcertificates/{self.name(chance)}/recover")

	def purge(self, chance):
		return self.vault.delete(f"/deletedcertificates/{self.name(chance)}")

	def secret(self, chance):
		return self.vault.put(f"/secrets/{self.name(chance)}", {"value": "x"})

	def remove_secret(self, chance):
		name = self.name(chance)
		self.vault.delete(f"/secrets/{name}")
		return self.vault.delete(f"/deletedsecrets/{name}")

	def acts(self):
		return [self.create, self.bring, self.bring, self.cancel, self.forget, self.update, self.delete, self.recover,
		    self.purge, self.secret, self.remove_secret]


def one_truth(vault, name):
	"""All of a certificate, its key and its secret is there and the same, or none of it."""
	made = vault.get(f"/certificates/{name}")
	if made.status != 200 or "cer" not in made.json:
		for kind in ("keys", "secrets"):
			other = vault.get(f"/{kind}/{name}")
			assert other.status in (403, 404) or "managed" not in other.json, (name, kind, other)
		return
	versions = {kind: {(item.get("kid") or item["id"]).rsplit("/", 1)[1] for item in vault.items(f"/{kind}/{name}/versions")}
	    for kind in ("certificates", "keys", "secrets")}
	assert versions["certificates"] == versions["keys"] == versions["secrets"], versions
	for version in versions["certificates"]:
		bundle, key = (vault.get(f"/{kind}/{name}/{version}").expect(200).json for kind in ("certificates", "keys"))
		assert key["managed"] is True and key["attributes"]["enabled"] == bundle["attributes"]["enabled"]
		public = leaf_of(bundle).public_key().public_numbers()
		assert number(key["key"]["x"]) == public.x
		secret = vault.get(f"/secrets/{name}/{version}")
		assert secret.status == (200 if bundle["attributes"]["enabled"] else 403)
		if secret.status == 200:
			assert pfx_of(secret.json)[1] == leaf_of(bundle)


def test_certificates(shared):
	vault = shared.vault("main")
	race = Certificates(vault)
	seen = Crowd(race.acts()).go()
	assert {status for _, status in seen} <= {200, 202, 204, 400, 403, 404, 409}, seen
	assert seen.get(("create", 202)) and seen.get(("bring", 200)), seen
	for name in race.names:
		wait_until(lambda: (pending := vault.get(f"/certificates/{name}/pending")).status != 200 or pending.json["status"] != "inProgress")
		one_truth(vault, name)
