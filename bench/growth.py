"""Many secrets: what they cost those who read, list and set one, the start, the disk and the memory."""

import http.client
import os
import re
import sqlite3
import ssl
import time

from load import GET, VALUE, cost, cost_ratio, median, rate, rate_ratio, rounds, wrk
from servers import HOST, Strongroom, start_once

ROUNDS = 5
GROWN = 100_000
LARGE, SMALL = 1_000_000, 100
SETTERS = 128
PAGE = 25
PAGES = 2000  # from the first one, in the plain run


def fill(server, made, wanted, seconds):
    """Sets secrets, as any client does, on from ${made} to ${wanted}, for so many seconds at most."""
    end = time.monotonic() + seconds
    while made < wanted and time.monotonic() < end:
        turn = 5 if wanted - made > 100_000 else 2
        result = wrk(server, server.url, SETTERS, turn, server.bearer(), KIND="set", FIRST=made + 1)
        made += max(result.count - SETTERS, 0)
    # wrk asks its script for one request more than it sends: the first name is left out.
    for name in "one", "name-1":
        server.set_secret(name, VALUE)
    return made


def fill_few(server):
    for name in "one", *(f"name-{number}" for number in range(1, SMALL)):
        server.set_secret(name, VALUE)
    return SMALL


class Lists:
    """Somebody who reads a server's lists of secrets over one connection."""

    first = f"/secrets?api-version=7.4&maxresults={PAGE}"

    def __init__(self, server):
        self.headers = server.bearer()
        self.connection = http.client.HTTPSConnection(
            HOST, server.port, timeout=30, context=ssl.create_default_context(cafile=server.ca))

    def page(self, path):
        """One page, and where the next one is."""
        self.connection.request("GET", path, headers=self.headers)
        reply = self.connection.getresponse()
        body = reply.read().decode()
        if reply.status != 200:
            raise SystemExit(f"{path}: {reply.status} {body}")
        link = re.search(r'"nextLink":"https://[^/]*([^"]*)"', body)
        return link and link[1]

    def walk(self, pages):
        """The page so many from the first, or the last one; and which it is."""
        depth, deep, path = 0, self.first, self.first
        while path and depth < pages:
            deep, path, depth = path, self.page(path), depth + 1
        return deep, depth

    def timed(self, path):
        begin = time.perf_counter()
        for _ in range(20):
            self.page(path)
        return (time.perf_counter() - begin) / 20

    def close(self):
        self.connection.close()


def faster(ours, theirs):
    """Of times: above 1, ours are shorter."""
    return median(b / a for a, b in zip(ours, theirs))


def gets(table, small, large, few, many):
    """Whether the vault is large is to make no difference to those who read a secret."""
    tokens = {server: server.bearer() for server in (small, large)}

    # wrk puts every request together anew, for each side alike: that takes it time.
    def reading(server, count):
        return lambda: wrk(server, server.url, 32, headers=tokens[server], KIND="any", COUNT=count)

    base, same, some = rounds(ROUNDS, reading(small, few), reading(large, 1), reading(large, many))
    table.ratio("GET the same secret again and again", rate_ratio(same, base), 0.77,
                f"{rate(same):.0f} : {rate(base):.0f}")
    table.ratio("GET any of them", rate_ratio(some, base), 0.77, f"{rate(some):.0f} : {rate(base):.0f}")
    table.ratio("  the server's processor time each", cost_ratio(some, base), None,
                f"{cost(some):.1f} : {cost(base):.1f} us")
    table.ratio("  : the same one of the large vault", rate_ratio(some, same), None,
                f"{rate(some):.0f} : {rate(same):.0f}")


def pages(table, large, count):
    lists = Lists(large)
    begin = time.perf_counter()
    deep, depth = lists.walk(count)
    each = (time.perf_counter() - begin) / depth
    early, late = rounds(ROUNDS, lambda: lists.timed(lists.first), lambda: lists.timed(deep))
    table.ratio(f"a list's first page : page {depth}", faster(late, early), 0.77,
                f"{1e6 * median(early):.0f} : {1e6 * median(late):.0f} us, {PAGE} secrets a page; "
                f"{1e6 * each:.0f} us each on the way there")
    lists.close()


