"""strongroom agent: workloads without a secret, through Azure's own libraries."""
import json
import os
import pwd
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from strongroom import BINARY, ROOT, SANITIZER_FAULT, SANITIZER_OPTIONS, claims, unique

HERE = ROOT / "tests" / "clients"
PROVIDERS = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"
MACHINES = "providers/Microsoft.HybridCompute/machines"

PYTHON = """
import os
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient
for credential in (DefaultAzureCredential(),
    DefaultAzureCredential(managed_identity_client_id=os.environ["WANTED"]),
    ManagedIdentityCredential(client_id=os.environ["WANTED"])):
	with SecretClient(os.environ["VAULT"], credential) as client:
		client.set_secret(os.environ["NAME"], "by python")
		print(client.get_secret(os.environ["NAME"]).value)
"""

NODE = """
import { DefaultAzureCredential, ManagedIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
for (const credential of [new DefaultAzureCredential(),
    new ManagedIdentityCredential({ clientId: process.env.WANTED })]) {
	const client = new SecretClient(process.env.VAULT, credential);
	await client.setSecret(process.env.NAME, "by node");
	console.log((await client.getSecret(process.env.NAME)).value);
}
"""

# As another user would: with the system's Python, who need not see anything of ours.
PLAIN = """
import sys, urllib.error, urllib.request
try:
	request = urllib.request.Request(sys.argv[1], headers=dict([sys.argv[2].split("=", 1)]))
	print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error:
	print(error.code, error.read().decode())
"""


def agent_command(*arguments, **options):
	return subprocess.run([BINARY, "agent", *map(str, arguments)], capture_output=True, text=True,
	    timeout=60, check=True, env={"PATH": os.environ["PATH"], **SANITIZER_OPTIONS},
	    **options).stdout


class Agent:
	def __init__(self, shared, folder):
		self.shared, self.folder = shared, folder
		public_key = agent_command("init", "--folder", folder / "host").split("\n\n")[1]
		assert agent_command("init", "--folder", folder / "host").split("\n\n")[1] == public_key
		self.identity = self.make_identity()
		self.machine = self.make_machine(public_key)
		self.settings = folder / "agent.conf"
		self.write_settings(pwd.getpwuid(os.geteuid()).pw_name)
		self.log = open(folder / "agent.log", "w+")
		self.process = subprocess.Popen([BINARY, "agent", "run", "--settings", self.settings],
		    stdout=subprocess.PIPE, stderr=self.log, text=True,
		    env={"PATH": os.environ["PATH"], **SANITIZER_OPTIONS})
		self.port = int(self.process.stdout.readline().removeprefix("ready: port "))
		self.base = f"http://127.0.0.1:{self.port}"
		lines = shlex.split(agent_command("env", "--settings", self.settings))
		self.env = dict(word.split("=", 1) for word in lines if word != "export")

	def make_identity(self):
		path = f"{self.shared.group_scope}/{PROVIDERS}/{unique('shop')}"
		made = self.shared.manage("PUT", path, {"location": "local"}, version="2023-01-31").json
		self.shared.assign(made["properties"]["principalId"], "Key Vault Secrets Officer",
		    self.shared.scope("sdk"))
		return made

	def make_machine(self, public_key):
		body = {"location": "local", "properties": {"clientPublicKey": public_key},
		    "identity": {"type": "SystemAssigned, UserAssigned",
		        "userAssignedIdentities": {self.identity["id"]: {}}}}
		path = f"{self.shared.group_scope}/{MACHINES}/{unique('box')}"
		return self.shared.manage("PUT", path, body, version="2024-07-10").json

	def write_settings(self, user):
		machine, shop = self.machine["identity"], self.identity["properties"]
		self.settings.write_text(
		    f"login = https://login.localhost:{self.shared.port}\n"
		    f"tenant = {machine['tenantId']}\nmachine = {machine['clientId']}\n"
		    f"key = {self.folder}/host/key.pem\nca = {self.shared.env['STRONGROOM_CA']}\n"
		    f"listen = 127.0.0.1:0\nsocket = {self.folder}/s\n"
		    f"[identity shop]\nclient-id = {shop['clientId']}\n"
		    f"object-id = {shop['principalId']}\nusers = {user}\n"
		    f"[identity own]\ngroups = {os.getegid()}\n")

	def ask(self, path, headers):
		try:
			with urllib.request.urlopen(urllib.request.Request(self.base + path,
			    headers=headers)) as reply:
				return reply.status, json.load(reply)
		except urllib.error.HTTPError as error:
			return error.code, json.load(error)

	def stop(self):
		self.process.send_signal(signal.SIGTERM)
		assert self.process.wait(30) == 0
		self.log.seek(0)
		assert not SANITIZER_FAULT.search(self.log.read())


