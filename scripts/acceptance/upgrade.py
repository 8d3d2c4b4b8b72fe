#!/usr/bin/env python3
"""Upgrades a database of an older program, and kills the upgrade repeatedly.

    scripts/acceptance/upgrade.py --base PROGRAM --events FILE [--kills N] [--database sqlite]
    scripts/acceptance/upgrade.py --base PROGRAM --data FOLDER [--kills N]
    scripts/with-postgres scripts/acceptance/upgrade.py --base PROGRAM --events FILE --database postgres

The older program imports the events of the file (NDJSON), or has a data folder already, of which a copy is used. It answers
questions about their past. The present program then serves the same database: while it moves rows, makes the index of
events and drops old indexes, clients go on asking and storing, and SIGKILL comes. Every answer must be that of the older program, every acknowledged event must be stored, and at
the end the sheets and the index must equal the rows. It prints how long questions and stores took meanwhile.
"""

import http.client
import json
import shutil
import sys
import threading
import time
import uuid
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

from crash import Mortal
from harness import Checks, arguments
from recount import Sql
from sheets import Sheets

# How a request ends whose server dies.
CUT = (OSError, http.client.HTTPException)
# The longest wait for the end of the upgrade.
UPGRADE_SECONDS = 3_600


class Upgrade:
    """One database, both programs, and the answers of the older one."""

    def __init__(self, checks, server, base):
        self.checks = checks
        self.server = server
        self.present, self.base = server.program, base
        self.sql = Sql(server.database)
        self.truth = {}
        self.stored = set()
        self.took = {"asking": [], "storing": []}
        self.seen = Counter()
        self.ends = threading.Event()

    def ask_the_older(self):
        """Collects the answers of the older program to questions about a past that stays as it is."""
        newest = self.server.ask("GET", "/v1/events", query={"limit": 1}).json()["events"][0]
        until = datetime.fromisoformat(newest["occurred_at"]).replace(hour=0, minute=0, second=0, microsecond=0)
        some = self.server.ask("GET", "/v1/events", query={"limit": 200, "to": until.isoformat()}).json()["events"]
        first, last = (f"{until - timedelta(days=days):%Y-%m-%d}" for days in (60, 2))
        span = {"from": f"{first}T00:00:00Z", "to": until.isoformat()}
        questions = [("/v1/analysis/active-users", {"type": "daily", "date_from": first, "date_to": last}),
                     ("/v1/analytics/active-users", {"granularity": "day", **span}),
                     ("/v1/analysis/metrics/page-statistics", {"start_timestamp": int(until.timestamp()) - 40 * 86_400,
                                                               "end_timestamp": int(until.timestamp()) - 1})]
        for event in some[::20]:
            for names in ((), ("user_id",), ("tenant_id", "type"), ("page",), ("outcome", "tenant_id"), ("type", "user_id")):
                wanted = {name: event[name] for name in names if event.get(name)}
                questions.append(("/v1/events", {"limit": 100, "to": until.isoformat(), **wanted}))
        for path, query in questions:
            answer = self.server.ask("GET", path, query=query)
            if self.checks.equal(answer.status, 200, f"the older program answers {path} {query}"):
                self.truth[(path, json.dumps(query))] = lasting(answer.json())

    def asking(self):
        """Asks the present program the same, one question after the other. A dead server answers nothing."""
        while not self.ends.is_set():
            for (path, query), expected in self.truth.items():
                self.one(path, json.loads(query), expected)
                if self.ends.is_set():
                    return

    def one(self, path, query, expected):
        """One question and its answer."""
        started = time.monotonic()
        try:
            answer = self.server.ask("GET", path, query=query)
        except CUT:
            self.seen["questions to a dead server"] += 1
            time.sleep(0.05)
            return
        self.took["asking"].append(time.monotonic() - started)
        self.checks.equal((answer.status, lasting(answer.json())), (200, expected), f"{path} {query}, while upgrading")

    def storing(self):
        """Stores single events of the present."""
        while not self.ends.is_set():
            event = {"id": str(uuid.uuid4()), "type": "page_load", "user_id": "upgrade", "page": "/upgrade",
                     "occurred_at": datetime.now(timezone.utc).isoformat()}
            started = time.monotonic()
            try:
                answer = self.server.ask("POST", "/v1/events", event)
            except CUT:
                self.seen["stores to a dead server"] += 1
                time.sleep(0.05)
                continue
            self.took["storing"].append(time.monotonic() - started)
            if self.checks.equal(answer.status, 200, f"an event is stored while upgrading: {answer}"):
                self.stored.add(event["id"])
            time.sleep(0.01)

    def events(self):
        """The number of stored events of customers."""
        return int(self.sql.events("count(*)")[0][0])

    def is_done(self):
        """Whether the index answers, and the old indexes and partitions are gone."""
        answers = self.sql.rows("SELECT has_postings FROM sheet_generation")[0][0] in ("1", "t", "true")
        tables = "pg_indexes" if self.sql.postgres else "sqlite_schema"
        name = "indexname" if self.sql.postgres else "name"
        olds = f"{name} LIKE 'events_by%' AND {name} NOT IN ('events_by_seq')"
        if not answers or self.sql.rows(f"SELECT {name} FROM {tables} WHERE {olds}"):
            return False
        return not self.sql.postgres or not self.sql.rows("SELECT inhrelid FROM pg_inherits WHERE inhparent = 'events'::regclass")

    def run(self, kills):
        """The upgrade. Returns its seconds."""
        threads = [threading.Thread(target=self.asking), threading.Thread(target=self.storing)]
        started = time.monotonic()
        self.server.start()
        print(f"ready after {time.monotonic() - started:.1f} s", flush=True)
        for thread in threads:
            thread.start()
        for number in range(kills):
            time.sleep(3 * 1.6 ** number)
            if self.is_done():
                break
            self.server.kill()
            self.seen["kills"] += 1
            self.server.start()
        while not self.is_done():
            if time.monotonic() - started > UPGRADE_SECONDS:
                self.checks.that(False, f"the upgrade ends within {UPGRADE_SECONDS} s")
                break
            time.sleep(0.5)
        took = time.monotonic() - started
        self.ends.set()
        for thread in threads:
            thread.join()
        return took

    def finish(self, events):
        """Everything is there and agrees, and the older program refuses the database."""
        found = {str(uuid.UUID(one)) for one, in self.sql.events(self.sql.uuid("id"), "user_id = 'upgrade'")}
        self.checks.equal(self.stored - found, set(), "every acknowledged event is stored")
        self.checks.equal(self.events(), events + len(found), "no other event is added or lost")
        for (path, query), expected in self.truth.items():
            answer = self.server.ask("GET", path, query=json.loads(query))
            self.checks.equal((answer.status, lasting(answer.json())), (200, expected), f"{path} {query}, upgraded")
        sheets = Sheets(self.checks, self.server)
        sheets.lapse()
        sheets.merged("upgraded")
        sheets.check("upgraded")
        for what, times in self.took.items():
            times.sort()
            print(f"{what}: {len(times)} times, median {times[len(times) // 2] * 1e3:.1f} ms, p99 {times[len(times) * 99 // 100] * 1e3:.1f} ms, "
                  f"longest {times[-1] * 1e3:.0f} ms", flush=True)
        if not self.sql.postgres:
            self.vacuum()
        self.checks.equal(self.server.stop(), 0, "the server ends cleanly")
        self.server.program = self.base
        refused = self.server.command("rebuild")
        said = (refused.stdout + refused.stderr).decode(errors="replace").strip()
        self.checks.that(refused.returncode != 0 and "newer version" in said, "the older program refuses the database", said)
        print(f"the older program: {said}", flush=True)
        self.server.program = self.present

    def vacuum(self):
        """Gives the disk back."""
        before = self.server.database.file.stat().st_size
        print(self.server.command("vacuum", "--dry-run").stdout.decode().strip(), flush=True)
        done = self.server.command("vacuum")
        self.checks.equal(done.returncode, 0, f"trailkeeper vacuum: {done.stderr.decode()}")
        after = self.server.database.file.stat().st_size
        print(f"the file had {before:,} bytes and has {after:,}", flush=True)


