"""What it costs that nothing acknowledged is lost, and that nothing is answered unrecorded."""

import tempfile

from load import GET, VALUE, Result, rate, rate_ratio, rounds, wrk
from servers import Strongroom, run

ROUNDS = 5


def floor(folder, build, rows, threads=64, synchronous="FULL"):
    """A run of sqlite_floor in an empty folder."""
    with tempfile.TemporaryDirectory(dir=folder) as empty:
        return Result(0, float(run(build + "/sqlite_floor", empty + "/db", "1", str(threads), str(rows),
                                   synchronous)))


class Setter:
    """Sets new secrets, one round after the other.  Knows how many there are."""

    def __init__(self, server, made=0):
        self.server, self.made, self.headers = server, made, server.bearer()

    def round(self, clients=64):
        result = wrk(self.server, self.server.url, clients, headers=self.headers, KIND="set",
                     FIRST=self.made + 1)
        self.made += max(result.count - clients, 0)
        return result


def sets(table, server, folder, build):
    """Set secrets, durable, beside SQLite alone on the same file system.  Returns how many."""
    setter = Setter(server)
    table.title("set secret, durable, 64 clients : SQLite alone, one writer committing for 64 threads")
    results, three, one = rounds(ROUNDS, setter.round, lambda: floor(folder, build, 3),
                                 lambda: floor(folder, build, 1))
    table.ratio("secrets/s : commits/s of the same three rows", rate_ratio(results, three), 0.60,
                f"{rate(results):.0f} : {rate(three):.0f}")
    table.ratio("  : commits/s of one small row", rate_ratio(results, one), None,
                f"{rate(results):.0f} : {rate(one):.0f}")
    return setter.made


def durability(table, binary, build, folder):
    """Both settings of audit-sync; and what SQLite would gain by syncing less, which no setting allows."""
    interval = Strongroom(binary, folder + "/interval")
    always = Strongroom(binary, folder + "/always", "--audit-sync", "always")
    try:
        for server in interval, always:
            server.up().set_secret("one", VALUE)
        audit(table, interval, always)
        floors(table, interval, folder, build)
    finally:
        for server in interval, always:
            server.stop()


def audit(table, interval, always):
    table.title("audit log synced before every answer (audit-sync = always) : within a second (interval)")
    tokens = {server: server.bearer() for server in (interval, always)}
    for connections in 1, 64:
        base, synced = rounds(ROUNDS, *[
            lambda server=server: wrk(server, server.url + GET, connections, headers=tokens[server])
            for server in (interval, always)])
        table.ratio(f"GET secret, {connections} connections", rate_ratio(synced, base), None,
                    f"{rate(synced):.0f} : {rate(base):.0f}")
    few, many = Setter(interval), Setter(always)
    for clients in 1, 64:
        base, synced = rounds(ROUNDS, lambda: few.round(clients), lambda: many.round(clients))
        table.ratio(f"set secret, {clients} clients", rate_ratio(synced, base), None,
                    f"{rate(synced):.0f} : {rate(base):.0f}")


def floors(table, server, folder, build):
    table.title("durable, as there is no other way : SQLite alone, the same three rows, syncing less")
    setter = Setter(server, 1_000_000)
    for clients in 1, 64:
        ours, full, normal, off = rounds(
            ROUNDS, lambda: setter.round(clients),
            *[lambda mode=mode: floor(folder, build, 3, clients, mode) for mode in ("FULL", "NORMAL", "OFF")])
        table.ratio(f"set secret, {clients} clients : FULL, durable", rate_ratio(ours, full), None,
                    f"{rate(ours):.0f} : {rate(full):.0f}")
        table.ratio("  : NORMAL, lost with the machine", rate_ratio(ours, normal), None,
                    f"{rate(ours):.0f} : {rate(normal):.0f}")
        table.ratio("  : OFF, the file too", rate_ratio(ours, off), None,
                    f"{rate(ours):.0f} : {rate(off):.0f}")
