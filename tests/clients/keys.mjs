// Azure's own library for Node, unmodified, doing what an application does with keys.
import assert from "node:assert/strict";
import { createHash, createPublicKey, publicEncrypt, randomBytes, randomUUID, verify,
	constants } from "node:crypto";
import { DefaultAzureCredential } from "@azure/identity";
import { CryptographyClient, KeyClient, parseKeyVaultKeyIdentifier } from "@azure/keyvault-keys";
import { fails, run } from "./jobs.mjs";

const url = process.env.KEYVAULT_URL_NODE_SDK;
const poll = { intervalInMs: 50 };
const fresh = () => `js-${randomUUID()}`;
const credential = new DefaultAzureCredential();
const client = new KeyClient(url, credential);
const message = Buffer.from("message");

async function all(iterator) {
	const items = [];
	for await (const item of iterator) items.push(item);
	return items;
}

const remove = async (name) => (await client.beginDeleteKey(name, poll)).pollUntilDone();

// Node's own view of a key that the vault shows.
function nodes({ kty, crv, n, e, x, y }) {
	const text = (octets) => octets && Buffer.from(octets).toString("base64url");
	return createPublicKey({ format: "jwk", key: { kty, crv, n: text(n), e: text(e), x: text(x), y: text(y) } });
}

async function signs(key, algorithm, options) {
	const hash = `sha${algorithm.slice(2)}`;
	const user = new CryptographyClient(key, credential);
	const digest = createHash(hash).update(message).digest();
	const { result, keyID } = await user.sign(algorithm, digest);
	assert.equal(keyID, key.id);
	assert.ok(verify(hash, message, { key: nodes(key.key), ...options }, result), algorithm);
	assert.equal((await user.verify(algorithm, digest, result)).result, true);
	digest[0] ^= 1;
	assert.equal((await user.verify(algorithm, digest, result)).result, false);
	if (options.padding) return; // the library's own verifyData takes PS* for RS*
	const data = await user.signData(algorithm, message);
	assert.equal((await user.verifyData(algorithm, message, data.result)).result, true);
}

