"""Azure's own Python library for keys, unmodified: the life of a key, and its use here and there."""
import datetime
import uuid

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.keyvault.keys import ApiVersion, JsonWebKey, KeyClient, KeyVaultKeyIdentifier
from azure.keyvault.keys.crypto import (CryptographyClient, EncryptionAlgorithm, KeyWrapAlgorithm,
    SignatureAlgorithm)
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from keys import (CURVES, OPS, RSA_ENCRYPTION, RSA_SIGNING, digest_for, ec_jwk, ec_key, flipped, random, rsa_jwk,
    rsa_key, unb64)
from sdk import failure
from strongroom import unique

ES256 = SignatureAlgorithm.es256
FAR = datetime.datetime(2050, 2, 2, tzinfo=datetime.timezone.utc)
PAST = datetime.datetime(2015, 2, 2, tzinfo=datetime.timezone.utc)


@pytest.fixture(scope="module")
def client(shared):
	with KeyClient(shared.url("sdk"), DefaultAzureCredential()) as client:
		yield client


@pytest.fixture
def name():
	return unique("py")


def web_key(jwk):
	"""A JWK as the library takes it."""
	return JsonWebKey(**{member: value if member in ("kty", "crv") else unb64(value) for member, value in jwk.items()},
	    key_ops=OPS[jwk["kty"]])


# Keys

def test_create_get(client, name):
	made = client.create_rsa_key(name, size=3072, key_operations=["sign", "verify"], tags={"a": "b"}, not_before=PAST,
	    expires_on=FAR)
	for key in (made, client.get_key(name), client.get_key(name, made.properties.version)):
		properties = key.properties
		assert (key.name, key.key_type, key.key_operations) == (name, "RSA", ["sign", "verify"])
		assert (len(key.key.n), key.key.e, key.key.d) == (384, b"\1\0\1", None)
		assert (properties.enabled, properties.not_before, properties.expires_on) == (True, PAST, FAR)
		assert (properties.tags, properties.exportable, properties.managed) == ({"a": "b"}, False, None)
		assert (properties.recovery_level, properties.recoverable_days) == ("Recoverable+Purgeable", 90)
		assert properties.hsm_platform == "0" and properties.created_on == properties.updated_on
		parsed = KeyVaultKeyIdentifier(key.id)
		assert (parsed.vault_url, parsed.name, parsed.version) == (client.vault_url, name, properties.version)


@pytest.mark.parametrize("crv", CURVES)
def test_create_ec(client, name, crv):
	made = client.create_ec_key(name, curve=crv)
	assert (made.key_type, made.key.crv, len(made.key.x), len(made.key.y)) == ("EC", crv, *[CURVES[crv][1]] * 2)


def test_create_oct(client, name):
	made = client.create_oct_key(name, size=256, hardware_protected=False)
	assert (made.key_type, made.key.k, made.key_operations) == ("oct", None, OPS["oct"])


def test_versions_and_update(client, name):
	made = [client.create_ec_key(name) for _ in range(3)]
	versions = [each.properties.version for each in made]
	assert {each.version for each in client.list_properties_of_key_versions(name)} == set(versions)
	assert client.get_key(name).id == made[-1].id
	changed = client.update_key_properties(name, versions[0], key_operations=["verify"], tags={"x": "y"}, enabled=False,
	    expires_on=FAR)
	assert (changed.key_operations, changed.properties.tags) == (["verify"], {"x": "y"})
	assert (changed.properties.enabled, changed.properties.expires_on) == (False, FAR)
	assert client.get_key(name).properties.enabled is True


def test_delete_recover_purge(client, name):
	made = client.create_ec_key(name, tags={"a": "b"})
	deleted = client.begin_delete_key(name).result()
	assert deleted.recovery_id == f"{client.vault_url}/deletedkeys/{name}"
	assert deleted.scheduled_purge_date - deleted.deleted_date == datetime.timedelta(days=90)
	assert failure(ResourceNotFoundError, client.get_key, name)[:2] == (404, "KeyNotFound")
	assert failure(ResourceExistsError, client.create_ec_key, name) == (409, "Conflict", "ObjectIsDeletedButRecoverable")
	assert client.get_deleted_key(name).id == made.id
	assert name in [each.name for each in client.list_deleted_keys()]
	assert name not in [each.name for each in client.list_properties_of_keys()]
	assert client.begin_recover_deleted_key(name).result().id == made.id
	assert client.get_key(name).key.x == made.key.x
	assert failure(HttpResponseError, client.begin_recover_deleted_key, name) == \
	    (400, "MethodNotAllowed", "RequestNotAllowedOnNonDeletedObject")
	client.begin_delete_key(name).wait()
	client.purge_deleted_key(name)
	assert failure(ResourceNotFoundError, client.get_deleted_key, name)[:2] == (404, "KeyNotFound")


