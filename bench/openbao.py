"""OpenBao beside ours, asked for the same things over the same TLS, by turns.

Three of its servers, by their storage.  docs/performance.md says what may be read out of it.
"""

import base64
import json
import os
import time
import urllib.error

from keys import SIGNS, WRAPPING, make, post, signer, use, zeros
from load import GET, VALUE, cost, median, rate, rate_ratio, rounds, wrk
from servers import BENCH, HOST, Server, Strongroom, certify, free_port, run

BINARY = os.path.dirname(BENCH) + "/.cache/openbao/bao"
ROUNDS = 3  # as many starts too
SECONDS = 2
KINDS = {"dev": "in memory, no audit log", "raft": "one node, synced; audit log in a file",
         "file": "files, not synced; audit log in a file"}
# A signature touches no storage: with an audit log and without are all there is to compare.
SIGNERS = ("dev", "raft")
# For openssl's names in SIGNS: the type of transit's key, and what makes its signature ours.
TRANSIT = {
    "rsa2048": ("rsa-2048", {"signature_algorithm": "pkcs1v15"}),
    "rsa4096": ("rsa-4096", {"signature_algorithm": "pkcs1v15"}),
    "ecdsap256": ("ecdsa-p256", {"marshaling_algorithm": "jws"}),
}
CONTENT = bytes(32)  # what is signed or decrypted
DEV_TOKEN = "bench"
# Whoever asks is held to a policy, as with ours; the root token would not be.
POLICY = 'path "*" { capabilities = ["create", "read", "update"] }'


class OpenBao(Server):
    token = None  # of the one who asks
    unseal_key = None

    def __init__(self, folder, storage):
        os.makedirs(folder + "/data")
        self.folder, self.storage, self.port = folder, storage, free_port()
        self.log, self.url = folder + "/log", f"https://{HOST}:{self.port}"
        self.ca, self.key = certify(folder)
        with open(folder + "/config.json", "w") as file:
            json.dump(self.config(), file)

    def config(self):
        listener = {"address": f"127.0.0.1:{self.port}", "tls_cert_file": self.ca, "tls_key_file": self.key}
        if self.storage == "dev":
            return {"listener": [{"tcp": listener}]}
        cluster = f"127.0.0.1:{free_port()}"
        storage = {"path": self.folder + "/data"}
        if self.storage == "raft":
            storage["node_id"] = "bench"
        return {"listener": [{"tcp": listener | {"cluster_address": cluster}}],
                "api_addr": self.url, "cluster_addr": "https://" + cluster,
                "storage": {self.storage: storage},
                # Without a description beside them, it takes the options for a part of the name.
                "audit": [{"file": {"file": {"description": "bench", "options": {
                    "file_path": self.folder + "/audit.log"}}}}]}

    def begin(self):
        command = [BINARY, "server", "-config", self.folder + "/config.json"]
        if self.storage == "dev":
            # It has a listener of its own without TLS, which nobody asks.
            command += ["-dev", "-dev-no-store-token", "-dev-root-token-id", DEV_TOKEN,
                        "-dev-listen-address", f"127.0.0.1:{free_port()}"]
        self.start(*command)

    def ask(self, method, path, body=None, token=None):
        headers = {"X-Vault-Token": token} if token else {}
        try:
            reply = self.request(f"{self.url}/v1/{path}", body and json.dumps(body), headers, method)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"OpenBao: {method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(reply) if reply else None

    def up(self):
        """Started, and unsealed by its own interface where it has to be."""
        self.begin()
        if self.storage == "dev":
            self.root = DEV_TOKEN
        else:
            self.await_answer("/v1/sys/health?sealedcode=200&uninitcode=200")
            if self.unseal_key is None:
                made = self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
                self.unseal_key, self.root = made["keys_base64"][0], made["root_token"]
            self.ask("PUT", "sys/unseal", {"key": self.unseal_key})
        self.await_answer("/v1/sys/health")
        return self

    @property
    def headers(self):
        return {"X-Vault-Token": self.token}

    def prepare(self):
        """A secret, a key of each kind, and a token to use them with."""
        mounts = {"kv1": {"type": "kv", "options": {"version": "1"}},
                  "kv2": {"type": "kv", "options": {"version": "2"}}, "transit": {"type": "transit"}}
        for name, mount in mounts.items():
            self.ask("POST", "sys/mounts/" + name, mount, self.root)
        self.ask("PUT", "sys/policies/acl/bench", {"policy": POLICY}, self.root)
        made = self.ask("POST", "auth/token/create", {"policies": ["bench"]}, self.root)
        self.token = made["auth"]["client_token"]
        self.ask("POST", "kv1/one", {"value": VALUE}, self.token)
        self.ask("POST", "kv2/data/one", {"data": {"value": VALUE}}, self.token)
        for name, (kind, _) in TRANSIT.items():
            self.ask("POST", "transit/keys/" + name, {"type": kind}, self.token)

    def get(self, path, connections):
        return wrk(self, f"{self.url}/v1/{path}", connections, SECONDS, self.headers)

    def post(self, path, body, connections):
        return wrk(self, f"{self.url}/v1/{path}", connections, SECONDS, self.headers, KIND="post",
                   BODY=json.dumps(body))

    def sign(self, name, connections):
        body = {"input": base64.b64encode(CONTENT).decode(), "prehashed": True} | TRANSIT[name][1]
        return self.post(f"transit/sign/{name}/sha2-256", body, connections)


