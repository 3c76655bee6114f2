"""People sign in: by password, on another device, in a real browser; and what is refused."""
import base64
import hashlib
import html.parser
import json
import os
import re
import secrets
import threading
import urllib.parse
import webbrowser

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DeviceCodeCredential, InteractiveBrowserCredential
from azure.keyvault.secrets import SecretClient
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait

from az import Az
from strongroom import claims, unique

AZ_CLIENT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


class User:
	def __init__(self, server, name=None, **members):
		self.server = server
		self.upn = f"{name or unique('user')}@example.org"
		self.password = "Correct-horse-" + secrets.token_hex(4)
		body = {"accountEnabled": True, "displayName": self.upn.split("@")[0], "mailNickname": "nick",
		    "userPrincipalName": self.upn, "passwordProfile": {"password": self.password,
		        "forceChangePasswordNextSignIn": False}, **members}
		self.object_id = server.graph("POST", "/users", body).expect(201).json["id"]

	def grant(self, **form):
		"""Ask the token endpoint by password."""
		form = {"grant_type": "password", "client_id": AZ_CLIENT, "username": self.upn,
		    "password": self.password, "scope": f"{self.server.resource}/.default offline_access openid profile",
		    **form}
		return ask(self.server, form)


def ask(server, form, path=None):
	return server.send("POST", server.host("login"), path or f"/{server.tenant}/oauth2/v2.0/token",
	    urllib.parse.urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"})


@pytest.fixture(scope="module")
def user(shared):
	one = User(shared)
	shared.manage("PUT", shared.scope("access") + "/providers/Microsoft.Authorization/roleAssignments/"
	    + "5f1c5e20-0000-4000-8000-000000000001", {"properties": {
	        "roleDefinitionId": f"{shared.scope()}/providers/Microsoft.Authorization/roleDefinitions/"
	        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "principalId": one.object_id}}).expect(201)
	return one


# By password

def test_password(shared, user):
	answer = user.grant().expect(200).json
	said, person = claims(answer["access_token"]), claims(answer["id_token"])
	assert (said["oid"], said["upn"], said["idtyp"], said["scp"]) == (user.object_id, user.upn, "user",
	    "user_impersonation")
	assert (person["aud"], person["preferred_username"], person["tid"]) == (AZ_CLIENT, user.upn, shared.tenant)
	reply = shared.vault("access").request("GET", "/secrets", token=answer["access_token"])
	reply.expect(200)


@pytest.mark.parametrize("change", ({"password": "wrong-Password-1"}, {"username": "nobody@example.org"}))
def test_password_refused(user, change):
	reply = user.grant(**change).expect(400)
	assert reply.json["error"] == "invalid_grant"
	assert "AADSTS50126" in reply.json["error_description"], "no telling which of the two is wrong"


def test_disabled_user(shared):
	one = User(shared)
	token = one.grant().expect(200).json
	shared.graph("PATCH", f"/users/{one.object_id}", {"accountEnabled": False}).expect(204)
	one.grant().expect(400)
	ask(shared, {"grant_type": "refresh_token", "client_id": AZ_CLIENT, "refresh_token": token["refresh_token"],
	    "scope": f"{shared.resource}/.default"}).expect(400)
	shared.vault("access").request("GET", "/secrets", token=token["access_token"]).expect(401)


def test_refresh(shared, user):
	first = user.grant().expect(200).json
	form = {"grant_type": "refresh_token", "client_id": AZ_CLIENT, "refresh_token": first["refresh_token"],
	    "scope": f"{shared.management}/.default offline_access"}
	second = ask(shared, form).expect(200).json
	assert second["refresh_token"] != first["refresh_token"]
	assert claims(second["access_token"])["aud"].rstrip("/") == shared.management
	third = ask(shared, form | {"refresh_token": second["refresh_token"]}).expect(200).json
	assert ask(shared, form).expect(400).json["error"] == "invalid_grant", "older than the one before"
	ask(shared, form | {"refresh_token": third["refresh_token"]}).expect(400)


def test_password_change_ends_sessions(shared):
	one = User(shared)
	token = one.grant().expect(200).json["refresh_token"]
	shared.graph("PATCH", f"/users/{one.object_id}", {"passwordProfile": {"password": "Another-horse-77",
	    "forceChangePasswordNextSignIn": False}}).expect(204)
	ask(shared, {"grant_type": "refresh_token", "client_id": AZ_CLIENT, "refresh_token": token,
	    "scope": f"{shared.resource}/.default"}).expect(400)
	one.grant().expect(400)
	one.password = "Another-horse-77"
	one.grant().expect(200)


def test_no_hash_is_shown(shared, user):
	for path in (f"/users/{user.object_id}", "/users", f"/users/{user.upn}"):
		assert b"argon2" not in shared.graph("GET", path).expect(200).body


def test_az_by_password(shared, user, tmp_path):
	az = Az(tmp_path).register(shared)
	az("cloud", "update", "-n", "Strongroom", "--endpoint-active-directory",
	    f"https://login.localhost:{shared.port}/adfs")
	az("login", "-u", user.upn, "-p", user.password)
	account = az("account", "show")
	assert account["user"] == {"name": user.upn, "type": "user"}
	az("keyvault", "secret", "set", "--vault-name", "access", "-n", "by-password", "--value", "x")
	assert az("ad", "signed-in-user", "show")["id"] == user.object_id


# On another device

class Form(html.parser.HTMLParser):
	"""The one form of a page, and what it says."""

	def __init__(self, reply):
		super().__init__()
		self.action, self.fields, self.text = None, {}, ""
		self.feed(reply.text)
		self.url = urllib.parse.urljoin(reply.url, self.action or "")

	def handle_starttag(self, tag, attributes):
		attributes = dict(attributes)
		if tag == "form":
			self.action = attributes.get("action", "")
		if tag in ("input", "button") and attributes.get("name"):
			self.fields[attributes["name"]] = attributes.get("value", "")

	def handle_data(self, data):
		self.text += data


class Person(requests.Session):
	"""Somebody at a browser that runs no scripts; or rather, what a browser sends."""

	def __init__(self, server):
		super().__init__()
		self.verify = server.env["STRONGROOM_CA"]

	def fill(self, page, **values):
		form = Form(page)
		known = {name: value for name, value in values.items() if name in form.fields}
		return self.post(form.url, data=form.fields | known, allow_redirects=False)


def find(form, pattern):
	return next(name for name in form.fields if re.search(pattern, name))


def enter_code(server, user, url, code, password=None):
	person = Person(server)
	page = person.get(url)
	form = Form(page)
	page = person.fill(page, **{find(form, "code|otc"): code})
	for _ in range(4):
		form = Form(page)
		if form.action is None:
			return page
		values = {name: user.upn for name in form.fields if re.search("user|login", name)}
		values |= {name: password or user.password for name in form.fields if "passw" in name}
		page = person.fill(page, **values)
	return page


def test_device_code(shared, user):
	def prompt(url, code, expires):
		prompt.page = enter_code(shared, user, url, code)

	credential = DeviceCodeCredential(authority=f"https://login.localhost:{shared.port}",
	    tenant_id=shared.tenant, prompt_callback=prompt, disable_instance_discovery=True)
	SecretClient(shared.url("access"), credential).set_secret("by-device", "x")
	assert shared.vault("access").value("by-device") == "x"


def test_device_code_pending_and_wrong(shared, user):
	path = f"/{shared.tenant}/oauth2/v2.0/devicecode"
	begun = ask(shared, {"client_id": AZ_CLIENT, "scope": f"{shared.resource}/.default openid"}, path).expect(200).json
	poll = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": AZ_CLIENT,
	    "device_code": begun["device_code"]}
	assert ask(shared, poll).expect(400).json["error"] == "authorization_pending"
	enter_code(shared, user, begun["verification_uri"], begun["user_code"], password="wrong-Password-1")
	assert ask(shared, poll).expect(400).json["error"] in ("authorization_pending", "slow_down")
	assert ask(shared, poll | {"device_code": "not-one"}).expect(400).json["error"] != "authorization_pending"
	enter_code(shared, user, begun["verification_uri"], begun["user_code"])
	assert "access_token" in ask(shared, poll).expect(200).json
	ask(shared, poll).expect(400)


