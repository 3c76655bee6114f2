"""Vectors at the edges: paddings, numbers and lengths that are just right or just wrong.

Printed, and the same every time; src/keyring/vectors_run.c runs them.  A line is words of name=hex:

    key=RSA|EC|oct and its numbers         what the lines below it use; without d only to verify
    do=USE alg=NAME value=... want=...     want: what comes out; true or false of a signature;
                                           refused: by the one message for all that does not decrypt;
                                           length: by one that names the length

The mathematics is this file's own: libraries refuse to make what is wrong.
"""
import hashlib
import hmac
import math

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def stream(seed, length):
	"""Octets that look random."""
	return hashlib.shake_256(seed.encode()).digest(length)


def number(octets):
	return int.from_bytes(octets, "big")


def octets(value, length):
	return value.to_bytes(length, "big")


def say(**words):
	print(" ".join(f"{name}={word.hex() if isinstance(word, bytes) else word}" for name, word in words.items()))


def flipped(data, at, bit=1):
	data = bytearray(data)
	data[at] ^= bit
	return bytes(data)


# RSA

SMALL = math.prod(value for value in range(3, 2000, 2) if all(value % by for by in range(3, value, 2)))


def is_prime(value):
	if math.gcd(value, SMALL) > 1:
		return False
	odd, twos = value - 1, 0
	while odd % 2 == 0:
		odd, twos = odd // 2, twos + 1
	for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
		power = pow(base, odd, value)
		if power in (1, value - 1):
			continue
		for _ in range(twos - 1):
			power = power * power % value
			if power == value - 1:
				break
		else:
			return False
	return True