class Setter:
    """Sets secrets, each under a new name."""

    def __init__(self, server, kind, headers):
        self.server, self.kind, self.headers, self.made = server, kind, headers, 0

    def __call__(self):
        result = wrk(self.server, self.server.url, 64, SECONDS, self.headers, KIND=self.kind, FIRST=self.made + 1)
        self.made += result.count + 64  # those sent and not answered when it ended too
        return result


def beside(table, what, ours, theirs):
    """Ours beside each of theirs: functions by the name of its storage."""
    mine, *others = rounds(ROUNDS, ours, *theirs.values())
    for name, results in zip(theirs, others):
        table.ratio(f"{what} : {name}", rate_ratio(mine, results), None,
                    f"{rate(mine):.0f} : {rate(results):.0f}, "
                    f"{cost(mine):.0f} : {cost(results):.0f} us of a core each")


def reads(table, server, peers):
    headers = server.bearer()
    table.title("GET secret : OpenBao's, kv version 2, requests/s")
    for connections in 8, 32, 64:
        beside(table, f"{connections} connections",
               lambda: wrk(server, server.url + GET, connections, SECONDS, headers),
               {name: lambda peer=peer: peer.get("kv2/data/one", connections) for name, peer in peers.items()})
    beside(table, "32 connections, kv version 1",
           lambda: wrk(server, server.url + GET, 32, SECONDS, headers),
           {"dev": lambda: peers["dev"].get("kv1/one", 32)})


def sets(table, server, peers):
    table.title("set secret, ours durable, 64 connections : OpenBao's, kv version 2, secrets/s")
    beside(table, "a new name", Setter(server, "set", server.bearer()),
           {name: Setter(peer, "kv", peer.headers) for name, peer in peers.items()})


def signs(table, server, peers):
    headers = server.bearer()
    table.title("using keys, 16 connections : OpenBao's transit, requests/s")
    for what, wish, algorithm, size, name, *_ in SIGNS:
        make(server, name, wish)
        beside(table, what, lambda: signer(server, headers, name, algorithm, size, 16, SECONDS),
               {each: lambda peer=peers[each]: peer.sign(name, 16) for each in SIGNERS})
    unwraps(table, server, peers, headers)


def unwraps(table, server, peers, headers):
    """A key of 32 bytes, encrypted with RSA-OAEP and SHA-256, is decrypted."""
    wrapped = post(server, "rsa2048/wrapkey", {"alg": WRAPPING, "value": zeros(32)})["value"]
    theirs = {}
    for name in SIGNERS:
        peer = peers[name]
        body = {"plaintext": base64.b64encode(CONTENT).decode()}
        text = peer.ask("POST", "transit/encrypt/rsa2048", body, peer.token)["data"]["ciphertext"]
        theirs[name] = lambda peer=peer, text=text: peer.post("transit/decrypt/rsa2048", {"ciphertext": text}, 16)
    beside(table, "RSA-2048 unwrap",
           lambda: use(server, headers, "unwrapkey", "rsa2048", WRAPPING, wrapped, 16, SECONDS), theirs)


def started(server):
    """Milliseconds from exec to the first 200, unsealing included."""
    begin = time.monotonic()
    server.up()
    try:
        return 1000 * (time.monotonic() - begin)
    finally:
        server.stop()


def starts(table, server, fresh, peers):
    """All but dev have their data already; it begins with nothing, and beside it stands ours that does."""
    numbers = iter(range(ROUNDS))
    again, empty, *theirs = rounds(ROUNDS, lambda: started(server), lambda: started(fresh(next(numbers))),
                                   *(lambda peer=peer: started(peer) for peer in peers.values()))
    table.title("start, from exec to the first 200 : OpenBao's, unsealed by its interface")
    for name, times in zip(peers, theirs):
        ours, about = (empty, ", nothing stored before") if name == "dev" else (again, ", the data is there")
        table.ratio(name, median(b / a for a, b in zip(ours, times)), None,
                    f"{median(ours):.0f} : {median(times):.0f} ms{about}")


def memory(table, before, after):
    table.title("memory, resident : OpenBao's")
    for what, sizes in ("after the start", before), ("after all of the above", after):
        ours, *theirs = sizes
        for name, size in zip(KINDS, theirs):
            table.ratio(f"{what} : {name}", size / ours, None, f"{ours / 1024:.1f} : {size / 1024:.1f} MB")


def openbao(table, build, folder):
    if not os.path.exists(BINARY):
        table.title("beside OpenBao: not measured, it is not built here; `script/bootstrap peers` says why")
        return
    table.title(f"beside {run(BINARY, 'version').strip()}, medians of {ROUNDS} rounds of {SECONDS} s")
    for storage, what in KINDS.items():
        table.say(f"  {storage:<5} {what}")
    binary, folder = build + "/strongroom", folder + "/openbao"
    server = Strongroom(binary, folder + "/ours")
    peers = {storage: OpenBao(f"{folder}/{storage}", storage) for storage in KINDS}
    every = [server, *peers.values()]
    try:
        for each in every:
            each.up()
            each.stop()
        starts(table, server, lambda number: Strongroom(binary, f"{folder}/fresh-{number}"), peers)
        for each in every:
            each.up()
        time.sleep(1)
        before = [each.memory("VmRSS") for each in every]
        server.set_secret("one", VALUE)
        for peer in peers.values():
            peer.prepare()
        reads(table, server, peers)
        sets(table, server, peers)
        signs(table, server, peers)
        memory(table, before, [each.memory("VmRSS") for each in every])
    finally:
        for each in every:
            each.stop()
