#!/usr/bin/env python3
"""bench.py BUILD [growth|openbao]: measure the server in BUILD beside its peers and limits; print one table.

What is compared runs in the same minute, by turns; a ratio is the median of the rounds' ratios.
Nothing here passes or fails: beside a budget stands whether it was met.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time

import memory
from certificates import certificates
from control import control
from durability import durability, sets
from growth import growth, million
from handshakes import handshakes
from keys import keys
from load import GET, VALUE, Result, cost, cost_ratio, median, rate, rate_ratio, rounds, wrk
from openbao import openbao
from servers import NGINX, Nginx, Strongroom, run, start_once

ROUNDS = 5
CORES = os.cpu_count()


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


def rsa_speed():
    """RSA-2048 signatures a second, on all cores."""
    out = run("openssl", "speed", "-seconds", "1", "-multi", str(CORES), "rsa2048")
    return Result(0, float(re.search(r"^rsa 2048 bits.*?([\d.]+)\s+[\d.]+$", out, re.M)[1]))


def tokens(table, server):
    table.title("tokens")
    ours, limit = rounds(ROUNDS, lambda: wrk(server, server.sign_in, 8, KIND="token",
                                             FORM=server.form), rsa_speed)
    table.ratio("tokens/s : RSA-2048 signatures/s, all cores", rate_ratio(ours, limit), None,
                f"{rate(ours):.0f} : {rate(limit):.0f}")


def measure(table, build, folder):
    binary = os.path.join(build, "strongroom")
    small, large, governed = (Strongroom(binary, folder + name)
                              for name in ("/small", "/large", "/governed"))
    servers = [small, large, governed]
    try:
        small.up()
        memory.idle(table, small)
        starts(table, binary, folder)
        size = len(small.set_secret("one", VALUE))
        logging, silent = (Nginx(folder + name, size, log)
                           for name, log in (("/logging", True), ("/silent", False)))
        servers += [logging, silent]
        for server in large, governed, logging, silent:
            server.up()
        get(table, small, logging, silent)
        memory.loaded(table, small, logging)
        handshakes(table, binary, build, folder, silent)
        tokens(table, small)
        keys(table, small, logging, build, GET)
        certificates(table, small, build)
        made = sets(table, large, folder, build)
        durability(table, binary, build, folder)
        growth(table, small, large, made)
        control(table, small, governed, GET, VALUE)
        openbao(table, build, folder)
    finally:
        for server in servers:
            server.stop()


# What is measured, and where the table goes, by what script/bench is asked for.
PARTS = {"": (measure, "bench.txt"), "growth": (million, "bench-growth.txt"),
         "openbao": (openbao, "bench-openbao.txt")}


def main():
    build, part = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    run_part, name = PARTS[part]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    table, begin = Table(), time.monotonic()
    machine(table, build + "/strongroom")
    with tempfile.TemporaryDirectory(prefix="bench.", dir=build) as folder:
        run_part(table, build, folder)
    table.title(f"{time.monotonic() - begin:.0f} s")
    with open(f"{build}/{name}", "w") as file:
        file.write("\n".join(table.lines) + "\n")


if __name__ == "__main__":
    main()