def prime(seed, bits, e):
	value = number(stream(seed, bits // 8)) | 3 << bits - 2 | 1
	while value % e == 1 or not is_prime(value):
		value += 2
	return value


class RSA:
	size = 256

	def __init__(self, e):
		p, q = (prime(f"{which} for {e}", 1024, e) for which in "pq")
		self.n, self.e = p * q, e
		self.d = pow(e, -1, (p - 1) * (q - 1))
		numbers = {"n": self.n, "e": e, "d": self.d, "p": p, "q": q, "dp": self.d % (p - 1), "dq": self.d % (q - 1),
		    "qi": pow(q, -1, p)}
		self.words = {name: octets(value, (value.bit_length() + 7) // 8) for name, value in numbers.items()}

	def lock(self, block):
		return octets(pow(number(block), self.e, self.n), self.size)

	def sign(self, block):
		return octets(pow(number(block), self.d, self.n), self.size)

	def beyond(self, what):
		"""The first of what(0), what(1), ... that stays as long with n added: the same number, not the same octets."""
		index = 0
		while number(what(index)) + self.n >= 1 << 8 * self.size:
			index += 1
		return what(index), octets(number(what(index)) + self.n, self.size)


def outside(key):
	"""Numbers that no padding is in, and lengths that no number of this key has."""
	yield from (octets(value % (1 << 2048), 256) for value in (0, 1, 2, key.n - 1, key.n, key.n + 1, -1))
	yield from (bytes(length) for length in (0, 1, 128, 255, 257, 512))


def decrypts(key, alg, block, want="refused"):
	say(do="decrypt", alg=alg, value=key.lock(block), want=want)


def type_2(message, ps=None, head=b"\0\2"):
	ps = bytes(byte | 1 for byte in stream("ps", 253 - len(message))) if ps is None else ps
	return head + ps + b"\0" + message


def pkcs1_decryption(key):
	def good(message, **more):
		decrypts(key, "RSA1_5", type_2(message, **more), message)

	for length in (0, 1, 16, 32, 244, 245):
		good(stream("message", length))
	good(bytes(32))
	good(b"\0" + b"x" * 31)
	for filler in (b"\1", b"\2", b"\xff"):
		good(b"x" * 16, ps=filler * 237)
	for head in (b"\0\0", b"\0\1", b"\0\3", b"\0\xff", b"\1\2", b"\2\0", b"\x40\2", b"\0\x82"):
		decrypts(key, "RSA1_5", type_2(b"x" * 32, head=head))
	whole = type_2(b"", ps=b"\x55" * 253)[:-1] + b"\x55"
	decrypts(key, "RSA1_5", whole)  # there is no zero
	for at in range(2, 13):  # eight octets of padding at least: up to 9 is too early
		block = flipped(whole, at, 0x55)
		decrypts(key, "RSA1_5", block, block[at + 1:] if at >= 10 else "refused")
	decrypts(key, "RSA1_5", bytes(254) + b"\0\2")
	decrypts(key, "RSA1_5", b"\0\2" + bytes(254))
	decrypts(key, "RSA1_5", b"\0\1" + b"\xff" * 253 + b"\0")
	decrypts(key, "RSA1_5", oaep("sha1", b"x" * 32))
	for value in outside(key):
		say(do="decrypt", alg="RSA1_5", value=value, want="refused")
	less, more = key.beyond(lambda index: key.lock(type_2(b"x" * 32, ps=stream(f"ps {index}", 221).replace(b"\0", b"\1"))))
	say(do="decrypt", alg="RSA1_5", value=less, want=b"x" * 32)
	say(do="decrypt", alg="RSA1_5", value=more, want="refused")


def mgf1(name, seed, length):
	size = hashlib.new(name).digest_size
	return b"".join(hashlib.new(name, seed + octets(count, 4)).digest() for count in range(-(-length // size)))[:length]


def xor(one, other):
	return bytes(a ^ b for a, b in zip(one, other, strict=True))


def oaep(name, message, *, label=b"", first=b"\0", separator=b"\1", db=None, mgf=None, seed="seed"):
	size, mgf = hashlib.new(name).digest_size, mgf or name
	if db is None:
		db = hashlib.new(name, label).digest() + bytes(256 - 2 * size - 2 - len(message)) + separator + message
	seed = stream(seed, size)
	masked = xor(db, mgf1(mgf, seed, len(db)))
	return first + xor(seed, mgf1(mgf, masked, size)) + masked


def oaep_decryption(key, alg, name, other):
	size, message = hashlib.new(name).digest_size, b"x" * 32
	most = 256 - 2 * size - 2
	for length in (0, 1, 32, most - 1, most):
		decrypts(key, alg, oaep(name, stream("message", length)), stream("message", length))
	for good in (bytes(16), b"\1" * 16, b"\0\1" * 8):
		decrypts(key, alg, oaep(name, good), good)
	for first in (b"\1", b"\2", b"\x40"):
		decrypts(key, alg, oaep(name, message, first=first))
	for separator in (b"\0", b"\2", b"\xff", b"\x81"):
		decrypts(key, alg, oaep(name, message, separator=separator))
	decrypts(key, alg, oaep(name, message, label=b"label"))
	decrypts(key, alg, oaep(name, message, mgf=other))
	decrypts(key, alg, oaep(other, message))
	decrypts(key, alg, type_2(message))
	label, rest = hashlib.new(name).digest(), 255 - 2 * size
	decrypts(key, alg, oaep(name, b"", db=label + bytes(rest)))  # no message
	for at in (0, 1, size // 2, size - 1):
		decrypts(key, alg, oaep(name, b"", db=flipped(label + bytes(rest - 33) + b"\1" + message, at)))
	for at in (0, 1, 32, rest - 34):  # among the zeros
		decrypts(key, alg, oaep(name, b"", db=label + flipped(bytes(rest - 33), at, 2) + b"\1" + message))
	sound = oaep(name, message)
	for at in (1, size, size + 1, 255):
		decrypts(key, alg, flipped(sound, at))
	for value in outside(key):
		say(do="decrypt", alg=alg, value=value, want="refused")
	less, more = key.beyond(lambda index: key.lock(oaep(name, message, seed=f"seed {index}")))
	say(do="decrypt", alg=alg, value=less, want=message)
	say(do="decrypt", alg=alg, value=more, want="refused")


INFO = {"sha1": "3021300906052b0e03021a05000414", "sha256": "3031300d060960864801650304020105000420",
    "sha384": "3041300d060960864801650304020205000430", "sha512": "3051300d060960864801650304020305000440"}


def type_1(info, tail=b"", head=b"\0\1", filler=b"\xff", end=b"\0"):
	length = 256 - len(head) - len(end) - len(info) - len(tail)
	return head + filler * length + end + info + tail


def verifies(alg, digest, signature, want="false"):
	say(do="verify", alg=alg, value=digest, signature=signature, want=want)


def signatures_outside(key, alg, digest, sound):
	"""Of a signature made by sound(INDEX): its number in other words, and no number at all."""
	for value in outside(key):
		verifies(alg, digest, value)
	for wrong in (b"\0" + sound(0), sound(0)[:-1], sound(0)[1:], sound(0) + b"\0", octets(key.n - number(sound(0)), 256)):
		verifies(alg, digest, wrong)


def pkcs1_signatures(key, alg, name):
	digest = stream("digest", hashlib.new(name).digest_size)
	prefix = bytes.fromhex(INFO[name])
	info = prefix + digest
	verifies(alg, digest, key.sign(type_1(info)), "true")
	no_null = bytes([0x30, len(info) - 4, 0x30, 0x0b]) + prefix[4:15] + prefix[17:] + digest
	blocks = [type_1(info, tail=bytes(1)), type_1(info, tail=stream("tail", 100)), type_1(info, head=b"\0\0"),
	    type_1(info, head=b"\0\2"), type_1(info, head=b"\1\1"), type_1(info, filler=b"\0"), type_1(info, filler=b"\xfe"),
	    type_1(info, end=b"\xff"), type_1(info, end=b""), type_1(no_null), type_1(digest), type_1(prefix),
	    type_1(info[:-1]), type_1(info + b"\0"), type_1(flipped(info, -1)), type_1(flipped(info, 0)),
	    type_1(bytes([0x30, 0x81, info[1]]) + info[2:]),  # a length in its long form
	    type_1(bytes([0x30, info[1] + 1, 0x30, 0x81]) + info[3:]), type_1(bytes([0x30, 0x80]) + info[2:] + bytes(2)),
	    type_1(info, tail=info), b"\0\1" + b"\xff" * 8 + b"\0" + info + bytes(245 - len(info))]
	blocks += [type_1(bytes.fromhex(INFO[other]) + digest) for other in INFO if other != name]
	blocks += [type_1(bytes.fromhex(INFO[other]) + stream("digest", hashlib.new(other).digest_size)) for other in INFO
	    if other != name]
	for block in blocks:
		verifies(alg, digest, key.sign(block))
	signatures_outside(key, alg, digest, lambda _: key.sign(type_1(info)))
	for length in (0, len(digest) - 1, len(digest) + 1, 20, 128):
		verifies(alg, stream("digest", length), key.sign(type_1(info)), "length")


def cube_root(value):
	low, high = 0, 1 << (value.bit_length() + 2) // 3
	while low < high:
		middle = (low + high) // 2
		low, high = (middle + 1, high) if middle ** 3 < value else (low, middle)
	return low


def forged_cubes(key):
	"""Bleichenbacher, 2006: with e = 3, who does not look at what is behind the digest takes a cube for a signature."""
	digest = stream("digest", 32)
	for padding in (20, 8, 1, 0):
		head = b"\0\1" + b"\xff" * padding + b"\0" + bytes.fromhex(INFO["sha256"]) + digest
		root = cube_root(number(head + bytes(256 - len(head))))
		assert octets(root ** 3, 256).startswith(head)
		verifies("RS256", digest, octets(root, 256))


def pss(name, digest, *, salt=None, mgf=None, first=None, zeros=0, separator=b"\1", trailer=b"\xbc", seed="salt"):
	size = hashlib.new(name).digest_size
	salt = stream(seed, size if salt is None else salt)
	h = hashlib.new(name, bytes(8) + digest + salt).digest()
	db = bytearray(bytes(254 - size - len(salt)) + separator + salt)
	db[-len(salt) - 2] ^= zeros
	masked = bytearray(xor(db, mgf1(mgf or name, h, len(db))))
	masked[0] = masked[0] & 0x7f if first is None else masked[0] | first
	return bytes(masked) + h + trailer


def pss_signatures(key, alg, name, other):
	size = hashlib.new(name).digest_size
	digest = stream("digest", size)
	verifies(alg, digest, key.sign(pss(name, digest)), "true")
	for salt in (0, 1, 20, size - 1, size + 1, 254 - size - 1):
		verifies(alg, digest, key.sign(pss(name, digest, salt=salt)))
	for trailer in (b"\xcc", b"\0", b"\xbd"):
		verifies(alg, digest, key.sign(pss(name, digest, trailer=trailer)))
	for more in ({"zeros": 1}, {"zeros": 0x80}, {"separator": b"\0"}, {"separator": b"\2"}, {"mgf": other}):
		verifies(alg, digest, key.sign(pss(name, digest, **more)))
	block = next(block for block in (pss(name, digest, seed=f"salt {index}", first=0x80) for index in range(1000))
	    if number(block) < key.n)
	verifies(alg, digest, key.sign(block))
	for at in (1, 100, 255 - size, 254):
		verifies(alg, digest, key.sign(flipped(pss(name, digest), at)))
	verifies(alg, flipped(digest, -1), key.sign(pss(name, digest)))
	verifies(alg, digest, key.sign(type_1(bytes.fromhex(INFO[name]) + digest)))
	signatures_outside(key, alg, digest, lambda _: key.sign(pss(name, digest)))
	less, more = key.beyond(lambda index: key.sign(pss(name, digest, seed=f"salt {index}")))
	verifies(alg, digest, less, "true")
	verifies(alg, digest, more)


def all_rsa():
	key = RSA(65537)
	say(key="RSA", **key.words)
	pkcs1_decryption(key)
	oaep_decryption(key, "RSA-OAEP", "sha1", "sha256")
	oaep_decryption(key, "RSA-OAEP-256", "sha256", "sha1")
	for bits, other in (("256", "sha1"), ("384", "sha256"), ("512", "sha256")):
		pkcs1_signatures(key, f"RS{bits}", f"sha{bits}")
		pss_signatures(key, f"PS{bits}", f"sha{bits}", other)
	key = RSA(3)
	say(key="RSA", **key.words)
	verifies("RS256", bytes(32), key.sign(type_1(bytes.fromhex(INFO["sha256"]) + bytes(32))), "true")
	forged_cubes(key)
	say(do="decrypt", alg="RSA1_5", value=octets(8, 256), want="refused")


# ECDSA: y^2 = x^3 + ax + b over p, a point (gx, gy) of the order n; None is the point at infinity.

class Curve:
	def __init__(self, name, alg, digest, p, a, b, n, gx, gy):
		self.name, self.alg, self.digest = name, alg, digest
		self.p, self.a, self.b, self.n, self.g = p, a % p, b, n, (gx, gy)
		self.size = (p.bit_length() + 7) // 8

	def add(self, one, other):
		if one is None or other is None:
			return one or other
		(x1, y1), (x2, y2), p = one, other, self.p
		if x1 == x2 and (y1 + y2) % p == 0:
			return None
		slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, p) if one == other else (y2 - y1) * pow(x2 - x1, -1, p)
		x3 = (slope * slope - x1 - x2) % p
		return x3, (slope * (x1 - x3) - y1) % p

	def times(self, scalar, point=None):
		point, total = point or self.g, None
		scalar %= self.n
		while scalar:
			if scalar & 1:
				total = self.add(total, point)
			point, scalar = self.add(point, point), scalar >> 1
		return total

	def at(self, x):
		"""A point with this x, or None; p is 3 mod 4."""
		square = (x ** 3 + self.a * x + self.b) % self.p
		y = pow(square, (self.p + 1) // 4, self.p)
		return (x, y) if y * y % self.p == square else None

	def key(self, point, d=None):
		assert (point[1] ** 2 - point[0] ** 3 - self.a * point[0] - self.b) % self.p == 0
		words = {"x": point[0], "y": point[1]} | ({} if d is None else {"d": d})
		say(key="EC", crv=self.name, **{name: octets(value, self.size) for name, value in words.items()})

	def e(self, digest):
		return number(digest)  # a digest is never longer than the order, in bits

	def sign(self, d, digest, k):
		r = self.times(k)[0] % self.n
		return r, pow(k, -1, self.n) * (self.e(digest) + r * d) % self.n

	def verify(self, digest, r, s, want="false"):
		verifies(self.alg, digest, octets(r, self.size) + octets(s, self.size), want)


CURVES = (
	Curve("P-256", "ES256", 32, 2**256 - 2**224 + 2**192 + 2**96 - 1, -3,
	    0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b,
	    0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
	    0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
	    0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
	Curve("P-256K", "ES256K", 32, 2**256 - 2**32 - 977, 0, 7,
	    0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141,
	    0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,
	    0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8),
	Curve("P-384", "ES384", 48, 2**384 - 2**128 - 2**96 + 2**32 - 1, -3,
	    0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef,
	    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
	    0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
	    0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f),
	Curve("P-521", "ES512", 64, 2**521 - 1, -3,
	    0x051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00,
	    2**521 - 2**260 + 0xa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409,
	    0x0c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66,
	    0x11839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650),
)


def ec_numbers(curve):
	"""One key; r and s out of their range, and lengths."""
	n, p, size, top = curve.n, curve.p, curve.size, (1 << 8 * curve.size) - 1
	d, digest = number(stream("d", size)) % n, stream("digest", curve.digest)
	curve.key(curve.times(d), d)
	r, s = curve.sign(d, digest, number(stream("k", size)) % n)
	curve.verify(digest, r, s, "true")
	curve.verify(digest, r, n - s, "true")  # either half of the range
	edges = (0, 1, 2, n - 2, n - 1, n, n + 1, p - 1, p, top)
	for edge in edges:
		curve.verify(digest, edge, s)
		curve.verify(digest, r, edge)
		curve.verify(digest, edge, edge)
	for one, other in ((s, r), (n - r, s), (n - r, n - s), (r, s ^ 1), (r ^ 1, s)):
		curve.verify(digest, one, other)
	for one, other in ((r + n, s), (r, s + n), (r + n, s + n)):  # the same, modulo n
		if max(one, other) <= top:
			curve.verify(digest, one, other)
	raw = octets(r, size) + octets(s, size)
	der = b"\2" + bytes([size + 1]) + b"\0" + raw[:size] + b"\2" + bytes([size + 1]) + b"\0" + raw[size:]
	wrong = [raw[:length] for length in (0, 1, 2, size - 1, size, 2 * size - 2, 2 * size - 1)]
	wrong += [raw + b"\0", raw + bytes(2), b"\0" + raw, b"\0" + raw[:size] + b"\0" + raw[size:], raw * 2,
	    b"\x30" + bytes([len(der)]) + der, b"\0" * (2 * size)]
	for signature in wrong:
		verifies(curve.alg, digest, signature)
	for length in (0, 1, 20, curve.digest - 1, curve.digest + 1, 2 * curve.digest):
		verifies(curve.alg, stream("digest", length), raw, "length")


def ec_digests(curve):
	"""Digests that are 0, n and their like, modulo the order."""
	n, d = curve.n, number(stream("d", curve.size)) % curve.n
	whole = (1 << 8 * curve.digest) - 1
	for value in {0, 1, n - 1, n, n + 1, whole, whole - 1, whole >> 1, 1 << 8 * curve.digest - 1}:
		if value <= whole:
			digest = octets(value, curve.digest)
			r, s = curve.sign(d, digest, number(stream(f"k {value}", curve.size)) % n)
			curve.verify(digest, r, s, "true")
			curve.verify(digest, r, s ^ 1)


def ec_meetings(curve):
	"""u1 G and u2 Q the same point, so that adding is doubling; or opposite, so that the sum is no point."""
	n, digest = curve.n, stream("digest", curve.digest)
	k = number(stream("k", curve.size)) % n
	r = curve.times(k)[0] % n
	d = number(digest) * pow(r, -1, n) % n
	curve.key(curve.times(d), d)
	curve.verify(digest, r, curve.sign(d, digest, k)[1], "true")
	curve.key(curve.times(n - d), n - d)
	for s in (1, 2, k, n - 1):
		curve.verify(digest, r, s)


def ec_keys(curve):
	"""Keys of small and large numbers, and coordinates that begin with zeros."""
	n, digest = curve.n, stream("digest", curve.digest)
	keys = [1, 2, 3, (n - 1) // 2, (n + 1) // 2, n - 2, n - 1]
	found, d, point = [], 3, curve.times(3)
	while len(found) < 2:  # a zero octet in front (of P-521: more than its first seven bits)
		d, point = d + 1, curve.add(point, curve.g)
		if point[len(found)] >> curve.p.bit_length() - 8 == 0:
			found.append(d)
	for d in keys + found:
		curve.key(curve.times(d), d)
		for k in (1, 2, n - 1, number(stream(f"k {d}", curve.size)) % n):
			r, s = curve.sign(d, digest, k)
			if s:
				curve.verify(digest, r, s, "true")
				curve.verify(flipped(digest, 0), r, s)


def ec_points(curve):
	"""Points nobody knows the logarithm of: x 0, small, and near p.  R = bQ and s = r/b sign zeros for them."""
	zeros = bytes(curve.digest)
	for x in [*(x for x in range(8) if curve.at(x))][:2] + [*(curve.p - x for x in range(1, 12) if curve.at(curve.p - x))][:2]:
		for y in (curve.at(x)[1], curve.p - curve.at(x)[1]):
			point = (x, y)
			curve.key(point)
			for b in (1, 2, number(stream("b", curve.size)) % curve.n):
				r = curve.times(b, point)[0] % curve.n
				if r:
					curve.verify(zeros, r, r * pow(b, -1, curve.n) % curve.n, "true")
					curve.verify(flipped(zeros, -1), r, r * pow(b, -1, curve.n) % curve.n)


def ec_wrapped(curve):
	"""R's x is at least n, so that r is x - n: r has to be compared modulo n, and r + n must not be taken for it."""
	n, p = curve.n, curve.p
	digest = stream("digest", curve.digest)
	large = next((point for point in (curve.at(x) for x in range(n + 1, min(p, n + 100))) if point), None)
	if large:
		r, s = large[0] - n, number(stream("s", curve.size)) % n
		inverse = pow(r, -1, n)
		q = curve.add(curve.times(s * inverse, large), curve.times(-number(digest) * inverse))
		curve.key(q)
		curve.verify(digest, r, s, "true")
		curve.verify(digest, r + n, s)
		curve.verify(digest, r + 1, s)
	small = next(point for point in (curve.at(x) for x in range(1, 100)) if point)
	r, s = small[0], number(stream("s", curve.size)) % n  # a small r that is R's x itself
	inverse = pow(r, -1, n)
	curve.key(curve.add(curve.times(s * inverse, small), curve.times(-number(digest) * inverse)))
	curve.verify(digest, r, s, "true")
	curve.verify(digest, r + n, s)


def all_ec():
	for curve in CURVES:
		for part in (ec_numbers, ec_digests, ec_meetings, ec_keys, ec_points, ec_wrapped):
			part(curve)


# AES and HMAC

KEYS = [stream(f"key of {bits}", bits // 8) for bits in (128, 192, 256)]


def aes(key, mode):
	return Cipher(algorithms.AES(key), mode)


def block(key, octets):
	return aes(key, modes.ECB()).encryptor().update(octets)


def wrap(key, iv, plain):
	"""W of SP 800-38F, and RFC 5649's single block."""
	if len(plain) == 8:
		return block(key, iv + plain)
	a, parts = iv, [plain[at:at + 8] for at in range(0, len(plain), 8)]
	for step in range(6 * len(parts)):
		out = block(key, a + parts[step % len(parts)])
		a, parts[step % len(parts)] = xor(out[:8], octets(step + 1, 8)), out[8:]
	return a + b"".join(parts)


def unwraps(alg, value, want="refused"):
	say(do="decrypt", alg=alg, value=value, want=want)


def key_wrap(key, alg):
	iv = b"\xa6" * 8
	for length in (16, 24, 32, 40, 64, 72, 128, 256):
		plain = stream("plain", length)
		unwraps(alg, wrap(key, iv, plain), plain)
		say(do="encrypt", alg=alg, value=plain, want=wrap(key, iv, plain))
	plain = stream("plain", 32)
	sound = wrap(key, iv, plain)
	for at in range(8):
		unwraps(alg, wrap(key, flipped(iv, at, 1 << at), plain))
	for other in (bytes(8), b"\xff" * 8, b"\xa6\x59\x59\xa6\0\0\0\x20", iv[::-1][:7] + b"\xa7"):
		unwraps(alg, wrap(key, other, plain))
	for at in range(0, len(sound), 5):
		unwraps(alg, flipped(sound, at, 0x80))
	for wrong in (sound[:-8], sound[8:], sound + bytes(8), sound[8:] + sound[:8], bytes(40), bytes(24), sound * 2):
		unwraps(alg, wrong)
	for length in (0, 1, 7, 8, 15, 16, 17, 23, 25, 39):
		unwraps(alg, sound[:length])
	unwraps(alg, wrap(key, iv, plain[:8]))  # two blocks: NIST wants three
	for length in (0, 1, 7, 8, 15, 17, 31):
		say(do="encrypt", alg=alg, value=plain[:length], want="length")


def padded_wrap(key, alg):
	def iv(length):
		return b"\xa6\x59\x59\xa6" + octets(length, 4)

	def filled(plain):
		return plain + bytes(-len(plain) % 8)

	for length in (*range(1, 18), 31, 32, 33, 64, 255):
		plain = stream("plain", length)
		unwraps(alg, wrap(key, iv(length), filled(plain)), plain)
		say(do="encrypt", alg=alg, value=plain, want=wrap(key, iv(length), filled(plain)))
	for plain in (stream("plain", 8), stream("plain", 20)):
		good, length = filled(plain), len(plain)
		for at in range(4):
			unwraps(alg, wrap(key, flipped(iv(length), at), good))
		for wrong in {0, length - 8, length + 8, len(good) - 8, len(good) + 1, 0x7fffffff, 0x80000000, 0xffffffff,
		    length + (1 << 24), length | 1 << 31}:
			if wrong >= 0:
				unwraps(alg, wrap(key, iv(wrong), good))
		unwraps(alg, wrap(key, b"\xa6" * 8, good))
	plain = stream("plain", 17)
	for at in range(17, 24):  # what it is filled up with has to be zero
		unwraps(alg, wrap(key, iv(17), flipped(filled(plain), at)))
	unwraps(alg, wrap(key, iv(1), b"x" + b"\0" * 6 + b"\1"))
	sound = wrap(key, iv(17), filled(plain))
	for at in range(0, len(sound), 5):
		unwraps(alg, flipped(sound, at, 0x80))
	for wrong in (sound[:-8], sound[8:], sound + bytes(8), bytes(16), bytes(24)):
		unwraps(alg, wrong)
	for length in (0, 1, 8, 15, 17, 31):
		unwraps(alg, sound[:length])
	say(do="encrypt", alg=alg, value=b"", want="length")


def gcm(key, alg):
	iv, aad, plain = stream("iv", 12), b"about", stream("plain", 40)

	def opens(want="refused", **changed):
		say(do="decrypt", alg=alg, **({"value": sealed, "iv": iv, "tag": tag, "aad": aad} | changed), want=want)

	for length in (0, 1, 15, 16, 17, 40):
		for about in (b"", aad, stream("aad", 64)):
			cipher = aes(key, modes.GCM(iv)).encryptor()
			cipher.authenticate_additional_data(about)
			sealed = cipher.update(plain[:length]) + cipher.finalize()
			tag = cipher.tag
			opens(plain[:length], aad=about)
			opens(aad=about + b"\0")
	cipher = aes(key, modes.GCM(iv)).encryptor()
	cipher.authenticate_additional_data(aad)
	sealed = cipher.update(plain) + cipher.finalize()
	tag = cipher.tag
	opens(plain)
	for at in range(16):
		opens(tag=flipped(tag, at, 1 << at % 8))
	for wrong in (bytes(16), b"\xff" * 16, tag[::-1], xor(tag, b"\xff" * 16), xor(tag, b"\x80" * 16)):
		opens(tag=wrong)
	for length in (0, 1, 4, 8, 12, 13, 14, 15):
		opens("length", tag=tag[:length])
	for wrong in (tag + b"\0", tag * 2):
		opens("length", tag=wrong)
	for wrong in (iv[:11], iv[:8], iv[:1], b"", iv + b"\0", iv + b"\0\0\0\1", stream("iv", 32)):
		opens("length", iv=wrong)
	for at in range(12):
		opens(iv=flipped(iv, at))
	for at in (0, 15, 16, 39):
		opens(value=flipped(sealed, at))
	for wrong in (b"", sealed[:-1], sealed[1:], sealed + b"\0", bytes(40)):
		opens(value=wrong)
	for wrong in (b"", aad[:-1], aad + aad, flipped(aad, 0), flipped(aad, 4)):
		opens(aad=wrong)
	opens(value=aad, aad=sealed)


def cbc(key, bits):
	iv, padded = stream("iv", 16), f"A{bits}CBCPAD"

	def seal(plain):
		return aes(key, modes.CBC(iv)).encryptor().update(plain)

	def opens(alg, value, want="refused", **more):
		say(do="decrypt", alg=alg, value=value, **({"iv": iv} | more), want=want)

	for length in (1, 2, 15, 16, 17, 31, 32, 33):
		plain = stream("plain", length)
		full = plain + bytes([16 - length % 16]) * (16 - length % 16)
		opens(padded, seal(full), plain)
		opens(f"A{bits}CBC", seal(full), full)
		say(do="encrypt", alg=padded, value=plain, iv=iv, want=seal(full))
	opens(padded, seal(b"\x10" * 16), b"")
	plain = stream("plain", 32)
	for last in (0, 17, 18, 31, 32, 64, 127, 128, 255):
		opens(padded, seal(plain[:31] + bytes([last])))
		opens(padded, seal(plain[:16] + bytes([last]) * 16))
	for count in range(2, 17):  # the first octet of the padding is another one
		opens(padded, seal((plain + bytes([count ^ 0xff]) + bytes([count]) * (count - 1))[-32:]))
	for wrong in (b"", seal(plain)[:15], seal(plain)[:17], seal(plain) + b"\0", bytes(1)):
		opens(padded, wrong)
		opens(f"A{bits}CBC", wrong)
	for length in (0, 1, 8, 12, 15):
		opens(padded, seal(plain), "length", iv=iv[:length])
		opens(f"A{bits}CBC", seal(plain), "length", iv=iv[:length])
	opens(padded, seal(plain), "length", iv=iv + b"\0")
	for length in (0, 1, 15, 17):
		say(do="encrypt", alg=f"A{bits}CBC", value=plain[:length], iv=iv, want="length")


def hmacs(key):
	for name, alg in (("sha256", "HS256"), ("sha384", "HS384"), ("sha512", "HS512")):
		size = hashlib.new(name).digest_size
		for digest in (stream("digest", size), bytes(size), b"\xff" * size):
			mac = hmac.digest(key, digest, name)
			say(do="sign", alg=alg, value=digest, want=mac)
			verifies(alg, digest, mac, "true")
		wrong = [mac[:length] for length in (0, 1, 4, 8, size // 2, size - 1)]
		wrong += [mac[1:], mac + b"\0", mac * 2, bytes(size), digest, flipped(mac, 0), flipped(mac, -1, 0x80)]
		wrong += [hmac.digest(key, digest, other) for other in ("sha1", "sha256", "sha384", "sha512") if other != name]
		wrong += [hmac.digest(key, digest, "sha512")[:size], hmac.digest(b"", digest, name), hashlib.new(name, digest).digest()]
		for signature in wrong:
			if signature != mac:
				verifies(alg, digest, signature)
		for length in (0, 1, size - 1, size + 1, 20, 128):
			verifies(alg, stream("digest", length), mac, "length")
			say(do="sign", alg=alg, value=stream("digest", length), want="length")


def all_oct():
	for key in KEYS:
		bits = 8 * len(key)
		say(key="oct", k=key)
		key_wrap(key, f"A{bits}KW")
		key_wrap(key, "CKM_AES_KEY_WRAP")
		padded_wrap(key, "CKM_AES_KEY_WRAP_PAD")
		gcm(key, f"A{bits}GCM")
		cbc(key, bits)
		hmacs(key)


if __name__ == "__main__":
	all_rsa()
	all_ec()
	all_oct()