def lasting(answer):
    """An answer without its cursor, whose form belongs to the program."""
    return {name: value for name, value in (answer or {}).items() if name != "next_cursor"}


def main():
    options = arguments(
        __doc__, ("--base", {"required": True, "help": "the older program"}),
        ("--events", {"help": "a file of events, one JSON object per line"}),
        ("--data", {"help": "a data folder of the older program with SQLite, instead of an import"}),
        ("--kills", {"type": int, "default": 6, "help": "kills during the upgrade"}),
    )
    if bool(options.events) == bool(options.data):
        sys.exit("name either --events or --data")
    checks = Checks()
    server = Mortal(checks, options.database)
    upgrade = Upgrade(checks, server, Path(options.base).resolve())
    server.program = upgrade.base
    try:
        started = time.monotonic()
        if options.data:
            shutil.copytree(options.data, server.data)
        else:
            done = server.command("import", "events", str(Path(options.events).resolve()), timeout=None)
            checks.equal(done.returncode, 0, f"the older program imports: {done.stderr.decode(errors='replace')[-500:]}")
        events = upgrade.events()
        print(f"the older program has {events:,} events after {time.monotonic() - started:.0f} s", flush=True)
        with server:
            Sheets(checks, server).merged("before")
            upgrade.ask_the_older()
            checks.equal(server.stop(), 0, "the older program ends cleanly")
            server.program = upgrade.present
            took = upgrade.run(options.kills)
            print(f"upgraded in {took:.0f} s, {dict(upgrade.seen)}", flush=True)
            upgrade.finish(events)
            server.start()
    finally:
        server.database.remove()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
