#!/usr/bin/env python3
"""script/headers.py FILE...: headers whose comments speak of other parameters than are declared.

A comment that begins with `name(a, b, err):`, or has a line that does, names a function of the same
header, and its parameters as they are declared, in their order.  `...` stands for the rest of them,
a "string" for one.
"""

import re

from violations import report

COMMENT = re.compile(r"/\*.*?\*/", re.S)
ABOVE = re.compile(r"^/\*.*?\*/", re.S | re.M)  # not one inside a struct
BODY = re.compile(r"\n\{.*?\n\}", re.S)  # of an inline function
SAID = re.compile(r"^\W*(\w+)\(([^()]*)\):", re.M)
DECLARED = re.compile(r"\b(\w+)\(((?:[^();{}]|\([^()]*\))*)\)\s*;")
MACRO = re.compile(r"^#define (\w+)\(([^()]*)\)", re.M)
POINTED = re.compile(r"\(\*(\w+)\)")  # to a function: void (*fn)(void *ctx)
NAMED = re.compile(r"(\w+)(?:\[[^\]]*\])*$")


def split(parameters):
    """At the commas that are in no parentheses."""
    return [part.strip() for part in re.split(r",(?![^()]*\))", parameters) if part.strip() not in ("", "void")]


def name_of(parameter):
    match = POINTED.search(parameter) or NAMED.search(parameter)
    return match[1] if match else parameter


def declared(text):
    code = BODY.sub(";", COMMENT.sub(" ", text))
    return {match[1]: [name_of(part) for part in split(match[2])]
            for pattern in (MACRO, DECLARED) for match in pattern.finditer(code)}


def fits(said, known):
    for at, part in enumerate(said):
        if part == "..." or known[at:] == ["..."]:
            return True
        if at >= len(known) or (part != known[at] and not part.startswith('"')):
            return False
    return len(said) == len(known)


def violations(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    known = declared(text)
    for comment in ABOVE.finditer(text):
        for said in SAID.finditer(comment[0]):
            number = 1 + text.count("\n", 0, comment.start() + said.start(1))
            named = [re.sub(r"^\*\s*", "", part) for part in split(re.sub(r"\s*\n\s*", " ", said[2]))]
            if said[1] not in known:
                yield number, f"no {said[1]} is declared here"
            elif not fits(named, known[said[1]]):
                yield number, f"{said[1]} takes ({', '.join(known[said[1]])})"


report(violations)
