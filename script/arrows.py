#!/usr/bin/env python3
"""script/arrows.py FILE...: who may include what in src.

A folder includes only itself and what stands to its left in ORDER; folders in one row do not
include each other, except as SAME_ROW says.  The files directly in src include anything.
Libraries stay where LIBRARIES puts them.  Includes are written relative to src.
"""

import os
import re

from violations import report

ORDER = [
    ["base"],
    ["crypto", "store"],
    ["pki"],
    ["keyring"],
    ["http"],
    ["api", "mail"],
    ["acme", "identity", "network", "throttle", "audit", "metrics", "events"],
    ["access", "backup", "graph", "signin"],
    ["vault"],
    ["secrets", "keys"],
    ["certs"],
    ["arm", "logs", "alerts", "policy", "posture", "rotation", "jobs", "portal"],
]

# (who, whom): arrows allowed inside a row.
SAME_ROW = set()

# Folders beside the order: what they may include, as a regular expression.
BESIDE = {"cli": r"(cli|base|crypto|pki|http)/|config\.h$"}

# Headers of libraries, and the only files that may include them: regular expressions, both.
LIBRARIES = {
    r"openssl/": r"src/(crypto|pki|keyring)/|src/http/(tls|client)",
    r"sqlite3\.h$": r"src/store/sqlite",
    r"libpq-fe\.h$": r"src/store/postgres",
    r"uv\.h$": r"src/http/|src/[^/]*$",
    r"p11-kit/": r"src/keyring/token",
    r"curl/": r"src/http/client|src/mail/smtp",
}

# Tests make with a library what the code is to be tried on.
TEST = re.compile(r"(_test|testing|fixture)\.[ch]$")

INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]*)[">]')
ROW = {folder: row for row, folders in enumerate(ORDER) for folder in folders}


def folder_of(path):
    return path.split("/")[0] if "/" in path else None


def refuse_own(path, target):
    """Why may the file src/${path} not include "${target}"?  None when it may."""
    if ".." in target.split("/") or not os.path.isfile(os.path.join("src", target)):
        return "no such file in src (includes are written relative to src)"
    who, whom = folder_of(path), folder_of(target)
    if who is None or who == whom:
        return None
    if who in BESIDE:
        return None if re.match(BESIDE[who], target) else f"{who} may include {BESIDE[who]}"
    if who not in ROW:
        return f"the folder {who} has no place in the order (script/arrows.py)"
    if whom is None:
        return f"{who} may not include the files directly in src"
    if whom not in ROW:
        return f"{who} may not include {whom}"
    if ROW[whom] < ROW[who] or (who, whom) in SAME_ROW:
        return None
    if ROW[whom] == ROW[who]:
        return f"{who} and {whom} stand in one row"
    return f"{whom} stands to the right of {who}"


def refuse_library(path, target):
    if TEST.search(path):
        return None
    for header, places in LIBRARIES.items():
        if re.match(header, target) and not re.match(places, path):
            return f"only {places} may"
    return None


def violations(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not (match := INCLUDE.match(line)):
                continue
            quote, target = match.groups()
            if quote == '"':
                why = refuse_own(path.removeprefix("src/"), target)
            else:
                why = refuse_library(path, target)
            if why:
                yield number, f"may not include {target}: {why}"


os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
report(violations)
