"""Using keys, beside what `openssl speed` does on the same cores; and reads while keys are made."""

import concurrent.futures
import json
import os
import re
import subprocess
import time

from load import Result, cost, cost_ratio, median, rate, rate_ratio, rounds, wrk
from servers import run

CORES = os.cpu_count()
ROUNDS = 5
# What, its kind of key, its algorithm, bytes of the digest, openssl's name, its line, the budget.
SIGNS = (
    ("RSA-2048 sign", {"kty": "RSA", "key_size": 2048}, "RS256", 32, "rsa2048", r"rsa 2048 bits", 0.80),
    ("P-256 sign", {"kty": "EC", "crv": "P-256"}, "ES256", 32, "ecdsap256", r"256 bits ecdsa", 0.40),
    ("RSA-4096 sign", {"kty": "RSA", "key_size": 4096}, "RS256", 32, "rsa4096", r"rsa 4096 bits", 0.90),
)


def speed(name, line):
    """A second of signatures by openssl alone, which keeps all cores busy."""
    out = run("openssl", "speed", "-seconds", "1", "-multi", str(CORES), name)
    each = float(re.search(rf"^\s*{line}.*?([\d.]+)\s+[\d.]+$", out, re.M)[1])
    return Result(each, each, CORES)


def make(server, name, wish):
    headers = server.bearer() | {"Content-Type": "application/json"}
    server.request(f"{server.url}/keys/{name}/create?api-version=7.4", json.dumps(wish), headers, "POST")


def signer(server, headers, name, algorithm, size, connections, seconds=1):
    return wrk(server, f"{server.url}", connections, seconds, headers, KIND="sign", KEY=name,
               ALGORITHM=algorithm, DIGEST="A" * ((size * 4 + 2) // 3))


def latency(server, path, headers):
    """The 99th percentile of 2 seconds of reads on 4 connections, in milliseconds."""
    command = ["wrk", "-t1", "-c4", "-d2", "--latency", server.url + path]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def beside(server, headers, path, work):
    """Reads, with ${work} going on all the while."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(each) for each in work]
        time.sleep(0.5)
        result = latency(server, path, headers)
        for each in busy:
            each.result()
    return result


def makes(server, seconds):
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        make(server, f"made-{count}", {"kty": "RSA", "key_size": 2048})
        count += 1


def keys(table, server, nginx, path):
    headers = server.bearer()
    table.title("using keys, TLS keep-alive, audit on : openssl speed, all cores")
    for what, wish, algorithm, size, name, line, budget in SIGNS:
        make(server, name, wish)
        ours, limit, static = rounds(ROUNDS, lambda: signer(server, headers, name, algorithm, size, 16),
                                     lambda: speed(name, line),
                                     lambda: wrk(nginx, nginx.url + "/file", 16))
        # wrk takes its part of the cores; the server's own is what openssl is held against.
        table.ratio(f"{what}, for the cores it used, 16 connections", cost_ratio(ours, limit), budget,
                    f"{cost(ours):.1f} : {cost(limit):.1f} us of a core")
        both = [Result(1, 0, a.cost + b.cost) for a, b in zip(limit, static)]
        table.ratio("  : openssl's signature and nginx's static file", cost_ratio(ours, both), None,
                    f"{cost(ours):.1f} : {cost(limit):.1f} + {cost(static):.1f} us")
        table.ratio("  requests/s, wrk on the same cores", rate_ratio(ours, limit), None,
                    f"{rate(ours):.0f} : {rate(limit):.0f}")
    table.title("reads while RSA-4096 signs and RSA-2048 keys are made")
    idle = [latency(server, path, headers) for _ in range(3)]
    busy = [beside(server, headers, path, (
        lambda: signer(server, headers, "rsa4096", "RS256", 32, 16, 4), lambda: makes(server, 3)))
        for _ in range(3)]
    table.limit("p99 of GET secret : idle", median(busy) / median(idle), "x", 5,
                f"{median(busy):.2f} : {median(idle):.2f} ms")