def test_backup_restore(client, name):
	made = [client.create_ec_key(name) for _ in range(2)]
	backup = client.backup_key(name)
	assert failure(ResourceExistsError, client.restore_key_backup, backup) == (409, "Conflict", None)
	client.begin_delete_key(name).wait()
	client.purge_deleted_key(name)
	assert client.restore_key_backup(backup).id == made[-1].id
	assert client.get_key(name, made[0].properties.version).key.x == made[0].key.x
	assert failure(HttpResponseError, client.restore_key_backup, b"not a backup")[:2] == (400, "Malformed backup blob")


def test_paging(shared):
	with KeyClient(shared.url("lists"), DefaultAzureCredential()) as client:
		names = [f"page-{i:02}" for i in range(30)]
		for each in names:
			client.create_ec_key(each)
		pages = [[item.name for item in page] for page in client.list_properties_of_keys().by_page()]
		assert sum(pages, []) == names and [len(page) for page in pages if page] == [25, 5]
		assert [item.name for item in client.list_properties_of_keys(max_page_size=7)] == names


def test_missing(client, name):
	for call in (client.get_key, client.backup_key, client.begin_delete_key, client.update_key_properties,
	    client.begin_recover_deleted_key, client.get_deleted_key, client.purge_deleted_key):
		assert failure(ResourceNotFoundError, call, name) == (404, "KeyNotFound", None), call
	assert list(client.list_properties_of_key_versions(name)) == []


@pytest.mark.parametrize("version", list(ApiVersion), ids=lambda version: version.value)
def test_api_version(shared, version, name):
	with KeyClient(shared.url("sdk"), DefaultAzureCredential(), api_version=version) as client:
		made = client.create_ec_key(name, tags={"a": "b"})
		client.update_key_properties(name, enabled=True)
		assert name in [each.name for each in client.list_properties_of_keys()]
		user, digest = client.get_cryptography_client(name), digest_for("ES256")
		assert user.verify(ES256, digest, user.sign(ES256, digest).signature).is_valid
		client.begin_delete_key(name).wait()
		assert client.begin_recover_deleted_key(name).result().id == made.id


# Their use: here by the public or the whole key, there by the vault.

@pytest.fixture(scope="module")
def stranger(shared):
	"""Somebody who may use keys but not read them, so that all is done by the vault."""
	user, role, scope = shared.make_principal(), str(uuid.uuid4()), shared.scope("sdk")
	actions = [f"Microsoft.KeyVault/vaults/keys/{verb}/action"
	    for verb in ("encrypt", "decrypt", "wrap", "unwrap", "sign", "verify")]
	shared.manage("PUT", f"{shared.scope()}/providers/Microsoft.Authorization/roleDefinitions/{role}",
	    {"properties": {"roleName": f"use {role}", "type": "CustomRole", "assignableScopes": [shared.scope()],
	        "permissions": [{"actions": [], "notActions": [], "dataActions": actions, "notDataActions": []}]}}).expect(201)
	shared.assign(user, role, scope)
	return ClientSecretCredential("adfs", user.client_id, user.secret)


@pytest.fixture(scope="module")
def sides(client, stranger):
	"""sides(JWK): the key here with its private part, here with its public one, and there."""
	made = {}

	def sides(kind):
		if kind not in made:
			jwk = web_key(rsa_jwk(rsa_key()) if kind == "RSA" else ec_jwk(ec_key(kind), kind))
			key = client.import_key(unique("sides"), jwk)
			made[kind] = (CryptographyClient.from_jwk(jwk), CryptographyClient(key, DefaultAzureCredential()),
			    CryptographyClient(key.id, stranger))
		return made[kind]

	return sides


SIGNING = [*(("RSA", algorithm) for algorithm in RSA_SIGNING), *((crv, row[2]) for crv, row in CURVES.items())]


@pytest.mark.parametrize("kind, algorithm", SIGNING)
def test_sign_and_verify(sides, kind, algorithm):
	here, known, there = sides(kind)
	digest, algorithm = digest_for(algorithm), SignatureAlgorithm(algorithm)
	for signer in (here, known, there):
		made = signer.sign(algorithm, digest)
		assert made.algorithm == algorithm
		for verifier in (here, known, there):
			assert verifier.verify(algorithm, digest, made.signature).is_valid
			assert not verifier.verify(algorithm, flipped(digest), made.signature).is_valid


@pytest.mark.parametrize("algorithm", RSA_ENCRYPTION)
def test_encrypt_and_decrypt(sides, algorithm):
	here, known, there = sides("RSA")
	for one in (here, known, there):
		for other in (here, known, there):
			sealed = one.encrypt(EncryptionAlgorithm(algorithm), b"plain").ciphertext
			assert other.decrypt(EncryptionAlgorithm(algorithm), sealed).plaintext == b"plain"
			wrapped = one.wrap_key(KeyWrapAlgorithm(algorithm), bytes(32)).encrypted_key
			assert other.unwrap_key(KeyWrapAlgorithm(algorithm), wrapped).key == bytes(32)


