"""Vectors: those at the edges, made here, and NIST's, through the keyring as it was built; a sample of the first over HTTPS."""
import re
import subprocess
import sys

import pytest

from keys import b64, bring, key_of
from strongroom import BINARY, ROOT, unique

VECTORS = ROOT / "tests" / "vectors"
RUNNER = BINARY.parent / "src" / "keyring" / "keyring_vectors"


def made(name):
	done = subprocess.run([sys.executable, "-B", VECTORS / f"{name}.py"], capture_output=True, text=True)
	assert done.returncode == 0, done.stderr
	return done.stdout


@pytest.fixture(scope="module")
def edges():
	return made("edges")


def run(text, folder):
	path = folder / "vectors.txt"
	path.write_text(text)
	done = subprocess.run([RUNNER, path], capture_output=True, text=True)
	print(said := re.sub(r"(.{200}).+", r"\1...", done.stdout + done.stderr))
	return done.returncode, int(re.search(r"^vectors: (\d+)", said, re.M)[1])


def test_edges(edges, tmp_path):
	code, count = run(edges, tmp_path)
	assert code == 0 and count > 2500


def test_nist(tmp_path):
	code, count = run(made("nist"), tmp_path)
	assert code == 0 and count > 9500


def test_a_wrong_vector_is_noticed(edges, tmp_path):
	"""Else the two above would say nothing."""
	for is_said, would_be in (("want=refused", "want=00"), ("want=true", "want=false"), ("want=length", "want=refused")):
		code, _ = run(edges.replace(is_said, would_be, 1), tmp_path)
		assert code == 1, is_said


# Over HTTPS

def parsed(text):
	"""Lines of words, and to which key they belong."""
	key = None
	for line in text.splitlines():
		words = dict(word.split("=", 1) for word in line.split())
		if "key" in words:
			key = words
		else:
			yield key, words


def as_jwk(words):
	numbers = {name: b64(bytes.fromhex(word)) for name, word in words.items() if name not in ("key", "crv")}
	return {"kty": words["key"], **numbers, **({"crv": words["crv"]} if "crv" in words else {})}


def ask(key, words):
	octets = {name: bytes.fromhex(words[name]) for name in ("value", "signature") if name in words}
	if words["do"] == "verify":
		return key.ask("verify", words["alg"], octets["signature"], digest=octets["value"])
	return key.ask(words["do"], words["alg"], octets["value"])


def sample(text):
	"""Of keys that a client can bring and that have many: all that RSA decrypts, of the rest every third."""
	seen = {}
	for key, words in parsed(text):
		if "d" in key:
			seen.setdefault(tuple(key.items()), []).append(words)
	for key, lines in seen.items():
		if key[0] == ("key", "RSA") or len(lines) > 20:
			yield dict(key), [words for at, words in enumerate(lines) if words["do"] == "decrypt" or at % 3 == 0]


def test_over_https(shared, edges):
	"""What fails in one way is answered with the same octets, whatever was wrong: nothing tells why."""
	vault = shared.vault("main", version="2025-07-01")
	refused, denied, count = {}, set(), 0
	for words, lines in sample(edges):
		key = key_of(vault, bring(vault, unique("vector"), as_jwk(words)))
		before = key.state
		for line in lines:
			reply, want = ask(key, line), line["want"]
			count += 1
			if want == "refused":
				refused.setdefault(reply.expect(400, "BadParameter").body, []).append(line)
			elif want == "length":
				assert reply.expect(400, "BadParameter").error["message"]
			elif want in ("true", "false"):
				assert reply.expect(200).json == {"value": want == "true"}
				denied |= {reply.body} if want == "false" else set()
			else:
				assert reply.expect(200).json["value"] == b64(bytes.fromhex(want)), line
		assert key.state == before
	print(f"vectors over HTTPS: {count}")
	assert len(refused) == 1, {body: lines[:2] for body, lines in refused.items()}
	assert len(denied) == 1 and count > 300
