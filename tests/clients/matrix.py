"""What real clients must be able to do with every kind of key, and docs/interop.md's table of it.

A client prints a line for each cell: itself, the key type, the use, the algorithm, the direction,
and "ok" or what went wrong, with tabs between them.  Directions name who makes and who checks: in
"vault-client" the vault signs, encrypts or wraps, and the client verifies, decrypts or unwraps with
its own cryptography.

    python tests/clients/matrix.py      prints the table
"""

CLIENTS = ("python", "node", "go", "java", "openssl")
DIRECTIONS = {"vault-client": "→", "client-vault": "←", "vault-vault": "↔"}

RSA_SIGN = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
RSA_ENCRYPT = ("RSA1_5", "RSA-OAEP", "RSA-OAEP-256")
CURVES = {"P-256": "ES256", "P-256K": "ES256K", "P-384": "ES384", "P-521": "ES512"}
HMAC = ("HS256", "HS384", "HS512")


def _types():
	for tail in ("", "-HSM"):
		for bits in (2048, 3072, 4096):
			yield f"RSA{tail} {bits}", {"sign": RSA_SIGN, "encrypt": RSA_ENCRYPT, "wrap": RSA_ENCRYPT}
		for curve, algorithm in CURVES.items():
			yield f"EC{tail} {curve}", {"sign": (algorithm,)}
		for bits in (128, 192, 256):
			yield f"oct{tail} {bits}", {"sign": () if tail else HMAC,
			    "encrypt": (f"A{bits}GCM", f"A{bits}CBC", f"A{bits}CBCPAD"),
			    "wrap": (f"A{bits}KW", "CKM_AES_KEY_WRAP", "CKM_AES_KEY_WRAP_PAD")}


# Key type -> use -> its algorithms.
TYPES = dict(_types())

# What the programs in Go and Java do besides; for Python, Node and az other tests do, at length.
LIFE = {
	"keys": ("create", "import", "get", "list", "versions", "update", "rotate", "backup", "delete", "recover", "restore",
	    "purge"),
	"secrets": ("set", "get", "list", "versions", "update", "backup", "delete", "recover", "restore", "purge"),
}

# Why a cell is empty: the first row that fits.  Client, key type's beginning, use, algorithm, direction; "" is any.
NO_OCT = "the key never leaves the vault, and importing an `oct` key is refused, as by the original"
NO_CURVE = "the JDK has had no secp256k1 since version 16"
CANNOT = (
	("java", "EC P-256K", "", "", "vault-client", NO_CURVE), ("java", "EC P-256K", "", "", "client-vault", NO_CURVE),
	("java", "EC-HSM P-256K", "", "", "vault-client", NO_CURVE), ("java", "EC-HSM P-256K", "", "", "client-vault", NO_CURVE),
	("openssl", "", "", "", "vault-vault", "`openssl` speaks to no vault"),
	("", "oct", "", "", "vault-client", NO_OCT), ("", "oct", "", "", "client-vault", NO_OCT),
)


def cells():
	"""Every (key type, use, algorithm, direction)."""
	for kind, uses in TYPES.items():
		for use, algorithms in uses.items():
			for algorithm in algorithms:
				for direction in DIRECTIONS:
					yield kind, use, algorithm, direction


def why_not(client, *cell):
	"""The reason why a client has nothing to do there; None when it must be able to."""
	kind, use, algorithm, direction = cell
	for row in CANNOT:
		if row[0] in ("", client) and kind.startswith(row[1]) and row[2] in ("", use) \
		    and row[3] in ("", algorithm) and row[4] in ("", direction):
			return row[5]
	return None


def expected(client, kind):
	return {cell for cell in cells() if cell[0] == kind and why_not(client, *cell) is None}


def _merged(rows):
	"""Key types whose cells are alike share a row: RSA 2048, 3072, 4096."""
	merged = {}
	for kind, use, algorithm, shown in rows:
		family, size = kind.split(" ")
		merged.setdefault((family, use, algorithm, shown), []).append(size)
	for (family, use, algorithm, shown), sizes in merged.items():
		yield f"{family} {', '.join(sizes)}", use, algorithm, shown


def table():
	"""In Markdown, with its footnotes."""
	reasons, rows = [], []

	def note(reason):
		if reason not in reasons:
			reasons.append(reason)
		return reasons.index(reason) + 1

	for kind, uses in TYPES.items():
		for use, algorithms in uses.items():
			for algorithm in algorithms:
				shown = []
				for client in CLIENTS:
					why = {direction: why_not(client, kind, use, algorithm, direction) for direction in DIRECTIONS}
					marks = "".join(DIRECTIONS[each] for each in why if why[each] is None)
					notes = sorted({note(each) for each in why.values() if each})
					shown.append(" ".join([marks or "—", *(f"({each})" for each in notes)]))
				rows.append((kind, use, algorithm, tuple(shown)))
	lines = ["| key | use | algorithm | " + " | ".join(CLIENTS) + " |", "|---" * (3 + len(CLIENTS)) + "|"]
	lines += [f"| {kind} | {use} | {algorithm} | " + " | ".join(shown) + " |" for kind, use, algorithm, shown in _merged(rows)]
	lines += [""] + [f"{number}. {reason}" for number, reason in enumerate(reasons, 1)]
	return "\n".join(lines) + "\n"


if __name__ == "__main__":
	print(table(), end="")
