// Azure's management library for Node, unmodified, doing what a deployment does with vaults.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { KeyVaultManagementClient } from "@azure/arm-keyvault";
import { ClientSecretCredential } from "@azure/identity";
import { fails, run } from "./jobs.mjs";

const env = process.env;
const group = "dev";
const fresh = () => `js-${randomUUID().slice(0, 8)}`;
const credential = new ClientSecretCredential(env.STRONGROOM_TENANT, env.AZURE_CLIENT_ID,
	env.AZURE_CLIENT_SECRET, { disableInstanceDiscovery: true });
const client = new KeyVaultManagementClient(credential, env.AZURE_SUBSCRIPTION_ID,
	{ endpoint: env.STRONGROOM_MANAGEMENT, credentials: { scopes: [`${env.STRONGROOM_MANAGEMENT}/.default`] } });
const poll = { updateIntervalInMs: 50 };

const parameters = (properties = {}) => ({
	location: "eastus",
	properties: { tenantId: env.STRONGROOM_TENANT, sku: { family: "A", name: "standard" },
		enableRbacAuthorization: true, ...properties },
});

async function make(name = fresh(), properties = {}) {
	return client.vaults.createOrUpdate(group, name, parameters(properties), poll);
}

async function names(iterator) {
	const found = [];
	for await (const item of iterator) found.push(item.name);
	return found;
}

const jobs = {
	"create and get": async () => {
		const made = await make();
		const got = await client.vaults.get(group, made.name);
		assert.equal(got.id, made.id);
		assert.equal(got.properties.enableRbacAuthorization, true);
		assert.equal(new URL(got.properties.vaultUri).hostname, `${made.name}.vault.localhost`);
	},

	"default is roles": async () => {
		const made = await make(fresh(), { enableRbacAuthorization: undefined });
		assert.equal(made.properties.enableRbacAuthorization, true);
	},

	"update": async () => {
		const made = await make();
		const changed = await client.vaults.update(group, made.name, { tags: { a: "b" } });
		assert.deepEqual(changed.tags, { a: "b" });
	},

	"lists": async () => {
		const made = await make();
		assert((await names(client.vaults.listByResourceGroup(group))).includes(made.name));
		assert((await names(client.vaults.listBySubscription())).includes(made.name));
	},

	"network rules": async () => {
		const made = await make(fresh(), { networkAcls: { bypass: "None", defaultAction: "Deny",
			ipRules: [{ value: "203.0.113.7" }] } });
		assert.equal(made.properties.networkAcls.ipRules[0].value, "203.0.113.7/32");
	},

	"delete, recover, purge": async () => {
		const made = await make();
		await client.vaults.delete(group, made.name);
		await fails(client.vaults.get(group, made.name), 404, "ResourceNotFound");
		assert((await names(client.vaults.listDeleted())).includes(made.name));
		assert.equal((await client.vaults.getDeleted(made.name, "eastus")).properties.vaultId, made.id);
		await make(made.name, { createMode: "recover" });
		await client.vaults.delete(group, made.name);
		await client.vaults.purgeDeleted(made.name, "eastus", poll);
		assert(!(await names(client.vaults.listDeleted())).includes(made.name));
	},

	"name availability": async () => {
		const made = await make();
		const ask = (name) => client.vaults.checkNameAvailability({ name, type: "Microsoft.KeyVault/vaults" });
		assert.equal((await ask(made.name)).nameAvailable, false);
		assert.equal((await ask(fresh())).nameAvailable, true);
	},

	"access policies": async () => {
		const made = await make(fresh(), { enableRbacAuthorization: false, accessPolicies: [] });
		const entry = { tenantId: env.STRONGROOM_TENANT, objectId: randomUUID(),
			permissions: { secrets: ["get", "list"], keys: ["all"] } };
		const added = await client.vaults.updateAccessPolicy(group, made.name, "add",
			{ properties: { accessPolicies: [entry] } });
		assert.deepEqual(added.properties.accessPolicies[0].permissions.secrets, ["get", "list"]);
	},

	"refusals": async () => {
		await fails(make("1bad"), 400, "VaultNameNotValid");
		await fails(client.vaults.get(group, fresh()), 404, "ResourceNotFound");
	},
};

await run(jobs);