def test_az_on_another_device(shared, user, tmp_path):
	import subprocess

	from az import AZ

	az = Az(tmp_path).register(shared)
	process = subprocess.Popen([AZ, "login", "--use-device-code", "--tenant", shared.tenant], env=az.env,
	    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
	said = ""
	while not (found := re.search(r"(https://\S+) .*code (\S+) to", said)):
		line = process.stderr.readline()
		assert line, f"az said no code: {said}"
		said += line
	enter_code(shared, user, found[1], found[2])
	out, err = process.communicate(timeout=60)
	assert process.returncode == 0, err
	assert az("account", "show")["user"]["name"] == user.upn


# In a browser

@pytest.fixture(scope="module")
def browser(shared, tmp_path_factory):
	"""Chromium, which believes our certificate authority because a policy of its user says so."""
	home = tmp_path_factory.mktemp("chromium")
	nss = home / ".pki" / "nssdb"
	nss.mkdir(parents=True)
	import subprocess

	subprocess.run(["certutil", "-d", f"sql:{nss}", "-N", "--empty-password"], check=True)
	subprocess.run(["certutil", "-d", f"sql:{nss}", "-A", "-t", "C,,", "-n", "strongroom", "-i",
	    shared.env["STRONGROOM_CA"]], check=True)
	options = Options()
	for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	    "--disable-background-networking", "--disable-component-update", "--disable-sync",
	    f"--user-data-dir={home / 'profile'}", "--window-size=360,640"):
		options.add_argument(flag)
	options.binary_location = "/usr/bin/chromium"
	service = webdriver.ChromeService("/usr/bin/chromedriver", env={**os.environ, "HOME": str(home)})
	driver = webdriver.Chrome(options=options, service=service)
	yield driver
	driver.quit()


