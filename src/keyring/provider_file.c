/*
 * Root keys in a file: "<16 hex digits of id> <64 hex digits of key>\n", the current one first; a
 * second line while a rekey is under way.
 */
#include "base/file.h"
#include "base/uuid.h"
#include "crypto/random.h"
#include "keyring/provider.h"
#include "keyring/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOTS_MAX 2
#define ID_LEN 16
#define KEY_DIGITS ((size_t)2 * AEAD_KEY_LEN)
#define LINE_LEN (ID_LEN + 1 + KEY_DIGITS + 1)
#define FILE_MAX ((size_t)ROOTS_MAX * LINE_LEN)

struct root {
	char id[ID_LEN];
	struct plain *key;
};

struct provider {
	char *path, *temp; /* the file, and where its next contents are written */
	struct root roots[ROOTS_MAX];
	size_t count;
};

static bool
file_failed(struct error *err, const char *what)
{
	(void)error_errno(err, what);
	err->code = ERR_UNAVAILABLE;
	return false;
}

/* Reading */

static bool
check_access(int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return file_failed(err, "The root key file can't be examined");
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERR_UNAVAILABLE, "The root key file is not a regular file.");
	if (st.st_uid != geteuid())
		return error_set(err, ERR_UNAVAILABLE,
		    "The root key file belongs to another user: chown it to user %u.",
		    (unsigned)geteuid());
	if ((st.st_mode & 07777 & ~(mode_t)0600) != 0)
		return error_set(err, ERR_UNAVAILABLE,
		    "The root key file has mode %04o, which lets others at it: chmod 0600 it.",
		    (unsigned)(st.st_mode & 07777));
	return true;
}

/* One byte more than a good file has, to notice a longer one. */
static bool
read_file(int fd, struct plain **out, struct error *err)
{
	AUTO(plain_done) struct plain *text = plain_new(FILE_MAX + 1);
	size_t len = 0;
	ssize_t got;

	if (text == NULL)
		return error_memory(err);
	do {
		got = read(fd, plain_bytes(text) + len, FILE_MAX + 1 - len);
		if (got < 0 && errno != EINTR)
			return file_failed(err, "The root key file can't be read");
		len += got > 0 ? (size_t)got : 0;
	} while (got != 0 && len <= FILE_MAX);
	plain_resize(text, len);
	*out = text;
	text = NULL;
	return true;
}

static bool
parse_line(view line, struct root *out, struct error *err)
{
	uint8_t id[ID_LEN / 2];

	if (line.ptr[ID_LEN] != ' ' || line.ptr[LINE_LEN - 1] != '\n' ||
	    !hex_decode((view){ line.ptr, ID_LEN }, id))
		return false;
	out->key = plain_new(AEAD_KEY_LEN);
	if (out->key == NULL)
		return error_memory(err);
	memcpy(out->id, line.ptr, ID_LEN);
	return hex_decode((view){ line.ptr + ID_LEN + 1, KEY_DIGITS },
	    (uint8_t *)plain_bytes(out->key));
}

static bool
parse(struct provider *provider, view text, struct error *err)
{
	(void)error_set(err, ERR_UNAVAILABLE, "The root key file is malformed.");
	if (text.len == 0 || text.len > FILE_MAX || text.len % LINE_LEN != 0)
		return false;
	for (; text.len > 0; text = view_from(text, LINE_LEN)) {
		if (!parse_line(text, &provider->roots[provider->count++], err))
			return false;
	}
	return provider->count == 1 ||
	    memcmp(provider->roots[0].id, provider->roots[1].id, ID_LEN) != 0;
}

static bool
load(struct provider *provider, int fd, struct error *err)
{
	AUTO(plain_done) struct plain *text = NULL;

	return check_access(fd, err) && read_file(fd, &text, err) &&
	    parse(provider, plain_view(text), err);
}

/* Writing */