@pytest.fixture(scope="module")
def agent(shared, tmp_path_factory):
	one = Agent(shared, tmp_path_factory.mktemp("agent"))
	yield one
	one.stop()


@pytest.fixture(params=["App Service", "IMDS"])
def workload(request, agent, shared):
	"""The environment of a workload that holds no secret."""
	shape = agent.env if request.param == "App Service" else {
	    "AZURE_POD_IDENTITY_AUTHORITY_HOST": agent.base}
	kept = {name: os.environ[name] for name in
	    ("NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")}
	return {**kept, **shape, "PATH": f"{ROOT}/.cache/venv/bin:{os.environ['PATH']}",
	    "VAULT": shared.url("sdk"), "NAME": unique("agent"),
	    "WANTED": agent.identity["properties"]["clientId"]}


def test_python(workload):
	said = subprocess.run([sys.executable, "-c", PYTHON], env=workload, capture_output=True,
	    text=True, timeout=120)
	assert said.stdout.split("\n") == ["by python"] * 3 + [""], said.stderr


def test_node(workload):
	said = subprocess.run(["node", "--input-type=module", "-e", NODE], env=workload, cwd=HERE,
	    capture_output=True, text=True, timeout=120)
	assert said.stdout.split("\n") == ["by node"] * 2 + [""], said.stderr


IMDS = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource="


def test_tokens_say_who(agent, shared):
	ask = IMDS + shared.management
	status, shop = agent.ask(ask, {"Metadata": "true"})
	assert status == 200 and all(isinstance(value, str) for value in shop.values())
	said = claims(shop["access_token"])
	assert said["oid"] == agent.identity["properties"]["principalId"]
	assert said["xms_mirid"] == agent.identity["id"]
	assert said["aud"] == shop["resource"] == shared.management
	status, own = agent.ask(f"{ask}&client_id={agent.machine['identity']['clientId']}",
	    {"Metadata": "true"})
	assert claims(own["access_token"])["xms_mirid"] == agent.machine["id"]


def test_refusals(agent, shared):
	resource = shared.management
	assert agent.ask(IMDS + resource, {})[0] == 400
	status, said = agent.ask(f"{IMDS}{resource}&client_id={shared.env['AZURE_CLIENT_ID']}",
	    {"Metadata": "true"})
	assert (status, said["error_description"]) == (400, "Identity not found")
	status, said = agent.ask(IMDS + "https://nowhere.example", {"Metadata": "true"})
	assert (status, said["error"]) == (400, "invalid_resource")
	status, said = agent.ask("/msi/token?api-version=2019-08-01&resource=" + resource,
	    {"X-IDENTITY-HEADER": "0" * 64})
	assert (status, said["error"]) == (403, "access_denied")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_other_users_get_nothing(agent, shared):
	for header, words in (("Metadata=true", "may not have any identity"),
	    ("X-IDENTITY-HEADER=" + agent.env["IDENTITY_HEADER"], "is not the one of user")):
		path = IMDS if "Metadata" in header else "/msi/token?api-version=2019-08-01&resource="
		said = subprocess.run(["/usr/bin/python3", "-c", PLAIN,
		    agent.base + path + shared.management, header], cwd="/", user="daemon", group="daemon",
		    extra_groups=[], env={}, capture_output=True, text=True, timeout=60)
		assert said.stdout.startswith("403 ") and words in said.stdout, said