const jobs = {
	"create and get": async () => {
		const name = fresh();
		const expiresOn = new Date("2037-02-02T00:00:00Z");
		const made = await client.createRsaKey(name,
			{ keySize: 3072, keyOps: ["sign", "verify"], tags: { a: "b" }, expiresOn });
		const got = await client.getKey(name);
		for (const key of [made, got]) {
			assert.deepEqual([key.name, key.keyType, key.keyOperations], [name, "RSA", ["sign", "verify"]]);
			assert.deepEqual([key.key.n.length, [...key.key.e]], [384, [1, 0, 1]]);
			assert.deepEqual([key.properties.tags, key.properties.expiresOn], [{ a: "b" }, expiresOn]);
			assert.deepEqual([key.properties.enabled, key.properties.exportable], [true, false]);
			assert.equal(key.properties.recoveryLevel, "Recoverable+Purgeable");
			assert.equal(key.properties.recoverableDays, 90);
		}
		const id = parseKeyVaultKeyIdentifier(got.id);
		assert.deepEqual([id.vaultUrl, id.name, id.version], [url, name, made.properties.version]);
	},

	"curves": async () => {
		for (const [curve, length] of [["P-256", 32], ["P-256K", 32], ["P-384", 48], ["P-521", 66]]) {
			const { key } = await client.createEcKey(fresh(), { curve });
			assert.deepEqual([key.crv, key.x.length, key.y.length], [curve, length, length]);
		}
	},

	"list and versions": async () => {
		const name = fresh();
		const made = [];
		for (let i = 0; i < 3; i++) made.push(await client.createEcKey(name));
		const listed = await all(client.listPropertiesOfKeyVersions(name));
		assert.deepEqual(listed.map((each) => each.id).sort(), made.map((each) => each.id).sort());
		assert.ok((await all(client.listPropertiesOfKeys())).some((each) => each.name === name));
		assert.equal((await client.getKey(name)).id, made[2].id);
		assert.equal((await client.getKey(name, { version: made[0].properties.version })).id, made[0].id);
	},

	"update": async () => {
		const name = fresh();
		const made = await client.createEcKey(name);
		const changed = await client.updateKeyProperties(name, made.properties.version,
			{ keyOps: ["verify"], tags: { x: "y" }, enabled: false });
		assert.deepEqual([changed.keyOperations, changed.properties.tags], [["verify"], { x: "y" }]);
		assert.equal((await client.getKey(name)).properties.enabled, false);
	},

	"delete, recover, purge": async () => {
		const name = fresh();
		const made = await client.createEcKey(name);
		const deleted = await remove(name);
		assert.equal(deleted.properties.recoveryId, `${url}/deletedkeys/${name}`);
		await fails(client.getKey(name), 404, "KeyNotFound");
		await fails(client.createEcKey(name), 409, "Conflict");
		assert.ok((await all(client.listDeletedKeys())).some((each) => each.name === name));
		await (await client.beginRecoverDeletedKey(name, poll)).pollUntilDone();
		assert.equal((await client.getKey(name)).id, made.id);
		await remove(name);
		await client.purgeDeletedKey(name);
		await fails(client.getDeletedKey(name), 404, "KeyNotFound");
	},

	"backup and restore": async () => {
		const name = fresh();
		const made = await client.createEcKey(name);
		const blob = await client.backupKey(name);
		await fails(client.restoreKeyBackup(blob), 409, "Conflict");
		await remove(name);
		await client.purgeDeletedKey(name);
		assert.deepEqual((await client.restoreKeyBackup(blob)).key.x, made.key.x);
	},

	"import": async () => {
		const { subtle } = globalThis.crypto;
		const pair = await subtle.generateKey({ name: "RSASSA-PKCS1-v1_5", modulusLength: 2048,
			publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, true, ["sign", "verify"]);
		const jwk = await subtle.exportKey("jwk", pair.privateKey);
		const octets = (member) => Buffer.from(jwk[member], "base64url");
		const key = { kty: "RSA", keyOps: ["sign", "verify"],
			...Object.fromEntries(["n", "e", "d", "p", "q", "dp", "dq", "qi"].map((each) => [each, octets(each)])) };
		const made = await client.importKey(fresh(), key);
		assert.deepEqual(Buffer.from(made.key.n), octets("n"));
		const { result } = await new CryptographyClient(made, credential).signData("RS256", message);
		const ours = await subtle.sign("RSASSA-PKCS1-v1_5", pair.privateKey, message);
		assert.deepEqual(Buffer.from(result), Buffer.from(ours));
	},

	"sign and verify, RSA": async () => {
		const key = await client.createRsaKey(fresh());
		const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
		for (const algorithm of ["RS256", "RS384", "RS512"]) await signs(key, algorithm, {});
		for (const algorithm of ["PS256", "PS384", "PS512"]) await signs(key, algorithm, pss);
	},

	"sign and verify, EC": async () => {
		for (const [curve, algorithm] of [["P-256", "ES256"], ["P-384", "ES384"], ["P-521", "ES512"]])
			await signs(await client.createEcKey(fresh(), { curve }), algorithm, { dsaEncoding: "ieee-p1363" });
	},

	"encrypt here, decrypt there": async () => {
		const key = await client.createRsaKey(fresh());
		const user = new CryptographyClient(key, credential);
		const plain = randomBytes(100);
		for (const algorithm of ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"]) {
			const { result } = await user.encrypt({ algorithm, plaintext: plain });
			assert.deepEqual(Buffer.from((await user.decrypt({ algorithm, ciphertext: result })).result), plain);
		}
		const sealed = publicEncrypt({ key: nodes(key.key), oaepHash: "sha256" }, plain);
		const opened = await user.decrypt({ algorithm: "RSA-OAEP-256", ciphertext: sealed });
		assert.deepEqual(Buffer.from(opened.result), plain);
		await fails(user.decrypt({ algorithm: "RSA-OAEP", ciphertext: sealed }), 400, "BadParameter");
	},

	"wrap and unwrap": async () => {
		const user = new CryptographyClient((await client.createRsaKey(fresh())).id, credential);
		const plain = randomBytes(32);
		for (const algorithm of ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"]) {
			const { result } = await user.wrapKey(algorithm, plain);
			assert.deepEqual(Buffer.from((await user.unwrapKey(algorithm, result)).result), plain);
		}
	},

	"disabled": async () => {
		const name = fresh();
		const key = await client.createEcKey(name);
		await client.updateKeyProperties(name, key.properties.version, { enabled: false });
		await fails(new CryptographyClient(key.id, credential).sign("ES256", randomBytes(32)), 403, "Forbidden");
	},

	"missing": async () => {
		const name = fresh();
		await fails(client.getKey(name), 404, "KeyNotFound");
		await fails(client.beginDeleteKey(name), 404, "KeyNotFound");
		await fails(client.getDeletedKey(name), 404, "KeyNotFound");
		assert.deepEqual(await all(client.listPropertiesOfKeyVersions(name)), []);
	},

	"rotate": async () => {
		const name = fresh();
		const made = await client.createEcKey(name, { curve: "P-384" });
		const policy = await client.updateKeyRotationPolicy(name, { expiresIn: "P90D",
			lifetimeActions: [{ action: "Rotate", timeAfterCreate: "P60D" }] });
		assert.equal(policy.expiresIn, "P90D");
		assert.equal((await client.getKeyRotationPolicy(name)).id, `${url}/keys/${name}/rotationpolicy`);
		const rotated = await client.rotateKey(name);
		assert.notEqual(rotated.id, made.id);
		assert.equal(rotated.key.crv, "P-384");
		assert.equal(rotated.properties.expiresOn - rotated.properties.createdOn, 90 * 86400 * 1000);
		assert.equal((await client.getKey(name)).id, rotated.id);
	},
};

await run(jobs);