static struct plain *
file_text(const struct root *roots, size_t count)
{
	struct plain *text = plain_new(count * LINE_LEN);

	for (size_t i = 0; text != NULL && i < count; i++) {
		char *line = plain_bytes(text) + i * LINE_LEN;

		memcpy(line, roots[i].id, ID_LEN);
		line[ID_LEN] = ' ';
		hex_encode(plain_view(roots[i].key), line + ID_LEN + 1);
		line[LINE_LEN - 1] = '\n';
	}
	return text;
}

static bool
write_temp(const char *temp, view text, struct error *err)
{
	AUTO(fd_done) int fd = -1;

	if (unlink(temp) != 0 && errno != ENOENT) /* a crash has left it */
		return file_failed(err, "The root key can't be written");
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, 0600) != 0 || !fd_write(fd, text) || fsync(fd) != 0)
		return file_failed(err, "The root key can't be written");
	return true;
}

static bool
sync_folder(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	AUTO(text_done) char *folder = NULL;
	AUTO(fd_done) int fd = -1;

	if (slash == NULL)
		folder = strdup(".");
	else
		folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (folder == NULL)
		return error_memory(err);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return file_failed(err, "The root key's folder can't be synced");
	return true;
}

/* A first file must not replace one that another process has just made: link, not rename. */
static bool
publish(const struct provider *provider, bool first, struct error *err)
{
	if (first && (link(provider->temp, provider->path) != 0 || unlink(provider->temp) != 0))
		return file_failed(err, "The root key file can't be made");
	if (!first && rename(provider->temp, provider->path) != 0)
		return file_failed(err, "The root key file can't be replaced");
	return sync_folder(provider->path, err);
}

static bool
save(const struct provider *provider, const struct root *roots, size_t count, bool first,
    struct error *err)
{
	AUTO(plain_done) struct plain *text = file_text(roots, count);

	if (text == NULL)
		return error_memory(err);
	return write_temp(provider->temp, plain_view(text), err) && publish(provider, first, err);
}

static bool
new_root(struct root *out, struct error *err)
{
	uint8_t id[ID_LEN / 2];

	out->key = plain_new(AEAD_KEY_LEN);
	if (out->key == NULL)
		return error_memory(err);
	random_bytes(id, sizeof(id));
	hex_encode((view){ (const char *)id, sizeof(id) }, out->id);
	random_bytes(plain_bytes(out->key), AEAD_KEY_LEN);
	return true;
}

static void
root_done(struct root *root)
{
	plain_free(root->key);
}

/* The operations. Memory follows the file only when the file is certain. */

static void
aead_done(struct aead **aead)
{
	aead_free(*aead);
}

static bool
root_aead(const struct root *root, struct aead **out, struct error *err)
{
	return aead_new((const uint8_t *)plain_view(root->key).ptr, out, err);
}

static bool
file_wrap(void *self, view plain, view aad, struct buf *out, struct error *err)
{
	const struct provider *provider = self;
	size_t len = ID_LEN + plain.len + SEALED_OVERHEAD;
	AUTO(aead_done) struct aead *aead = NULL;
	char *room = buf_room(out, len);

	if (room == NULL)
		return error_memory(err);
	memcpy(room, provider->roots[0].id, ID_LEN);
	if (!root_aead(&provider->roots[0], &aead, err) ||
	    !sealed_make(aead, PURPOSE_ROOT, plain, aad, room + ID_LEN, err))
		return false;
	out->len += len;
	return true;
}

static const struct root *
find_root(const struct provider *provider, view wrapped)
{
	for (size_t i = 0; i < provider->count; i++) {
		if (view_starts(wrapped, (view){ provider->roots[i].id, ID_LEN }))
			return &provider->roots[i];
	}
	return NULL;
}

static bool
file_unwrap(void *self, view wrapped, view aad, struct plain **out, struct error *err)
{
	const struct root *root = find_root(self, wrapped);
	AUTO(aead_done) struct aead *aead = NULL;

	if (root == NULL)
		return error_set(err, ERR_CORRUPT, "It was wrapped by another root key.");
	return root_aead(root, &aead, err) &&
	    sealed_open(aead, PURPOSE_ROOT, view_from(wrapped, ID_LEN), aad, out, err);
}

