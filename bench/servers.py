"""The servers that are measured: ours, and nginx as its peer."""

import grp
import json
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request

HOST = "bench.vault.localhost"
BENCH = os.path.dirname(os.path.abspath(__file__))
# Debian keeps it where only root looks.
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    """A port nobody listens on.  Ours shares its port, so a taken one would not be noticed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def memory_of(pid, what):
    for name in ("status", "smaps_rollup"):
        with open(f"/proc/{pid}/{name}") as lines:
            for line in lines:
                if line.startswith(what + ":"):
                    return int(line.split()[1])
    raise KeyError(what)


def certify(folder):
    """A certificate of HOST's and its key, on P-256, as files."""
    cert, key = folder + "/cert.pem", folder + "/key.pem"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", "/CN=bench", "-addext", "subjectAltName=DNS:" + HOST,
        "-keyout", key, "-out", cert)
    return cert, key


class Server:
    """A process, and those it started, with a certificate of its own on a port of its own."""

    process = None

    def start(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=open(self.log, "w"), stderr=subprocess.STDOUT)

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.returncode != 0:
            print(f"{self.process.args[0]} ended with {self.process.returncode}", file=sys.stderr)
        self.process = None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def connect(self, timeout=10):
        """A TLS connection; the certificate is verified."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            context = ssl.create_default_context(cafile=self.ca)
            return context.wrap_socket(plain, server_hostname=HOST)
        except BaseException:
            plain.close()
            raise

    def await_answer(self, path, seconds=30):
        """Ask for ${path} until there is a 200."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with self.connect() as connection:
                    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                    if connection.recv(12) == b"HTTP/1.1 200":
                        return
            except OSError:
                if self.process.poll() is not None:
                    break
            time.sleep(0.0005)
        raise SystemExit(f"no answer from {self.process.args[0]}: {open(self.log).read()}")

    def request(self, url, body=None, headers=None, method=None):
        request = urllib.request.Request(url, body and body.encode(), headers or {}, method=method)
        context = ssl.create_default_context(cafile=self.ca)
        with urllib.request.urlopen(request, context=context, timeout=30) as reply:
            return reply.read()

    def pids(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return [pid, *children.read().split()]

    def memory(self, what):
        """KB of all its processes, by the name it has in /proc."""
        return sum(memory_of(pid, what) for pid in self.pids())

    def cpu(self):
        """Seconds of processor time that its processes have taken so far."""
        total = 0
        for each in self.pids():
            with open(f"/proc/{each}/stat") as stat:
                total += sum(map(int, stat.read().rpartition(")")[2].split()[11:13]))
        return total / TICK


class Strongroom(Server):
    def __init__(self, binary, data, *settings):
        self.binary, self.data, self.settings, self.port = binary, data, settings, free_port()
        self.log, self.ca = data + ".log", data + "/ca.pem"
        self.url = f"https://{HOST}:{self.port}"

    def begin(self):
        self.start(self.binary, "dev", "--data", self.data, "--port", str(self.port),
                   "--vault", "bench", "--log-level", "warn", *self.settings)

    def up(self):
        self.begin()
        self.await_answer("/healthstatus")
        with open(self.data + "/env") as lines:
            pairs = (line.removeprefix("export ").rstrip().split("=", 1) for line in lines)
            self.env = {name: value.strip("'") for name, value in pairs}
        return self

    @property
    def sign_in(self):
        return self.env["AZURE_AUTHORITY_HOST"] + "/adfs/oauth2/v2.0/token"

    @property
    def form(self):
        return self.form_for("vault")

    def form_for(self, label):
        """What to sign in with for one of the server's names."""
        return urllib.parse.urlencode({
            "grant_type": "client_credentials", "client_id": self.env["AZURE_CLIENT_ID"],
            "client_secret": self.env["AZURE_CLIENT_SECRET"],
            "scope": f"https://{label}.localhost:{self.port}/.default"})

    def bearer(self, label="vault"):
        token = json.loads(self.request(self.sign_in, self.form_for(label)))["access_token"]
        return {"Authorization": "Bearer " + token}

    def set_secret(self, name, value):
        headers = self.bearer() | {"Content-Type": "application/json"}
        return self.request(f"{self.url}/secrets/{name}?api-version=7.4",
                            json.dumps({"value": value}), headers, "PUT")


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


class Nginx(Server):
    """Serves /file, of so many bytes."""

    def __init__(self, folder, size, access_log):
        os.makedirs(folder + "/www")
        self.port, self.log = free_port(), folder + "/log"
        self.ca, self.key = certify(folder)
        self.folder, self.url = folder, f"https://{HOST}:{self.port}"
        with open(folder + "/www/file", "w") as file:
            file.write("x" * size)
        self.configure({
            "workers": os.cpu_count(), "folder": folder, "port": self.port,
            "user": f"{pwd.getpwuid(os.getuid())[0]} {grp.getgrgid(os.getgid())[0]}",
            "access_log": folder + "/access.log" if access_log else "off"})

    def configure(self, values):
        with open(BENCH + "/nginx.conf") as template:
            text = template.read()
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        with open(self.folder + "/nginx.conf", "w") as file:
            file.write(text)

    def up(self):
        self.start(NGINX, "-c", self.folder + "/nginx.conf", "-e", self.folder + "/error.log")
        self.await_answer("/file")
        return self
