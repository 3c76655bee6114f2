"""What the documentation says is run here."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from az import Az
from strongroom import BINARY, ROOT, Server

# A block of a page that is run: its marker (what it does, and the text a refusal has), its lines.
MARKED = re.compile(r"<!-- (run|refused: (.*?)) -->\n```sh\n(.*?)```", re.S)


def blocks(page, language):
	return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.S)


def test_settings_page_is_the_programs_own():
	table = subprocess.run([BINARY, "settings"], capture_output=True, text=True, check=True).stdout
	assert table in (ROOT / "docs/settings.md").read_text()


def test_readme_program(shared):
	(program,) = blocks("README.md", "python")
	done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60,
	    env=os.environ | shared.env)
	assert done.stdout == "correct horse\n", done.stderr


def script_of(page):
	"""The marked blocks of a page in order, as one script; a refused one has to say why."""
	lines = []
	for marker, why, block in MARKED.findall((ROOT / page).read_text()):
		if marker == "run":
			lines.append(block)
		else:
			lines.append(f"if said=$( {{\n{block}\n}} 2>&1); then echo 'not refused:' >&2; cat <<'E' >&2\n{block}E\n"
			    f"exit 1\nfi\ngrep -qF -- '{why}' <<<\"$said\" || {{ echo \"$said\" >&2; exit 1; }}\n")
	assert lines, page
	return "".join(lines)


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
	"""Somebody with a new server, who has done what the README says first."""
	server = Server(tmp_path_factory.mktemp("newcomer"), ("dev",)).start()
	(server.folder / ".strongroom").symlink_to(server.data)
	az = Az(tmp_path_factory.mktemp("home"))
	az.env["PATH"] = f"{BINARY.parent}:{az.env['PATH']}"

	def run(script):
		done = az.shell(f"cd {server.folder}\n. .strongroom/env\n{script}")
		assert done.returncode == 0, done.stdout[-2000:] + done.stderr

	run.server = server
	run(script_of("README.md"))
	yield run
	server.stop()


@pytest.mark.parametrize("page", ("docs/vaults.md", "docs/access.md", "docs/people.md", "docs/federation.md",
    "docs/tenants.md"))
def test_page(newcomer, page):
	newcomer(script_of(page))


def test_every_command_of_the_docs_exists():
	said = subprocess.run([BINARY, "help"], capture_output=True, text=True, check=True).stdout
	known = set(re.findall(r"^  ([a-z]+(?: [a-z]+)?) ", said, re.M))
	for page in ("README.md", "docs/operating.md", "ARCHITECTURE.md", "CHANGELOG.md"):
		for command in re.findall(r"`?strongroom ([a-z]+(?: (?:verify|advance))?)\b", (ROOT / page).read_text()):
			assert command in known, (page, command)


def test_links_lead_somewhere():
	for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
		for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
			assert (page.parent / target).exists(), (page.name, target)
