"""Using keys, beside what `openssl speed` does on the same cores; and reads while keys are made."""

import concurrent.futures
import json
import operator
import os
import re
import subprocess
import time

from load import Result, cost, cost_ratio, median, rate, rate_ratio, rounds, wrk
from servers import run

CORES = os.cpu_count()
ROUNDS = 5
BEHIND = 15  # steps of niceness, as src/answer.c has them
WRAPPING = "RSA-OAEP-256"
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


def floor(build, kind, seconds):
    """What libcrypto alone does with keys, on all cores."""
    count, elapsed, cpu = run(build + "/key_floor", kind, str(seconds), str(CORES)).split()
    return Result(int(count), int(count) / float(elapsed), float(cpu))


def post(server, path, wish):
    headers = server.bearer() | {"Content-Type": "application/json"}
    return json.loads(server.request(f"{server.url}/keys/{path}?api-version=7.4", json.dumps(wish), headers,
                                     "POST"))


def make(server, name, wish):
    post(server, name + "/create", wish)


def zeros(size):
    """So many zero bytes in base64url."""
    return "A" * ((size * 4 + 2) // 3)


def use(server, headers, operation, name, algorithm, value, connections, seconds=1):
    return wrk(server, server.url, connections, seconds, headers, KIND="use", OPERATION=operation, KEY=name,
               ALGORITHM=algorithm, INPUT=value)


def signer(server, headers, name, algorithm, size, connections, seconds=1):
    return use(server, headers, "sign", name, algorithm, zeros(size), connections, seconds)


def latency(url, headers=None):
    """The 99th percentile of 2 seconds of reads on 4 connections, in milliseconds."""
    command = ["wrk", "-t1", "-c4", "-d2", "--latency", url]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def beside(read, *work):
    """What ${read} says, with ${work} going on all the while."""
    with concurrent.futures.ThreadPoolExecutor(len(work)) as pool:
        busy = [pool.submit(each) for each in work]
        time.sleep(0.5)
        result = read()
        for each in busy:
            each.result()
    return result


def burn():
    """RSA-4096 on all cores, as far behind in priority as the server's threads for it."""
    run("nice", "-n", str(BEHIND), "openssl", "speed", "-seconds", "3", "-multi", str(CORES), "rsa4096")


def makes(server, seconds):
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        make(server, f"made-{count}", {"kty": "RSA", "key_size": 2048})
        count += 1


def compare(table, what, each, budget, ours, limit, static):
    """The server's work beside the bare operation, and beside that and answering any request at all."""
    # wrk takes its part of the cores; the server's own is what the limit is held against.
    table.ratio(f"{what}, for the cores it used, 16 connections", cost_ratio(ours, limit), budget,
                f"{cost(ours):.1f} : {cost(limit):.1f} us of a core")
    both = [Result(1, 0, a.cost + b.cost) for a, b in zip(limit, static)]
    table.ratio(f"  : {each} and nginx's static file", cost_ratio(ours, both), None,
                f"{cost(ours):.1f} : {cost(limit):.1f} + {cost(static):.1f} us")
    table.ratio("  requests/s, wrk on the same cores", rate_ratio(ours, limit), None,
                f"{rate(ours):.0f} : {rate(limit):.0f}")


def signs(table, server, nginx):
    headers = server.bearer()
    table.title("using keys, TLS keep-alive, audit on : openssl speed, all cores")
    for what, wish, algorithm, size, name, line, budget in SIGNS:
        make(server, name, wish)
        compare(table, what, "openssl's signature", budget,
                *rounds(ROUNDS, lambda: signer(server, headers, name, algorithm, size, 16),
                        lambda: speed(name, line), lambda: wrk(nginx, nginx.url + "/file", 16)))


def wraps(table, server, nginx, build):
    """An AES key wrapped, and unwrapped again, by an RSA key."""
    headers, name, key = server.bearer(), "wrapping", zeros(32)
    make(server, name, {"kty": "RSA", "key_size": 2048})
    wrapped = post(server, name + "/wrapkey", {"alg": WRAPPING, "value": key})["value"]
    table.title(f"wrapping 32 bytes, RSA-2048, {WRAPPING} : libcrypto alone, all cores")
    for what, value, kind in ("unwrapkey", wrapped, "unwrap"), ("wrapkey", key, "wrap"):
        compare(table, what, "libcrypto's", None,
                *rounds(ROUNDS, lambda: use(server, headers, what, name, WRAPPING, value, 16),
                        lambda: floor(build, kind, 1), lambda: wrk(nginx, nginx.url + "/file", 16)))


def busy_reads(table, server, nginx, path):
    """The tail of reads beside what burns, and what is left of it when the scheduler alone makes it."""
    headers = server.bearer()
    ours, theirs = (lambda: latency(server.url + path, headers)), (lambda: latency(nginx.url + "/file"))
    idle, busy, quiet, burnt = rounds(
        ROUNDS, ours,
        lambda: beside(ours, lambda: signer(server, headers, "rsa4096", "RS256", 32, 16, 4), lambda: makes(server, 3)),
        theirs, lambda: beside(theirs, burn))
    table.title("reads while RSA-4096 signs and RSA-2048 keys are made")
    table.limit("p99 of GET secret : idle", median(map(operator.truediv, busy, idle)), "x", 5,
                f"{median(busy):.2f} : {median(idle):.2f} ms")
    table.row("  of nginx's file, beside openssl alone : idle",
              f"{median(map(operator.truediv, burnt, quiet)):.1f} x",
              about=f"{median(burnt):.2f} : {median(quiet):.2f} ms")


def keys(table, server, nginx, build, path):
    signs(table, server, nginx)
    wraps(table, server, nginx, build)
    busy_reads(table, server, nginx, path)
