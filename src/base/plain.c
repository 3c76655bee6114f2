#include "base/plain.h"

#include "base/log.h"
#include "base/starved.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/*
 * Small plaintexts (nearly all: a secret is at most 25 KB) come from slots of a few sizes in locked
 * regions, kept on free lists; a larger one gets a mapping of its own.
 */
#define REGION_SIZE ((size_t)256 * 1024)

struct plain {
	size_t len, size;
	struct plain *next; /* while it lies on a free list */
	_Alignas(16) char bytes[];
};

struct slots {
	const size_t size; /* of a slot, its header included */
	struct plain *free;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slots classes[] = { { 1024, NULL }, { 8192, NULL }, { 32768, NULL } };

/* Locking may be refused by RLIMIT_MEMLOCK: plain_protect() has told about that at start. */
static void *
region_map(size_t size)
{
	void *region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (region == MAP_FAILED)
		return NULL;
	(void)madvise(region, size, MADV_DONTDUMP);
	(void)mlock(region, size);
	return region;
}

static struct slots *
class_for(size_t need)
{
	for (size_t i = 0; i < COUNT_OF(classes); i++) {
		if (need <= classes[i].size)
			return &classes[i];
	}
	return NULL;
}

static bool
class_fill(struct slots *class)
{
	char *region = region_map(REGION_SIZE);

	if (region == NULL)
		return false;
	for (size_t at = 0; at + class->size <= REGION_SIZE; at += class->size) {
		struct plain *slot = (struct plain *)(void *)(region + at);

		slot->next = class->free;
		class->free = slot;
	}
	return true;
}

static struct plain *
slot_take(struct slots *class)
{
	struct plain *slot = NULL;

	(void)pthread_mutex_lock(&lock);
	if (class->free != NULL || class_fill(class))
		slot = class->free;
	if (slot != NULL)
		class->free = slot->next;
	(void)pthread_mutex_unlock(&lock);
	return slot;
}

struct plain *
plain_new(size_t len)
{
	size_t need = sizeof(struct plain) + len;
	struct slots *class = class_for(need);
	struct plain *plain;

	if (need < len)
		return NULL;
	plain = class != NULL ? slot_take(class) : region_map(need);
	if (plain == NULL) {
		starved_note();
		return NULL;
	}
	*plain = (struct plain){ .len = len, .size = need };
	return plain;
}

struct plain *
plain_copy(view bytes)
{
	struct plain *plain = plain_new(bytes.len);

	if (plain != NULL && bytes.len > 0)
		memcpy(plain->bytes, bytes.ptr, bytes.len);
	return plain;
}

char *
plain_bytes(struct plain *plain)
{
	return plain->bytes;
}

view
plain_view(const struct plain *plain)
{
	return (view){ plain->bytes, plain->len };
}

void
plain_resize(struct plain *plain, size_t len)
{
	if (len <= plain->size - sizeof(*plain))
		plain->len = len;
}

void
plain_free(struct plain *plain)
{
	struct slots *class;
	size_t size;

	if (plain == NULL)
		return;
	size = plain->size;
	class = class_for(size);
	explicit_bzero(plain, size);
	if (class == NULL) {
		(void)munmap(plain, size);
		return;
	}
	(void)pthread_mutex_lock(&lock);
	plain->next = class->free;
	class->free = plain;
	(void)pthread_mutex_unlock(&lock);
}

void
plain_done(struct plain **plain)
{
	plain_free(*plain);
}

bool
constant_time_equal(view a, view b)
{
	unsigned char difference = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		difference |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
	return difference == 0;
}

bool
plain_protect(struct error *err)
{
	static const struct rlimit no_core = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &no_core) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
		return error_errno(err, "cannot switch core dumps off");
	/*
	 * On fault: a stack's or a mapping's untouched pages stay unbacked, so memory stays
	 * small.
	 */
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
		return error_errno(err, "cannot lock memory (raise RLIMIT_MEMLOCK)");
	return true;
}

void
plain_protect_or_warn(void)
{
	struct error why;

	if (!plain_protect(&why))
		log_line(LOG_WARN, "memory.unprotected", "%s", why.message);
}
