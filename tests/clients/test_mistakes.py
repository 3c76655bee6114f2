"""What one does wrong in the first hour, and that the program says what to do then; nothing is left half done."""
import os
import subprocess

import pytest

from strongroom import BINARY, SANITIZER_OPTIONS, free_port


def run(*arguments, **more):
	return subprocess.run([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
	    env={name: value for name, value in os.environ.items() if not name.startswith("STRONGROOM_")} | SANITIZER_OPTIONS, **more)


def refused(done, *said):
	assert done.returncode == 1 and not done.stdout, (done.returncode, done.stdout)
	for text in said:
		assert text in done.stderr, (text, done.stderr)


@pytest.mark.parametrize("command, said", [
	("nothing", "no such command: nothing (see `strongroom help`)"),
	("backup", "backup what? create, verify, restore, status"),
	("help access", "access what? explain, who, coverage"),
	("--port 1", "the command comes first, as in `strongroom dev --port"),
	("tenant create", "NAME is missing\n  strongroom tenant create NAME ["),
	("tenant create --data x", "NAME is missing"),
	("backup verify file", "KEY is missing\n  strongroom backup verify FILE KEY"),
	("access explain prod ada", "ACTION is missing"),
	("clock advance 1x", "90d, 12h, 30m, 45s"),
	("serve --prot 1", "no such setting: prot (is it port? `strongroom help settings`"),
	("serve --data", "--data: needs a value"),
	("serve folder", "unexpected argument: folder (settings are --NAME VALUE)"),
	("serve --port none", "port: must be a number from 1 to 65535"),
	("serve --domain https://vaults.example.org", "is no name of DNS, as vaults.example.org"),
	("serve --config absent", "the settings file absent can't be read: there is no such file"),
	("serve", "no store in the data folder .strongroom: name the right one by --data or --config, or make it by `strongroom init`"),
	("rekey --data absent", "no store in the data folder absent: name"),
	("backup create file --data absent --backup-recipient absent.pem", "backup-recipient: absent.pem: there is no such file"),
	("backup create file", "backup-recipient is not set"),
	("backup status", "backup-folder is not set"),
	("env", "where `strongroom dev` writes it: name a development server's by --data"),
	("access who prod", "let the shell export what its `strongroom init` printed"),
	("mail try ada@example.org", "smtp-url is not set"),
	("fetch-cert", "https://shop.vault.example.org web --pem"),
	("completion", "bash, zsh or fish"),
	("init --data absent/below", "can't be made: No such file or directory (name another by --data"),
])
def test_it_says_what_to_do(tmp_path, command, said):
	refused(run(*command.split(), cwd=tmp_path), said)
	assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong, said", [
	(["--vault", "v"], "vault: `v` is no vault's name"),
	(["--vault", "good", "--retention", "goood=9"], "there is no vault goood"),
	(["--vault", "good", "--retention", "good=1"], "NAME=DAYS, 7 to 90"),
	(["--domain", "two words"], "is no name of DNS"),
])
def test_a_failed_init_leaves_nothing(tmp_path, wrong, said):
	refused(run("init", "--data", tmp_path / "data", *wrong), said)
	assert not list(tmp_path.iterdir())
	assert run("init", "--data", tmp_path / "data", "--vault", "good").returncode == 0
	refused(run("init", "--data", tmp_path / "data", "--vault", "good"), "set up already: serve it (`strongroom serve`)")


def test_it_runs_already(shared, tmp_path):
	for command in (["rekey"], ["audit", "verify"], ["tenant", "create", "other"], ["serve"]):
		refused(run(*command, "--data", shared.data, "--port", free_port()), "Another process serves this store: stop that one first")
	assert run("init", "--data", tmp_path / "data", "--vault", "good").returncode == 0
	refused(run("serve", "--data", tmp_path / "data", "--port", shared.port), "address already in use (stop what has it, or choose another by --port)")
	refused(run("serve", "--data", tmp_path / "data", "--port", free_port(), "--listen", "192.0.2.1"), "(--listen takes addresses of this machine")


@pytest.mark.skipif(os.geteuid() != 0, reason="a user of its own needs root")
def test_somebody_elses_folder(shared):
	"""A user who may not look into it is told that, not that nothing is there."""
	for command in (["serve"], ["rekey"], ["audit", "verify"], ["backup", "status", "--backup-folder", "/tmp"]):
		refused(run(*command, "--data", shared.data, user=23456, group=23456, extra_groups=[]),
		    "is not for this user: run this as its owner (a package's is: runuser -u strongroom")
