#!/usr/bin/env python3
"""Guesses at passwords and asks too often, at two servers of one database.

    scripts/acceptance/limits.py [--database sqlite|postgres]
"""

import copy
import sys
import time

from harness import ADMIN_EMAIL, ADMIN_PASSWORD, Checks, Server, arguments, free_port

READS = 60


def neighbour(server):
    """A second server on the same database."""
    other = copy.copy(server)
    other.port = free_port()
    other.settings = server.settings | {"TRAILKEEPER_LISTEN": f"127.0.0.1:{other.port}"}
    other.log = server.folder / "neighbour.log"
    other.process = None
    other.start()
    return other


def log_in(server, password, email=ADMIN_EMAIL):
    """One login."""
    return server.ask("POST", "/v1/sessions", {"email": email, "password": password}, token="")


def guess(servers, email):
    """Wrong passwords at one server after the other, until one has to wait; the statuses before, and that answer."""
    statuses = []
    for number in range(40):
        answer = log_in(servers[number % 2], f"wrong password {number}", email)
        if answer.status == 429:
            break
        statuses.append(answer.status)
    return statuses, answer


def guessing(checks, servers):
    """Five wrong passwords, wherever they are sent; then the right one waits, and is let in."""
    for email in ("nobody@example.com", ADMIN_EMAIL):
        refused, waits = guess(servers, email)
        # A slow machine may take longer than the first delays.
        checks.that(5 <= len(refused) <= 8 and set(refused) == {401}, f"{email}: five guesses or a few more", refused)
        checks.equal(waits.status, 429, f"{email}: then it waits")
        checks.equal(waits.json().get("code"), "too_many_attempts", f"{email}: and is told why")
        checks.that(int(waits.headers.get("Retry-After", 0)) >= 1, f"{email}: and for how long", waits.headers)
    time.sleep(int(waits.headers["Retry-After"]) + 0.1)
    checks.equal(log_in(servers[1], ADMIN_PASSWORD).status, 201, "the right password, after the delay")
    checks.equal(log_in(servers[0], ADMIN_PASSWORD).status, 201, "and again, without one")
    trail = servers[0].ask("GET", "/v1/events", query={"type": "login_blocked"})
    checks.that(len(trail.json()["events"]) >= 2, "the delays are in the trail", trail)


def asking(checks, servers):
    """What one server counted, the other knows a second later."""
    token = servers[0].token("auditor")
    for _ in range(3):
        minute = time.time() // 60
        for _ in range(READS // 2):
            servers[0].ask("GET", "/v1/tenants", token=token)
            answer = servers[1].ask("GET", "/v1/tenants", token=token)
        time.sleep(2.5)
        statuses = {server.ask("GET", "/v1/tenants", token=token).status for server in servers}
        if time.time() // 60 == minute:
            break
    checks.equal(answer.headers.get("RateLimit-Limit"), str(READS), "the limit is told")
    checks.equal(statuses, {429}, "together they let through no more than one limit")


def main():
    """Runs the checks."""
    options = arguments(__doc__)
    checks = Checks()
    settings = {"login_delays": "true", "bcrypt_cost": "4", "limit_read": str(READS)}
    with Server(checks, options.database, **settings) as server:
        other = neighbour(server)
        try:
            guessing(checks, [server, other])
            asking(checks, [server, other])
        finally:
            checks.equal(other.stop(), 0, "the neighbour ends cleanly")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
