#!/usr/bin/env python3
"""bench.py BUILD: measure the server in BUILD beside its peers and limits; print one table.

What is compared runs in the same minute, by turns; a ratio is the median of the rounds' ratios.
Nothing here passes or fails: beside a budget stands whether it was met.
"""

import concurrent.futures
import http.client
import os
import re
import resource
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

from certificates import certificates
from control import control
from keys import keys
from load import Result, cost, cost_ratio, median, rate, rate_ratio, rounds, wrk
from servers import HOST, NGINX, Nginx, Strongroom, run

ROUNDS = 5
CORES = os.cpu_count()
SECRETS = 100_000
IDLE = 1000
VALUE = "0123456789abcdef" * 4
GET = "/secrets/one?api-version=7.4"


class Table:
    """Rows as they come: what, its number, the budget and whether it is met, how it came about."""

    def __init__(self):
        self.lines = []

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def title(self, text):
        self.say()
        self.say(text)

    def row(self, what, number, budget="", met=None, about=""):
        verdict = "" if met is None else "ok" if met else "below"
        self.say(f"  {what:<46} {number:>9}  {budget:<8} {verdict:<6} {about}".rstrip())

    def ratio(self, what, number, least=None, about=""):
        budget, met = ("", None) if least is None else (f">= {least:.2f}", number >= least)
        self.row(what, f"{number:.2f}", budget, met, about)

    def limit(self, what, number, unit, most, about=""):
        self.row(what, f"{number:.1f} {unit}", f"< {most}", number < most, about)


def said(*command):
    """The first line a program says about itself, wherever it says it."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True).stdout.splitlines()[0].strip()


def machine(table, binary):
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    versions = [said(binary, "version"), said(NGINX, "-v").removeprefix("nginx version: "),
                " ".join(said("openssl", "version").split()[:2]),
                "SQLite " + said("sqlite3", "--version").split()[0],
                " ".join(said("wrk", "-v").split()[:2])]
    table.say(f"{CORES} cores of {model}, Linux {os.uname().release}; "
              f"load average at the start {os.getloadavg()[0]:.1f}")
    table.say(", ".join(versions))
    table.say(f"Medians of {ROUNDS} rounds by turns unless said otherwise; "
              "of ratios, above 1 is in our favour.")


def get(table, server, logging, silent):
    """GET a secret beside nginx with a static file as large as the reply's body."""
    headers = server.bearer()
    table.title("GET secret, TLS 1.3, keep-alive, audit on : nginx, static file, access log on")
    sides = [lambda: wrk(server, server.url + GET, connections, headers=headers),
             lambda: wrk(logging, logging.url + "/file", connections)]
    for connections in 8, 32, 64:
        if connections == 32:
            sides.append(lambda: wrk(silent, silent.url + "/file", connections))
        ours, theirs, *quiet = rounds(ROUNDS, *sides)
        sides = sides[:2]
        table.ratio(f"requests/s, {connections} connections", rate_ratio(ours, theirs), 0.70,
                    f"{rate(ours):.0f} : {rate(theirs):.0f}, the aim is 0.90")
        if quiet:
            table.ratio("  the same, nginx without a log", rate_ratio(ours, quiet[0]), None,
                        f"{rate(ours):.0f} : {rate(quiet[0]):.0f}")
            table.ratio("  the server's processor time each", cost_ratio(ours, theirs), None,
                        f"{cost(ours):.1f} : {cost(theirs):.1f} us")


def floor(folder, build, rows):
    """A run of sqlite_floor in an empty folder."""
    with tempfile.TemporaryDirectory(dir=folder) as empty:
        return Result(0, float(run(build + "/sqlite_floor", empty + "/db", "1", "64", str(rows))))


def sets(table, server, folder, build):
    """Set secrets, durable, beside SQLite alone on the same file system.  Returns how many."""
    headers, made = server.bearer(), 0

    def ours():
        nonlocal made
        result = wrk(server, server.url, 64, headers=headers, KIND="set", FIRST=made + 1)
        made += max(result.count - 64, 0)
        return result

    table.title("set secret, durable, 64 clients : SQLite alone, one writer committing for 64 threads")
    results, three, one = rounds(ROUNDS, ours, lambda: floor(folder, build, 3),
                                 lambda: floor(folder, build, 1))
    table.ratio("secrets/s : commits/s of the same three rows", rate_ratio(results, three), 0.60,
                f"{rate(results):.0f} : {rate(three):.0f}")
    table.ratio("  : commits/s of one small row", rate_ratio(results, one), None,
                f"{rate(results):.0f} : {rate(one):.0f}")
    return made


def start_once(binary, data):
    """Milliseconds from exec to the first 200."""
    server = Strongroom(binary, data)
    begin = time.monotonic()
    server.begin()
    try:
        server.await_answer("/healthstatus")
        return 1000 * (time.monotonic() - begin)
    finally:
        server.stop()


def starts(table, binary, folder):
    first = []
    for number in range(ROUNDS):
        data = f"{folder}/start-{number}"
        first.append(start_once(binary, data))
    again = [start_once(binary, data) for _ in range(11)]
    table.title("start, from exec to the first 200 over TLS")
    table.limit("of a data folder that is there (median of 11)", median(again), "ms", 100,
                f"{min(again):.0f} to {max(again):.0f}")
    table.row("of an empty one", f"{median(first):.1f} ms", about=f"{min(first):.0f} to {max(first):.0f}")


