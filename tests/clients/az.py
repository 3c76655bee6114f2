"""The az command, as its users have it: registered to our cloud, its own home, nothing sent elsewhere."""
import json
import os
import subprocess

from strongroom import ROOT

AZ = ROOT / ".cache" / "az" / "bin" / "az"

# Nothing of the machine's own az, nothing sent elsewhere, nothing asked.
QUIET = {
	"AZURE_CORE_COLLECT_TELEMETRY": "no", "AZURE_CORE_SURVEY_MESSAGE": "no",
	"AZURE_AUTO-UPGRADE_ENABLE": "no", "AZURE_CORE_NO_COLOR": "yes",
	"AZURE_CORE_DISABLE_CONFIRM_PROMPT": "yes", "AZURE_CORE_ONLY_SHOW_ERRORS": "yes",
}


class Az:
	def __init__(self, home):
		self.env = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
		self.env |= QUIET | {"HOME": str(home), "AZURE_CONFIG_DIR": str(home / "azure")}

	def run(self, *arguments):
		return subprocess.run([AZ, *map(str, arguments)], env=self.env, stdin=subprocess.DEVNULL,
		    capture_output=True, text=True, timeout=120)

	def __call__(self, *arguments):
		"""Its output, which is JSON if anything."""
		done = self.run(*arguments)
		assert done.returncode == 0, f"az {arguments}: {done.stderr}"
		return json.loads(done.stdout) if done.stdout.strip() else None

	def fails(self, code, *arguments):
		"""What it said on its way out with ${code}."""
		done = self.run(*arguments)
		assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
		return done.stderr

	def shell(self, script):
		"""Run lines of a shell as they are printed somewhere; what they print last."""
		env = self.env | {"PATH": f"{AZ.parent}:{self.env['PATH']}"}
		return subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=env,
		    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)

	def register(self, server):
		self.env |= {name: server.env[name] for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")}
		self("cloud", "register", "-n", "Strongroom", "--endpoint-resource-manager", server.management)
		self("cloud", "set", "-n", "Strongroom")
		self("config", "set", "core.instance_discovery=false")
		return self

	def login(self, principal):
		self("login", "--service-principal", "-u", principal.client_id, "-p", principal.secret,
		    "--tenant", principal.server.tenant)
		return self


def az_for(server, home):
	"""Registered, and signed in as the administrator."""
	assert AZ.exists(), "no az: run script/bootstrap"
	return Az(home).register(server).login(server.admin)
