// Azure's own library for Node, unmodified, doing what an application does with certificates.
import assert from "node:assert/strict";
import { X509Certificate, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { DefaultAzureCredential } from "@azure/identity";
import { CertificateClient, parseKeyVaultCertificateIdentifier } from "@azure/keyvault-certificates";
import { SecretClient } from "@azure/keyvault-secrets";
import { fails, run } from "./jobs.mjs";

const url = process.env.KEYVAULT_URL_NODE_SDK;
const poll = { intervalInMs: 200 };
const fresh = () => `js-${randomUUID()}`;
const credential = new DefaultAzureCredential();
const client = new CertificateClient(url, credential);
const secrets = new SecretClient(url, credential);
const policy = { issuerName: "Self", subject: "CN=node.test", keyType: "EC", keyCurveName: "P-256" };

async function all(iterator) {
	const items = [];
	for await (const item of iterator) items.push(item);
	return items;
}

async function make(name, more = {}, options = {}) {
	const poller = await client.beginCreateCertificate(name, { ...policy, ...more }, { ...poll, ...options });
	return poller.pollUntilDone();
}

const remove = async (name) => (await client.beginDeleteCertificate(name, poll)).pollUntilDone();

const jobs = {
	"create and get": async () => {
		const name = fresh();
		const made = await make(name, { subjectAlternativeNames: { dnsNames: ["a.test"] } }, { tags: { a: "b" } });
		const got = await client.getCertificate(name);
		assert.deepEqual([made.name, got.properties.id, got.properties.tags],
			[name, made.properties.id, { a: "b" }]);
		const leaf = new X509Certificate(got.cer);
		assert.deepEqual([leaf.subject, leaf.subjectAltName], ["CN=node.test", "DNS:a.test"]);
		assert.ok(leaf.verify(leaf.publicKey));
		assert.equal(got.properties.expiresOn.getTime(), Date.parse(leaf.validTo));
		const id = parseKeyVaultCertificateIdentifier(got.properties.id);
		assert.deepEqual([id.vaultUrl, id.name, id.version], [url, name, got.properties.version]);
		const version = await client.getCertificateVersion(name, got.properties.version);
		assert.deepEqual([...version.cer], [...got.cer]);
	},
	"policy": async () => {
		const name = fresh();
		await make(name, { validityInMonths: 7, lifetimeActions: [{ action: "EmailContacts", daysBeforeExpiry: 5 }] });
		const got = await client.getCertificatePolicy(name);
		assert.deepEqual([got.validityInMonths, got.lifetimeActions[0].daysBeforeExpiry], [7, 5]);
		await client.updateCertificatePolicy(name, { ...got, validityInMonths: 8 });
		assert.equal((await client.getCertificatePolicy(name)).validityInMonths, 8);
	},
	"secret": async () => {
		const name = fresh();
		const made = await make(name, { contentType: "application/x-pem-file" });
		const secret = await secrets.getSecret(name);
		assert.equal(secret.properties.certificateKeyId, made.keyId);
		assert.ok(new X509Certificate(made.cer).checkPrivateKey(
			(await import("node:crypto")).createPrivateKey(secret.value)));
		await fails(secrets.setSecret(name, "x"), 403, "Forbidden");
	},
	"update": async () => {
		const name = fresh();
		const made = await make(name);
		const changed = await client.updateCertificateProperties(name, made.properties.version,
			{ enabled: false, tags: { c: "d" } });
		assert.deepEqual([changed.properties.enabled, changed.properties.tags], [false, { c: "d" }]);
	},
	"list": async () => {
		const name = fresh();
		const made = [await make(name), await make(name)];
		const listed = await all(client.listPropertiesOfCertificateVersions(name));
		assert.deepEqual(listed.map((each) => each.version).sort(),
			made.map((each) => each.properties.version).sort());
		const names = (await all(client.listPropertiesOfCertificates())).map((each) => each.name);
		assert.ok(names.includes(name));
	},
	"cancel and forget an operation": async () => {
		const name = fresh();
		const poller = await client.beginCreateCertificate(name, { ...policy, issuerName: "Unknown" }, poll);
		assert.equal(poller.isDone(), false);
		const operation = await client.getCertificateOperation(name, poll);
		await operation.cancelOperation();
		assert.equal(operation.getOperationState().certificateOperation.cancellationRequested, true);
		await client.deleteCertificateOperation(name);
		await remove(name);
	},
	"import": async () => {
		const name = fresh();
		const pem = readFileSync(process.env.CERTIFICATE_PEM);
		const made = await client.importCertificate(name, pem, { policy: { contentType: "application/x-pem-file",
			issuerName: "Unknown", subject: "CN=x" } });
		assert.deepEqual([...made.cer], [...new X509Certificate(pem).raw]);
		await fails(client.importCertificate(fresh(), Buffer.from("nothing")), 400, "BadParameter");
	},
	"delete and recover": async () => {
		const name = fresh();
		const made = await make(name);
		assert.ok((await remove(name)).recoveryId);
		await fails(client.getCertificate(name), 404, "CertificateNotFound");
		const recovered = await (await client.beginRecoverDeletedCertificate(name, poll)).pollUntilDone();
		assert.equal(recovered.properties.id, made.properties.id);
	},
	"purge, backup and restore": async () => {
		const name = fresh();
		const made = await make(name);
		const blob = await client.backupCertificate(name);
		await remove(name);
		await client.purgeDeletedCertificate(name);
		assert.equal((await client.restoreCertificateBackup(blob)).properties.id, made.properties.id);
	},
};

await run(jobs);
