#!/usr/bin/env python3
"""Exceeds a rate limit at three servers of one database, with load that is spread evenly, unevenly, and to one server.

    scripts/acceptance/shared_limits.py [--database sqlite|postgres]

In one window, all servers together must admit the limit and at most a fifth more.
"""

import sys
import threading
import time

from harness import Checks, Server, arguments
from takeover import neighbour

LIMIT = 120
SERVERS = 3
# Requests of each server in turn.
SPREADS = {"evenly": [1, 1, 1], "unevenly": [20, 3, 1], "to one server": [1, 0, 0]}
ASKED = 3 * LIMIT
CONNECTIONS = 4
# The requests of one spread take less than this.
ROOM_S = 25


def ask(server, token, count, statuses):
    """Sends requests without a pause, on one connection."""
    connection = server.connection()
    for _ in range(count):
        connection.request("GET", "/v1/tenants", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()


def admitted(servers, spread):
    """Exceeds the limit with a new credential inside one window. Returns the numbers of admitted, refused and sent requests,
    and whether the window is still the same."""
    token = servers[0].token("auditor")
    left = 60 - time.time() % 60
    if left < ROOM_S:
        time.sleep(left + 0.1)
    window = time.time() // 60
    statuses, threads, sent = [], [], 0
    for server, part in zip(servers, spread, strict=True):
        count = ASKED * part // sum(spread) // CONNECTIONS
        sent += count * CONNECTIONS
        threads += [threading.Thread(target=ask, args=(server, token, count, statuses)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses.count(200), statuses.count(429), sent, time.time() // 60 == window


def main():
    """Runs the check."""
    options = arguments(__doc__)
    checks = Checks()
    with Server(checks, options.database, limit_read=str(LIMIT)) as server:
        others = [neighbour(server, f"neighbour{number}", {}) for number in range(1, SERVERS)]
        servers = [server, *others]
        try:
            for other in others:
                other.start()
            known = "SELECT count(DISTINCT key) FROM request_counts WHERE key LIKE 'server:%'"
            deadline = time.monotonic() + 10
            while server.database.rows(known) != [(str(SERVERS),)] and time.monotonic() < deadline:
                time.sleep(0.1)
            checks.equal(server.database.rows(known), [(str(SERVERS),)], "every server announced itself")
            # Each of them looks for the others once a second.
            time.sleep(1.5)
            for name, spread in SPREADS.items():
                passed, refused, sent, whole = admitted(servers, spread)
                print(f"{name}: {passed} of {sent} requests admitted, limit {LIMIT}", flush=True)
                checks.equal(passed + refused, sent, f"{name}: each request is admitted or refused")
                checks.that(whole, f"{name}: the requests fit into one window")
                checks.that(LIMIT <= passed <= LIMIT * 1.2, f"{name}: within a fifth of the limit", passed)
        finally:
            for other in others:
                if other.process is not None:
                    checks.equal(other.stop(), 0, "a neighbour ends cleanly")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
