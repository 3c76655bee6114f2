"""Every row that takes a permission, with a caller who lacks just that one and one who has no other."""
import json
import re
import subprocess
import uuid

import pytest

from strongroom import BINARY, unique

ROWS = json.loads(subprocess.run([BINARY, "operations"], capture_output=True, check=True).stdout)
GUARDED = [row for row in ROWS if row["guard"] in ("data", "scope")]
ADMINISTRATORS = [row for row in ROWS if row["guard"] == "administrator"]

# What strangers may call: sign-in, discovery, health. Nothing joins them unnoticed.
PUBLIC = re.compile(r"Health|SignIn\.\w+|Metadata\w*|Endpoints\w*|Authority\w+")


def label(row):
	return f"{row['method']} {row['path']}"


@pytest.fixture(scope="module")
def two(shared):
	"""Two callers with a custom role each, at the subscription: everything but X, and X alone."""
	return {kind: Caller(shared) for kind in ("all but", "only")}


class Caller:
	def __init__(self, server):
		self.server = server
		self.principal = server.make_principal()
		self.role = str(uuid.uuid4())
		self.define(["Microsoft.Nothing/at/all"], [])
		server.assign(self.principal, self.role, server.scope())

	def define(self, actions, data, not_actions=(), not_data=()):
		scope = self.server.scope()
		body = {"properties": {"roleName": f"row {self.role}", "type": "CustomRole", "description": "",
		    "assignableScopes": [scope], "permissions": [{"actions": actions, "dataActions": data,
		        "notActions": list(not_actions), "notDataActions": list(not_data)}]}}
		reply = self.server.manage("PUT", f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{self.role}",
		    body)
		assert reply.status in (200, 201), reply

	def call(self, row):
		"""The row, for things that are not there: authorisation comes before looking."""
		server = self.server
		path = filled(row["path"], server)
		if row["plane"] == "vault":
			return server.vault("rows", self.principal).request(row["method"], path, {})
		return server.manage(row["method"], path, {} if row["method"] in ("PUT", "POST", "PATCH") else None,
		    version=version_for(row), principal=self.principal)


def version_for(row):
	for space, version in (("Microsoft.KeyVault", "2023-07-01"), ("Microsoft.ManagedIdentity", "2023-01-31"),
	    ("Microsoft.HybridCompute", "2024-07-10"), ("locks", "2020-05-01"), ("Microsoft.Authorization", "2022-04-01")):
		if space in row["path"]:
			return version
	return "2021-04-01"


def filled(path, server):
	scope = f"{server.scope()}/resourceGroups/rows-none/providers/Microsoft.KeyVault/vaults/rows-none"
	values = iter((str(uuid.uuid4()) for _ in range(9)))
	path = path.replace("{scope}", scope)
	path = re.sub(r"/subscriptions/\{\w+\}", f"/subscriptions/{server.subscription}", path)
	path = re.sub(r"/(resourceGroups|resourcegroups)/\{\w+\}", r"/\1/rows-none", path)
	path = re.sub(r"/locations/\{\w+\}", "/locations/westeurope", path)
	path = re.sub(r"/providers/\{\w+\}", "/providers/Microsoft.KeyVault", path)
	return re.sub(r"\{[\w.]+\}", lambda _: next(values), path)


def allowed(row):
	return ([row["action"]], []) if row["guard"] == "scope" else ([], [row["action"]])


DENIALS = {"scope": "AuthorizationFailed", "data": "Forbidden"}


@pytest.mark.parametrize("row", GUARDED, ids=label)
def test_lacking_just_this(two, row):
	actions, data = allowed(row)
	two["all but"].define(["*"], ["*"], actions, data)
	reply = two["all but"].call(row)
	assert reply.status == 403, reply
	if row["method"] != "HEAD":
		assert reply.error["code"] == DENIALS[row["guard"]]
		assert row["action"] in reply.error["message"]


@pytest.mark.parametrize("row", GUARDED, ids=label)
def test_having_only_this(two, row):
	two["only"].define(*allowed(row))
	assert two["only"].call(row).status not in (401, 403)


@pytest.fixture(scope="module")
def by_policy(shared):
	"""A vault with access policies, and who has every permission of its policies, and who has none."""
	all_of, none_of = shared.make_principal(), shared.make_principal()
	name = unique("policies")
	every = ["all", "purge"]
	policies = [{"tenantId": shared.tenant, "objectId": who.object_id,
	    "permissions": {"keys": keys, "secrets": keys, "certificates": keys}} for who, keys in ((all_of, every), (none_of, []))]
	shared.manage("PUT", f"{shared.group_scope}/providers/Microsoft.KeyVault/vaults/{name}", {"location": "westeurope",
	    "properties": {"tenantId": shared.tenant, "sku": {"family": "A", "name": "standard"}, "accessPolicies": policies,
	        "enableRbacAuthorization": False}}, version="2023-07-01").expect(201)
	return [shared.vault(name, who) for who in (all_of, none_of)]


@pytest.mark.parametrize("row", [row for row in GUARDED if row["plane"] == "vault"], ids=label)
def test_a_policy_can_give_each(by_policy, shared, row):
	all_of, none_of = by_policy
	path = filled(row["path"], shared)
	assert all_of.request(row["method"], path, {}).status not in (401, 403)
	refused = none_of.request(row["method"], path, {})
	assert refused.status == 403 and re.search(r"does not have \w+ \w+ permission on key vault", refused.error["message"]), refused


@pytest.mark.parametrize("row", ADMINISTRATORS, ids=label)
def test_administrators_only(shared, two, row):
	"""Every right on resources makes nobody an administrator of the directory."""
	two["all but"].define(["*"], ["*"])
	caller = two["all but"].principal
	path = filled(row["path"].replace("/v1.0", "", 1) if row["plane"] == "graph" else row["path"], shared)
	body = {} if row["method"] in ("PUT", "POST", "PATCH") else None
	reply = shared.graph(row["method"], path, body, caller) if row["plane"] == "graph" else \
	    shared.manage(row["method"], path, body, principal=caller)
	assert reply.status == 403, reply


def test_strangers():
	assert [row["name"] for row in ROWS if row["guard"] == "public" and not PUBLIC.fullmatch(row["name"])] == []


def test_no_row_is_unset():
	assert {row["guard"] for row in ROWS} <= {"public", "caller", "data", "scope", "administrator"}