def test_all_was_done_there(sides):
	"""The library says nothing of where; but a stranger's key was never read."""
	there = sides("RSA")[2]
	there.encrypt(EncryptionAlgorithm.rsa_oaep, b"plain")
	assert there._keys_get_forbidden and not there._key


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_symmetric(client, name, bits):
	key = client.create_oct_key(name, size=bits, hardware_protected=False)
	user, plain, iv = CryptographyClient(key, DefaultAzureCredential()), random(32), random(16)
	gcm = EncryptionAlgorithm(f"A{bits}GCM")
	sealed = user.encrypt(gcm, plain, additional_authenticated_data=b"about")
	assert (len(sealed.iv), len(sealed.tag)) == (12, 16)
	assert user.decrypt(gcm, sealed.ciphertext, iv=sealed.iv, authentication_tag=sealed.tag,
	    additional_authenticated_data=b"about").plaintext == plain
	for cbc in (EncryptionAlgorithm(f"A{bits}CBC"), EncryptionAlgorithm(f"A{bits}CBCPAD")):
		sealed = user.encrypt(cbc, plain, iv=iv)
		assert user.decrypt(cbc, sealed.ciphertext, iv=iv).plaintext == plain
	for wrap in map(KeyWrapAlgorithm, (f"A{bits}KW", "CKM_AES_KEY_WRAP", "CKM_AES_KEY_WRAP_PAD")):
		assert user.unwrap_key(wrap, user.wrap_key(wrap, plain).encrypted_key).key == plain


def test_latest_is_resolved(client, name):
	"""A client of a name, not of a version."""
	client.create_ec_key(name)
	latest = client.create_ec_key(name)
	user = client.get_cryptography_client(name)
	made = user.sign(ES256, digest_for("ES256"))
	assert made.key_id == latest.id
	assert CryptographyClient(latest, DefaultAzureCredential()).verify(ES256, digest_for("ES256"), made.signature).is_valid


def test_as_cryptographys_keys(client, name):
	"""The vault's key where a library wants a private key."""
	user = CryptographyClient(client.create_rsa_key(name), DefaultAzureCredential())
	private = user.create_rsa_private_key()
	signature = private.sign(b"message", padding.PKCS1v15(), hashes.SHA256())
	private.public_key().verify(signature, b"message", padding.PKCS1v15(), hashes.SHA256())
	assert private.decrypt(private.public_key().encrypt(b"plain", padding.PKCS1v15()), padding.PKCS1v15()) == b"plain"


def test_refused(client, name):
	key = client.create_rsa_key(name, key_operations=["encrypt"])
	user = CryptographyClient(key, DefaultAzureCredential())
	sign = (HttpResponseError, user.sign, SignatureAlgorithm.rs256, bytes(32))
	assert failure(*sign) == (403, "Forbidden", "KeyOperationForbidden")
	client.update_key_properties(name, key_operations=["sign"], enabled=False)
	assert failure(*sign) == (403, "Forbidden", "KeyDisabled")


# Rotation

def test_rotate(client, name):
	made = client.create_ec_key(name, curve="P-384", key_operations=["sign"])
	rotated = client.rotate_key(name)
	assert rotated.id != made.id and rotated.key.x != made.key.x
	assert (rotated.key_type, rotated.key.crv, rotated.key_operations) == ("EC", "P-384", ["sign"])
	assert client.get_key(name).id == rotated.id
	assert client.get_key(name, made.properties.version).properties.enabled


def test_rotation_policy(client, name):
	from azure.keyvault.keys import KeyRotationLifetimeAction, KeyRotationPolicy, KeyRotationPolicyAction

	client.create_ec_key(name)
	(action,) = client.get_key_rotation_policy(name).lifetime_actions
	assert (action.action, action.time_before_expiry) == ("Notify", "P30D")
	actions = [KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create="P60D")]
	put = client.update_key_rotation_policy(name, KeyRotationPolicy(lifetime_actions=actions, expires_in="P90D"))
	got = client.get_key_rotation_policy(name)
	for policy in (put, got):
		assert policy.id == f"{client.vault_url}/keys/{name}/rotationpolicy" and policy.expires_in == "P90D"
		assert [(each.action, each.time_after_create, each.time_before_expiry) for each in policy.lifetime_actions] == \
		    [("Rotate", "P60D", None), ("Notify", None, "P30D")]
	rotated = client.rotate_key(name).properties
	assert rotated.expires_on - rotated.created_on == datetime.timedelta(days=90)
