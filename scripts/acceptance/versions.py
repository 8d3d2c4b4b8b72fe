#!/usr/bin/env python3
"""Lets a running server meet the tables of another version.

    scripts/acceptance/versions.py [--database sqlite]
    scripts/with-postgres scripts/acceptance/versions.py --database postgres
    scripts/with-postgres scripts/acceptance/versions.py --database postgres --base PROGRAM

A row in the table of migrations makes the tables those of a newer version, or of an older one. The server must notice it
under load, say so, stop writing (compared row by row over all tables), go on reading, and work again by itself. A program
that starts on tables of a newer version must refuse. A migration that only adds (`…expand`) disturbs nobody.

With `--base`, a program of an earlier commit serves first, and the present one joins it: clients that retry at the other
server must not see one failed request while the older one is there and when it is replaced.
"""

import subprocess
import sys
import threading
import time
from pathlib import Path

from crash import Mortal
from fault_servers import Clients, neighbour
from faults import Ledger
from harness import ADMIN_EMAIL, ADMIN_PASSWORD, Checks, arguments

NOTICED_SECONDS = 9
MIGRATIONS = "__diesel_schema_migrations"


class Versions:
    """One server and its table of migrations."""

    def __init__(self, checks, server, ledger):
        self.checks = checks
        self.server = server
        self.ledger = ledger
        self.database = server.database

    def contents(self):
        """Every table, and the texts of all of its rows, or on PostgreSQL their hash: a changed row shows, too."""
        if self.database.kind == "sqlite":
            names = self.database.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            return {name: sorted(self.database.rows(f"SELECT * FROM {name}")) for name, in names}
        names = self.database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [f"SELECT '{name}', md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {name} AS t" for name, in names]
        return dict(self.database.rows(" UNION ALL ".join(rows)))

    def meets(self, change, restore, says, what, refused):
        """Changes the table of migrations under load, and back."""
        checks, server = self.checks, self.server
        ends = threading.Event()

        def load():
            while not ends.is_set():
                self.ledger.send(self.ledger.new())

        clients = [threading.Thread(target=load) for _ in range(3)]
        for client in clients:
            client.start()
        try:
            checks.that(server.wait_for("/readyz", 200, 10), f"{what}: ready before")
            started = time.monotonic()
            self.database.change(change)
            noticed = server.wait_for("/readyz", 503, NOTICED_SECONDS)
            took = time.monotonic() - started
            checks.that(noticed, f"{what}: /readyz responds with 503 within {NOTICED_SECONDS} s")
            checks.equal(self.ledger.send(self.ledger.new()).status, 503, f"{what}: a write gets 503")
            before = self.contents()
            login = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
            checks.equal(server.ask("POST", "/v1/sessions", login, token="").status, 503, f"{what}: a login gets 503")
            checks.equal(server.ask("GET", "/v1/events", query={"limit": 5}).status, 200, f"{what}: lists are answered")
            checks.equal(server.ask("GET", "/v1/analytics/active-users").status, 200, f"{what}: questions are answered")
            said = server.log.read_text(errors="replace")
            checks.that(says in said, f"{what}: the log says '{says}'")
            # Longer than the pauses of the background tasks, so that they had their turns.
            time.sleep(2.5)
            after = self.contents()
            checks.equal([name for name in before if before[name] != after[name]], [], f"{what}: no row of any table changes, under load")
            if refused:
                status, error = self.another()
                checks.that(status != 0 and says in error, f"{what}: a program of this version does not start", f"{status} {error}")
                checks.that(self.contents() == after, f"{what}: and changes nothing")
        finally:
            ends.set()
            for client in clients:
                client.join()
            self.database.change(restore)
        checks.that(server.wait_for("/readyz", 200, NOTICED_SECONDS), f"{what}: ready again by itself")
        self.ledger.hold(what)
        print(f"{what}: noticed after {took:.1f} s, no row changed; {len(self.ledger.acknowledged)} acknowledged events", flush=True)

    def another(self):
        """Starts a command that needs the tables. Returns its status and what it says."""
        done = subprocess.run([self.server.program, "migrate"], env=self.server.settings, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    def newer(self):
        """The tables of a newer version, and the same with a migration that only adds."""
        newer, adds = "209912310001", "209912310001expand"
        insert, delete = f"INSERT INTO {MIGRATIONS} (version) VALUES ('{{}}')", f"DELETE FROM {MIGRATIONS} WHERE version = '{{}}'"
        self.meets(insert.format(newer), delete.format(newer), "a newer version of trailkeeper has migrated the database", "tables of a newer version", refused=True)
        status, said = self.another()
        self.checks.equal(status, 0, f"a command works again ({said})")
        self.database.change(insert.format(adds))
        # The comparison is valid for five seconds, and readiness compares always.
        ends = time.monotonic() + 6
        statuses = set()
        while time.monotonic() < ends:
            statuses.add(self.ledger.send(self.ledger.new()).status)
            statuses.add(self.server.ask("GET", "/readyz", token="").status)
            time.sleep(0.05)
        self.checks.equal(statuses, {200}, "a newer migration that only adds: the server stays ready and writes")
        self.checks.equal(self.another()[0], 0, "a newer migration that only adds: commands work")
        self.database.change(delete.format(adds))
        print("a newer migration that only adds: nothing is refused", flush=True)

    def older(self):
        """The tables lack the newest migration, as far as the table of migrations says."""
        version = self.database.rows(f"SELECT max(version) FROM {MIGRATIONS}")[0][0]
        self.meets(f"DELETE FROM {MIGRATIONS} WHERE version = '{version}'", f"INSERT INTO {MIGRATIONS} (version) VALUES ('{version}')",
                   "the database lacks the migrations", "tables of an older version", refused=False)


def side_by_side(checks, server, present, ledger):
    """The older program serves, the present one joins it and migrates, and then takes the place of the older one."""
    what = "a program of an earlier commit is replaced"
    joined = neighbour(server, "joined")
    joined.program = present
    with Clients(ledger, [server, joined]) as clients:
        time.sleep(1)
        joined.start()
        # Longer than an older program takes to notice that the tables changed.
        time.sleep(NOTICED_SECONDS)
        print(f"the older program beside the present one: /readyz {server.ask('GET', '/readyz', token='').status}", flush=True)
        checks.equal(server.stop(), 0, f"{what}: it ends cleanly")
        server.program = present
        server.start()
    checks.equal(joined.stop(), 0, f"{what}: the present one ends cleanly")
    checks.equal(clients.failed, [], f"{what}: no request fails behind a client that retries")
    ledger.hold(what)
    print(f"{what}: {dict(clients.seen)}, no request failed", flush=True)


def main():
    options = arguments(__doc__, ("--base", {"help": "a program of an earlier commit"}))
    checks = Checks()
    server = Mortal(checks, options.database, merge_every=1)
    present = server.program
    if options.base:
        server.program = Path(options.base).resolve()
    with server:
        ledger = Ledger(checks, server)
        if options.base:
            side_by_side(checks, server, present, ledger)
        versions = Versions(checks, server, ledger)
        versions.newer()
        versions.older()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
