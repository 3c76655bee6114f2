"""What the checks of script/check say of the files they are given, each as a line of its own."""

import sys


def report(violations):
    """Exit by whether violations(path) yields any (line number, message) of the files named."""
    bad = False
    for path in sys.argv[1:]:
        for number, message in violations(path):
            print(f"{path}:{number}: {message}")
            bad = True
    sys.exit(bad)
