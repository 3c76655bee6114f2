"""Certificates issued, from the request to the finished operation, beside generating as many keys."""

import concurrent.futures
import http.client
import json
import ssl
import time

from keys import floor
from load import Result, cost, cost_ratio, rate, rate_ratio, rounds
from servers import HOST

ROUNDS = 3
CLIENTS = 8
# The key, its policy, how many a round.  A finished one is three documents in one durable commit, after
# the request's own.
KEYS = (("RSA-2048", {"kty": "RSA", "key_size": 2048}, 40), ("P-256", {"kty": "EC", "crv": "P-256"}, 400))


def ask(connection, method, path, headers, body=None):
    connection.request(method, path + "?api-version=7.4", body, headers)
    reply = connection.getresponse()
    text = reply.read()
    if reply.status >= 300:
        raise SystemExit(f"{method} {path}: {reply.status} {text[:300]}")
    return json.loads(text)


def connect(server):
    return http.client.HTTPSConnection(HOST, server.port, timeout=120,
                                       context=ssl.create_default_context(cafile=server.ca))


def create(server, headers, names, policy):
    connection = connect(server)
    for name in names:
        ask(connection, "POST", f"/certificates/{name}/create", headers, json.dumps({"policy": policy}))
    connection.close()


def finish(server, headers, names):
    connection = connect(server)
    for name in names:
        while (operation := ask(connection, "GET", f"/certificates/{name}/pending", headers))["status"] != "completed":
            if operation["status"] != "inProgress":
                raise SystemExit(f"{name}: {operation}")
            time.sleep(0.02)
    connection.close()


def issue(server, headers, prefix, wish, count):
    policy = {"issuer": {"name": "Self"}, "key_props": wish, "x509_props": {"subject": "CN=bench"}}
    headers = headers | {"Content-Type": "application/json"}
    names = [f"{prefix}-{number}" for number in range(count)]
    before, begun = server.cpu(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for each in [pool.submit(create, server, headers, names[start::CLIENTS], policy) for start in range(CLIENTS)]:
            each.result()
    finish(server, headers, names)
    return Result(count, count / (time.monotonic() - begun), server.cpu() - before)


def certificates(table, server, build):
    headers, number = server.bearer(), 0

    def ours():
        nonlocal number
        number += 1
        return issue(server, headers, f"{name.lower()}-{number}", wish, count)

    table.title("certificates issued by themselves, durable, audit on : keys generated, all cores")
    for name, wish, count in KEYS:
        made, limit = rounds(ROUNDS, ours, lambda: floor(build, name, 2))
        table.ratio(f"{name}, for the cores it used", cost_ratio(made, limit), None,
                    f"{cost(made):.0f} : {cost(limit):.0f} us of a core")
        table.ratio("  finished certificates/s : keys/s", rate_ratio(made, limit), None,
                    f"{rate(made):.0f} : {rate(limit):.0f}, two seconds of each round are the wait in "
                    "which one can cancel")
