/*
 * What a guess costs the server, counted and not timed: each call of the functions that burn, with
 * what it was given.  Whoever is asked for, and whatever the password, it is the same; otherwise
 * the time of the answer would tell which names there are.
 *
 * The functions are this program's own, in front of the libraries', and call what is behind those.
 */
#include "identity/client_secret.h"
#include "signin/testing.h"

#include <argon2.h>
#include <dlfcn.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static struct {
	unsigned hashes;                /* Argon2id */
	uint32_t rounds, memory, lanes; /* of the last one */
	unsigned macs;                  /* HMAC */
	size_t mac_bytes;               /* that the last one was fed */
} work;

int
argon2id_hash_encoded(const uint32_t rounds, const uint32_t memory, const uint32_t lanes,
    const void *password, const size_t password_len, const void *salt, const size_t salt_len,
    const size_t hash_len, char *out, const size_t out_len)
{
	work.hashes++;
	work.rounds = rounds;
	work.memory = memory;
	work.lanes = lanes;
	return argon2_hash(rounds, memory, lanes, password, password_len, salt, salt_len, NULL,
	    hash_len, out, out_len, Argon2_id, ARGON2_VERSION_NUMBER);
}

int
argon2id_verify(const char *encoded, const void *password, const size_t password_len)
{
	work.hashes++;
	assert_int_equal(sscanf(encoded, "$argon2id$v=19$m=%u,t=%u,p=%u$", &work.memory,
			     &work.rounds, &work.lanes),
	    3);
	return argon2_verify(encoded, password, password_len, Argon2_id);
}

int
EVP_MAC_update(EVP_MAC_CTX *ctx, const unsigned char *bytes, size_t len)
{
	int (*real)(EVP_MAC_CTX *, const unsigned char *, size_t);
	void *found = dlsym(RTLD_NEXT, "EVP_MAC_update");

	assert_non_null(found);
	memcpy(&real, &found, sizeof(real));
	work.macs++;
	work.mac_bytes = len;
	return real(ctx, bytes, len);
}

static void
guess(const char *name, const char *password)
{
	view body;

	/* Each from an address of its own, or they would be locked out. */
	static unsigned address;
	static char peer[16];

	(void)snprintf(peer, sizeof(peer), "192.0.2.%u", ++address % 250);
	village.peer = peer;
	assert_true(arena_print(&town.arena, &body,
	    "grant_type=password&username=%s&password=%s&client_id=" AZ "&scope=" VAULT "/.default",
	    name, password));
	memset(&work, 0, sizeof(work));
	assert_false(village_token(body.ptr) && village.reply.status == 200);
}

/* OWASP's least, as crypto/password.c has it. */
static void
check_one_hash(void)
{
	assert_int_equal(work.hashes, 1);
	assert_int_equal(work.rounds, 2);
	assert_int_equal(work.memory, 19456);
	assert_int_equal(work.lanes, 1);
}

static void
test_passwords(void **state)
{
	static const char *const names[] = { "ada@example.org", "ADA@EXAMPLE.ORG",
		"nobody@example.org", "eve@example.org", "new@example.org", "none@example.org",
		"ada", "@", "ada@example.org@example.org", "%C3%A4da@example.org",
		"ada%40other.org", "a%01b@example.org" };
	char longest[1500];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		guess(names[i], "wrong");
		check_one_hash();
		guess(names[i], "l");
		check_one_hash();
		guess(names[i], longest);
		check_one_hash();
	}
	guess(longest, "wrong");
	check_one_hash();
}

/* The right one costs the same, and one who is disabled is told so only by it. */
static void
test_right_passwords(void **state)
{
	(void)state;
	memset(&work, 0, sizeof(work));
	assert_true(village_token(PASSWORD "&scope=" VAULT "/.default"));
	check_one_hash();
	guess("eve@example.org", "disabled");
	check_one_hash();
	guess("new@example.org", "initial");
	check_one_hash();
}

/* Nor is anything computed for one who is locked out, whether there is such a person or not. */
static void
test_locked_out(void **state)
{
	static const char *const names[] = { "ada@example.org", "nobody@example.org" };

	(void)state;
	for (size_t n = 0; n < COUNT_OF(names); n++) {
		view body;

		village.peer = "198.51.100.1";
		assert_true(arena_print(&town.arena, &body,
		    "grant_type=password&username=%s&password=guess&client_id=" AZ "&scope=" VAULT
		    "/.default",
		    names[n]));
		for (int i = 0; i < 10; i++)
			(void)village_token(body.ptr);
		memset(&work, 0, sizeof(work));
		assert_false(village_token(body.ptr));
		assert_int_equal(town.err.code, ERR_STS_LOCKED);
		assert_int_equal(work.hashes, 0);
	}
}

static unsigned
secret_guess(const char *client, const char *secret)
{
	static unsigned address;
	static char peer[16];
	view body;

	(void)snprintf(peer, sizeof(peer), "203.0.113.%u", ++address % 250);
	village.peer = peer;
	assert_true(arena_print(&town.arena, &body,
	    "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=" VAULT "/.default",
	    client, secret));
	memset(&work, 0, sizeof(work));
	assert_false(village_token(body.ptr));
	return work.macs;
}

/* One HMAC for an application with one secret, and one for an application that is not there. */
static void
test_client_secrets(void **state)
{
	static const char *const secrets[] = { "x", "wrongwrongwrongwrongwrongwrongwrongwrong",
		"wrongwrongwrongwrongwrongwrongwrongwrongwrongwrongwrongwrongwrong" };
	unsigned expected;

	(void)state;
	expected = secret_guess(village.web.id.text, secrets[0]);
	assert_true(expected > 0);
	for (size_t i = 0; i < COUNT_OF(secrets); i++) {
		assert_int_equal(secret_guess(village.web.id.text, secrets[i]), expected);
		assert_int_equal(work.mac_bytes, strlen(secrets[i]));
		assert_int_equal(secret_guess("11111111-1111-1111-1111-111111111111", secrets[i]),
		    expected);
		assert_int_equal(work.mac_bytes, strlen(secrets[i]));
		assert_int_equal(secret_guess("nobody", secrets[i]), expected);
	}
}

/* What is compared are MACs: a guess that begins as the right one does is as far from it as any. */
static void
test_near_misses(void **state)
{
	char near[CLIENT_SECRET_LEN + 1];
	view right = plain_view(village.secret);
	unsigned expected;

	(void)state;
	assert_int_equal(right.len, CLIENT_SECRET_LEN);
	memcpy(near, right.ptr, right.len);
	near[CLIENT_SECRET_LEN] = '\0';
	expected = secret_guess(village.web.id.text, "x");
	for (size_t i = 0; i < CLIENT_SECRET_LEN; i += 13) {
		near[i] ^= 1;
		if (near[i] == '&' || near[i] == '%' || near[i] == '+')
			near[i] = 'x';
		assert_int_equal(secret_guess(village.web.id.text, near), expected);
		near[i] = right.ptr[i];
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		VILLAGE_TEST(test_passwords),
		VILLAGE_TEST(test_right_passwords),
		VILLAGE_TEST(test_locked_out),
		VILLAGE_TEST(test_client_secrets),
		VILLAGE_TEST(test_near_misses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
