#!/usr/bin/env python3
"""Kills a loaded server repeatedly, and checks that it lost, duplicated, cut and invented no event.

    scripts/acceptance/crash.py [--database sqlite] [--seed N] [--kills N] [--bulk]
    scripts/with-postgres scripts/acceptance/crash.py --database postgres

Several clients send single events, batches and lines, and share ids. SIGKILL comes at random moments, sometimes while the
server starts. After each kill, SQL over the raw rows, run by the databases' own clients, must find every acknowledged
event, no event twice, and no request in part; and the answers from the sheets, which are merged while the server is
killed, must equal the counts of SQL, as must lists and counts of events. Rebuilds of the sheets are killed too, by
themselves and together with a server. Then SIGTERM under load: every request is answered, or nothing of it is stored. At the
end, every request without a response is sent again, and the rows are exactly the sent events. The seed determines what is
sent and when kills come, but not how threads interleave.

With `--bulk`, all requests are large and most of their events lie in one month. So ids leave the memory of the server for
runs on disk, and runs of postings become so large that they are merged in steps, while kills come.
"""

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter

from crash_lists import Lists
from crash_load import ANSWERED, CUT, HALF, SILENT, WAIT_SECONDS, Client, Ledger, SlowRequest, as_row
from harness import Checks, Server, arguments
from recount import Recount, Sql
from sheets import Sheets

CLIENTS = 8
END_SECONDS = 20
# How long a kill waits for a merge of runs in steps.
MERGE_SECONDS = 15


