"""The az command, as its users type it: groups, resources, locks, tags, providers."""
import pytest

from az import az_for


@pytest.fixture(scope="module")
def az(shared, tmp_path_factory):
	return az_for(shared, tmp_path_factory.mktemp("az"))


def test_groups(az):
	made = az("group", "create", "-n", "azRG", "-l", "eastus2", "--tags", "env=dev")
	assert (made["name"], made["location"], made["tags"]) == ("azRG", "eastus2", {"env": "dev"})
	assert made["properties"]["provisioningState"] == "Succeeded"
	assert az("group", "exists", "-n", "AZRG") is True
	assert az("group", "exists", "-n", "no-such-group") is False
	assert az("group", "show", "-n", "azrg")["id"] == made["id"]
	assert "azRG" in [each["name"] for each in az("group", "list")]
	assert [each["name"] for each in az("group", "list", "--tag", "env=dev")] == ["azRG"]
	assert az("group", "update", "-n", "azRG", "--set", "tags.tier=b")["tags"] == {"env": "dev", "tier": "b"}
	assert "(InvalidResourceGroupLocation)" in az.fails(1, "group", "create", "-n", "azRG", "-l", "westus")
	assert "(ResourceGroupNotFound)" in az.fails(3, "group", "show", "-n", "no-such-group")
	az("group", "delete", "-n", "azRG", "--yes")
	assert az("group", "exists", "-n", "azRG") is False


def test_vaults_without_their_group(az):
	az("group", "create", "-n", "azRG2", "-l", "westeurope")
	az("keyvault", "create", "-n", "az-found-kv", "-g", "azRG2", "-l", "westeurope")
	found = az("keyvault", "show", "-n", "AZ-found-kv")
	assert found["resourceGroup"] == "azRG2"
	assert "az-found-kv" in [each["name"] for each in az("keyvault", "list")]
	listed = az("resource", "list", "--resource-type", "Microsoft.KeyVault/vaults", "-g", "azRG2")
	assert [each["id"] for each in listed] == [found["id"]]
	assert az("resource", "show", "--ids", found["id"])["id"] == found["id"]
	assert az("resource", "tag", "--ids", found["id"], "--tags", "a=b")["tags"] == {"a": "b"}
	assert [each["name"] for each in az("resource", "list", "--tag", "a=b")] == ["az-found-kv"]
	tags = az("tag", "update", "--resource-id", found["id"], "--operation", "merge", "--tags", "c=d")
	assert tags["properties"]["tags"] == {"a": "b", "c": "d"}

	lock = az("lock", "create", "-n", "hold", "-t", "CanNotDelete", "-g", "azRG2", "--notes", "ours")
	assert (lock["level"], lock["notes"]) == ("CanNotDelete", "ours")
	assert "(ScopeLocked)" in az.fails(1, "group", "delete", "-n", "azRG2", "--yes")
	assert "(ScopeLocked)" in az.fails(1, "keyvault", "delete", "-n", "az-found-kv")
	assert [each["name"] for each in az("lock", "list", "-g", "azRG2")] == ["hold"]
	az("lock", "delete", "-n", "hold", "-g", "azRG2")
	az("group", "delete", "-n", "azRG2", "--yes")
	assert "az-found-kv" in [each["name"] for each in az("keyvault", "list-deleted", "--resource-type", "vault")]


def test_places_and_providers(az):
	assert "West Europe" in [each["displayName"] for each in az("account", "list-locations")]
	provider = az("provider", "show", "-n", "Microsoft.KeyVault")
	assert provider["registrationState"] == "Registered"
	assert "vaults" in [each["resourceType"] for each in provider["resourceTypes"]]
	assert "Microsoft.Resources" in [each["namespace"] for each in az("provider", "list")]
	az("provider", "register", "-n", "Microsoft.KeyVault")