def first_pages(table, small, large):
    few, many = Lists(small), Lists(large)
    base, grown = rounds(ROUNDS, lambda: few.timed(few.first), lambda: many.timed(many.first))
    table.ratio("a list's first page", faster(grown, base), 0.77,
                f"{1e6 * median(grown):.0f} : {1e6 * median(base):.0f} us, {PAGE} secrets a page")
    for lists in few, many:
        lists.close()


def growth(table, small, large, made):
    count = fill(large, made, GROWN, 60)
    small.set_secret("name-1", VALUE)
    table.title(f"growth: a vault with {count} secrets : one with 1 (GET: 32 connections)")
    gets(table, small, large, 1, count)
    pages(table, large, PAGES)


def sets(table, small, large, few, many):
    """New secrets between the others.  Returns how many each has in the end."""
    made = {small: few, large: many}

    def setting(server):
        result = wrk(server, server.url, 64, headers=server.bearer(), KIND="scatter", FIRST=made[server] + 1)
        made[server] += max(result.count - 64, 0)
        return result

    base, grown = rounds(ROUNDS, lambda: setting(small), lambda: setting(large))
    table.ratio("set secret, durable, 64 clients", rate_ratio(grown, base), 0.77,
                f"{rate(grown):.0f} : {rate(base):.0f}, the small one has {made[small]} in the end")
    table.ratio("  the server's processor time each", cost_ratio(grown, base), None,
                f"{cost(grown):.1f} : {cost(base):.1f} us")
    return made[small], made[large]


def start_killed(server, count):
    """Milliseconds to the first 200 of a server that was killed while it set secrets."""
    server.up()
    wrk(server, server.url, 64, headers=server.bearer(), KIND="scatter", FIRST=count + 1)
    server.kill()
    return start_once(server.binary, server.data)


def starts(table, small, large, few, many):
    """Of stopped servers, then of killed ones."""
    for server in small, large:
        server.stop()
    base, grown = rounds(ROUNDS, lambda: start_once(small.binary, small.data),
                         lambda: start_once(large.binary, large.data))
    table.limit("start, from exec to the first 200 over TLS", median(grown), "ms", 100,
                f"the small one {median(base):.1f} ms")
    base, grown = rounds(3, lambda: start_killed(small, few), lambda: start_killed(large, many))
    table.row("  killed while it set secrets (median of 3)", f"{median(grown):.1f} ms",
              about=f"the small one {median(base):.1f} ms")


def resident(table, small, large, what):
    each = [server.memory("VmRSS") / 1024 for server in (large, small)]
    table.row(f"resident {what}", f"{each[0]:.1f} MB", about=f"the small one {each[1]:.1f} MB")


def sizes(table, data, count):
    """The store's file, when the server has stopped, beside what its documents are."""
    file = data + "/store.db"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
        documents = store.execute("SELECT sum(length(key) + length(value)) FROM doc").fetchone()[0]
    table.ratio("the documents : the store's file", documents / os.path.getsize(file), None,
                f"{documents / count:.0f} : {os.path.getsize(file) / count:.0f} bytes a secret "
                f"with one version of {len(VALUE)} bytes")


def million(table, build, folder):
    """script/bench growth."""
    small, large = (Strongroom(build + "/strongroom", folder + name) for name in ("/small", "/large"))
    servers = [small, large]
    try:
        for server in servers:
            server.up()
        few = fill_few(small)
        begin = time.monotonic()
        many = fill(large, 0, LARGE, 3600)
        took = time.monotonic() - begin
        table.title(f"growth: a vault with {many} secrets : one with {few} (GET: 32 connections)")
        table.row("filled, by setting each of them, in", f"{took:.0f} s",
                  about=f"{many / took:.0f} secrets/s, {SETTERS} clients")
        gets(table, small, large, few - 1, many)
        first_pages(table, small, large)
        pages(table, large, many // PAGE // 2)
        resident(table, small, large, "after all that")
        few, many = sets(table, small, large, few, many)
        starts(table, small, large, few, many)
        for server in small, large:
            server.up()
        resident(table, small, large, "after the start")
        for server in small, large:
            server.stop()
        sizes(table, large.data, many)
    finally:
        for server in servers:
            server.stop()
