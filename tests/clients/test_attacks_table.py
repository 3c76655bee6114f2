"""docs/security-tests.md names the tests that attack; here it is held against those there are."""
import re

from strongroom import ROOT

TABLE = (ROOT / "docs/security-tests.md").read_text()
ROWS = [line for line in TABLE.split("\n## ")[0].splitlines() if line.startswith("| ") and "`" in line]
TARGETS = [line.split("|") for line in TABLE.split("\n## What is fuzzed\n")[1].split("\n## ")[0].splitlines() if line.startswith("| `")]
FUZZED = set(re.findall(r"\['(\w+)', [\w\[\], ]+, files\('\w+_fuzz\.c'", "".join(path.read_text() for path in (ROOT / "src").rglob("meson.build"))))


def named():
	"""Every (file, test) of the table; a file alone has the test None."""
	for row in ROWS:
		for part in row.rsplit("|", 2)[1].split(";"):
			words = re.findall(r"`([^`]+)`", part)
			if part.strip().startswith("fuzz "):
				yield from (("fuzz", word) for word in words)
			else:
				yield from ((words[0], word) for word in words[1:] or [None])


def those_in(path):
	text = (ROOT / path).read_text()
	pattern = r"^def (test_\w+)\(" if path.endswith(".py") else r"^(test_\w+)\(void \*\*"
	return set(re.findall(pattern, text, re.M))


def test_every_row_names_its_tests():
	assert len(ROWS) > 35
	for row in ROWS:
		assert row.count("|") >= 3 and "test_" in row, row


def test_what_is_named_is_there():
	for path, test in named():
		if path == "fuzz":
			assert test in FUZZED, test
		else:
			assert those_in(path), path
			assert test is None or test in those_in(path), f"{path} has no {test}"


def test_what_attacks_is_named():
	table = set(named())
	for path in sorted((ROOT / "tests/clients").glob("test_attacks_*.py")):
		if path.name == "test_attacks_table.py":
			continue
		name = str(path.relative_to(ROOT))
		missing = {test for test in those_in(name) if (name, test) not in table}
		assert not missing, (name, missing)


def test_what_is_fuzzed_is_written_down():
	assert sorted(row[1].strip(" `") for row in TARGETS) == sorted(FUZZED)
	for row in TARGETS:
		for path in re.findall(r"`([^`]+)`", row[3]):
			assert (ROOT / path).is_file(), path


def test_every_target_has_seeds_and_words():
	assert {path.stem for path in (ROOT / "tests/fuzz").glob("*.dict")} == FUZZED
	assert {path.name for path in (ROOT / "tests/fuzz/corpus").iterdir()} == FUZZED
	for path in (ROOT / "tests/fuzz/corpus").iterdir():
		assert len(list(path.iterdir())) > 1, path