class Mortal(Server):
    """The program, on a port that stays reserved while it is dead."""

    def __init__(self, checks, database, **settings):
        port = lasting_port()
        super().__init__(checks, database, listen=f"127.0.0.1:{port}", **settings)
        self.port = port

    def kill(self):
        """Ends the program by SIGKILL. Returns the exit status."""
        process, self.process = self.process, None
        process.kill()
        code = process.wait()
        self.logger.join()
        return code

    def end(self):
        """Ends the program by SIGTERM. Returns the exit status and the seconds it took."""
        process, self.process = self.process, None
        started = time.monotonic()
        process.terminate()
        try:
            code = process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            code = f"none within {END_SECONDS} s"
            process.kill()
            process.wait()
        took = time.monotonic() - started
        self.logger.join()
        return code, took

    def kill_at_birth(self, after):
        """Starts the program and kills it shortly after."""
        with self.log.open("ab") as log:
            process = subprocess.Popen([self.program, "serve"], env=self.settings, cwd=self.folder,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            time.sleep(after)
            process.kill()
            process.wait()


def lasting_port():
    """A free port below the range for outgoing connections: while the server is dead, no such connection can take the port,
    and no client can connect to itself."""
    while True:
        port = random.randrange(15000, 30000)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Crashes:
    """One server, its clients, and the checks of the raw rows."""

    def __init__(self, checks, server, seed, bulk):
        self.checks = checks
        self.server = server
        self.bulk = bulk
        self.choose = random.Random(f"kills {seed}")
        self.ledger = Ledger(seed, bulk)
        self.clients = [Client(server, self.ledger, f"{seed} {n}", n % 3 > 0) for n in range(CLIENTS)]
        self.sql = Sql(server.database)
        self.recount = Recount(checks, server, self.ledger)
        self.sheets = Sheets(checks, server)
        self.lists = Lists(checks, server, self.sql, self.ledger)
        self.seen = Counter()

    def under_load(self, seconds, strike, unavailable=False):
        """Lets all clients send, calls `strike` meanwhile, and waits until the clients notice. Returns the result of `strike`
        and the requests of this time."""
        before = len(self.ledger.requests)
        threads = [threading.Thread(target=client.run, args=(unavailable,)) for client in self.clients]
        for thread in threads:
            thread.start()
        try:
            time.sleep(seconds)
        finally:
            struck = strike()
            for thread in threads:
                thread.join()
        return struck, self.ledger.requests[before:]

    def round(self, number):
        """One life of the server, and its end."""
        # From the first request after the start to the middle of a long run.
        seconds = 10 ** self.choose.uniform(0, 0.9) if self.bulk else 10 ** self.choose.uniform(-2, 0.3)
        code, requests = self.under_load(seconds, self.kill_amid_merge if self.bulk and number % 2 else self.server.kill)
        self.checks.equal(code, -signal.SIGKILL, f"kill {number}: the server lived until then")
        cut = [request for request in requests if request.ended in (CUT, HALF)]
        hung = [request.ended for request in requests if request.ended in ("", SILENT)]
        self.checks.equal(hung, [], f"kill {number}: every request ends")
        self.seen += Counter(kills=1, kills_amid_requests=bool(cut), kills_amid_merges_in_steps=self.merges_in_steps())
        at_once = self.choose.random() < 0.4
        left_behind = self.sessions()
        if at_once:
            self.start_again()
        self.wait_until_gone(left_behind)
        rows = self.rows_hold(f"kill {number}")
        stored = set(rows)
        for request in cut:
            whole = request.named() and request.named() <= stored
            self.seen += Counter(cut_but_stored=bool(whole), cut_and_not_stored=not whole)
        if not at_once:
            if number % 3 == 0:
                self.sheets.check(f"kill {number}, nobody serves")
            self.start_again()
            after = set(self.rows())
            self.checks.equal((len(after - stored), len(stored - after)), (0, 0), f"kill {number}: a start adds and removes nothing")
        self.answers_hold(1)
        self.lists.hold(f"kill {number}", rows)
        if at_once and number % 3 == 0:
            self.sheets.check(f"kill {number}, started again")
        if number % 4 == 0:
            self.rebuild_is_killed(number)

    def kill_amid_merge(self):
        """Kills the server while it merges runs in steps, if it does so within some seconds."""
        deadline = time.monotonic() + MERGE_SECONDS
        while time.monotonic() < deadline and not self.merges_in_steps():
            time.sleep(0.002)
        return self.server.kill()

    def merges_in_steps(self):
        """Whether pages of a run are stored that nobody may see: not yet, or no longer."""
        return bool(self.sql.rows("SELECT run FROM hidden_posting_runs LIMIT 1"))

    def rebuild_is_killed(self, number):
        """Kills a rebuild during its work: without a server, or under load and together with the server."""
        generation = self.sheets.generation()
        self.sheets.lapse()
        rebuild = self.sheets.begin_rebuild()
        if self.choose.random() < 0.5:
            time.sleep(10 ** self.choose.uniform(-2, -0.3))
            rebuild.kill()
        else:
            self.under_load(10 ** self.choose.uniform(-2, -0.3), lambda: (rebuild.kill(), self.server.kill()))
            self.wait_until_gone(self.sessions())
            self.start_again()
        self.seen["killed_rebuilds"] += rebuild.wait() == -signal.SIGKILL
        self.seen["killed_rebuilds_that_were_done"] += self.sheets.generation() > generation
        self.rows_hold(f"kill {number} and a rebuild")
        self.answers_hold(2)

    def start_again(self):
        """Starts the server. Sometimes kills it during its start, once or several times."""
        while self.choose.random() < 0.25:
            self.server.kill_at_birth(self.choose.uniform(0, 0.3))
            self.seen["kills_while_starting"] += 1
        self.server.start()

    def sessions(self):
        """PostgreSQL sessions that a killed server left behind. They end by themselves after their current transaction, which
        may commit although no client gets a response."""
        if not self.sql.postgres:
            return set()
        mine = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        return {pid for pid, in self.sql.rows(f"SELECT pid FROM pg_stat_activity WHERE {mine}")}

    def wait_until_gone(self, sessions):
        """Waits until they end. Before that, the rows may still change."""
        deadline = time.monotonic() + WAIT_SECONDS
        while left := sessions & self.sessions():
            if time.monotonic() > deadline:
                self.checks.equal(left, set(), "sessions of a killed server end")
                return
            time.sleep(0.05)

    def rows(self):
        """All stored events: key and contents."""
        seconds = self.sql.at("occurred_at", "%s")
        columns = (self.sql.uuid("tenant_id"), self.sql.uuid("id"), "env_id", "type", seconds, "user_id", "page")
        stored = {}
        for tenant, event, *rest in self.sql.events(", ".join(columns)):
            if (tenant, event) in stored:
                self.ledger.odd.append(("stored twice", tenant, event))
            stored[(str(uuid.UUID(tenant)), str(uuid.UUID(event)))] = tuple(rest)
        return stored

    def rows_hold(self, when):
        """Checks what must be true whenever no transaction is open. Returns all stored events."""
        rows, sent = self.rows(), self.ledger.sent()
        stored = set(rows)
        self.checks.equal(self.ledger.odd, [], f"{when}: every response is valid, and no event is stored twice")
        self.checks.equal(self.ledger.acknowledged() - stored, set(), f"{when}: every acknowledged event is stored")
        self.checks.equal(stored - set().union(*(request.named() for request in sent)), set(), f"{when}: every stored event was sent")
        wrong = {key: row for key, row in rows.items() if key in self.ledger.events and row != as_row(self.ledger.events[key])}
        self.checks.equal(wrong, {}, f"{when}: stored as it was sent")
        # If requests share events, a single request may be stored in part; but each stored event must belong to a request
        # that is stored completely.
        whole = set().union(*(request.named() for request in sent if request.named() <= stored))
        self.checks.equal(stored - whole, set(), f"{when}: no request is stored in part")
        self.news_hold(when)
        self.seen["stored"] = len(stored)
        return rows

    def news_hold(self, when):
        """Checks that each event is reported as new once: never twice, and at least once if every response arrived."""
        news, uncertain = Counter(), set()
        for request in self.ledger.sent():
            news.update(key for key, status in zip(request.keys, request.statuses) if status == "stored")
            if request.ended != ANSWERED:
                uncertain |= request.named()
        self.checks.equal({key for key, count in news.items() if count > 1}, set(), f"{when}: no event is new twice")
        certain = self.ledger.acknowledged() - uncertain
        self.checks.equal(certain - set(news), set(), f"{when}: every event was new once")

    def answers_hold(self, times):
        """Checks that the server counts the rows."""
        for _ in range(times):
            self.recount.active_users("daily")
            self.recount.active_users("monthly")
            self.recount.page_statistics()
            self.recount.userinfo()

    def graceful(self):
        """SIGTERM under load: every request gets a response, or the connection is refused and nothing is stored."""
        slow = SlowRequest(self.server, self.ledger)
        finisher = threading.Timer(1, slow.finish)

        def strike():
            finisher.start()
            return self.server.end()

        # Before the load, so that the server has read the head long before the signal comes.
        slow.begin()
        (code, took), requests = self.under_load(1, strike, unavailable=True)
        finisher.join()
        print(f"SIGTERM under load: ended after {took:.2f} s, {dict(Counter(r.ended for r in requests))}", flush=True)
        self.checks.equal(code, 0, "SIGTERM under load: the server ends cleanly and in time")
        self.checks.equal(slow.request.ended, ANSWERED, "SIGTERM under load: an open request is answered")
        broken = [request.ended for request in requests if request.ended in ("", HALF, SILENT)]
        self.checks.equal(broken, [], "SIGTERM under load: no response is cut off, every request ends")
        self.wait_until_gone(self.sessions())
        stored = set(self.rows_hold("SIGTERM under load"))
        answered = self.ledger.acknowledged()
        earlier = {key for request in self.ledger.sent() if request not in requests for key in request.named()}
        taken = {key for request in requests if request.ended != ANSWERED for key in request.named() & stored}
        self.checks.equal(taken - answered - earlier, set(), "SIGTERM under load: nothing is stored without a response")
        self.server.start()

    def resend(self):
        """Sends every request without a response again: the responses are known in advance, and so are the rows."""
        stored = set(self.rows())
        client = self.clients[0]
        missing = sorted(set(self.ledger.events) - self.ledger.acknowledged())
        self.seen["resent"] = len(missing)
        for at in range(0, len(missing), 700):
            keys = missing[at:at + 700]
            request = client.send(keys)
            expected = ["known" if key in stored else "stored" for key in keys]
            self.checks.equal(request.statuses, expected, f"sent again: stored unless it was ({request.ended})")
        rows = self.rows_hold("sent again")
        self.checks.equal(set(rows) ^ set(self.ledger.events), set(), "at the end, exactly the sent events are stored")
        some = self.ledger.choose.sample(sorted(self.ledger.events), min(3000, len(self.ledger.events)))
        self.checks.equal(set(client.send(some).statuses), {"known"}, "and all of them are known")
        client.close()
        self.answers_hold(8)
        self.sheets.lapse()
        self.sheets.merged("in the end")
        self.answers_hold(4)
        self.lists.hold("merged in the end", rows)
        self.sheets.check("in the end")
        self.sheets.rebuild("in the end")
        self.answers_hold(4)
        self.lists.hold("rebuilt in the end", rows)
        for user in self.ledger.users[:3]:
            self.recount.behaviors(user)
        if not self.sql.postgres:
            self.checks.equal(self.sql.rows("PRAGMA integrity_check"), [("ok",)], "the data file is intact")
            if self.bulk:
                runs = int(self.sql.rows("SELECT count(*) FROM id_runs")[0][0])
                self.checks.that(runs > 0, "the ids are in runs", runs)


def main():
    options = arguments(
        __doc__, ("--seed", {"type": int, "default": 20260131, "help": "seed of events and moments"}),
        ("--kills", {"type": int, "default": 12, "help": "number of kills of a loaded server"}),
        ("--bulk", {"action": "store_true", "help": "large requests, most of them for one month"}),
    )
    checks = Checks()
    started = time.monotonic()
    with Mortal(checks, options.database) as server:
        crashes = Crashes(checks, server, options.seed, options.bulk)
        for number in range(1, options.kills + 1):
            crashes.round(number)
        checks.that(crashes.seen["kills_amid_requests"] > 0, "kills came during requests", crashes.seen)
        checks.that(crashes.seen["killed_rebuilds"] > 0, "rebuilds were killed during their work", crashes.seen)
        if options.bulk:
            checks.that(crashes.seen["kills_amid_merges_in_steps"] > 0, "kills came while runs were merged in steps", crashes.seen)
        crashes.graceful()
        crashes.resend()
        summary = {"seed": options.seed, "requests": len(crashes.ledger.requests), **crashes.seen}
        print(json.dumps(summary), f"in {time.monotonic() - started:.0f} s", flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