def sign_in(browser, user, password=None):
	WebDriverWait(browser, 20).until(expected.presence_of_element_located((By.CSS_SELECTOR, "input[type=password]")))
	name = browser.find_element(By.CSS_SELECTOR, "input[autocomplete=username]")
	name.clear()
	name.send_keys(user.upn)
	browser.find_element(By.CSS_SELECTOR, "input[type=password]").send_keys(password or user.password)
	browser.find_element(By.CSS_SELECTOR, "button[type=submit], input[type=submit]").click()


def test_browser(shared, user, browser, monkeypatch):
	"""The library opens the page, the person signs in, the code comes back to it."""

	class Opener(webbrowser.BaseBrowser):
		def open(self, url, new=0, autoraise=True):
			def go():
				browser.get(url)
				sign_in(browser, user)

			threading.Thread(target=go, daemon=True).start()
			return True

	webbrowser.register("driven", None, Opener(), preferred=True)
	monkeypatch.setattr(webbrowser, "_tryorder", ["driven"])
	credential = InteractiveBrowserCredential(authority=f"https://login.localhost:{shared.port}",
	    tenant_id=shared.tenant, disable_instance_discovery=True, timeout=60)
	SecretClient(shared.url("access"), credential).set_secret("by-browser", "x")
	assert shared.vault("access").value("by-browser") == "x"


def authorize_url(shared, **members):
	verifier = secrets.token_urlsafe(48)
	challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
	query = {"client_id": AZ_CLIENT, "response_type": "code", "redirect_uri": "http://localhost:8400",
	    "scope": f"{shared.resource}/.default openid", "code_challenge": challenge,
	    "code_challenge_method": "S256", "state": "state-1", **members}
	query = {name: value for name, value in query.items() if value is not None}
	return verifier, (f"https://login.localhost:{shared.port}/{shared.tenant}/oauth2/v2.0/authorize?"
	    + urllib.parse.urlencode(query))


def test_page_is_accessible(shared, browser):
	browser.get(authorize_url(shared)[1])
	assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang")
	assert browser.title
	assert len(browser.find_elements(By.TAG_NAME, "h1")) == 1
	for field in browser.find_elements(By.CSS_SELECTOR, "input:not([type=hidden]):not([type=submit])"):
		assert field.get_attribute("labels") or browser.find_elements(
		    By.CSS_SELECTOR, f"label[for={field.get_attribute('id')}]"), field.get_attribute("outerHTML")
	width = browser.execute_script("return document.documentElement.scrollWidth")
	assert width <= browser.execute_script("return window.innerWidth"), "no sideways scrolling on a phone"
	assert not browser.get_log("browser"), "nothing that its own policy forbids"


def test_wrong_password_says_so(shared, user, browser):
	browser.get(authorize_url(shared)[1])
	sign_in(browser, user, "wrong-Password-1")
	alert = WebDriverWait(browser, 20).until(expected.presence_of_element_located((By.CSS_SELECTOR, "[role=alert]")))
	assert alert.text
	assert browser.find_element(By.CSS_SELECTOR, "input[type=password]").get_attribute("value") == ""


def code_for(shared, user, **members):
	"""Sign in at the page and take the code out of the redirect."""
	verifier, url = authorize_url(shared, **members)
	person = Person(shared)
	page = person.get(url, allow_redirects=False)
	form = Form(page)
	done = person.fill(page, **{find(form, "user|login"): user.upn, find(form, "passw"): user.password})
	assert done.status_code in (302, 303), done.text
	query = urllib.parse.parse_qs(urllib.parse.urlsplit(done.headers["Location"]).query)
	assert query["state"] == ["state-1"]
	return verifier, query["code"][0]


def redeem(shared, code, verifier, **members):
	return ask(shared, {"grant_type": "authorization_code", "client_id": AZ_CLIENT, "code": code,
	    "redirect_uri": "http://localhost:8400", "code_verifier": verifier, **members})


