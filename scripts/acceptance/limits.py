#!/usr/bin/env python3
"""Guesses at passwords and asks too often, at two servers of one database.

    scripts/acceptance/limits.py [--database sqlite|postgres]
"""

import copy
import sys
import time

from harness import ADMIN_EMAIL, ADMIN_PASSWORD, Checks, Server, arguments, free_port

READS = 60
PROBES = 40


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


def flooding(checks, servers):
    """A flood of readiness checks is refused on the server that it hits; that it lives is told on, and others work."""
    server = servers[0]
    token = server.token("auditor")
    answers = [server.ask("GET", "/readyz", token="") for _ in range(3 * PROBES)]
    statuses = [answer.status for answer in answers]
    # A new minute may begin in between, and then as many again are let through.
    checks.that(statuses.count(200) <= 2 * PROBES, "no more is let through than the limit, of two minutes at most", statuses)
    checks.equal(set(statuses), {200, 429}, "some are, and the rest is refused")
    refused = next(answer for answer in answers if answer.status == 429)
    checks.that(1 <= int(refused.headers.get("Retry-After", 0)) <= 60, "with the seconds to wait", refused.headers)
    checks.equal(refused.headers.get("RateLimit-Limit"), str(PROBES), "and the limit")
    checks.equal(refused.headers.get("RateLimit-Policy"), f"{PROBES};w=60", "and its window")
    checks.equal(server.ask("GET", "/healthz", token="").status, 200, "it says that it lives")
    checks.equal(server.ask("GET", "/v1/tenants", token=token).status, 200, "and answers others")
    checks.equal(server.ask("GET", "/openapi.json", token="").status, 200, "from the same address too")


def main():
    """Runs the checks."""
    options = arguments(__doc__)
    checks = Checks()
    settings = {"login_delays": "true", "bcrypt_cost": "4", "limit_read": str(READS), "limit_probe": str(PROBES)}
    with Server(checks, options.database, **settings) as server:
        other = neighbour(server)
        try:
            guessing(checks, [server, other])
            asking(checks, [server, other])
            flooding(checks, [server, other])
        finally:
            checks.equal(other.stop(), 0, "the neighbour ends cleanly")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
