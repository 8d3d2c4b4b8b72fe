"""Reads a SQLite database of Trailkeeper without any code of Trailkeeper, as docs/sheets.md describes it.

    python3 scripts/second_reader FILE

Decodes all sheets, counts of all tenants, deltas, posting runs and runs of ids, counts the rows of events by brute force,
and compares. It opens the file read-only, and a server may run meanwhile. While a rebuild gives pages other keys, rows and
sheets do not belong together, and this program finds differences.
"""

import argparse
import json
import sys

from binary import forms
from checks import Checks
from compare import SecondReader
from database import Database


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the database, for example data/trailkeeper.db")
    checks = Checks()
    reader = SecondReader(checks, Database(parser.parse_args().file))
    reader.read()
    print(json.dumps({**reader.seen, "forms": dict(sorted(forms.items()))}))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
