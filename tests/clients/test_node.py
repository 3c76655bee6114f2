"""Azure's libraries for Node: what the scripts do, job by job."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from certs import chain, pem_of
from strongroom import ROOT

HERE = Path(__file__).parent
SCRIPTS = ("secrets.mjs", "keys.mjs", "certs.mjs", "management.mjs")
JOBS = {script: re.findall(r'^\t"([^"]+)": ', (HERE / script).read_text(), re.M) for script in SCRIPTS}


@pytest.fixture(scope="module")
def outcome(certified, tmp_path_factory):
	"""What became of every job of a script."""
	path = f"{ROOT / '.cache' / 'venv' / 'bin'}:{os.environ['PATH']}"
	seen = {}
	pem = tmp_path_factory.mktemp("node") / "certificate.pem"
	key, certificates = chain()
	pem.write_text(pem_of(key, certificates))

	def outcome(script):
		if script not in seen:
			done = subprocess.run(["node", script], cwd=HERE, capture_output=True, text=True, timeout=240,
			    env={**os.environ, "PATH": path, "ROBOT_ID": certified.client_id,
			        "ROBOT_PEM": str(certified.pem), "CERTIFICATE_PEM": str(pem)})
			assert done.returncode == 0, done.stderr
			lines = [json.loads(line) for line in done.stdout.splitlines()]
			seen[script] = {line["name"]: line["error"] for line in lines}
		return seen[script]

	return outcome


@pytest.mark.parametrize("script, job", [(script, job) for script in SCRIPTS for job in JOBS[script]])
def test_job(outcome, script, job):
	assert outcome(script)[job] is None, outcome(script)[job]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_job_ran(outcome, script):
	assert list(outcome(script)) == JOBS[script] and len(JOBS[script]) > 8