def idle_connections(server):
    """So many connections that have had one answer each."""
    connections = []
    for _ in range(IDLE):
        connection = server.connect()
        connection.sendall(f"GET /healthstatus HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        connection.recv(4096)
        connections.append(connection)
    return connections


def memory(table, server):
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


def handshakes(server):
    """Full handshakes, one client a core."""
    command = ["openssl", "s_time", "-new", "-time", "1", "-tls1_3", "-verify", "2",
               "-CAfile", server.ca, "-connect", f"127.0.0.1:{server.port}"]
    before = server.cpu()
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        outs = list(pool.map(lambda _: run(*command), range(CORES)))
    counts = [re.search(r"(\d+) connections in (\d+) real seconds", out) for out in outs]
    return Result(sum(int(count[1]) for count in counts),
                  sum(int(count[1]) / int(count[2]) for count in counts), server.cpu() - before)


def rsa_speed():
    """RSA-2048 signatures a second, on all cores."""
    out = run("openssl", "speed", "-seconds", "1", "-multi", str(CORES), "rsa2048")
    return Result(0, float(re.search(r"^rsa 2048 bits.*?([\d.]+)\s+[\d.]+$", out, re.M)[1]))


def signing(table, server, nginx):
    table.title("signatures")
    ours, theirs = rounds(ROUNDS, lambda: handshakes(server), lambda: handshakes(nginx))
    table.ratio("full TLS handshakes/s : nginx", rate_ratio(ours, theirs), None,
                f"{rate(ours):.0f} : {rate(theirs):.0f}")
    table.ratio("  the server's processor time each", cost_ratio(ours, theirs), None,
                f"{cost(ours):.0f} : {cost(theirs):.0f} us")
    ours, limit = rounds(ROUNDS, lambda: wrk(server, server.sign_in, 8, KIND="token",
                                             FORM=server.form), rsa_speed)
    table.ratio("tokens/s : RSA-2048 signatures/s, all cores", rate_ratio(ours, limit), None,
                f"{rate(ours):.0f} : {rate(limit):.0f}")


def fill(server, made):
    """On from ${made} to SECRETS."""
    headers, end = server.bearer(), time.monotonic() + 60
    while made < SECRETS and time.monotonic() < end:
        result = wrk(server, server.url, 128, 2, headers, KIND="set", FIRST=made + 1)
        made += max(result.count - 128, 0)
    return made


def page(connection, headers, path):
    """One page of a list, and where the next one is."""
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    body = reply.read().decode()
    if reply.status != 200:
        raise SystemExit(f"{path}: {reply.status} {body}")
    link = re.search(r'"nextLink":"https://[^/]*([^"]*)"', body)
    return link and link[1]


def pages(table, server):
    headers, first = server.bearer(), "/secrets?api-version=7.4&maxresults=25"
    connection = http.client.HTTPSConnection(HOST, server.port, timeout=30,
                                             context=ssl.create_default_context(cafile=server.ca))
    depth, deep, path = 0, first, first
    while path and depth < 2000:
        deep, path, depth = path, page(connection, headers, path), depth + 1

    def timed(where):
        begin = time.perf_counter()
        for _ in range(20):
            page(connection, headers, where)
        return (time.perf_counter() - begin) / 20

    early, late = rounds(ROUNDS, lambda: timed(first), lambda: timed(deep))
    table.ratio(f"a list's first page : page {depth}", median(a / b for a, b in zip(early, late)),
                0.77, f"{1e6 * median(early):.0f} : {1e6 * median(late):.0f} us, 25 secrets a page")
    connection.close()


def growth(table, small, large, made):
    count = fill(large, made)
    # wrk asks its script for one request more than it sends: the first name is left out.
    for name in "one", "name-1":
        large.set_secret(name, VALUE)
    table.title(f"growth: a vault with {count} secrets : one with 1 (GET, 32 connections)")
    few, many = small.bearer(), large.bearer()
    base, same, some = rounds(
        ROUNDS, lambda: wrk(small, small.url + GET, 32, headers=few),
        lambda: wrk(large, large.url + GET, 32, headers=many),
        lambda: wrk(large, large.url, 32, headers=many, KIND="any", COUNT=count))
    table.ratio("the same secret again and again", rate_ratio(same, base), 0.77,
                f"{rate(same):.0f} : {rate(base):.0f}")
    table.ratio("any of them", rate_ratio(some, base), 0.77, f"{rate(some):.0f} : {rate(base):.0f}")
    pages(table, large)


def measure(table, build, folder):
    binary = os.path.join(build, "strongroom")
    machine(table, binary)
    small, large, governed = (Strongroom(binary, folder + name)
                              for name in ("/small", "/large", "/governed"))
    servers = [small, large, governed]
    try:
        small.up()
        memory(table, small)
        starts(table, binary, folder)
        size = len(small.set_secret("one", VALUE))
        logging, silent = (Nginx(folder + name, size, log)
                           for name, log in (("/logging", True), ("/silent", False)))
        servers += [logging, silent]
        for server in large, governed, logging, silent:
            server.up()
        get(table, small, logging, silent)
        signing(table, small, silent)
        keys(table, small, logging, GET)
        certificates(table, small, build)
        made = sets(table, large, folder, build)
        growth(table, small, large, made)
        control(table, small, governed, GET, VALUE)
    finally:
        for server in servers:
            server.stop()


def main():
    build = os.path.abspath(sys.argv[1])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    table, begin = Table(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench.", dir=build) as folder:
        measure(table, build, folder)
    table.title(f"{time.monotonic() - begin:.0f} s")
    with open(build + "/bench.txt", "w") as file:
        file.write("\n".join(table.lines) + "\n")


if __name__ == "__main__":
    main()
