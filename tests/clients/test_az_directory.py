"""az's commands on users, groups and applications, as their users type them."""
from strongroom import unique
from test_az import az  # noqa: F401, the fixture

PASSWORD = "Correct horse 7"
DOMAIN = "example.org"


def make_user(az, name):
	return az("ad", "user", "create", "--display-name", name, "--user-principal-name",
	    f"{name}@{DOMAIN}", "--password", PASSWORD)


def test_users(az):
	name = unique("ada")
	made = make_user(az, name)
	upn = f"{name}@{DOMAIN}"
	assert made["userPrincipalName"] == upn
	assert "password" not in str(made).lower()
	assert az("ad", "user", "show", "--id", upn)["id"] == made["id"]
	assert az("ad", "user", "show", "--id", made["id"])["displayName"] == name
	az("ad", "user", "update", "--id", upn, "--display-name", "Ada Lovelace")
	assert [user["displayName"] for user in az("ad", "user", "list", "--upn", upn)] == ["Ada Lovelace"]
	assert [user["id"] for user in az("ad", "user", "list", "--filter",
	    f"userPrincipalName eq '{upn}' or mail eq '{upn}'")] == [made["id"]]
	assert "complexity" in az.fails(1, "ad", "user", "create", "--display-name", "x",
	    "--user-principal-name", f"x@{DOMAIN}", "--password", "short")
	assert "already exists" in az.fails(1, "ad", "user", "create", "--display-name", "x",
	    "--user-principal-name", upn, "--password", PASSWORD)
	az("ad", "user", "delete", "--id", upn)
	az.fails(3, "ad", "user", "show", "--id", upn)


def test_groups(az):
	name = unique("group")
	group = az("ad", "group", "create", "--display-name", name, "--mail-nickname", name)
	# The second time it is found, not made again.
	again = az("ad", "group", "create", "--display-name", name, "--mail-nickname", name)
	assert again["id"] == group["id"]
	outer = az("ad", "group", "create", "--display-name", f"{name}-o", "--mail-nickname", f"{name}-o")
	user = make_user(az, unique("bob"))
	az("ad", "group", "member", "add", "-g", group["id"], "--member-id", user["id"])
	az("ad", "group", "member", "add", "-g", outer["id"], "--member-id", group["id"])
	assert "already exist" in az.fails(1, "ad", "group", "member", "add", "-g", group["id"],
	    "--member-id", user["id"])
	assert [member["id"] for member in az("ad", "group", "member", "list", "-g", group["id"])] == [user["id"]]
	assert az("ad", "group", "member", "check", "-g", outer["id"], "--member-id", user["id"]) == {"value": True}
	groups = az("ad", "user", "get-member-groups", "--id", user["id"])
	assert {item["displayName"] for item in groups} == {name, f"{name}-o"}
	assert az("ad", "group", "get-member-groups", "-g", group["id"]) == [outer["id"]]
	assert az("ad", "group", "owner", "list", "-g", group["id"]) == []
	az("ad", "group", "member", "remove", "-g", group["id"], "--member-id", user["id"])
	assert az("ad", "group", "member", "list", "-g", group["id"]) == []
	assert [item["id"] for item in az("ad", "group", "list", "--display-name", f"{name}-o")] == [outer["id"]]
	az("ad", "group", "delete", "-g", group["id"])
	az.fails(3, "ad", "group", "show", "-g", group["id"])


def test_service_principals(az, shared):
	name = unique("rbac")
	made = az("ad", "sp", "create-for-rbac", "--name", name)
	assert set(made) == {"appId", "password", "displayName", "tenant"}
	assert made["tenant"] == shared.tenant
	shown = az("ad", "sp", "show", "--id", made["appId"])
	assert shown["displayName"] == name and shown["servicePrincipalType"] == "Application"
	assert az("ad", "sp", "show", "--id", shown["id"])["appId"] == made["appId"]
	assert [sp["id"] for sp in az("ad", "sp", "list", "--display-name", name)] == [shown["id"]]
	# Once more with the same name: the same one, with another password.
	again = az("ad", "sp", "create-for-rbac", "--name", name)
	assert again["appId"] == made["appId"] and again["password"] != made["password"]
	assert len(az("ad", "app", "credential", "list", "--id", made["appId"])) == 1
	reset = az("ad", "sp", "credential", "reset", "--id", made["appId"], "--append")
	assert reset["password"]
	credentials = az("ad", "sp", "credential", "list", "--id", made["appId"])
	assert len(credentials) == 2
	az("ad", "sp", "credential", "delete", "--id", made["appId"], "--key-id", credentials[0]["keyId"])
	assert len(az("ad", "sp", "credential", "list", "--id", made["appId"])) == 1
	az("ad", "sp", "delete", "--id", made["appId"])
	az.fails(3, "ad", "sp", "show", "--id", made["appId"])
	assert az("ad", "sp", "create", "--id", made["appId"])["id"] != shown["id"]
	az("ad", "app", "delete", "--id", made["appId"])
	assert az("ad", "sp", "list", "--display-name", name) == []


def test_applications(az, tmp_path):
	name = unique("app")
	made = az("ad", "app", "create", "--display-name", name, "--web-redirect-uris", "https://a.example/b",
	    "--public-client-redirect-uris", "http://localhost")
	assert made["web"]["redirectUris"] == ["https://a.example/b"]
	assert made["publicClient"]["redirectUris"] == ["http://localhost"]
	az("ad", "app", "update", "--id", made["appId"], "--display-name", f"{name}-b")
	assert az("ad", "app", "show", "--id", made["appId"])["displayName"] == f"{name}-b"
	assert [app["id"] for app in az("ad", "app", "list", "--app-id", made["appId"])] == [made["id"]]
	assert az("ad", "app", "owner", "list", "--id", made["appId"]) == []
	with_key = az("ad", "app", "credential", "reset", "--id", made["appId"], "--create-cert")
	assert with_key["appId"] == made["appId"]
	keys = az("ad", "app", "credential", "list", "--id", made["appId"], "--cert")
	assert len(keys) == 1
	az("ad", "app", "credential", "reset", "--id", made["appId"], "--create-cert", "--append")
	assert len(az("ad", "app", "credential", "list", "--id", made["appId"], "--cert")) == 2
	az("ad", "app", "credential", "delete", "--id", made["appId"], "--cert", "--key-id", keys[0]["keyId"])
	assert len(az("ad", "app", "credential", "list", "--id", made["appId"], "--cert")) == 1
	az("ad", "app", "delete", "--id", made["appId"])
	az.fails(3, "ad", "app", "show", "--id", made["appId"])


def test_federated_credentials(az):
	app = az("ad", "app", "create", "--display-name", unique("app"))
	described = '{"name":"repo","issuer":"https://token.actions.example.com",' \
	    '"subject":"repo:a/b:ref:refs/heads/main","audiences":["api://AzureADTokenExchange"]}'
	made = az("ad", "app", "federated-credential", "create", "--id", app["appId"], "--parameters", described)
	assert made["name"] == "repo" and made["id"]
	az("ad", "app", "federated-credential", "update", "--id", app["appId"],
	    "--federated-credential-id", "repo", "--parameters", described.replace("main", "next"))
	shown = az("ad", "app", "federated-credential", "show", "--id", app["appId"],
	    "--federated-credential-id", made["id"])
	assert shown["subject"].endswith("next")
	assert len(az("ad", "app", "federated-credential", "list", "--id", app["appId"])) == 1
	az("ad", "app", "federated-credential", "delete", "--id", app["appId"], "--federated-credential-id", "repo")
	assert az("ad", "app", "federated-credential", "list", "--id", app["appId"]) == []
