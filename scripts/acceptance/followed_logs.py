#!/usr/bin/env python3
"""Follows the access log of a real nginx over rotations and kills, and compares the events with the requests that were sent.

    scripts/acceptance/followed_logs.py [--database sqlite|postgres]

nginx is Debian's package. Its log is rotated by renaming, by copying and truncating, and with compression, also while no
follower runs; the follower is killed in the middle. Every request must be one event in the end, equal ones too, and an
import of all files must find nothing new.
"""

import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from harness import Checks, Server, arguments
from nginx_log import SECONDS, Nginx, wait

NO_TENANT = "00000000-0000-0000-0000-000000000000"


class Follower:
    """`import access-log --follow`, which is started again and again."""

    def __init__(self, server, log):
        self.server, self.log = server, log
        self.checkpoint = log.with_name("checkpoint.json")
        self.process = None

    def start(self):
        """Starts it."""
        command = [self.server.program, "import", "access-log", "--follow", "--checkpoint", self.checkpoint, self.log]
        self.process = subprocess.Popen(
            command, env=self.server.settings, cwd=self.server.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    def kill(self):
        """Kills it without a warning."""
        self.process.kill()
        self.process.communicate()

    def end(self, how):
        """Ends it by a signal. Returns the exit status and the output."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out.decode(), err.decode()


def listed(server):
    """The paths of all events without a tenant, with their numbers."""
    paths, query = Counter(), {"tenant_id": NO_TENANT, "limit": 1000}
    while True:
        page = server.ask("GET", "/v1/events", query=query).json()
        for event in page["events"]:
            paths[event["page"] or event["target"]["id"]] += 1
        if page["next_cursor"] is None:
            return paths
        query["cursor"] = page["next_cursor"]


def total(server):
    """The number of events without a tenant."""
    return (server.ask("GET", "/v1/events/count", query={"tenant_id": NO_TENANT}).json() or {}).get("count")


def sender(nginx, choose, stopped):
    """Sends requests until it is stopped: bursts of equal ones within a second, and pages of many kinds."""
    while not stopped.is_set():
        nginx.request(choose.choice(["/", "/prices", "/missing", f"/docs/{choose.randrange(40)}"]), choose.randrange(1, 9))
        stopped.wait(choose.random() / 50)


def during(nginx, choose, work):
    """Does something while requests are sent."""
    stopped = threading.Event()
    thread = threading.Thread(target=sender, args=(nginx, choose, stopped))
    thread.start()
    try:
        work()
    finally:
        stopped.set()
        thread.join()


def caught_up(checks, server, nginx, what):
    """Checks that every request is an event, soon."""
    nginx.quiet()
    expected = sum(nginx.sent.values())
    try:
        wait(lambda: total(server) >= expected, what)
    except TimeoutError:
        pass
    checks.equal(listed(server), nginx.sent, f"every request is one event {what}")


def rotations(checks, server, nginx, choose):
    """Rotates in every way, with and without a follower, which is killed in between."""
    follower = Follower(server, nginx.log)
    nginx.request("/before", 5)
    follower.start()
    # From now on, the follower knows which file the log is.
    wait(follower.checkpoint.exists, "the follower begins")

    def renamed_and_killed():
        for number in range(6):
            time.sleep(choose.uniform(0.2, 0.7))
            if number % 2 == 0:
                nginx.rename()
            time.sleep(choose.uniform(0, 0.4))
            follower.kill()
            follower.start()

    during(nginx, choose, renamed_and_killed)
    caught_up(checks, server, nginx, "after renamings and kills")
    # Equal requests of one second on both sides of a truncation.
    nginx.request("/equal", 20)
    nginx.copy_and_truncate()
    nginx.request("/equal", 20)
    caught_up(checks, server, nginx, "after a truncation")
    during(nginx, choose, lambda: time.sleep(1))
    nginx.copy_and_truncate()
    nginx.compress(1)
    during(nginx, choose, lambda: time.sleep(0.5))
    caught_up(checks, server, nginx, "after a truncation with a compressed copy")
    code, out, err = follower.end(signal.SIGINT)
    checks.equal(code, 0, f"SIGINT ends the follower cleanly: {err}")
    checks.that("late" not in out, "no line is late", out)
    checks.that("WARN" not in err, "nothing is missing", err)

    # Nothing follows meanwhile.
    during(nginx, choose, lambda: (time.sleep(0.4), nginx.rename(), time.sleep(0.4), nginx.rename(), time.sleep(0.4)))
    nginx.quiet()
    nginx.compress(2)
    follower.start()
    caught_up(checks, server, nginx, "after two renamings without a follower")
    follower.kill()
    nginx.request("/equal", 20)
    nginx.copy_and_truncate()
    # Longer than what was read of the file before.
    nginx.request("/equal", 3_000)
    follower.start()
    caught_up(checks, server, nginx, "after a truncation without a follower")
    code, out, err = follower.end(signal.SIGTERM)
    checks.equal(code, 0, f"SIGTERM ends the follower cleanly: {err}")
    checks.that("refused   0" in out, "no line is refused", out)
    checks.that("WARN" not in err, "nothing is missing", err)


def main():
    options = arguments(__doc__)
    checks = Checks()
    choose = random.Random(20261130)
    with tempfile.TemporaryDirectory() as folder, Server(checks, options.database) as server:
        nginx = Nginx(Path(folder))
        try:
            rotations(checks, server, nginx, choose)
            files = sorted(str(file) for file in nginx.folder.glob("access.log*"))
            done = server.command("import", "access-log", *files)
            requests = sum(nginx.sent.values())
            expected = f"stored    0\nknown     {requests}\nrefused   0\n"
            checks.equal(done.stdout.decode(), expected, f"an import of {len(files)} files finds nothing new")
            print(f"{requests} requests in {len(files)} files", flush=True)
        finally:
            nginx.stop()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
