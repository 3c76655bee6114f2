#!/usr/bin/env python3
"""script/sizes.py FILE...: no long functions, files or lines of C.

A function's body is what stands between a line beginning with { and the next beginning with }.
In tests, tables do not count: cases may be as many, and as wide, as they have to be.  Nor does the
width of a line that holds a string or an address: those are not broken.
"""

import re

from violations import report

FUNCTION_LINES = 80
FILE_LINES = 700
COLUMNS = 100  # a tab is eight

TABLE_BEGINS = re.compile(r"(\s*).*=\s*\{$")
FUNCTION_NAME = re.compile(r"(\w+)\(")
UNBROKEN = re.compile(r'^(?!\s*(/?\*|//)).*"|://')


def table_lines(lines):
    """The numbers of the lines inside tables: between `... = {` and the `}` below its beginning."""
    inside, end = set(), None
    for number, line in enumerate(lines, 1):
        if end is not None:
            inside.add(number)
            if line.startswith(end):
                end = None
        elif match := TABLE_BEGINS.match(line):
            end = match[1] + "}"
    return inside


def functions(lines):
    """Yield (name, first line, last line) of every function's body, braces included."""
    name, begin = "", None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            begin = number
        elif line.startswith("}") and begin is not None:
            yield name, begin, number
            begin = None
        elif begin is None and (match := FUNCTION_NAME.match(line)):
            name = match[1]


def violations(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    tables = table_lines(lines) if path.endswith("_test.c") else set()
    for name, begin, end in functions(lines):
        count = sum(number not in tables for number in range(begin + 1, end))
        if count > FUNCTION_LINES:
            yield begin, f"{name} has {count} lines; {FUNCTION_LINES} are allowed"
    count = len(lines) - len(tables)
    if count > FILE_LINES:
        yield FILE_LINES + 1, f"the file has {count} lines; {FILE_LINES} are allowed"
    for number, line in enumerate(lines, 1):
        width = len(line.expandtabs(8))
        if width > COLUMNS and number not in tables and not UNBROKEN.search(line):
            yield number, f"{width} columns; {COLUMNS} are allowed"


report(violations)
