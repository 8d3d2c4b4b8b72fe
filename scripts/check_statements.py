#!/usr/bin/env python3
"""Checks that the program's statements and migrations keep to the rules of buckets.

    TRAILKEEPER_TEST_STATEMENTS=FILE make test
    scripts/check_statements.py FILE

What grows with events lies in buckets (docs/database.md). On a database of several machines each bucket is on one of them,
so a statement names the bucket of every such table that it reads or writes: `bucket = $n`; or, for a question about everyone,
all buckets: `bucket = ANY($n)`. `scripts/statements.toml` lists the exceptions with their reasons. An exception that nothing needs fails too, so the list only becomes shorter.

FILE has the statements that PostgreSQL itself recorded during the tests, one JSON string per line.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "scripts/statements.toml"
SCHEMA = ROOT / "crates/storage/src/schema.rs"
MIGRATIONS = ROOT / "migrations/postgres"

# Fewer statements than the tests are known to send mean that they were not recorded.
LEAST = 300

# What a migration must not contain, and why.
FORBIDDEN = {
    "index outside of DO": (r"^\s*CREATE\s+(UNIQUE\s+)?INDEX", "in a file of several statements, it fails on a distributed table"),
    "trigger": (r"\bCREATE\s+(OR\s+REPLACE\s+)?(CONSTRAINT\s+)?TRIGGER\b", "distributed tables have none"),
    "row-level security": (r"\bROW\s+LEVEL\s+SECURITY\b", "it depends on settings of the session"),
    "ON DELETE SET": (r"\bON\s+(DELETE|UPDATE)\s+SET\b", "a distributed foreign key cannot"),
    "serial column": (r"\bADD\s+COLUMN[^;,]*\b(small|big)?serial\b", "a distributed table cannot add one"),
    "ALTER SEQUENCE": (r"\bALTER\s+SEQUENCE\b", "sequences of workers are not changed by it"),
    "CONCURRENTLY": (r"\bCONCURRENTLY\b", "it cannot run in the transaction of a migration"),
}


def bucketed_tables():
    """The tables that have a bucket, by the schema of the program."""
    tables = re.findall(r"^    (\w+) \([^)]*\) \{\n((?:        .*\n)*)", SCHEMA.read_text(), re.MULTILINE)
    return [name for name, columns in tables if re.search(r"^        bucket -> ", columns, re.MULTILINE)]


def flat(statement):
    """The statement without quotes and comments, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"--[^\n]*", "", statement).replace('"', "")).strip()


def lacks_bucket(statement, tables):
    """Whether the statement reads or writes a table with buckets without a condition for its bucket."""
    used = re.findall(rf"\b(?:FROM|JOIN|INTO|UPDATE|USING)\s+(?:ONLY\s+)?(?:{'|'.join(tables)})\b", statement, re.IGNORECASE)
    named = re.findall(r"\bbucket (?:= (?:\$\d+|ANY ?\(\$\d+\)|\w+\.bucket)|IN \(\$\d+)", statement)
    inserted = re.findall(r"\bINSERT INTO \w+ (?:AS \w+ )?\([^)]*\bbucket\b", statement)
    return len(named) + len(inserted) < len(used)


def unlisted(found, listed, of):
    """The findings that no entry allows, and the entries that allow nothing."""
    needed = {finding: [entry for entry in listed if of(entry, finding)] for finding in found}
    used = [id(entry) for entries in needed.values() for entry in entries]
    return [finding for finding, entries in needed.items() if not entries], [entry for entry in listed if id(entry) not in used]


def check_statements(file, listed):
    """The problems of the recorded statements."""
    tables = bucketed_tables()
    statements = {flat(json.loads(line)) for line in Path(file).read_text().splitlines()}
    of_buckets = [one for one in statements if re.search(rf"\b({'|'.join(tables)})\b", one)]
    print(f"{len(statements)} statements, {len(of_buckets)} of them of the tables {', '.join(tables)}")
    if len(of_buckets) < LEAST:
        yield f"only {len(of_buckets)} statements were recorded: run the whole test suite"
    found = sorted(one for one in of_buckets if lacks_bucket(one, tables))
    new, old = unlisted(found, listed, lambda entry, one: one.startswith(entry["statement"]))
    for one in new:
        yield f"no `bucket = $n` for every table with buckets: {one[:600]}"
    for entry in old:
        yield f"{LIST.name} lists a statement that was not sent, or names its bucket: {entry['statement']}"


def check_migrations(listed):
    """The problems of the migrations."""
    found = []
    for file in sorted(MIGRATIONS.glob("*/up.sql")):
        text = re.sub(r"--[^\n]*", "", file.read_text())
        found += [(file.parent.name, rule) for rule, (pattern, _) in FORBIDDEN.items() if re.search(pattern, text, re.IGNORECASE | re.MULTILINE)]
    new, old = unlisted(found, listed, lambda entry, one: one[1] == entry["rule"] and one[0] in entry["migrations"])
    for migration, rule in new:
        yield f"migration {migration}: {rule}: {FORBIDDEN[rule][1]}"
    for entry in old:
        yield f"{LIST.name} lists the rule {entry['rule']} for migrations, and none of them needs it"
    for entry in listed:
        for migration in entry["migrations"]:
            if (migration, entry["rule"]) not in found:
                yield f"{LIST.name} lists {migration} for the rule {entry['rule']}, and it does not need it"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    listed = tomllib.loads(LIST.read_text())
    problems = [*check_statements(sys.argv[1], listed["without_bucket"]), *check_migrations(listed["migrations"])]
    for problem in problems:
        print(f"FAILED {problem}")
    checks = 1 + len(FORBIDDEN)
    print(f"{checks if not problems else 0} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
