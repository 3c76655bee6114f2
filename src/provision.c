#include "provision.h"

#include "access/access.h"
#include "arm/arm.h"
#include "arm/group.h"
#include "arm/keyvault.h"
#include "audit/record.h"
#include "authority.h"
#include "base/clock.h"
#include "base/pack.h"
#include "crypto/random.h"
#include "identity/identity.h"
#include "keyring/work.h"

#define PATH "install"
#define FORMAT 1
#define DAY ((int64_t)86400)
#define SECRET_DAYS 730
#define ARENA_MAX ((size_t)64 * 1024)

bool
installation_read(struct store *store, struct keyring *keyring, struct installation *out,
    bool *found, struct error *err)
{
	AUTO(arena_free) struct arena arena = { 0 };
	AUTO(reading_done) struct reading reading = { 0 };
	AUTO(plain_done) struct plain *document = NULL;
	struct unpack in;

	arena_init(&arena, ARENA_MAX);
	if (!reading_begin(store, keyring, &arena, &reading, err) ||
	    !tx_get(&reading.tx, keyring_system(keyring), V(PATH), &document, err))
		return false;
	*found = document != NULL;
	if (document == NULL)
		return true;
	in = unpack_of(plain_view(document));
	return (unpack_u8(&in) == FORMAT && uuid_parse(unpack_bytes(&in), &out->tenant) &&
		   uuid_parse(unpack_bytes(&in), &out->subscription) &&
		   uuid_parse(unpack_bytes(&in), &out->administrator) && unpack_end(&in)) ||
	    error_set(err, ERR_CORRUPT, "the installation's document can't be read");
}

static bool
put_installation(struct tx *tx, const struct installation *installation, struct error *err)
{
	AUTO(buf_free) struct buf document = { 0 };

	pack_u8(&document, FORMAT);
	pack_bytes(&document, uuid_view(&installation->tenant));
	pack_bytes(&document, uuid_view(&installation->subscription));
	pack_bytes(&document, uuid_view(&installation->administrator));
	return tx_put(tx, keyring_system(tx->keyring), V(PATH), &document, err);
}

/* The administrator may do everything in the subscription, on both planes. */
static bool
put_roles(struct tx *tx, const struct installation *installation, const struct uuid *principal,
    struct error *err)
{
	static const char *const roles[] = { "Owner", "Key Vault Administrator" };
	struct assignment assignment = {
		.principal = *principal,
		.tenant = installation->tenant,
		.principal_type = V("ServicePrincipal"),
		.created = clock_now(),
		.updated = clock_now(),
		.created_by = *principal,
		.updated_by = *principal,
	};

	if (!arena_print(tx->arena, &assignment.scope, "/subscriptions/%s",
		installation->subscription.text))
		return error_memory(err);
	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		random_uuid(&assignment.name);
		assignment.role = role_id(role_find_named(view_of(roles[i])));
		if (!assignment_put(tx, &assignment, err))
			return false;
	}
	return true;
}

/* What the server itself did, for the audit log. */
static bool
tell(const struct installation *installation, const char *operation, struct tx *tx, view *journal,
    struct error *err)
{
	struct uuid id;
	const struct audit_record record = {
		.operation = view_of(operation),
		.correlation = uuid_view(&id),
		.status = 201,
		.application = uuid_view(&installation->administrator),
		.tenant = uuid_view(&installation->tenant),
	};

	random_uuid(&id);
	return record_line(&record, tx->arena, journal, err);
}

/* A tenant with its subscription and its administrator. */
static bool
put_tenant(struct tx *tx, const struct installation *installation, view name, struct error *err)
{
	struct application administrator = {
		.tenant = installation->tenant,
		.id = installation->administrator,
		.name = V("administrator"),
		.administrator = true,
	};
	const struct subscription subscription = {
		.id = installation->subscription,
		.tenant = installation->tenant,
		.name = name,
	};

	random_uuid(&administrator.object);
	return tenant_create(tx, &installation->tenant, name, err) &&
	    subscription_create(tx, &subscription, err) &&
	    application_create(tx, &administrator, err) &&
	    put_roles(tx, installation, &administrator.object, err);
}

static void
draw_ids(struct installation *out)
{
	random_uuid(&out->tenant);
	random_uuid(&out->subscription);
	random_uuid(&out->administrator);
}

static bool
create_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	const struct installation *installation = ctx;
	view authority;

	if (!arena_print(tx->arena, &authority, "Strongroom authority %.8s",
		installation->tenant.text))
		return error_memory(err);
	return authority_create(tx, authority, err) &&
	    put_tenant(tx, installation, V("Strongroom"), err) &&
	    put_installation(tx, installation, err) &&
	    tell(installation, "InstallationCreate", tx, journal, err);
}

bool
installation_create(struct store *store, struct keyring *keyring, struct installation *out,
    struct error *err)
{
	struct installation installation;

	draw_ids(&installation);
	if (!work_run(store, keyring, create_body, &installation, err))
		return false;
	*out = installation;
	return true;
}

struct tenant_wish {
	struct installation installation;
	view name;
};

static bool
tenant_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	const struct tenant_wish *wish = ctx;

	return put_tenant(tx, &wish->installation, wish->name, err) &&
	    tell(&wish->installation, "TenantCreate", tx, journal, err);
}