static bool
file_rotate(void *self, struct error *err)
{
	struct provider *provider = self;
	AUTO(root_done) struct root fresh = { .key = NULL };
	struct root both[ROOTS_MAX];

	if (provider->count == ROOTS_MAX)
		return error_set(err, ERR_CONFLICT, "The last rekey is not finished.");
	if (!new_root(&fresh, err))
		return false;
	both[0] = fresh;
	both[1] = provider->roots[0];
	if (!save(provider, both, ROOTS_MAX, false, err))
		return false;
	memcpy(provider->roots, both, sizeof(both));
	provider->count = ROOTS_MAX;
	fresh.key = NULL; /* the provider's */
	return true;
}

static bool
file_retire(void *self, struct error *err)
{
	struct provider *provider = self;

	if (provider->count == 1)
		return true;
	if (!save(provider, provider->roots, 1, false, err))
		return false;
	root_done(&provider->roots[1]);
	provider->roots[1].key = NULL;
	provider->count = 1;
	return true;
}

static void
file_close(void *self)
{
	struct provider *provider = self;

	for (size_t i = 0; i < ROOTS_MAX; i++)
		root_done(&provider->roots[i]);
	free(provider->path);
	free(provider->temp);
	free(provider);
}

static const struct root_provider_ops file_ops = {
	.name = "file",
	.wrap = file_wrap,
	.unwrap = file_unwrap,
	.rotate = file_rotate,
	.retire = file_retire,
	.close = file_close,
};

/* Opening */

static void
provider_done(struct provider **provider)
{
	if (*provider != NULL)
		file_close(*provider);
}

static bool
provider_new(const char *path, struct provider **out, struct error *err)
{
	static const char suffix[] = ".new";
	AUTO(provider_done) struct provider *provider = calloc(1, sizeof(*provider));
	size_t len = strlen(path);

	if (provider == NULL)
		return error_memory(err);
	provider->path = strdup(path);
	provider->temp = malloc(len + sizeof(suffix));
	if (provider->path == NULL || provider->temp == NULL)
		return error_memory(err);
	memcpy(provider->temp, path, len);
	memcpy(provider->temp + len, suffix, sizeof(suffix));
	*out = provider;
	provider = NULL;
	return true;
}

static bool
make_file(struct provider *provider, struct error *err)
{
	if (!new_root(&provider->roots[0], err))
		return false;
	provider->count = 1;
	return save(provider, provider->roots, 1, true, err);
}

bool
root_provider_file(const char *path, bool create, struct root_provider *out, struct error *err)
{
	AUTO(provider_done) struct provider *provider = NULL;
	AUTO(fd_done) int fd = -1;
	bool ok;

	if (!provider_new(path, &provider, err))
		return false;
	/* Not blocking: opening a pipe would wait for a writer. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		ok = load(provider, fd, err);
	else if (errno == ENOENT && create)
		ok = make_file(provider, err);
	else
		ok = file_failed(err, "The root key file can't be opened");
	if (!ok)
		return false;
	*out = (struct root_provider){ &file_ops, provider };
	provider = NULL;
	return true;
}

static bool
text_fixed(void *self, struct error *err)
{
	(void)self;
	return error_set(err, ERR_UNAVAILABLE, "These root keys are only looked at.");
}

static const struct root_provider_ops text_ops = {
	.name = "text",
	.wrap = file_wrap,
	.unwrap = file_unwrap,
	.rotate = text_fixed,
	.retire = text_fixed,
	.close = file_close,
};

bool
root_provider_text(view text, struct root_provider *out, struct error *err)
{
	AUTO(provider_done) struct provider *provider = NULL;

	if (!provider_new("", &provider, err) || !parse(provider, text, err))
		return false;
	*out = (struct root_provider){ &text_ops, provider };
	provider = NULL;
	return true;
}
