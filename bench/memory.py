"""Resident memory: idle, of idle connections, and behind a load."""

import time

from keys import make, signer
from load import GET, wrk
from servers import HOST

IDLE = 1000
LOAD_SECONDS = 20
LOADERS = 64


def idle_connections(server):
    """So many connections that have had one answer each."""
    connections = []
    for _ in range(IDLE):
        connection = server.connect()
        connection.sendall(f"GET /healthstatus HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        connection.recv(4096)
        connections.append(connection)
    return connections


def megabytes(server, what="VmRSS"):
    return server.memory(what) / 1024


def idle(table, server):
    before = {what: server.memory(what) for what in ("VmRSS", "Pss")}
    connections = idle_connections(server)
    time.sleep(1)
    each = (server.memory("VmRSS") - before["VmRSS"]) / IDLE
    for connection in connections:
        connection.close()
    table.title("memory")
    table.limit("resident after the start", before["VmRSS"] / 1024, "MB", 30,
                f"Pss {before['Pss'] / 1024:.1f} MB")
    table.limit("each idle TLS connection", each, "KB", 20, f"{IDLE} of them, one request behind each")


def loaded(table, server, nginx):
    """Behind so many seconds of reads, of signatures, and of both kinds again."""
    headers, key = server.bearer(), "loaded"
    make(server, key, {"kty": "EC", "crv": "P-256"})
    before = megabytes(server), megabytes(nginx)
    reads = wrk(server, server.url + GET, LOADERS, LOAD_SECONDS, headers)
    wrk(nginx, nginx.url + "/file", LOADERS, LOAD_SECONDS // 3)
    after = megabytes(server), megabytes(nginx)
    signs = signer(server, headers, key, "ES256", 32, LOADERS, LOAD_SECONDS)
    signed = megabytes(server)
    for _ in range(2):
        wrk(server, server.url + GET, LOADERS, LOAD_SECONDS // 3, headers)
        signer(server, headers, key, "ES256", 32, LOADERS, LOAD_SECONDS // 3)
    table.title(f"memory behind a load, {LOADERS} connections : nginx serving the file, all its processes")
    table.row("resident before", f"{before[0]:.1f} MB", about=f"nginx {before[1]:.1f} MB")
    table.row(f"after {reads.count} times GET secret", f"{after[0]:.1f} MB", about=f"nginx {after[1]:.1f} MB")
    table.row(f"after {signs.count} P-256 signatures", f"{signed:.1f} MB")
    table.limit("after as many again : before them", megabytes(server) / signed, "x", 1.05,
                f"{megabytes(server):.1f} MB: it does not creep")
