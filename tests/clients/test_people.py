"""People signing in: az with a device's code and through the browser, passwords, refresh tokens."""
import html
import os
import re
import subprocess
import threading
import time
import urllib.parse

import pytest
import requests

from az import AZ, QUIET

NAME, PASSWORD = "ada@people.example", "Analytical-1843"
CLIENT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


class Browser:
	"""As much of one as the sign-in pages need: forms and cookies, no scripts."""

	def __init__(self, login):
		self.login = login
		self.session = requests.Session()

	def form(self, page):
		assert page.status_code == 200, page.text
		hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
		action = re.search(r'<form method="post" action="([^"]*)"', page.text)[1]
		return (urllib.parse.urljoin(self.login, html.unescape(action)),
		    {html.unescape(name): html.unescape(value) for name, value in hidden})

	def submit(self, page, **fields):
		action, hidden = self.form(page)
		return self.session.post(action, data=hidden | {"answer": "yes"} | fields,
		    allow_redirects=False)

	def sign_in(self, page):
		return self.submit(page, username=NAME, password=PASSWORD)

	def enter(self, code):
		"""A device's code, up to the end."""
		page = self.session.get(self.login + "/common/oauth2/deviceauth")
		page = self.sign_in(self.submit(page, code=code))
		assert "Only continue if you started this yourself" in page.text
		assert "You are signed in" in self.submit(page).text


@pytest.fixture(scope="module")
def login(shared):
	"""The authority's address; there is somebody to sign in."""
	login = shared.env["AZURE_AUTHORITY_HOST"]
	graph = login.replace("//login.", "//graph.")
	token = requests.post(f"{login}/adfs/oauth2/token", data={
		"grant_type": "client_credentials", "client_id": shared.env["AZURE_CLIENT_ID"],
		"client_secret": shared.env["AZURE_CLIENT_SECRET"], "scope": f"{graph}/.default"})
	made = requests.post(f"{graph}/v1.0/users",
	    headers={"Authorization": "Bearer " + token.json()["access_token"]}, json={
		"accountEnabled": True, "displayName": "Ada", "mailNickname": "ada",
		"userPrincipalName": NAME,
		"passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": False}})
	assert made.status_code == 201, made.text
	return login


class Person:
	"""Ada, on a server of her own."""

	def __init__(self, server):
		self.server = server
		server.graph("POST", "/users", {"accountEnabled": True, "displayName": "Ada", "mailNickname": "ada",
		    "userPrincipalName": NAME, "passwordProfile": {"password": PASSWORD,
			"forceChangePasswordNextSignIn": False}}).expect(201)

	def token(self, resource):
		form = {"grant_type": "password", "client_id": CLIENT, "username": NAME, "password": PASSWORD,
		    "scope": resource + "/.default"}
		return self.server.send("POST", self.server.host("login"), "/organizations/oauth2/v2.0/token",
		    urllib.parse.urlencode(form).encode()).expect(200).json["access_token"]


def test_trusted_services_are_no_people(server):
	"""A person who signs in with a trusted service's client id is not that service."""
	one = server()
	one.options += ["--trusted-services", f"{one.admin.client_id},{CLIENT}"]
	one.restart()
	person = Person(one)
	scope = one.scope("main")
	one.manage("PATCH", scope, {"properties": {"networkAcls": {"defaultAction": "Deny",
	    "bypass": "AzureServices"}}}, version="2023-07-01").expect(200)
	one.vault("main").get("/secrets").expect(200)
	one.vault("main").request("GET", "/secrets", token=person.token(one.resource)).expect(403, "Forbidden",
	    "ForbiddenByFirewall")


