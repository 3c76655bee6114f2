#include "http/test_site.h"

#include "base/clock.h"
#include "http/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
send_text(struct http_exchange *exchange, int status, view text)
{
	exchange->reply.status = status;
	buf_add(&exchange->reply.fields, V("X-Test: yes\r\n"));
	buf_add(&exchange->reply.body, text);
	http_send(exchange);
}

static void
echo(struct http_exchange *exchange)
{
	struct http_request *request = &exchange->request;
	view text;

	if (!arena_print(&exchange->arena, &text, "%.*s %.*s %.*s", VIEW_ARG(request->method_text),
		VIEW_ARG(request->target), VIEW_ARG(request->body)))
		text = V("no memory");
	send_text(exchange, 200, text);
}

static void
work(struct http_exchange *exchange)
{
	(void)usleep(400000);
	buf_add(&exchange->reply.body, V("worked "));
}

static void
slow(struct http_exchange *exchange)
{
	http_work(exchange, work, echo);
}

static void
wait_for_release(struct http_exchange *exchange)
{
	struct test_site *site = exchange->user;

	while (!site->released)
		(void)usleep(1000);
}

static void
held(struct http_exchange *exchange)
{
	http_work(exchange, wait_for_release, echo);
}

struct later {
	struct http_task task;
	struct http_exchange *exchange;
};

static void
on_task(struct http_task *task)
{
	echo(((struct later *)task)->exchange);
}

static void *
post(void *ctx)
{
	struct later *later = ctx;

	(void)usleep(50000);
	http_loop_post(later->exchange->loop, &later->task);
	return NULL;
}

static void
posted(struct http_exchange *exchange)
{
	struct later *later = arena_alloc(&exchange->arena, sizeof(*later));
	pthread_t thread;

	assert_non_null(later);
	*later = (struct later){ { on_task, NULL }, exchange };
	assert_int_equal(pthread_create(&thread, NULL, post, later), 0);
	assert_int_equal(pthread_detach(thread), 0);
}

static void
big(struct http_exchange *exchange)
{
	char *room = buf_room(&exchange->reply.body, TEST_BIG);

	assert_non_null(room);
	memset(room, 'b', TEST_BIG);
	exchange->reply.body.len = TEST_BIG;
	send_text(exchange, 200, V(""));
}

static void
nothing(struct http_exchange *exchange)
{
	send_text(exchange, 204, V(""));
}

static void
parting(struct http_exchange *exchange)
{
	exchange->reply.close = true;
	send_text(exchange, 299, V("bye"));
}

static void
told(struct http_exchange *exchange)
{
	struct http_request *request = &exchange->request;
	view text;

	assert_true(request->arrived != 0 && request->arrived <= clock_mono());
	assert_int_equal(request->peer_ipv6,
	    request->peer.len > 0 && memchr(request->peer.ptr, ':', request->peer.len) != NULL);
	assert_true(arena_print(&exchange->arena, &text, "%.*s %.*s %.*s", VIEW_ARG(request->peer),
	    VIEW_ARG(request->tls_version), VIEW_ARG(request->host)));
	send_text(exchange, 200, text);
}

static void
answer(void *ctx, struct http_exchange *exchange)
{
	static const struct {
		view path;
		void (*fn)(struct http_exchange *exchange);
	} rows[] = {
		{ V_INIT("/slow"), slow },
		{ V_INIT("/held"), held },
		{ V_INIT("/posted"), posted },
		{ V_INIT("/big"), big },
		{ V_INIT("/nothing"), nothing },
		{ V_INIT("/parting"), parting },
		{ V_INIT("/told"), told },
		{ V_INIT(""), echo },
	};
	struct test_site *site = ctx;
	size_t i = 0;

	site->answered++;
	site->loops_seen |= 1U << http_loop_index(exchange->loop);
	while (rows[i].path.len > 0 && !view_eq(exchange->request.path, rows[i].path))
		i++;
	exchange->user = site;
	rows[i].fn(exchange);
}

static void
turn(void *ctx, struct http_loop *loop, struct http_exchange *waiting)
{
	struct test_site *site = ctx;

	site->turns++;
	for (; waiting != NULL; waiting = waiting->next) {
		assert_ptr_equal(waiting->user, site);
		assert_ptr_equal(waiting->loop, loop);
		site->seen++;
	}
}

static void
refuse(void *ctx, const struct error *err, struct http_reply *reply)
{
	(void)ctx;
	assert_true(err->message[0] != '\0');
	buf_print(&reply->body, "refused %d", reply->status);
}

static void *
run(void *ctx)
{
	struct test_site *site = ctx;
	struct error err;

	assert_true(http_server_run(site->server, &err));
	return NULL;
}

static const char *const addresses[] = { "127.0.0.1", "::1", NULL };

static struct http_settings
settings_of(struct test_site *site)
{
	return (struct http_settings){
		.addresses = addresses,
		.loops = 2,
		.max_connections = 200,
		.max_head = 2048,
		.max_body = 200000,
		.max_fields = 20,
		.max_arena = 65536,
		.head_seconds = 60,
		.body_seconds = 60,
		.idle_seconds = 60,
		.write_seconds = 60,
		.drain_seconds = 2,
		.tls = site->tls,
		.answer = answer,
		.turn = turn,
		.refuse = refuse,
		.ctx = site,
	};
}

void
test_site_start(struct test_site *site)
{
	struct error err;

	if (!http_server_open(&site->settings, &site->server, &err))
		fail_msg("%s", err.message);
	assert_int_equal(pthread_create(&site->thread, NULL, run, site), 0);
	site->running = true;
}

void
test_site_stop(struct test_site *site)
{
	if (site->running)
		http_server_stop(site->server);
	if (site->running)
		assert_int_equal(pthread_join(site->thread, NULL), 0);
	site->running = false;
}

int
test_site_make(void **ctx)
{
	struct test_site *site = calloc(1, sizeof(*site));
	struct error err;

	assert_non_null(site);
	site->cert = test_cert_new();
	assert_true(
	    tls_new(buf_view(&site->cert.chain), buf_view(&site->cert.key), &site->tls, &err));
	site->settings = settings_of(site);
	*ctx = site;
	return 0;
}

int
test_site_make_running(void **ctx)
{
	(void)test_site_make(ctx);
	test_site_start(*ctx);
	return 0;
}

int
test_site_make_hasty(void **ctx)
{
	struct test_site *site;

	(void)test_site_make(ctx);
	site = *ctx;
	site->settings.head_seconds = 1;
	site->settings.body_seconds = 1;
	site->settings.write_seconds = 1;
	test_site_start(site);
	return 0;
}

int
test_site_end(void **ctx)
{
	struct test_site *site = *ctx;

	test_site_stop(site);
	assert_int_equal(site->server == NULL ? 0 : http_server_connections(site->server), 0);
	assert_int_equal(site->seen, site->answered);
	http_server_free(site->server);
	tls_free(site->tls);
	test_cert_done(&site->cert);
	free(site);
	return 0;
}

struct peer
test_site_guest(struct test_site *site)
{
	struct peer peer =
	    peer_open(http_server_port(site->server), &(struct peer_wish){ .trust = &site->cert });

	assert_non_null(peer.ssl);
	return peer;
}
