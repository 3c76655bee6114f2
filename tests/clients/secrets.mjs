// Azure's own libraries for Node, unmodified, doing what an application does with secrets.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { ClientCertificateCredential, ClientSecretCredential, DefaultAzureCredential,
	EnvironmentCredential } from "@azure/identity";
import { SecretClient, parseKeyVaultSecretIdentifier } from "@azure/keyvault-secrets";
import { fails, run } from "./jobs.mjs";

const env = process.env;
const url = env.KEYVAULT_URL_NODE_SDK;
const poll = { intervalInMs: 50 };
const fresh = (prefix = "js") => `${prefix}-${randomUUID()}`;
const client = new SecretClient(url, new DefaultAzureCredential());

async function all(iterator) {
	const items = [];
	for await (const item of iterator) items.push(item);
	return items;
}

async function opens(credential, ...options) {
	const other = new SecretClient(url, credential, ...options);
	const name = fresh();
	await other.setSecret(name, "opened");
	assert.equal((await other.getSecret(name)).value, "opened");
}

async function remove(name) {
	const poller = await client.beginDeleteSecret(name, poll);
	return poller.pollUntilDone();
}

const jobs = {
	"default credential": () => opens(new DefaultAzureCredential()),

	"environment credential": () => opens(new EnvironmentCredential()),

	"client secret": () => opens(
		new ClientSecretCredential("adfs", env.AZURE_CLIENT_ID, env.AZURE_CLIENT_SECRET)),

	"client secret and tenant": () => opens(
		new ClientSecretCredential(env.STRONGROOM_TENANT, env.AZURE_CLIENT_ID, env.AZURE_CLIENT_SECRET,
			{ disableInstanceDiscovery: true })),

	"client certificate": () => opens(
		new ClientCertificateCredential("adfs", env.ROBOT_ID, { certificatePath: env.ROBOT_PEM })),

	"wrong secret": () => assert.rejects(
		new ClientSecretCredential("adfs", env.AZURE_CLIENT_ID, "not-it")
			.getToken(`${url.replace("node-sdk.", "")}/.default`), /AADSTS7000215/),

	"set and get": async () => {
		const name = fresh();
		const expiresOn = new Date("2037-02-02T00:00:00Z");
		const notBefore = new Date("2015-02-02T00:00:00Z");
		const value = "väl€ue 🗝\n\t\"\\";
		const made = await client.setSecret(name, value,
			{ contentType: "text/plain", tags: { a: "b" }, enabled: true, expiresOn, notBefore });
		const got = await client.getSecret(name);
		for (const secret of [made, got]) {
			assert.equal(secret.value, value);
			assert.equal(secret.properties.contentType, "text/plain");
			assert.deepEqual(secret.properties.tags, { a: "b" });
			assert.deepEqual(secret.properties.expiresOn, expiresOn);
			assert.deepEqual(secret.properties.notBefore, notBefore);
			assert.equal(secret.properties.recoveryLevel, "Recoverable+Purgeable");
			assert.equal(secret.properties.recoverableDays, 90);
			assert.ok(secret.properties.createdOn instanceof Date);
		}
		const id = parseKeyVaultSecretIdentifier(got.properties.id);
		assert.deepEqual([id.vaultUrl, id.name, id.version], [url, name, made.properties.version]);
	},

	"versions": async () => {
		const name = fresh();
		const made = [];
		for (let i = 0; i < 3; i++) made.push(await client.setSecret(name, `v${i}`));
		const listed = await all(client.listPropertiesOfSecretVersions(name));
		assert.deepEqual(listed.map((each) => each.version).sort(),
			made.map((each) => each.properties.version).sort());
		for (const [i, each] of made.entries()) {
			const got = await client.getSecret(name, { version: each.properties.version });
			assert.equal(got.value, `v${i}`);
		}
		assert.equal((await client.getSecret(name)).value, "v2");
	},

	"update": async () => {
		const name = fresh();
		const made = await client.setSecret(name, "kept", { tags: { old: "tag" } });
		const changed = await client.updateSecretProperties(name, made.properties.version,
			{ contentType: "two", tags: { new: "tag" } });
		assert.deepEqual(changed.tags, { new: "tag" });
		const got = await client.getSecret(name);
		assert.deepEqual([got.value, got.properties.contentType], ["kept", "two"]);
	},

	"disabled": async () => {
		const name = fresh();
		const made = await client.setSecret(name, "hidden");
		await client.updateSecretProperties(name, made.properties.version, { enabled: false });
		await fails(client.getSecret(name), 403, "Forbidden");
	},

	"delete, recover, purge": async () => {
		const name = fresh();
		const made = await client.setSecret(name, "comes back");
		const deleted = await remove(name);
		assert.equal(deleted.properties.recoveryId, `${url}/deletedsecrets/${name}`);
		assert.equal(deleted.properties.scheduledPurgeDate - deleted.properties.deletedOn,
			90 * 86400 * 1000);
		await fails(client.getSecret(name), 404, "SecretNotFound");
		assert.equal((await client.getDeletedSecret(name)).properties.id, made.properties.id);
		assert.ok((await all(client.listDeletedSecrets())).some((each) => each.name === name));
		const poller = await client.beginRecoverDeletedSecret(name, poll);
		await poller.pollUntilDone();
		assert.equal((await client.getSecret(name)).value, "comes back");
		await remove(name);
		await client.purgeDeletedSecret(name);
		await fails(client.getDeletedSecret(name), 404, "SecretNotFound");
		await client.setSecret(name, "anew");
	},

	"deleted name is taken": async () => {
		const name = fresh();
		await client.setSecret(name, "first");
		await remove(name);
		await fails(client.setSecret(name, "second"), 409, "Conflict");
	},

	"backup and restore": async () => {
		const name = fresh();
		await client.setSecret(name, "v0");
		const made = await client.setSecret(name, "v1");
		const blob = await client.backupSecret(name);
		await fails(client.restoreSecretBackup(blob), 409, "Conflict");
		await remove(name);
		await client.purgeDeletedSecret(name);
		const restored = await client.restoreSecretBackup(blob);
		assert.equal(restored.id, made.properties.id);
		assert.equal((await client.getSecret(name)).value, "v1");
		assert.equal((await all(client.listPropertiesOfSecretVersions(name))).length, 2);
	},

	"paging": async () => {
		const prefix = fresh("page");
		for (let i = 0; i < 30; i++) await client.setSecret(`${prefix}-${i}`, "x");
		const listed = await all(client.listPropertiesOfSecrets());
		assert.equal(listed.filter((each) => each.name.startsWith(prefix)).length, 30);
		const pages = await all(client.listPropertiesOfSecrets().byPage({ maxPageSize: 9 }));
		assert.ok(pages.every((page) => page.length <= 9));
		assert.equal(pages.flat().filter((each) => each.name.startsWith(prefix)).length, 30);
	},

	"missing": async () => {
		const name = fresh();
		await fails(client.getSecret(name), 404, "SecretNotFound");
		await fails(client.beginDeleteSecret(name), 404, "SecretNotFound");
		await fails(client.getDeletedSecret(name), 404, "SecretNotFound");
		assert.deepEqual(await all(client.listPropertiesOfSecretVersions(name)), []);
	},
};

await run(jobs);
