"""TLS handshakes, full and resumed, beside nginx with the same certificate."""

import os

from load import Result, cost, cost_ratio, rate, rate_ratio, rounds
from servers import HOST, Strongroom, run

CORES = os.cpu_count()
ROUNDS = 5


def shake(build, server, kind):
    """A second of handshakes, one client a core."""
    before = server.cpu()
    count, seconds = run(build + "/handshakes", HOST, str(server.port), server.ca, "1", str(CORES), kind).split()
    return Result(int(count), int(count) / float(seconds), server.cpu() - before)


def handshakes(table, binary, build, folder, nginx):
    server = Strongroom(binary, folder + "/shaking", "--certificate", nginx.ca, "--certificate-key", nginx.key)
    server.ca = nginx.ca
    table.title("TLS 1.3 handshakes, a client a core, the certificate verified : nginx, the same certificate")
    try:
        server.up()
        for kind in "full", "resumed":
            ours, theirs = rounds(ROUNDS, lambda: shake(build, server, kind), lambda: shake(build, nginx, kind))
            table.ratio(f"{kind}, handshakes/s", rate_ratio(ours, theirs), None,
                        f"{rate(ours):.0f} : {rate(theirs):.0f}")
            table.ratio("  the server's processor time each", cost_ratio(ours, theirs), None,
                        f"{cost(ours):.0f} : {cost(theirs):.0f} us")
    finally:
        server.stop()
