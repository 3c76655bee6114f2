"""Certificates issued, from the request to the finished operation, beside generating as many keys."""

import http.client
import json
import os
import ssl
import time

from load import Result, cost, cost_ratio, rate, rate_ratio, rounds, wrk
from servers import HOST, run

CORES = os.cpu_count()
ROUNDS = 3
SECONDS = 4
# The key, its policy.  A finished one is three documents in one durable commit, after the request's own.
KEYS = (("RSA-2048", {"kty": "RSA", "key_size": 2048}), ("P-256", {"kty": "EC", "crv": "P-256"}))


def finish(server, headers, prefix, count):
    """Wait until the first ${count} are there."""
    connection = http.client.HTTPSConnection(HOST, server.port, timeout=30,
                                             context=ssl.create_default_context(cafile=server.ca))
    for number in range(1, count + 1):
        path = f"/certificates/{prefix}-{number}/pending?api-version=7.4"
        while True:
            connection.request("GET", path, headers=headers)
            reply = connection.getresponse()
            body = json.loads(reply.read())
            if reply.status != 200 or body["status"] not in ("inProgress", "completed"):
                raise SystemExit(f"{path}: {reply.status} {body}")
            if body["status"] == "completed":
                break
            time.sleep(0.02)
    connection.close()


def issue(server, headers, prefix, wish):
    policy = {"issuer": {"name": "Self"}, "key_props": wish, "x509_props": {"subject": "CN=bench"}}
    before, begun = server.cpu(), time.monotonic()
    # wrk asks its script for one request more than it sends: the first name is left out.
    count = wrk(server, server.url, 16, SECONDS, headers, KIND="certificate", PREFIX=prefix, FIRST=0,
                POLICY=json.dumps(policy)).count - 16
    finish(server, headers, prefix, count)
    return Result(count, count / (time.monotonic() - begun), server.cpu() - before)


def generate(build, name):
    count, seconds, cpu = run(build + "/key_floor", name, "2", str(CORES)).split()
    return Result(int(count), int(count) / float(seconds), float(cpu))


def certificates(table, server, build):
    headers, number = server.bearer(), 0

    def ours():
        nonlocal number
        number += 1
        return issue(server, headers, f"{name.lower()}-{number}", wish)

    table.title("certificates issued by themselves, durable, audit on : keys generated, all cores")
    for name, wish in KEYS:
        made, limit = rounds(ROUNDS, ours, lambda: generate(build, name))
        table.ratio(f"{name}, for the cores it used", cost_ratio(made, limit), None,
                    f"{cost(made):.0f} : {cost(limit):.0f} us of a core")
        table.ratio("  finished certificates/s : keys/s", rate_ratio(made, limit), None,
                    f"{rate(made):.0f} : {rate(limit):.0f}, two seconds of each round are the wait in "
                    "which one can cancel")
