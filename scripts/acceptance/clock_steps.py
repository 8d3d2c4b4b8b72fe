#!/usr/bin/env python3
"""Steps the clock of a running server under load.

    scripts/acceptance/clock_steps.py [--database sqlite]
    scripts/with-postgres scripts/acceptance/clock_steps.py --database postgres [--minutes N]

libfaketime (a package of Debian) gives the server a clock that this check steps by seconds, minutes, hours, days and back,
as a wrong time server, a suspended machine or an administrator does. The time that only goes forward is left as it is, and so
is the clock of PostgreSQL. After each step every request is answered as before, new events are merged soon, and the raw
rows, read by the databases' own clients, hold every acknowledged event once. At the end `trailkeeper verify` recounts all
sheets, and a server whose clock is a day behind joins one whose clock is right.

With `--minutes`, the steps repeat for so long.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crash import Mortal
from fault_servers import Clients, neighbour
from faults import Ledger
from harness import Checks, arguments
from sheets import Sheets

# Each is the difference to the right time from then on.
STEPS = ["+3s", "-3s", "+5m", "-5m", "+2h", "-2h", "-26h", "+40d", "+0"]
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LOAD_SECONDS = 1.5
MERGED_SECONDS = 15
PACKAGE = "libfaketime"


def library():
    """The library, installed if that is possible; None otherwise."""
    def find():
        return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)

    if find() is None and shutil.which("apt-get"):
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        install = "apt-get update -q && apt-get install -q -y --no-install-recommends " + PACKAGE
        subprocess.run([*root, "env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", install], stdin=subprocess.DEVNULL,
                       stdout=sys.stderr, check=False)
    return find()


class Clock:
    """A clock that a server reads from a file."""

    def __init__(self, server, name):
        self.file = server.folder / name
        self.set("+0")
        server.settings = server.settings | {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, difference):
        """Steps the clock. The file is replaced at once, because the server reads it all the time."""
        new = self.file.with_suffix(".new")
        new.write_text(difference + "\n")
        new.rename(self.file)


def difference(step):
    """A step as the difference of two times."""
    number, unit = re.fullmatch(r"([+-]\d+)([smhd]?)", step).groups()
    return timedelta(**{UNITS[unit or "s"]: int(number)})


def shows(checks, server, ledger, step):
    """Checks that the server has the stepped clock: a new event was received at its time."""
    ids = ledger.new()
    ledger.send(ids)
    received = datetime.fromisoformat(server.ask("GET", f"/v1/events/{ids[0]}").json()["received_at"])
    wrong = received - difference(step) - datetime.now(UTC)
    checks.that(abs(wrong) < timedelta(seconds=2), f"the clock at {step}: the server reads it", f"{received}, {wrong} off")


def stepped(checks, server, clock, ledger, step):
    """One step, under load and afterwards."""
    what = f"the clock at {step}"
    with Clients(ledger, [server]) as clients:
        time.sleep(LOAD_SECONDS / 3)
        clock.set(step)
        time.sleep(LOAD_SECONDS)
        checks.equal(server.ask("GET", "/readyz", token="").status, 200, f"{what}: ready")
        for path in ("/v1/events", "/v1/analytics/active-users", "/v1/analytics/page-statistics"):
            checks.equal(server.ask("GET", path, query={"limit": 5} if path.endswith("events") else None).status, 200, f"{what}: {path} is answered")
    checks.equal(clients.failed, [], f"{what}: no request fails")
    shows(checks, server, ledger, step)
    started = time.monotonic()
    sheets = Sheets(checks, server)
    while sheets.pending() and time.monotonic() < started + MERGED_SECONDS:
        time.sleep(0.1)
    took = time.monotonic() - started
    checks.equal(sheets.pending(), 0, f"{what}: everything is merged within {MERGED_SECONDS} s")
    ledger.hold(what)
    print(f"{what}: {clients.seen['stored']} requests, {clients.seen['retries']} retries, merged {took:.1f} s after them", flush=True)


def beside_another(checks, server, ledger):
    """A server whose clock is a day behind joins this one, and stays when this one is killed."""
    what = "a server whose clock is a day behind"
    other = neighbour(server, "behind")
    Clock(other, "clock-behind").set("-24h")
    other.start()
    with Clients(ledger, [server, other]) as clients:
        time.sleep(LOAD_SECONDS)
        server.kill()
        time.sleep(LOAD_SECONDS)
    checks.equal(clients.failed, [], f"{what}: no request fails")
    deadline = time.monotonic() + MERGED_SECONDS
    sheets = Sheets(checks, server)
    while sheets.pending() and time.monotonic() < deadline:
        time.sleep(0.1)
    checks.equal(sheets.pending(), 0, f"{what}: it merges what the killed one left")
    checks.equal(other.stop(), 0, f"{what}: it ends cleanly")
    server.start()
    ledger.hold(what)


def main():
    options = arguments(__doc__, ("--minutes", {"type": float, "default": 0, "help": "repeat the steps for so long"}))
    if library() is None:
        print(f"SKIPPED: clock_steps.py: there is no {PACKAGE}; install the package, for example by 'sudo apt-get install {PACKAGE}'")
        return 0
    checks = Checks()
    server = Mortal(checks, options.database, merge_every=1)
    clock = Clock(server, "clock")
    with server:
        ledger = Ledger(checks, server)
        until = time.monotonic() + 60 * options.minutes
        while True:
            for step in STEPS:
                stepped(checks, server, clock, ledger, step)
            if time.monotonic() >= until:
                break
        if options.database == "postgres":
            beside_another(checks, server, ledger)
        Sheets(checks, server).check("at the end")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
