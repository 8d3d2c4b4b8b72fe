#!/usr/bin/env python3
"""Takes the database away from a running server, and returns it.

    scripts/acceptance/outage.py [--database sqlite]
    scripts/with-postgres scripts/acceptance/outage.py --database postgres

SQLite: every write fails (a limit on file sizes simulates a full disk), then the whole data folder is moved away.
PostgreSQL: the database server is stopped. Meanwhile every request that needs the database gets a 503 with Retry-After
in the format of the contract, quickly and without the cause. Afterwards the server works again by itself, with every
acknowledged event and no refused one.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from bad_input import shape_of
from harness import Checks, Server, arguments

SOON_SECONDS = 12
RECOVERY_SECONDS = 30
QUESTIONS = [
    ("saasus", "GET", "/v1/analysis/active-users?type=daily&date_from=2026-01-01", None),
    ("saasus", "GET", "/v1/analysis/metrics/page-statistics?start_timestamp=0&end_timestamp=5", None),
    ("octopai", "POST", "/api/UserAccount/UserEvents", {}),
    ("octopai", "POST", "/api/UserAccount/Login", {"Username": "a@example.com", "Password": "x"}),
    ("cripsa", "GET", "/v1/auditlog/users?email=a%40example.com", None),
    ("native", "GET", "/v1/events", None),
    ("native", "GET", "/v1/tenants", None),
]


class Outage:
    """A server, and the ids of the events that it acknowledged."""

    def __init__(self, checks, server):
        self.checks = checks
        self.server = server
        self.acknowledged = set()
        self.unsure = set()

    def send(self, in_flight=False):
        """Sends one event and returns the response. Records an acknowledged event. An event in flight while the database
        crashes may be committed without an acknowledgement."""
        event = str(uuid.uuid4())
        answer = self.server.ask("POST", "/v1/events", {"id": event, "type": "page_load", "page": "/", "user_id": "u"})
        if answer.status == 200:
            self.acknowledged.add(event)
        elif in_flight:
            self.unsure.add(event)
        return answer

    def is_unavailable(self, contract, answer, took, what):
        """Checks that a response is a complete 503 without internal details."""
        self.checks.equal(answer.status, 503, f"{what} {answer}")
        self.checks.that((answer.headers.get("Retry-After") or "").isdigit(), f"{what}: Retry-After in seconds", dict(answer.headers))
        text = shape_of(contract, answer)
        self.checks.that(text is not None, f"{what}: the format of the contract", answer)
        inside = ("sqlite", "postgres", "connect", "io error", "errno", "/tmp", "os error")
        self.checks.that(not any(word in (text or "").lower() for word in inside), f"{what}: no internal details", text)
        self.checks.that(took < SOON_SECONDS, f"{what}: quickly", f"{took:.1f} s")
        trace = answer.headers.get("X-Request-Id", "?")
        self.checks.that(self.logged(trace), f"{what}: a line in the log names the request", trace)

    def logged(self, trace):
        """Whether the log has a line about a request. The line may be written just after the response."""
        for _ in range(40):
            if trace in self.server.log.read_text(errors="replace"):
                return True
            time.sleep(0.05)
        return False

    def while_away(self, reads):
        """Sends many writes at the same time, and reads if they cannot work either."""
        started = time.monotonic()
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: timed(self.send), range(32)))
        self.checks.that(time.monotonic() - started < 2 * SOON_SECONDS, "32 simultaneous writes are all refused quickly", f"{time.monotonic() - started:.1f} s")
        for answer, took in answers:
            self.is_unavailable("native", answer, took, "a write")
        report = {"type": "daily", "date": "2026-01-01", "tenant_id": str(uuid.uuid4()), "env_id": 1, "active_users": 5}
        self.is_unavailable("saasus", *timed(lambda: self.server.ask("PUT", "/v1/analysis/active-users", report)), "a report")
        for contract, method, path, body in QUESTIONS:
            if reads:
                self.is_unavailable(contract, *timed(lambda: self.server.ask(method, path, body)), f"{method} {path}")
            elif "Login" not in path:
                self.checks.equal(self.server.ask(method, path, body).status, 200, f"{method} {path} still answers")
        self.checks.equal(self.server.ask("GET", "/healthz", token="").status, 200, "/healthz still responds")
        # The result of /readyz may be three seconds old.
        self.checks.that(self.server.wait_for("/readyz", 503, 5), "/readyz responds with 503")

    def is_back(self, what):
        """Checks that the server works again within a time limit, with all acknowledged events and no others."""
        started = time.monotonic()
        while self.send().status != 200 and time.monotonic() - started < RECOVERY_SECONDS:
            time.sleep(0.1)
        print(f"{what}: works again after {time.monotonic() - started:.2f} s", flush=True)
        self.checks.that(self.server.wait_for("/readyz", 200, RECOVERY_SECONDS), f"{what}: ready again")
        for contract, method, path, body in QUESTIONS:
            expected = 401 if "Login" in path else 200
            self.checks.equal(self.server.ask(method, path, body).status, expected, f"{what}: {method} {path} answers again")
        stored = {event["id"] for event in self.stored()}
        self.checks.equal(self.acknowledged - stored, set(), f"{what}: every acknowledged event is stored")
        self.checks.equal(stored - self.acknowledged - self.unsure, set(), f"{what}: no refused event is stored")

    def stored(self):
        """The ids of all stored page loads."""
        query, events = {"type": "page_load", "limit": 1000}, []
        while True:
            page = self.server.ask("GET", "/v1/events", query=query).json()
            events += page["events"]
            if page["next_cursor"] is None:
                return events
            query["cursor"] = page["next_cursor"]


def timed(call):
    """The result of a call, and the seconds it took."""
    started = time.monotonic()
    return call(), time.monotonic() - started


def sender(outage, stop):
    """Sends without a pause during the outage."""
    while not stop.is_set():
        outage.send(in_flight=True)


def around(outage, take_away, give_back, reads, what):
    """One outage, with a client that keeps sending."""
    for _ in range(5):
        outage.checks.equal(outage.send().status, 200, f"{what}: before it, events are stored")
    stop = threading.Event()
    client = threading.Thread(target=sender, args=(outage, stop))
    client.start()
    take_away()
    try:
        outage.while_away(reads)
    finally:
        give_back()
        stop.set()
        client.join()
    outage.is_back(what)


def full_disk(outage):
    """No file can be written: the effect of a full disk, a quota or a read-only file system."""
    process = outage.server.process.pid
    _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    around(
        outage,
        lambda: resource.prlimit(process, resource.RLIMIT_FSIZE, (1, hard)),
        lambda: resource.prlimit(process, resource.RLIMIT_FSIZE, (hard, hard)),
        reads=False, what="full disk",
    )


def moved_folder(outage):
    """The data folder disappears, like an unmounted volume, and returns with its contents."""
    data, away = outage.server.data, outage.server.folder / "away"
    around(outage, lambda: os.rename(data, away), lambda: os.rename(away, data), reads=True, what="data folder moved away")


def stopped_postgres(outage):
    """PostgreSQL is stopped without a shutdown checkpoint and started again."""
    control = os.environ.get("TRAILKEEPER_TEST_POSTGRES_CONTROL")
    if not control:
        sys.exit("stopping PostgreSQL needs one of our own: run this under scripts/with-postgres")
    for what in ("PostgreSQL stopped", "PostgreSQL stopped again"):
        around(
            outage,
            lambda: subprocess.run([control, "stop"], check=True, timeout=90),
            lambda: subprocess.run([control, "start"], check=True, timeout=90),
            reads=True, what=what,
        )


def main():
    options = arguments(__doc__)
    checks = Checks()
    with Server(checks, options.database) as server:
        outage = Outage(checks, server)
        if options.database == "sqlite":
            full_disk(outage)
            moved_folder(outage)
        else:
            stopped_postgres(outage)
        print(json.dumps({"acknowledged": len(outage.acknowledged)}), flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
