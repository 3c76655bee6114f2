"""The control plane grown: what vaults, roles and groups cost those who only read a secret."""

import concurrent.futures
import http.client
import json
import ssl
import time

from load import median, rate, rate_ratio, rounds, wrk

VAULTS = 10_000
ASSIGNMENTS = 100_000
GROUPS = 1_000
DEPTH = 12  # of the nested groups that the reader is in
ROLE = "21090545-7ca7-4776-b22c-e363652d74d2"  # Key Vault Reader


class Console:
    """Somebody who manages one server, over one connection a thread."""

    def __init__(self, server):
        self.server = server
        self.port = server.port
        self.context = ssl.create_default_context(cafile=server.ca)
        self.tokens = {label: server.bearer(label) for label in ("management", "graph")}
        self.subscription = server.env["AZURE_SUBSCRIPTION_ID"]
        self.group = f"/subscriptions/{self.subscription}/resourceGroups/dev"

    def url(self, label, path=""):
        return f"https://{label}.localhost:{self.port}{path}"

    def connect(self, label):
        return http.client.HTTPSConnection(f"{label}.localhost", self.port, timeout=60,
                                           context=self.context)

    def send(self, connection, label, method, path, body=None):
        headers = self.tokens[label] | {"Content-Type": "application/json"}
        connection.request(method, path, body and json.dumps(body), headers)
        reply = connection.getresponse()
        text = reply.read()
        if reply.status >= 300:
            raise SystemExit(f"{method} {path}: {reply.status} {text[:300]}")
        return json.loads(text) if text else None

    def graph(self, connection, method, path, body=None):
        return self.send(connection, "graph", method, "/v1.0" + path, body)


def make_groups(console):
    """The groups; the first DEPTH are in one another, and the administrator is in the innermost."""
    def some(numbers):
        connection = console.connect("graph")
        return [console.graph(connection, "POST", "/groups", {
            "displayName": f"group {number}", "mailNickname": f"g{number}", "mailEnabled": False,
            "securityEnabled": True})["id"] for number in numbers]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = sum(pool.map(some, [range(start, GROUPS, 8) for start in range(8)]), [])
    connection = console.connect("graph")
    apps = console.graph(connection, "GET", "/servicePrincipals?$filter=appId%20eq%20'"
                         + console.server.env["AZURE_CLIENT_ID"] + "'")
    inner = apps["value"][0]["id"]
    for outer in ids[:DEPTH]:
        console.graph(connection, "POST", f"/groups/{outer}/members/$ref", {
            "@odata.id": console.url("graph", f"/v1.0/directoryObjects/{inner}")})
        inner = outer
    return ids


def load(console, ids):
    """Vaults, then assignments, as wrk sends them.  Returns how many of each there are."""
    made = {"vault": 0, "assignment": 0}
    shared = {"GROUP": console.group, "TENANT": console.server.env["STRONGROOM_TENANT"],
              "PRINCIPALS": ",".join(ids), "VAULTS": VAULTS, "ROLE": ROLE,
              "SUBSCRIPTION": console.subscription}
    end = time.monotonic() + 240
    for kind, wanted in ("vault", VAULTS), ("assignment", ASSIGNMENTS):
        while made[kind] < wanted and time.monotonic() < end:
            result = wrk(console.server, console.url("management"), 64, 2, console.tokens["management"],
                         KIND=kind, FIRST=made[kind] + 1, **shared)
            made[kind] += max(result.count - 64, 0)
    return made


def timed(console, connection, path, times=20):
    begin = time.perf_counter()
    for _ in range(times):
        console.send(connection, "management", "GET", path)
    return (time.perf_counter() - begin) / times


def last_page(console, connection, path):
    """The last page's address, and how many there are."""
    pages, here = 1, path
    while True:
        link = console.send(connection, "management", "GET", here).get("nextLink")
        if not link:
            return here, pages
        here, pages = "/" + link.split("/", 3)[3], pages + 1


def lists(table, console):
    connection = console.connect("management")
    first = f"{console.group}/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01&$top=50"
    deep, pages = last_page(console, connection, first)
    before = deep
    early, late = rounds(5, lambda: timed(console, connection, first),
                         lambda: timed(console, connection, before))
    table.ratio(f"a vault list's first page : page {pages}", median(a / b for a, b in zip(early, late)),
                0.77, f"{1e6 * median(early):.0f} : {1e6 * median(late):.0f} us, 50 vaults a page")
    connection.close()


def control(table, small, large, get, value):
    """GET a secret: a server with one vault beside one with many vaults, roles and groups."""
    console = Console(large)
    ids = make_groups(console)
    made = load(console, ids)
    large.set_secret("one", value)
    table.title(f"growth: {made['vault']} vaults, {made['assignment']} role assignments, {len(ids)} groups "
                "(GET, 32 connections)")
    few, many = small.bearer(), large.bearer()
    base, grown = rounds(5, lambda: wrk(small, small.url + get, 32, headers=few),
                         lambda: wrk(large, large.url + get, 32, headers=many))
    table.ratio(f"a secret, the caller in {DEPTH} nested groups : an empty server", rate_ratio(grown, base), 0.77,
                f"{rate(grown):.0f} : {rate(base):.0f}")
    lists(table, console)
