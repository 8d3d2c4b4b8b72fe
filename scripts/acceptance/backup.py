#!/usr/bin/env python3
"""Backs a SQLite database up while the server stores events, and restores it.

    scripts/acceptance/backup.py

SQLite's own integrity check and plain SQL read the backup. It has every event that was acknowledged before it began, and no
part of a request. A running server keeps its file; after a stop, the backup takes its place, and senders repeat what was
stored since: each event is then there once.
"""

import os
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections import Counter
from contextlib import closing

from harness import Checks, Server, arguments

BATCH = 20
SENDERS = 4
EVENTS_BEFORE = 4_000
EVENTS_DURING = 400


class Senders:
    """Threads that send batches until they are stopped, and know what was acknowledged."""

    def __init__(self, server):
        self.server = server
        self.lock = threading.Lock()
        self.acknowledged = []
        self.refused = []
        self.stopping = threading.Event()
        self.enough = threading.Condition(self.lock)
        self.threads = [threading.Thread(target=self.send) for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def send(self):
        while not self.stopping.is_set():
            batch = [
                {"id": str(uuid.uuid4()), "type": "page_load", "page": f"/p{number % 7}", "user_id": f"u{number % 5}"}
                for number in range(BATCH)
            ]
            answer = self.server.ask("POST", "/v1/events", batch)
            with self.lock:
                (self.acknowledged if answer.status == 200 else self.refused).append(batch)
                self.enough.notify_all()

    def wait_for(self, events):
        """Waits until this many events were acknowledged. Returns those that are."""
        with self.enough:
            self.enough.wait_for(lambda: len(self.acknowledged) * BATCH >= events, timeout=120)
            return list(self.acknowledged)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def ids_in(file):
    """The ids of the customers' events in a database file, counted by plain SQL."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        kinds = "kind_ref = (SELECT id FROM dict_kinds WHERE name = 'page_load')"
        return Counter(str(uuid.UUID(bytes=row[0])) for row in connection.execute(f"SELECT id FROM events WHERE {kinds}"))


def ids_of(batches):
    return {event["id"] for batch in batches for event in batch}


def main():
    arguments(__doc__)
    checks = Checks()
    with Server(checks) as server:
        file = server.folder / "backup.db"
        senders = Senders(server)
        before = ids_of(senders.wait_for(EVENTS_BEFORE))
        done = server.command("backup", str(file))
        sent = senders.wait_for(len(before) + EVENTS_DURING)
        senders.stop()
        checks.equal(done.returncode, 0, f"a backup while events are stored: {done.stderr.decode()}")
        checks.that(b"events, verified" in done.stdout, "the backup was verified", done.stdout)
        checks.equal(senders.refused, [], "refused requests meanwhile")
        checks.equal(oct(file.stat().st_mode & 0o777), "0o600", "the mode of the backup")
        beside = sorted(path.name for path in server.folder.iterdir() if path.name.startswith("backup"))
        checks.equal(beside, ["backup.db"], "nothing else is left")
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            checks.equal(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "SQLite's integrity check")
        found = ids_in(file)
        checks.equal(sum(found.values()), len(found), "events that are in the backup twice")
        checks.equal(before - set(found), set(), "events that were acknowledged before the backup and are missing in it")
        all_batches = senders.acknowledged
        cut = [batch for batch in all_batches if 0 < sum(event["id"] in found for event in batch) < BATCH]
        checks.equal(cut, [], "requests of which the backup has a part")
        later = [batch for batch in all_batches if batch[0]["id"] not in found]
        checks.that(len(later) > 0 and len(sent) > 0, "events were stored after the backup")

        audited = server.ask("GET", "/v1/events", query={"type": "backup"}).json()["events"]
        checks.equal(len(audited), 1, "audit events about the backup")
        again = server.command("backup", str(file))
        checks.that(again.returncode == 1 and b"exists; choose another name" in again.stderr, "an existing file", again)

        # A running server keeps its file.
        done = server.command("restore", str(file), "--replace")
        checks.that(done.returncode == 1 and b"is in use; stop the server" in done.stderr, "a running server", done)
        checks.equal(set(ids_in(server.database.file)), ids_of(all_batches), "the events of the running server")
        checks.equal(server.stop(), 0, "the server ends cleanly on SIGTERM")
        done = server.command("restore", str(file))
        checks.that(done.returncode == 1 and b"add --replace" in done.stderr, "without --replace", done)
        done = server.command("restore", str(file), "--replace")
        checks.equal(done.returncode, 0, f"a restore: {done.stderr.decode()}")
        former = [path for path in server.data.iterdir() if "before-restore" in path.name]
        checks.equal(len(former), 1, "the database before is kept")
        checks.equal(set(ids_in(former[0])), ids_of(all_batches), "and has its events")
        server.start()
        checks.equal(set(ids_in(server.database.file)), set(found), "the events after the restore")
        stored = sum((server.ask("POST", "/v1/events", batch).json() or {}).get("stored", 0) for batch in all_batches)
        checks.equal(stored, BATCH * len(later), "events that senders repeat and that are new")
        counted = server.ask("GET", "/v1/events/count", query={"type": "page_load"}).json()["count"]
        checks.equal(counted, BATCH * len(all_batches), "each event is there once")
        done = server.command("verify")
        checks.equal(done.returncode, 0, f"verify: {done.stdout.decode()}")

    # A machine that has nothing but the backup.
    with Server(checks) as server:
        file = server.folder / "backup.db"
        checks.equal(server.ask("POST", "/v1/events", {"type": "page_load", "user_id": "ann"}).status, 200, "an event")
        checks.equal(server.command("backup", str(file), "--no-verify").returncode, 0, "a backup without verification")
        elsewhere = server.folder / "elsewhere"
        settings = server.settings | {
            "TRAILKEEPER_DATA_DIR": str(elsewhere), "TRAILKEEPER_DATABASE_URL": f"sqlite:{elsewhere / 'trailkeeper.db'}",
        }
        elsewhere.mkdir(mode=0o700)
        done = subprocess.run([server.program, "restore", str(file)], env=settings, capture_output=True, check=False)
        checks.that(done.returncode == 0 and b"verified" in done.stdout, "a restore in an empty folder", done)
        checks.equal(sum(ids_in(elsewhere / "trailkeeper.db").values()), 1, "its events")
        damaged = server.folder / "damaged.db"
        content = bytearray(file.read_bytes())
        middle = len(content) // 2
        content[middle:middle + 8192] = os.urandom(8192)
        damaged.write_bytes(content)
        settings["TRAILKEEPER_DATABASE_URL"] = f"sqlite:{elsewhere / 'other.db'}"
        done = subprocess.run([server.program, "restore", str(damaged)], env=settings, capture_output=True, check=False)
        left = [path.name for path in elsewhere.iterdir() if path.name.startswith("other")]
        checks.that(done.returncode == 1 or b"verified" in done.stdout, "a damaged backup is refused, or was unharmed", done)
        checks.equal(left if done.returncode else [], [], "a refused backup leaves nothing")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
