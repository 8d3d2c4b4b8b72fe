"""Several servers on one PostgreSQL: they are killed in turn, and replaced one by one, under clients that retry."""

import copy
import threading
import time
from collections import Counter

from crash import lasting_port

# A client gives a request up after so many seconds of retries.
PATIENCE_SECONDS = 20
CLIENTS = 6


def neighbour(server, name):
    """Another server on the same database, with a port and a log of its own. It is not started."""
    other = copy.copy(server)
    other.port = lasting_port()
    other.settings = server.settings | {"TRAILKEEPER_LISTEN": f"127.0.0.1:{other.port}"}
    other.log = server.folder / f"{name}.log"
    other.process = None
    return other


class Clients:
    """Clients that behave like a proxy in front of the servers: a request that gets no response, or 503, goes to the next
    server. Use it in a `with` statement."""

    def __init__(self, ledger, servers):
        self.ledger = ledger
        self.servers = servers
        self.ends = threading.Event()
        self.seen = Counter()
        self.failed = []
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for thread in self.threads:
            thread.join()

    def run(self, number):
        """Sends until the end."""
        while not self.ends.is_set():
            ids, gives_up = self.ledger.new(3), time.monotonic() + PATIENCE_SECONDS
            while True:
                number += 1
                answer = self.ledger.send(ids, self.servers[number % len(self.servers)])
                if answer is not None and answer.status == 200:
                    self.seen["stored"] += 1
                    break
                if answer is not None and answer.status != 503 or time.monotonic() > gives_up:
                    self.failed.append(answer)
                    break
                self.seen["retries"] += 1


def with_three(checks, ledger, server, what, work):
    """Runs `work` on three servers under load, and checks that no client failed and the rows are right."""
    servers = [server, neighbour(server, "second"), neighbour(server, "third")]
    for other in servers[1:]:
        other.start()
    try:
        with Clients(ledger, servers) as clients:
            work(servers)
        checks.equal(clients.failed, [], f"{what}: no request fails behind a client that retries")
        checks.that(clients.seen["retries"] > 0, f"{what}: servers went away amid requests", clients.seen)
        ledger.hold(what)
        rows = int(ledger.sql.events("count(*)", "page = '/faults'")[0][0])
        for number, one in enumerate(servers, 1):
            counted = one.ask("GET", "/v1/events/count", query={"page": "/faults"}).json()
            checks.equal(counted, {"count": rows}, f"{what}: server {number} counts the rows")
        print(f"{what}: {dict(clients.seen)}, no request failed; {rows} rows, the same count on each server", flush=True)
    finally:
        for other in servers[1:]:
            checks.equal(other.stop(), 0, f"{what}: a neighbour ends cleanly")


def killed_in_turn(checks, ledger, server, rounds):
    """Kills the servers in turn, and starts each again."""

    def work(servers):
        for number in range(rounds):
            time.sleep(0.5)
            victim = servers[number % 3]
            victim.kill()
            time.sleep(0.3)
            victim.start()

    with_three(checks, ledger, server, "three servers killed in turn", work)


def replaced_in_turn(checks, ledger, server):
    """Ends each server by SIGTERM and starts its successor, as an upgrade does."""

    def work(servers):
        for number, one in enumerate(servers, 1):
            time.sleep(0.5)
            checks.equal(one.stop(), 0, f"server {number} ends cleanly under load")
            one.start()

    with_three(checks, ledger, server, "three servers replaced one by one", work)
