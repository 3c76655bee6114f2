#!/usr/bin/env python3
"""instructions.py BUILD WHAT [COUNT]: how many instructions the server in BUILD takes for one of WHAT, and where.

WHAT is get, sign (P-256), pem or pfx (certificates from the request to the end).  Counted by callgrind, so
the numbers hold on a machine that has other things to do; the kernel's part is not in them, and
an AES or SHA instruction that valgrind does not know stands for many.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

from certificates import create, finish
from keys import make
from servers import HOST, Strongroom

WARM = 20
POLICY = {"issuer": {"name": "Self"}, "key_props": {"kty": "EC", "crv": "P-256"},
          "x509_props": {"subject": "CN=bench"}}
TYPES = {"pem": "application/x-pem-file", "pfx": "application/x-pkcs12"}


class Counted(Strongroom):
    """Under callgrind, which counts from count(True) to count(False)."""

    def __init__(self, binary, folder):
        super().__init__(binary, folder + "/data")
        self.counts = folder + "/counts"

    def start(self, *command):
        super().start("valgrind", "--tool=callgrind", "--instr-atstart=no",
                      "--callgrind-out-file=" + self.counts, *command)

    def await_answer(self, path, seconds=300):
        super().await_answer(path, seconds)

    def count(self, on):
        subprocess.run(["callgrind_control", "-i", "on" if on else "off", str(self.process.pid)],
                       check=True, capture_output=True)

    def table(self):
        return subprocess.run(["callgrind_annotate", "--inclusive=yes", self.counts], check=True,
                              capture_output=True, text=True).stdout


def requests(server, method, path, body=""):
    """A function that sends so many of them, one after the other, on one connection."""
    fields = {"Host": f"{HOST}:{server.port}", "Content-Type": "application/json",
              "Content-Length": len(body), **server.bearer()}
    request = (f"{method} {path}?api-version=7.4 HTTP/1.1\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n" + body).encode()
    connection = server.connect(60)

    def send(count):
        for _ in range(count):
            connection.sendall(request)
            if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"{method} {path}: not 200")

    return send


def certificates(server, kind):
    headers = server.bearer() | {"Content-Type": "application/json"}
    policy = POLICY | {"secret_props": {"contentType": TYPES[kind]}}
    made = 0

    def issue(count):
        nonlocal made
        names = [f"cert-{made + number}" for number in range(count)]
        made += count
        create(server, headers, names, policy)
        time.sleep(4)
        finish(server, headers, names)

    return issue


def work(server, what):
    if what == "get":
        server.set_secret("one", "0123456789abcdef" * 4)
        return requests(server, "GET", "/secrets/one")
    if what == "sign":
        make(server, "one", {"kty": "EC", "crv": "P-256"})
        return requests(server, "POST", "/keys/one/sign",
                        json.dumps({"alg": "ES256", "value": "A" * 43}))
    return certificates(server, what)


def main():
    build, what = os.path.abspath(sys.argv[1]), sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 20 if what in TYPES else 200
    with tempfile.TemporaryDirectory() as folder:
        server = Counted(build + "/strongroom", folder)
        try:
            server.up()
            run = work(server, what)
            run(3 if what in TYPES else WARM)
            server.count(True)
            run(count)
            server.count(False)
        finally:
            server.stop()
        for number, name in re.findall(r"^ *([\d,]+) \([ \d.]+%\) +(.*)$", server.table(), re.M)[:60]:
            print(f"{int(number.replace(',', '')) // count:>12,}  {name.replace('???:', '')[:90]}")


if __name__ == "__main__":
    main()
