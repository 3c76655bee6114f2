/* The server: its loops and their threads. */
#include "base/attr.h"
#include "http/crowd.h"
#include "http/http.h"
#include "http/loop.h"

#include <signal.h>
#include <stdlib.h>

struct http_server {
	struct http_settings settings;
	unsigned port;
	atomic_uint connections;
	struct crowd *crowd; /* NULL: addresses are not counted */
	struct http_loop *loops;
	unsigned loop_count; /* of those that were opened */
	uv_thread_t *threads;
	unsigned thread_count;
};

static void
server_done(struct http_server **server)
{
	http_server_free(*server);
}

static bool
loops_open(struct http_server *server, struct error *err)
{
	const struct http_settings *settings = &server->settings;

	while (server->loop_count < settings->loops) {
		unsigned i = server->loop_count++;

		if (!loop_open(&server->loops[i], settings, &server->connections, i, err))
			return false;
		server->loops[i].crowd = server->crowd;
	}
	return listen_on(settings, server->loops, &server->port, err);
}

bool
http_server_open(const struct http_settings *settings, struct http_server **out, struct error *err)
{
	AUTO(server_done) struct http_server *server = calloc(1, sizeof(*server));

	if (settings->loops == 0 || settings->addresses[0] == NULL)
		return error_set(err, ERR_BAD_PARAMETER, "no loop or no address to listen on");
	if (server == NULL)
		return error_memory(err);
	server->settings = *settings;
	server->loops = calloc(settings->loops, sizeof(*server->loops));
	server->threads = calloc(settings->loops, sizeof(*server->threads));
	if (server->loops == NULL || server->threads == NULL)
		return error_memory(err);
	if (settings->max_from_address > 0)
		server->crowd = crowd_new(settings->max_from_address);
	if (settings->max_from_address > 0 && server->crowd == NULL)
		return error_memory(err);
	/* A client that is gone is an error of write(), not a signal. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (!loops_open(server, err))
		return false;
	*out = server;
	server = NULL;
	return true;
}

unsigned
http_server_port(const struct http_server *server)
{
	return server->port;
}

unsigned
http_server_connections(const struct http_server *server)
{
	return atomic_load(&server->connections);
}

static void
thread_run(void *loop)
{
	loop_run(loop);
}

/* Signals are for the first thread, the caller's: the others start with all of them blocked. */
static int
threads_start(struct http_server *server)
{
	sigset_t all, before;
	int result = 0;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 1; result == 0 && i < server->loop_count; i++) {
		result = uv_thread_create(&server->threads[i], thread_run, &server->loops[i]);
		if (result == 0)
			server->thread_count++;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

bool
http_server_run(struct http_server *server, struct error *err)
{
	int result = threads_start(server);

	if (result != 0)
		http_server_stop(server);
	loop_run(&server->loops[0]);
	for (unsigned i = 1; i <= server->thread_count; i++)
		(void)uv_thread_join(&server->threads[i]);
	if (result != 0)
		return error_set(err, ERR_INTERNAL, "can't start a thread: %s",
		    uv_strerror(result));
	return true;
}

void
http_server_stop(struct http_server *server)
{
	for (unsigned i = 0; i < server->loop_count; i++)
		loop_stop(&server->loops[i]);
}

void
http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	for (unsigned i = 0; i < server->loop_count; i++)
		loop_close(&server->loops[i]);
	crowd_free(server->crowd);
	free(server->threads);
	free(server->loops);
	free(server);
}