bool
installation_tenant(struct store *store, struct keyring *keyring, view name,
    struct installation *out, struct error *err)
{
	struct tenant_wish wish = { .name = name };

	if (name.len == 0 || name.len > TENANT_NAME_MAX || !utf8_valid(name))
		return error_set(err, ERR_BAD_REQUEST, "a tenant's name has 1 to %d bytes",
		    TENANT_NAME_MAX);
	draw_ids(&wish.installation);
	if (!work_run(store, keyring, tenant_body, &wish, err))
		return false;
	*out = wish.installation;
	return true;
}

struct secret_wish {
	const struct installation *installation;
	struct plain *secret;
};

static bool
secret_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	struct secret_wish *wish = ctx;

	plain_free(wish->secret);
	wish->secret = NULL;
	return application_add_secret(tx, uuid_view(&wish->installation->tenant),
		   uuid_view(&wish->installation->administrator), V("first start"),
		   SECRET_DAYS * DAY, &wish->secret, err) &&
	    tell(wish->installation, "AdministratorSecretCreate", tx, journal, err);
}

bool
installation_secret(struct store *store, struct keyring *keyring,
    const struct installation *installation, struct plain **out, struct error *err)
{
	struct secret_wish wish = { .installation = installation };

	if (!work_run(store, keyring, secret_body, &wish, err)) {
		plain_free(wish.secret);
		return false;
	}
	*out = wish.secret;
	return true;
}

/* The days that "NAME=DAYS" gives this vault. */
static bool
retention_of(const struct config *config, view name, unsigned *out, struct error *err)
{
	static const struct named_numbers days = { "retention", "DAYS", RETENTION_MIN,
		RETENTION_MAX };

	*out = RETENTION_MAX;
	return config_named(&config->retention, &days, name, out, err);
}

static bool
is_protected(const struct config *config, view name)
{
	for (size_t i = 0; i < config->purge_protection.count; i++) {
		if (view_ieq(view_of(config->purge_protection.items[i]), name))
			return true;
	}
	return false;
}

static bool
will_be_made(const struct config *config, view name)
{
	for (size_t i = 0; i < config->vaults.count; i++) {
		if (view_ieq(view_of(config->vaults.items[i]), name))
			return true;
	}
	return false;
}

/* A misspelt name must not leave a vault without the protection that was asked for. */
static bool
check_names(const struct config_list *list, const struct config *config, const char *setting,
    struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		view rest = view_of(list->items[i]), name = view_cut(&rest, '=');

		if (!will_be_made(config, name))
			return error_set(err, ERR_BAD_REQUEST,
			    "%s: there is no vault %.*s among those to be made", setting,
			    VIEW_ARG(name));
	}
	return true;
}

bool
installation_check(const struct config *config, struct error *err)
{
	unsigned days;

	for (size_t i = 0; i < config->vaults.count; i++) {
		view name = view_of(config->vaults.items[i]);

		if (!vault_name_valid(name))
			return error_set(err, ERR_BAD_REQUEST,
			    "vault: `%.*s` is no vault's name: 3 to 24 letters, digits and "
			    "hyphens, a letter first, no hyphen last or beside another",
			    VIEW_ARG(name));
		if (!retention_of(config, name, &days, err))
			return false;
	}
	return check_names(&config->purge_protection, config, "purge-protection", err) &&
	    check_names(&config->retention, config, "retention", err);
}

struct vault_wish {
	struct vault vault;
	struct caller by;
};

/* With the group it is in. */
static bool
vault_body(void *ctx, struct tx *tx, view *journal, struct error *err)
{
	const struct vault_wish *wish = ctx;
	struct vault vault = wish->vault;

	(void)journal;
	return resource_group_create(tx, &vault.subscription, vault.resource_group, vault.location,
		   &wish->by, err) &&
	    vault_make(tx, &vault, err);
}

static bool
make_vault(const struct config *config, struct store *store, struct keyring *keyring,
    const struct installation *installation, view name, struct error *err)
{
	struct vault_wish wish = {
		.vault = {
			.tenant = installation->tenant,
			.subscription = installation->subscription,
			.name = name,
			.resource_group = V(PROVISION_GROUP),
			.location = view_of(config->location),
			.created = clock_now(),
			.purge_protection = is_protected(config, name),
			.rbac = true,
			.network = { .bypass = true },
		},
		.by = { .application = installation->administrator },
	};

	if (!retention_of(config, name, &wish.vault.retention_days, err))
		return false;
	/* One that is there stays as it is, and so does one that was deleted. */
	return work_run(store, keyring, vault_body, &wish, err) || err->code == ERR_VAULT_EXISTS ||
	    err->code == ERR_VAULT_IN_DELETED_STATE;
}

bool
installation_vaults(const struct config *config, struct store *store, struct keyring *keyring,
    const struct installation *installation, bool first, struct error *err)
{
	if (first && config->vaults.count == 0)
		return make_vault(config, store, keyring, installation, V(PROVISION_VAULT), err);
	if (!installation_check(config, err))
		return false;
	for (size_t i = 0; i < config->vaults.count; i++) {
		if (!make_vault(config, store, keyring, installation,
			view_of(config->vaults.items[i]), err))
			return false;
	}
	return true;
}
