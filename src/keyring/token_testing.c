#include "keyring/token_testing.h"
#include "base/testing.h"
#include "crypto/random.h"
#include "keyring/software.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)4 << 20)

/* What SoftHSM and its library keep until the process ends. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libsofthsm2.so\n";
}

static const char *
module_path(void)
{
	static const char *const paths[] = { "/usr/lib/softhsm/libsofthsm2.so",
		"/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so" };

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		if (access(paths[i], R_OK) == 0)
			return paths[i];
	}
	fail_msg("there is no SoftHSM: script/bootstrap installs it");
	return NULL;
}

static void
init_token(struct hsm *hsm)
{
	char text[160], conf[PATH_LEN];

	assert_true(snprintf(hsm->tokens, sizeof(hsm->tokens), "%s/tokens", hsm->folder) > 0);
	assert_int_equal(mkdir(hsm->tokens, 0700), 0);
	assert_true(
	    snprintf(text, sizeof(text),
		"directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
		hsm->tokens) > 0);
	write_file(hsm->folder, "softhsm2.conf", view_of(text), conf);
	assert_int_equal(setenv("SOFTHSM2_CONF", conf, 1), 0);
	assert_true(runs((const char *const[]){ "softhsm2-util", "--init-token", "--free",
	    "--label", HSM_LABEL, "--so-pin", "87654321", "--pin", HSM_PIN, NULL }));
}

int
hsm_setup(void **state)
{
	struct hsm *hsm = calloc(1, sizeof(*hsm));

	assert_non_null(hsm);
	memcpy(hsm->folder, "/tmp/hsm-XXXXXX", sizeof("/tmp/hsm-XXXXXX"));
	assert_non_null(mkdtemp(hsm->folder));
	init_token(hsm);
	write_file(hsm->folder, "pin", V(HSM_PIN "\n"), hsm->pin);
	assert_int_equal(chmod(hsm->pin, 0600), 0);
	arena_init(&hsm->arena, ARENA_MAX);
	hsm->settings = (struct token_settings){ module_path(), HSM_LABEL, hsm->pin, 3 };
	assert_fine(token_open(&hsm->settings, &hsm->token, &hsm->err), &hsm->err);
	*state = hsm;
	return 0;
}

int
hsm_teardown(void **state)
{
	struct hsm *hsm = *state;

	token_close(hsm->token);
	arena_free(&hsm->arena);
	remove_folder(hsm->folder);
	free(hsm);
	return 0;
}

void
hsm_move(const struct hsm *hsm, bool away)
{
	char elsewhere[80];

	assert_true(snprintf(elsewhere, sizeof(elsewhere), "%s.away", hsm->tokens) > 0);
	assert_int_equal(rename(away ? hsm->tokens : elsewhere, away ? elsewhere : hsm->tokens), 0);
}

view
hsm_id(struct hsm *hsm)
{
	char id[HEX16_LEN + 1];
	view out;

	random_version(id);
	assert_true(arena_copy(&hsm->arena, view_of(id), &out));
	return out;
}

struct hsm_key
hsm_make(struct hsm *hsm, struct key_spec spec)
{
	struct hsm_key key = { .spec = spec, .id = hsm_id(hsm) };

	assert_fine(token_generate(hsm->token, &spec, key.id, &hsm->arena, &key.public,
			&key.wrapped, &hsm->err),
	    &hsm->err);
	return key;
}

bool
hsm_use(struct hsm *hsm, const struct hsm_key *key, const char *algorithm, enum key_use use,
    const struct key_message *in, struct key_result *out)
{
	const struct key_algorithm *found = key_algorithm_find(view_of(algorithm));

	assert_non_null(found);
	return token_use(hsm->token, &key->spec, key->id, found, use, in, &hsm->arena, out,
	    &hsm->err);
}

/* By a key in software. */
static view
encrypted(struct hsm *hsm, struct software_key *key, const char *algorithm, view value)
{
	const struct key_message in = { .value = value };
	struct key_result out;

	assert_fine(software_use(key, key_algorithm_find(view_of(algorithm)), KEY_ENCRYPT, &in,
			&hsm->arena, &out, &hsm->err),
	    &hsm->err);
	return out.value;
}

view
hsm_wrap(struct hsm *hsm, const struct hsm_key *exchange, view secret)
{
	AUTO(software_done) struct software_key *public = NULL, *transport = NULL;
	const struct key_spec spec = { .kind = KEY_OCT, .bits = 256 };
	const struct key_numbers aes = { .k = V("0123456789abcdef0123456789abcdef") };
	view parts[2], whole;

	assert_fine(software_public(&exchange->spec, &exchange->public, &public, &hsm->err),
	    &hsm->err);
	assert_fine(software_take(&spec, &aes, &transport, &hsm->err), &hsm->err);
	parts[0] = encrypted(hsm, public, "RSA-OAEP", aes.k);
	parts[1] = encrypted(hsm, transport, "CKM_AES_KEY_WRAP_PAD", secret);
	assert_true(arena_join(&hsm->arena, parts, COUNT_OF(parts), &whole));
	return whole;
}

bool
hsm_signs(struct hsm *hsm, const struct hsm_key *key)
{
	AUTO(software_done) struct software_key *public = NULL;
	struct key_message in = { .value = V("0123456789abcdef0123456789abcdef") };
	struct key_result out;

	if (!hsm_use(hsm, key, "ES256", KEY_SIGN, &in, &out))
		return false;
	in.signature = out.value;
	assert_fine(software_public(&key->spec, &key->public, &public, &hsm->err), &hsm->err);
	assert_fine(software_use(public, key_algorithm_find(V("ES256")), KEY_VERIFY, &in,
			&hsm->arena, &out, &hsm->err),
	    &hsm->err);
	return out.verified;
}