def test_code(shared, user):
	verifier, code = code_for(shared, user, nonce="n-1")
	answer = redeem(shared, code, verifier).expect(200).json
	assert claims(answer["id_token"])["nonce"] == "n-1"
	assert redeem(shared, code, verifier).expect(400).json["error"] == "invalid_grant", "once"


@pytest.mark.parametrize("change", ({"code_verifier": "x" * 43}, {"redirect_uri": "http://localhost:8400/other"},
    {"client_id": "1950a258-227b-4e31-a9cf-717495945fc2"}))
def test_code_is_bound(shared, user, change):
	verifier, code = code_for(shared, user)
	redeem(shared, code, verifier, **change).expect(400)


@pytest.mark.parametrize("redirect", ("https://evil.example/", "http://localhost.evil.example/",
    "http://localhost@evil.example/", "javascript:alert(1)", "http://evil.example/?http://localhost", "//evil.example",
    "http://localhost:8400#x", "data:text/html,x"))
def test_redirects_nowhere_else(shared, redirect):
	reply = requests.get(authorize_url(shared, redirect_uri=redirect)[1], verify=shared.env["STRONGROOM_CA"],
	    allow_redirects=False)
	assert reply.status_code == 400 and "Location" not in reply.headers


def test_no_proof_key_no_code(shared):
	for change in ({"code_challenge": None, "code_challenge_method": None}, {"code_challenge_method": "plain"},
	    {"response_type": "token"}):
		reply = requests.get(authorize_url(shared, **change)[1], verify=shared.env["STRONGROOM_CA"],
		    allow_redirects=False)
		assert "code=" not in reply.headers.get("Location", "")
		assert "password" not in Form(reply).fields


def test_page_headers(shared):
	reply = requests.get(authorize_url(shared)[1], verify=shared.env["STRONGROOM_CA"])
	policy = reply.headers["Content-Security-Policy"]
	assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
	assert reply.headers["Cache-Control"].startswith("no-store")
	assert reply.headers["Referrer-Policy"] == "no-referrer"
	cookies = reply.headers.get("Set-Cookie", "")
	assert "__Host-" in cookies and "Secure" in cookies and "HttpOnly" in cookies and "SameSite" in cookies


def test_page_escapes(shared):
	evil = '"><script>alert(1)</script>'
	for member in ("login_hint", "state", "nonce"):
		reply = requests.get(authorize_url(shared, **{member: evil})[1], verify=shared.env["STRONGROOM_CA"])
		assert "<script>" not in reply.text


def test_forged_form(shared, user):
	"""A form that another site sends has not the cookie that belongs to it."""
	person, other = Person(shared), Person(shared)
	page = person.get(authorize_url(shared)[1])
	form = Form(page)
	data = form.fields | {find(form, "user|login"): user.upn, find(form, "passw"): user.password}
	reply = other.post(form.url, data=data, allow_redirects=False)
	assert "Location" not in reply.headers and reply.status_code >= 400


# Groups

def test_groups_count_at_once(shared, user):
	server = shared
	outer = server.graph("POST", "/groups", {"displayName": "outer", "mailNickname": unique("g"),
	    "mailEnabled": False, "securityEnabled": True}).expect(201).json["id"]
	inner = server.graph("POST", "/groups", {"displayName": "inner", "mailNickname": unique("g"),
	    "mailEnabled": False, "securityEnabled": True}).expect(201).json["id"]
	reference = lambda one: {"@odata.id": f"https://graph.localhost:{server.port}/v1.0/directoryObjects/{one}"}
	server.graph("POST", f"/groups/{outer}/members/$ref", reference(inner)).expect(204)
	body = server.assignment(outer, "Key Vault Secrets Officer")
	body["properties"]["principalType"] = "Group"
	server.manage("PUT", server.scope("access-two") + "/providers/Microsoft.Authorization/roleAssignments/"
	    "5f1c5e20-0000-4000-8000-000000000002", body).expect(201)
	token = user.grant().expect(200).json["access_token"]
	vault = server.vault("access-two")
	vault.request("GET", "/secrets", token=token).expect(403)
	server.graph("POST", f"/groups/{inner}/members/$ref", reference(user.object_id)).expect(204)
	vault.request("GET", "/secrets", token=token).expect(200)
	server.graph("DELETE", f"/groups/{outer}/members/{inner}/$ref").expect(204)
	vault.request("GET", "/secrets", token=token).expect(403)
	server.graph("POST", f"/groups/{outer}/members/$ref", reference(inner)).expect(204)
	server.graph("POST", f"/groups/{inner}/members/$ref", reference(outer)).expect(204)
	vault.request("GET", "/secrets", token=token).expect(200)
	server.graph("DELETE", f"/groups/{inner}").expect(204)
	vault.request("GET", "/secrets", token=token).expect(403)
