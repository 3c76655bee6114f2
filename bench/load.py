"""Load and what it showed: wrk, and rounds of several sides by turns."""

import os
import re
import statistics
import subprocess

BENCH = os.path.dirname(os.path.abspath(__file__))
# The secret that is read again and again, and what secrets are set to.
GET = "/secrets/one?api-version=7.4"
VALUE = "0123456789abcdef" * 4


class Result:
    """What a round has done: how many, how fast, and at what processor time of the server's."""

    def __init__(self, count, rate, cpu=0.0):
        self.count, self.rate = count, rate
        self.cost = cpu / count if count else 0.0


def wrk(server, url, connections, seconds=1, headers=None, **environment):
    """Requests a second.  Anything but good answers ends the run."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "30s"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    if environment:
        command += ["-s", BENCH + "/requests.lua"]
    variables = {name: str(value) for name, value in environment.items()}
    before = server.cpu()
    out = subprocess.run(command + [url], check=True, capture_output=True, text=True,
                         env=os.environ | variables).stdout
    cpu = server.cpu() - before
    if re.search(r"Non-2xx|Socket errors", out) or not re.search(r"[1-9]\d* requests in", out):
        raise SystemExit(f"{url}: not all answers were good\n{out}")
    return Result(int(re.search(r"(\d+) requests in", out)[1]),
                  float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), cpu)


def rounds(count, *sides):
    """Run the sides by turns, ${count} times; a list of results for each side."""
    turns = [[side() for side in sides] for _ in range(count)]
    return [list(results) for results in zip(*turns)]


def median(values):
    return statistics.median(values)


def rate(results):
    return median(result.rate for result in results)


def cost(results):
    """Microseconds of processor time for one of them."""
    return 1e6 * median(result.cost for result in results)


def rate_ratio(ours, theirs):
    """Neighbours are compared: what slows a whole round down slows both."""
    return median(a.rate / b.rate for a, b in zip(ours, theirs))


def cost_ratio(ours, theirs):
    """Of the processor time for one of them: above 1, ours takes less."""
    return median(b.cost / a.cost for a, b in zip(ours, theirs) if a.cost and b.cost)
