"""What the documentation says is run here."""
import os
import re
import subprocess
import sys
from pathlib import Path

from strongroom import BINARY

ROOT = Path(__file__).resolve().parents[2]


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