def test_guessing_by_a_taken_token(server):
	"""Who has somebody's token guesses the password no faster than at the sign-in, and holds up nobody."""
	one = server()
	person = Person(one)
	token = person.token(f"https://graph.localhost:{one.port}")
	person.token = lambda resource: token

	def change(current):
		return one.graph("POST", "/me/changePassword", {"currentPassword": current, "newPassword": "Difference-1822"}, person)

	gate, replies = threading.Barrier(16), []

	def guess(number):
		one.graph("GET", "/me", principal=person).expect(200)  # the connection is there
		gate.wait()
		replies.append(change(f"Guess-{number}"))

	threads = [threading.Thread(target=guess, args=(number,)) for number in range(16)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	said = [(reply.status, reply.error["message"]) for reply in replies]
	assert len(said) == 16 and set(said) == {(400, "The specified password does not match the current password."),
	    (429, "Too many passwords are being checked: try again later.")}
	wrong = sum(status == 400 for status, _ in said)
	for number in range(wrong, 10):
		change(f"Other-{number}").expect(400)
	for current in ("Another-1", PASSWORD):
		assert change(current).expect(429).error["message"] == "Too many wrong passwords: try again later."


def ask(login, **form):
	return requests.post(f"{login}/organizations/oauth2/v2.0/token",
	    data={"client_id": CLIENT, "scope": login.replace("//login.", "//management.")
		+ "/.default offline_access openid"} | form)


def test_password_and_refresh(login):
	first = ask(login, grant_type="password", username=NAME, password=PASSWORD).json()
	token = first["refresh_token"]
	again = [ask(login, grant_type="refresh_token", refresh_token=token).json()["refresh_token"]
	    for _ in range(3)]
	assert len(set(again)) == 1 and again[0] != token
	wrong = ask(login, grant_type="password", username=NAME, password="wrong")
	nobody = ask(login, grant_type="password", username="nobody@people.example", password="wrong")
	assert wrong.status_code == nobody.status_code == 400
	assert wrong.json()["error_codes"] == nobody.json()["error_codes"] == [50126]


@pytest.fixture
def az(shared, login, tmp_path):
	env = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
	env |= QUIET | {"HOME": str(tmp_path), "AZURE_CONFIG_DIR": str(tmp_path / "azure")}

	def start(*arguments, **more):
		return subprocess.Popen([AZ, *arguments], env=env | more, stdin=subprocess.DEVNULL,
		    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

	def run(*arguments):
		out, said = start(*arguments).communicate(timeout=120)
		return out, said

	run("cloud", "register", "-n", "People", "--endpoint-resource-manager", shared.management)
	run("cloud", "set", "-n", "People")
	run("config", "set", "core.instance_discovery=false", "core.login_experience_v2=off")
	run.start = start
	return run


def signed_in(az, shared):
	out, said = az("account", "show", "--query", "user.name", "-o", "tsv")
	assert out.strip() == NAME, said
	vault = shared.url("az-cli").split("//")[1].split(".", 1)[1]
	# One after the other: az empties its token cache's file before it writes it anew, so that
	# another az, which does not wait to read it, may find nobody there.
	for _ in range(2):
		out, said = az("account", "get-access-token", "--resource", f"https://{vault}",
		    "--query", "tokenType", "-o", "tsv")
		assert out.strip() == "Bearer", said


def test_az_device_code(az, shared, login):
	process = az.start("login", "--use-device-code", "--allow-no-subscriptions")
	for line in process.stderr:
		if found := re.search(r"enter the code ([A-Z-]+)", line):
			Browser(login).enter(found[1])
			break
	_, said = process.communicate(timeout=60)
	assert process.returncode == 0, said
	signed_in(az, shared)


def test_az_browser(az, shared, login, tmp_path):
	"""az starts a browser: one that writes down where it was sent."""
	opened = tmp_path / "opened"
	script = tmp_path / "browser"
	script.write_text(f'#!/bin/sh\necho "$1" >{opened}.part && mv {opened}.part {opened}\n')
	script.chmod(0o755)
	process = az.start("login", "--allow-no-subscriptions", BROWSER=f"{script} %s")

	def browse():
		while not opened.exists() and process.poll() is None:
			time.sleep(0.1)
		browser = Browser(login)
		page = browser.sign_in(browser.session.get(opened.read_text().strip()))
		if page.status_code == 303:
			requests.get(page.headers["Location"])
		else:
			action, hidden = browser.form(page)
			requests.post(action, data=hidden)

	thread = threading.Thread(target=browse, daemon=True)
	thread.start()
	_, said = process.communicate(timeout=90)
	thread.join(10)
	assert process.returncode == 0, said
	signed_in(az, shared)
