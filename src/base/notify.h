/*
 * Readiness for a supervisor: systemd's notification protocol (sd_notify(3)).
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

/* notify_send(state): "READY=1", "STOPPING=1" ...; nothing without NOTIFY_SOCKET. */
void notify_send(const char *state);

#endif
