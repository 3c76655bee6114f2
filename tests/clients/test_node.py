"""Azure's libraries for Node: what secrets.mjs does, job by job."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from strongroom import ROOT

HERE = Path(__file__).parent
JOBS = re.findall(r'^\t"([^"]+)": ', (HERE / "secrets.mjs").read_text(), re.M)


@pytest.fixture(scope="module")
def outcome(certified):
	"""What became of every job."""
	path = f"{ROOT / '.cache' / 'venv' / 'bin'}:{os.environ['PATH']}"
	done = subprocess.run(["node", "secrets.mjs"], cwd=HERE, capture_output=True, text=True, timeout=240,
	    env={**os.environ, "PATH": path, "ROBOT_ID": certified.client_id, "ROBOT_PEM": str(certified.pem)})
	assert done.returncode == 0, done.stderr
	lines = [json.loads(line) for line in done.stdout.splitlines()]
	return {line["name"]: line["error"] for line in lines}


@pytest.mark.parametrize("job", JOBS)
def test_job(outcome, job):
	assert outcome[job] is None, outcome[job]


def test_every_job_ran(outcome):
	assert list(outcome) == JOBS and len(JOBS) > 10
