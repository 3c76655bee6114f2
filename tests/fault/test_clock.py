"""The wall clock of the machine jumps, both ways, under a running server and between two runs of it.

The server was made five days ago by its clock: no jump goes behind what it gave out first, nor ahead of us, who look at
its certificate.
"""
import pytest

from shim import FaultyServer

HOUR = 3600 * 10 ** 9
DAY = 24 * HOUR


@pytest.fixture(scope="module")
def server(tmp_path_factory):
	one = FaultyServer(tmp_path_factory.mktemp("clock"))
	jump(one, -5 * DAY)
	one.start()
	yield one
	one.stop()


def jump(server, to):
	server.faults_told.control.clock = to


def sign_in_again(server):
	server.__dict__.pop("tokens", None)
	return server.vault("main")


@pytest.mark.parametrize("to", (-3 * DAY, -3 * DAY - 2 * HOUR, 0, -2 * HOUR, -4 * DAY), ids=lambda to: f"{to / HOUR:+.0f}h")
def test_jump(server, to):
	vault = sign_in_again(server)
	name, gone = f"at{to // HOUR}", f"gone{to // HOUR}"
	first = vault.set(name, "before")
	vault.set(gone, "kept")
	vault.remove(gone)
	was = server.faults_told.control.clock
	jump(server, to)
	if abs(to - was) >= HOUR * 3 // 2:
		server.vault("main").get(f"/secrets/{name}").expect(401)  # a token of another time
	vault = sign_in_again(server)
	# The last that was set is the current one, whatever the time of the one before.
	second = vault.set(name, "after")
	assert vault.value(name) == "after"
	assert (second["attributes"]["created"] < first["attributes"]["created"]) == (to < was)
	assert {item["id"].rsplit("/", 1)[1] for item in vault.items(f"/secrets/{name}/versions")} == \
	    {bundle["id"].rsplit("/", 1)[1] for bundle in (first, second)}
	# What was deleted is not purged early, and comes back.
	vault.post(f"/deletedsecrets/{gone}/recover").expect(200)
	assert vault.value(gone) == "kept"
	key = vault.post(f"/keys/{name}/create", {"kty": "EC"}).expect(200).json["key"]["kid"]
	vault.get("/keys/" + "/".join(key.rsplit("/", 2)[1:])).expect(200)


@pytest.mark.parametrize("to", (-1 * DAY, -4 * DAY, 0), ids=lambda to: f"{to / HOUR:+.0f}h")
def test_start_at_another_time(server, to):
	vault = sign_in_again(server)
	vault.set("across", f"to {to}")
	server.stop()
	jump(server, to)
	server.start()
	vault = sign_in_again(server)
	assert vault.value("across") == f"to {to}"
	vault.set("across", "there")
	assert vault.value("across") == "there"


def test_the_log_is_whole(server):
	server.stop()
	verified = server.cli("audit", "verify")
	server.start()
	assert verified.returncode == 0, verified.stderr
