// The part of matrix.py that Azure's library for Node does; here, by Node's own crypto.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { constants, createHash, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt, randomBytes,
	sign, verify } from "node:crypto";
import { ClientSecretCredential } from "@azure/identity";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";

const plan = JSON.parse(readFileSync(process.env.INTEROP_PLAN, "utf8"));
const credential = (who) => new ClientSecretCredential(plan.tenant, plan[who].id, plan[who].secret,
	{ authorityHost: plan.authority, disableInstanceDiscovery: true });
const client = new KeyClient(plan.vault, credential("admin"));
const user = credential("user"); // may use keys, not read them: so the vault does all of it
const message = Buffer.from("message");

const hashOf = (algorithm) => (algorithm === "ES256K" ? "sha256" : `sha${algorithm.slice(2)}`);
const digestOf = (algorithm) => createHash(hashOf(algorithm)).update(message).digest();

function signing(key, algorithm) {
	if (algorithm.startsWith("PS"))
		return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
	return { key, dsaEncoding: "ieee-p1363" };
}

const encryption = (key, algorithm) => algorithm === "RSA1_5" ? { key, padding: constants.RSA_PKCS1_PADDING }
	: { key, oaepHash: algorithm === "RSA-OAEP" ? "sha1" : "sha256" };

// A side makes and checks; both have the same three pairs of operations.
function here({ pem }) {
	const whole = createPrivateKey(pem);
	const shown = createPublicKey(whole);
	const seal = async (algorithm, plain) => ({ result: publicEncrypt(encryption(shown, algorithm), plain) });
	const open = async (algorithm, { result }) => privateDecrypt(encryption(whole, algorithm), result);
	return {
		sign: async (algorithm) => sign(hashOf(algorithm), message, signing(whole, algorithm)),
		verify: async (algorithm, digest, signature) => {
			const right = digest.equals(digestOf(algorithm));
			return verify(hashOf(algorithm), right ? message : digest, signing(shown, algorithm), signature);
		},
		encrypt: seal, decrypt: open, wrap: seal, unwrap: open,
	};
}

function there(made) {
	const vault = new CryptographyClient(made.id, user);
	return {
		sign: async (algorithm) => (await vault.sign(algorithm, digestOf(algorithm))).result,
		verify: async (algorithm, digest, signature) => (await vault.verify(algorithm, digest, signature)).result,
		encrypt: async (algorithm, plaintext) => {
			const more = algorithm.includes("GCM") ? { additionalAuthenticatedData: Buffer.from("about") }
				: algorithm.includes("CBC") ? { iv: randomBytes(16) } : {};
			return { ...more, ...await vault.encrypt({ algorithm, plaintext, ...more }) };
		},
		decrypt: async (algorithm, { result, iv, authenticationTag, additionalAuthenticatedData }) =>
			(await vault.decrypt({ algorithm, ciphertext: result, iv, authenticationTag, additionalAuthenticatedData })).result,
		wrap: (algorithm, plain) => vault.wrapKey(algorithm, plain),
		unwrap: async (algorithm, { result }) => (await vault.unwrapKey(algorithm, result)).result,
	};
}

const uses = {
	sign: async (algorithm, maker, checker) => {
		const signature = await maker.sign(algorithm);
		const digest = digestOf(algorithm);
		assert.equal(await checker.verify(algorithm, digest, signature), true);
		digest[0] ^= 1;
		assert.equal(await checker.verify(algorithm, digest, signature), false);
	},
	encrypt: async (algorithm, maker, checker) => {
		const plain = randomBytes(32);
		assert.deepEqual(Buffer.from(await checker.decrypt(algorithm, await maker.encrypt(algorithm, plain))), plain);
	},
	wrap: async (algorithm, maker, checker) => {
		const plain = randomBytes(32);
		assert.deepEqual(Buffer.from(await checker.unwrap(algorithm, await maker.wrap(algorithm, plain))), plain);
	},
};

async function make({ name, jwk, ops, hsm, bits }) {
	if (!jwk)
		return client.createOctKey(`node-${name}`, { keySize: bits, keyOps: ops, hsm });
	const key = Object.fromEntries(Object.entries(jwk).map(([member, value]) =>
		[member, ["kty", "crv"].includes(member) ? value : Buffer.from(value, "base64url")]));
	return client.importKey(`node-${name}`, { ...key, keyOps: ops }, { hardwareProtected: hsm });
}

for (const key of plan.keys) {
	const sides = { vault: there(await make(key)), client: key.pem && here(key) };
	for (const [use, does] of Object.entries(uses))
		for (const algorithm of key.uses[use] ?? [])
			for (const direction of ["vault-client", "client-vault", "vault-vault"]) {
				const [maker, checker] = direction.split("-").map((side) => sides[side]);
				if (!maker || !checker) continue;
				let result = "ok";
				try {
					await does(algorithm, maker, checker);
				} catch (error) {
					result = String(error?.stack ?? error).replace(/\s+/g, " ");
				}
				console.log(["node", key.type, use, algorithm, direction, result].join("\t"));
			}
}
