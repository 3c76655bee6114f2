"""What the documentation says is run here."""
import collections
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from az import Az
from strongroom import BINARY, ROOT, Server

# Those whose commands are run; the longest first.
PAGES = ("docs/vaults.md", "docs/access.md", "docs/people.md", "docs/federation.md", "docs/operating.md",
    "docs/tenants.md", "docs/keys.md", "docs/certificates.md", "docs/issuers.md", "docs/fetch-cert.md",
    "docs/backup.md")

# A block of a page that is run: its marker (what it does, and the text a refusal has), its lines.
MARKED = re.compile(r"<!-- (run|refused: (.*?)) -->\n```sh\n(.*?)```", re.S)


def blocks(page, language):
	return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.S)


def test_settings_page_is_the_programs_own():
	table = subprocess.run([BINARY, "settings"], capture_output=True, text=True, check=True).stdout
	assert table in (ROOT / "docs/settings.md").read_text()
	for row in table.splitlines():
		# What a reader of Markdown would not see: a fourth column, and what it takes for HTML.
		assert row.count("|") == 4 and not re.search(r"<\w", row), row


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
def followed(tmp_path_factory):
	"""A newcomer's server; each page is followed by somebody who did what the README says first."""
	server = Server(tmp_path_factory.mktemp("newcomer"), ("dev",)).start()
	(server.folder / ".strongroom").symlink_to(server.data)
	home = tmp_path_factory.mktemp("home")

	def follow(page, home):
		az = Az(home)
		az.env["PATH"] = f"{BINARY.parent}:{az.env['PATH']}"
		return az.shell(f"cd {server.folder}\n. .strongroom/env\n{script_of(page)}")

	begun = follow("README.md", home)
	assert begun.returncode == 0, begun.stdout[-2000:] + begun.stderr
	with concurrent.futures.ThreadPoolExecutor(2) as pool:
		yield {page: pool.submit(follow, page, shutil.copytree(home, home.with_name(Path(page).stem)))
		    for page in PAGES}
	server.stop()


@pytest.mark.parametrize("page", PAGES)
def test_page(followed, page):
	done = followed[page].result()
	assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_roles_of_the_page(shared):
	told = dict(re.findall(r"^\| ([A-Z][A-Za-z ]+) \| `([0-9a-f-]{36})` \|$", (ROOT / "docs/access.md").read_text(), re.M))
	listed = shared.manage("GET", f"{shared.scope()}/providers/Microsoft.Authorization/roleDefinitions").expect(200).json
	assert told == {role["properties"]["roleName"]: role["name"] for role in listed["value"]
	    if role["properties"]["type"] == "BuiltInRole"}


def test_versions_of_the_page(shared):
	page = (ROOT / "docs/compatibility.md").read_text().replace("(-preview)", ", 2018-02-14-preview")
	provider = shared.manage("GET", f"{shared.scope()}/providers/Microsoft.KeyVault", version="2021-04-01").expect(200).json
	(versions,) = [kind["apiVersions"] for kind in provider["resourceTypes"] if kind["resourceType"] == "vaults"]
	said = page.split("Vaults by resource management:")[1].split("Another one")[0]
	assert set(re.findall(r"\d{4}-\d\d-\d\d(?:-preview)?", said)) == set(versions)
	(said,) = re.findall(r"^What is in vaults: ([^:]*?)\. A preview", page, re.M)
	assert said.split() == ", ".join(re.findall(r'^\t\{ "([^"]+)", VERSION_', (ROOT / "src/api/version.c").read_text(), re.M)).split()
	for version in said.replace("\n", " ").split(", "):
		shared.vault("main", version=version).get("/secrets").expect(200)


def test_tests_that_are_named():
	"""What the pages name as a claim's test is there, and in the file that is named right before it."""
	files = collections.defaultdict(set)
	for pattern in ("src/*/*_test.c", "src/*_test.c", "tests/*/test_*.py"):
		for path in ROOT.glob(pattern):
			files[path.name] |= set(re.findall(r"\b(test_\w+)\(", path.read_text()))
	everything = set().union(*files.values())
	for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
		text = page.read_text()
		for name in re.findall(r"`([a-z0-9_/]*test[a-z0-9_]*\.(?:c|py))`", text):
			if name != "x_test.c":
				assert Path(name).name in files and ("/" not in name or (ROOT / name).exists()), (page.name, name)
		for name in re.findall(r"`(test_[a-z0-9_]+)`", text):
			assert name in everything, (page.name, name)
		for file, name in re.findall(r"`([a-z0-9_/]*test[a-z0-9_]*\.(?:c|py))`[:,]?\s+`(test_[a-z0-9_]+)`", text):
			assert name in files[Path(file).name], (page.name, file, name)


def test_every_command_of_the_docs_exists():
	said = subprocess.run([BINARY, "help"], capture_output=True, text=True, check=True).stdout
	known = set(re.findall(r"^  ([a-z-]+(?: [a-z]+)?) ", said, re.M))
	second = "|".join(sorted({name.split()[1] for name in known if " " in name}))
	for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
		for command in re.findall(rf"(?:`|^ *|sudo |build/)strongroom ([a-z]+(?:-[a-z]+)*(?: (?:{second}))?)\b", page.read_text(), re.M):
			assert any(each == command or each.startswith(command + " ") for each in known), (page, command)


def test_the_readme_leads_to_every_page():
	said = (ROOT / "README.md").read_text()
	for page in ROOT.glob("docs/*.md"):
		assert f"| [docs/{page.name}](docs/{page.name}) |" in said, page.name


def test_links_lead_somewhere():
	for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
		for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
			assert (page.parent / target).exists(), (page.name, target)
