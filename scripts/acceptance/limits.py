#!/usr/bin/env python3
"""Guesses passwords and exceeds rate limits, at two servers of one database.

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
    """Tries to log in."""
    return server.ask("POST", "/v1/sessions", {"email": email, "password": password}, token="")


def guess(servers, email):
    """Sends wrong passwords to the servers in turn until an attempt is delayed. Returns the statuses before, and that response."""
    statuses = []
    for number in range(40):
        answer = log_in(servers[number % 2], f"wrong password {number}", email)
        if answer.status == 429:
            break
        statuses.append(answer.status)
    return statuses, answer


def guessing(checks, servers):
    """After five wrong passwords at either server, the right one is delayed and then accepted."""
    for email in ("nobody@example.com", ADMIN_EMAIL):
        refused, waits = guess(servers, email)
        # On a slow machine, an attempt may take longer than the first delays.
        checks.that(5 <= len(refused) <= 8 and set(refused) == {401}, f"{email}: five guesses or a few more", refused)
        checks.equal(waits.status, 429, f"{email}: then it is delayed")
        checks.equal(waits.json().get("code"), "too_many_attempts", f"{email}: with the reason")
        checks.that(int(waits.headers.get("Retry-After", 0)) >= 1, f"{email}: with the seconds to wait", waits.headers)
    time.sleep(int(waits.headers["Retry-After"]) + 0.1)
    checks.equal(log_in(servers[1], ADMIN_PASSWORD).status, 201, "the right password is accepted after the delay")
    checks.equal(log_in(servers[0], ADMIN_PASSWORD).status, 201, "and again, without a delay")
    trail = servers[0].ask("GET", "/v1/events", query={"type": "login_blocked"})
    checks.that(len(trail.json()["events"]) >= 2, "the delays are in the audit trail", trail)


def asking(checks, servers):
    """Requests counted by one server count on the other a second later."""
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
    checks.equal(answer.headers.get("RateLimit-Limit"), str(READS), "the response has the limit")
    checks.equal(statuses, {429}, "together they accept no more than one limit")


def flooding(checks, servers):
    """A flood of readiness checks is refused on the server that it hits. Liveness checks and other clients still work."""
    server = servers[0]
    token = server.token("auditor")
    answers = [server.ask("GET", "/readyz", token="") for _ in range(3 * PROBES)]
    statuses = [answer.status for answer in answers]
    # If a new minute begins meanwhile, as many requests again are accepted.
    checks.that(statuses.count(200) <= 2 * PROBES, "no more are accepted than the limit of at most two minutes", statuses)
    checks.equal(set(statuses), {200, 429}, "some are accepted, and the rest is refused")
    refused = next(answer for answer in answers if answer.status == 429)
    checks.that(1 <= int(refused.headers.get("Retry-After", 0)) <= 60, "with the seconds to wait", refused.headers)
    checks.equal(refused.headers.get("RateLimit-Limit"), str(PROBES), "and the limit")
    checks.equal(refused.headers.get("RateLimit-Policy"), f"{PROBES};w=60", "and its window")
    checks.equal(server.ask("GET", "/healthz", token="").status, 200, "/healthz still responds")
    checks.equal(server.ask("GET", "/v1/tenants", token=token).status, 200, "other clients are served")
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
