#!/usr/bin/env python3
"""Reads a database of the program by code that was written from docs/sheets.md only, and recounts it.

    scripts/acceptance/formats.py [--seed N] [--events N]

`scripts/second_reader` decodes sheets, counts of all tenants, deltas, posting runs and runs of ids, and compares them with
the rows of events. It reads files of SQLite, whose formats PostgreSQL shares, apart from runs of ids. The events have all
fields, and there are enough of them that every shape of the formats occurs.
"""

import json
import random
import sqlite3
import subprocess
import sys
import time
import uuid
from contextlib import closing
from datetime import datetime, timedelta, timezone

from harness import ROOT, Checks, Server, arguments
from random_history import spelled
from sheets import Sheets

# A run of ids needs 32,768 events.
EVENTS = 34_000
WAITING = [1, 1, 2, 30, 200, 700]
FINISHED_SECONDS = 30
TYPES = ["page_load", "userinfo", "login_success", "login_fail", "logout", "report.exported"]
# What the database must contain, so that the check compares something.
OBJECTS = ["deltas", "waiting events", "runs", "lists", "sheets", "long sheets", "cells", "counts of all tenants", "id runs", "ids"]
FORMS = [
    "sheet: list", "sheet: packed", "sheet: bits", "sheet: same", "sheet: blocks after bits",
    "delta: column 0", "delta: column 1", "delta: unit of 1", "delta: unit of 1000000",
    "run: inline", "run: pages", "run: numbered", "run: bounded", "run: column 0", "run: column 1",
    "run: few", "run: plain", "run: gaps", "run: bits", "run: range",
]


class Events:
    """Random events of several tenants and months."""

    def __init__(self, seed):
        self.choose = random.Random(seed)
        self.now = datetime.now(timezone.utc)
        self.same = self.now - timedelta(days=40)
        self.tenants = [str(uuid.UUID(int=self.choose.getrandbits(128), version=4)) for _ in range(9)]

    def some(self, count, whole_seconds=False):
        """New events. One of fifteen has the time of all others of them, more than fit one page of keys."""
        return [self.event(whole_seconds) for _ in range(count)]

    def event(self, whole_seconds):
        """One event. Few tenants, users and pages have most of the events."""
        choose = self.choose
        at = self.same if choose.random() < 1 / 15 else self.now - timedelta(days=choose.uniform(0.1, 100))
        event = {
            "id": str(uuid.UUID(int=choose.getrandbits(128), version=4)),
            "type": choose.choices(TYPES, [50, 10, 10, 5, 20, 5])[0],
            "occurred_at": spelled(choose, at.replace(microsecond=0) if whole_seconds else at),
        }
        optional = {
            "tenant_id": (0.9, lambda: self.tenants[min(int(choose.expovariate(0.9)), 8)]),
            "env_id": (0.3, lambda: choose.choice([0, 1, 2, 4294967295])),
            "user_id": (0.95, lambda: f"user-{int(choose.paretovariate(0.5)) % 3000}"),
            "outcome": (0.4, lambda: choose.choice(["success", "failure", "unknown"])),
            "source": (0.6, lambda: f"203.0.113.{choose.randrange(60)}"),
            "page": (0.6, lambda: f"/é/{int(choose.paretovariate(0.6)) % 500}"),
            "session_id": (0.1, lambda: f"session {choose.randrange(900)}"),
            "target": (0.1, lambda: {"type": choose.choice(["invoice", "ü"]), "id": str(choose.randrange(50))}),
            "metadata": (0.05, lambda: {"n": choose.randrange(10)}),
        }
        return event | {name: value() for name, (chance, value) in optional.items() if choose.random() < chance}


def read(file):
    """Runs the second reader. Returns its exit status, its figures and its output."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/second_reader", file], capture_output=True, text=True, timeout=300, check=False,
    )
    figures = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return done.returncode, json.loads(figures[-1]) if figures else {}, done.stdout + done.stderr


def imported(checks, server, events):
    """Imports events, which also merges them."""
    lines = "".join(json.dumps(event) + "\n" for event in events)
    done = server.command("import", "events", "-", stdin=lines.encode())
    checks.equal(done.returncode, 0, f"import of {len(events)} events: {done.stderr.decode(errors='replace')[-1500:]}")


def changes_are_noticed(checks, server):
    """A reader that notices nothing would pass every check: in copies, it finds an event or a sheet that is missing."""
    copy = server.folder / "copy.db"
    for table in ("events", "sheets", "posting_runs"):
        copy.unlink(missing_ok=True)
        with closing(sqlite3.connect(server.database.file)) as old, closing(sqlite3.connect(copy)) as new:
            old.backup(new)
            new.execute(f"DELETE FROM {table} WHERE rowid = (SELECT rowid FROM {table} ORDER BY rowid LIMIT 1 OFFSET 5)")
            new.commit()
        code, _, output = read(copy)
        checks.that(code == 1 and "FAILED" in output, f"the second reader notices a missing row of {table}", output[-1500:])


def finished(server):
    """Waits until periods that are over have counts of all tenants and long sheets."""
    deadline = time.monotonic() + FINISHED_SECONDS
    made = "SELECT EXISTS (SELECT 1 FROM tenant_counts) AND EXISTS (SELECT 1 FROM sheets WHERE level > 3)"
    while server.database.rows(made) == [("0",)] and time.monotonic() < deadline:
        time.sleep(0.1)


def main():
    options = arguments(
        __doc__, ("--seed", {"type": int, "default": 20261130, "help": "seed of the events"}),
        ("--events", {"type": int, "default": EVENTS, "help": "number of events"}),
    )
    checks, events = Checks(), Events(options.seed)
    with Server(checks, new_pages_per_day="30") as server:
        few = options.events // 50
        imported(checks, server, events.some(few))
        changes_are_noticed(checks, server)
        imported(checks, server, events.some(options.events - 3 * few))
        imported(checks, server, events.some(2 * few))
        Sheets(checks, server).merged("after the imports")
        # From now on, new events wait. The merger finishes periods soon after its start.
        checks.equal(server.stop(), 0, "the server ends cleanly on SIGTERM")
        server.settings["TRAILKEEPER_MERGE_WITHIN"] = "3600"
        server.start()
        finished(server)
        for number, size in enumerate(WAITING):
            answer = server.ask("POST", "/v1/events", events.some(size, whole_seconds=number % 2 == 0))
            checks.equal((answer.json() or {}).get("stored"), size, "waiting events are stored")
        code, figures, output = read(server.database.file)
        checks.equal(code, 0, f"the second reader finds no difference: {output[-3000:]}")
        for name in OBJECTS:
            checks.that(figures.get(name, 0) > 0, f"the second reader compared {name}", figures)
        for name in FORMS:
            checks.that(figures.get("forms", {}).get(name, 0) > 0, f"the second reader met {name}", figures)
        print(json.dumps(figures), flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
