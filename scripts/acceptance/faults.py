#!/usr/bin/env python3
"""Breaks PostgreSQL and the way to it under a running server.

    scripts/with-postgres scripts/acceptance/faults.py [--minutes N]

Between the server and PostgreSQL stands the fault proxy of the crate testkit. PostgreSQL freezes (behind the proxy, and by
SIGSTOP), is slow, loses bytes of one direction, ends connections in the middle of a commit, becomes a read-only standby,
refuses one event, takes a tenth of the load, and is killed, by itself and together with the server; then several servers are
killed and replaced. In the meantime every request is answered in time, and afterwards the server works again by itself. The
raw rows, read by PostgreSQL's own client, then hold every acknowledged event once, and no refused one.

With `--minutes`, the faults repeat for so long under load, and the memory of the server must stay flat. `clock_steps.py` steps the
clock of a server.
"""

import http.client
import json
import os
import re
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from crash import Mortal
from fault_proxy import FaultProxy, Postgres
from fault_servers import killed_in_turn, replaced_in_turn
from harness import Checks, arguments
from outage import QUESTIONS, timed
from recount import Sql
from sheets import Sheets

# The limit of a request, as the server is started with it; and what a busy machine may add.
LIMIT_SECONDS = 3
SLACK_SECONDS = 3
RECOVERY_SECONDS = 30
# How many unsure or refused events are sent again, at most. An overload refuses hundreds of thousands.
REPEATED = 4_000
MIB = 1 << 20
CUT = (OSError, http.client.HTTPException)


class Ledger:
    """The ids of the events that were sent, by their last outcome."""

    def __init__(self, checks, server):
        self.checks = checks
        self.server = server
        self.lock = threading.Lock()
        self.acknowledged = set()
        self.unsure = set()
        self.refused = set()
        self.sql = Sql(server.database)

    def send(self, ids, server=None):
        """Sends one request with these events, and records its outcome. Returns the response; None if there is none."""
        events = [{"id": one, "type": "page_load", "page": "/faults", "user_id": f"u-{one[0]}"} for one in ids]
        try:
            answer = (server or self.server).ask("POST", "/v1/events", events)
        except CUT:
            answer = None
        with self.lock:
            if answer is not None and answer.status == 200:
                self.acknowledged.update(ids)
            elif answer is None or answer.status == 500 or "may or may not" in answer.body.decode(errors="replace"):
                self.unsure.update(ids)
            else:
                self.refused.update(ids)
        return answer

    def new(self, count=1):
        """New ids."""
        return [str(uuid.uuid4()) for _ in range(count)]

    def hold(self, when):
        """Checks the raw rows, and then sends what is unsure and refused again: it is stored once. Nothing else may be sent
        meanwhile."""
        stored = Counter(str(uuid.UUID(one)) for one, in self.sql.events(self.sql.uuid("id"), "page = '/faults'"))
        twice = {one for one, count in stored.items() if count > 1}
        self.checks.equal(twice, set(), f"{when}: no event is stored twice")
        self.checks.equal(self.acknowledged - set(stored), set(), f"{when}: every acknowledged event is stored")
        allowed = self.acknowledged | self.unsure
        self.checks.equal(set(stored) - allowed, set(), f"{when}: no refused event is stored")
        open_ids = sorted(self.unsure - self.acknowledged) + sorted(self.refused - self.unsure - self.acknowledged)[:REPEATED]
        for at in range(0, len(open_ids), 2_000):
            part = open_ids[at:at + 2_000]
            answer = self.send(part)
            expected = ["known" if one in stored else "stored" for one in part]
            got = [one["status"] for one in answer.json()["results"]] if answer is not None and answer.status == 200 else answer
            self.checks.equal(got, expected, f"{when}: sent again, events are stored unless they were")
        self.unsure.clear()
        self.refused.clear()
        rows = int(self.sql.events("count(*)", "page = '/faults'")[0][0])
        counted = self.server.ask("GET", "/v1/events/count", query={"page": "/faults"}).json()
        self.checks.equal((rows, counted), (len(self.acknowledged), {"count": rows}), f"{when}: SQL and the server count the acknowledged events")


class Faults:
    """One server behind the proxy."""

    def __init__(self, checks, server, proxy, postgres):
        self.checks = checks
        self.server = server
        self.proxy = proxy
        self.postgres = postgres
        self.ledger = Ledger(checks, server)

    def in_time(self, what):
        """Sends requests of every kind at once: each gets a 503 within the limit of a request."""
        kinds = [lambda: self.ledger.send(self.ledger.new())] * 12
        kinds += [lambda one=one: self.server.ask(one[1], one[2], one[3]) for one in QUESTIONS for _ in range(2)]
        with ThreadPoolExecutor(len(kinds)) as pool:
            answers = list(pool.map(timed, kinds))
        statuses = Counter(answer.status if answer else None for answer, _ in answers)
        longest = max(took for _, took in answers)
        self.checks.equal(set(statuses), {503}, f"{what}: every request gets 503 ({statuses})")
        self.checks.that(all((answer.headers.get("Retry-After") or "").isdigit() for answer, _ in answers if answer), f"{what}: with Retry-After")
        self.checks.that(longest < LIMIT_SECONDS + SLACK_SECONDS, f"{what}: no request is held beyond its limit", f"{longest:.1f} s")
        self.checks.equal(self.server.ask("GET", "/healthz", token="").status, 200, f"{what}: /healthz responds")
        return f"{len(answers)} requests, 503 within {longest:.1f} s"

    def works_again(self, what, said=""):
        """Checks that the server works again by itself, and that the rows are right."""
        began, started, good = time.time(), time.monotonic(), 0
        # Several: the first ones may overtake what waits in the queue of the server.
        while good < 4:
            answer = self.ledger.send(self.ledger.new())
            good = good + 1 if answer is not None and answer.status == 200 else 0
            if time.monotonic() - started > RECOVERY_SECONDS:
                self.checks.that(False, f"{what}: works again within {RECOVERY_SECONDS} s", answer)
                break
        took = time.monotonic() - started
        self.checks.that(self.server.wait_for("/readyz", 200, RECOVERY_SECONDS), f"{what}: ready again")
        # A transaction that nobody waits for any more may still commit.
        older = f"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND xact_start < to_timestamp({began})"
        while self.ledger.sql.rows(older) and time.monotonic() < started + RECOVERY_SECONDS:
            time.sleep(0.05)
        self.ledger.hold(what)
        print(f"{what}: {said}{'; ' if said else ''}works again after {took:.1f} s; {len(self.ledger.acknowledged)} acknowledged events, "
              "each stored once", flush=True)

    def proxied(self, mode, what):
        """The way to PostgreSQL breaks, and works again."""
        self.proxy.run(mode)
        said = self.in_time(what)
        self.proxy.run("cut")
        self.proxy.run("forward")
        self.works_again(what, said)

    def frozen_processes(self):
        """Every process of PostgreSQL is stopped by SIGSTOP."""
        what = "PostgreSQL stopped by SIGSTOP"
        self.postgres.freeze()
        try:
            said = self.in_time(what) + "; " + self.in_time(f"{what}, new connections")
        finally:
            self.postgres.thaw()
        # What was sent before the freeze runs now: a refused event whose COMMIT was not sent is never stored.
        self.works_again(what, said)

    def slow(self):
        """A slow network makes requests slow, and fails none that fits into its time."""
        self.proxy.run("slow 10")
        answer, took = timed(lambda: self.ledger.send(self.ledger.new(50)))
        self.checks.equal(answer and answer.status, 200, f"a delay of 10 ms in each direction: events are stored ({took:.2f} s)")
        self.proxied("slow 900", "a delay of 0.9 s in each direction")

    def cut_commits(self, mode, counter, is_stored):
        """Connections end in the middle of commits: the outcome is unknown, and the retry stores once."""
        before = self.proxy.counts()[counter]
        requests = [self.ledger.new(3) for _ in range(6)]
        self.proxy.run(mode)
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(self.ledger.send, requests))
        self.proxy.run("forward")
        cuts = self.proxy.counts()[counter] - before
        self.checks.that(cuts > 0, f"{mode}: connections were cut", cuts)
        self.checks.that(all(answer is not None and answer.status == 503 and b"may or may not" in answer.body for answer in answers),
                         f"{mode}: every request says that its outcome is unknown", answers)
        stored = {str(uuid.UUID(one)) for one, in self.ledger.sql.events(self.ledger.sql.uuid("id"), "page = '/faults'")}
        stored &= {one for ids in requests for one in ids}
        self.checks.equal(bool(stored), is_stored, f"{mode}: whether the rows hold events before the retry")
        self.works_again(mode, f"{cuts} connections cut, {len(stored)} of 18 events stored without an answer")

    def standby(self):
        """PostgreSQL becomes a read-only standby: writes get 503 and reads are answered, until it is promoted."""
        what = "a read-only standby"
        self.postgres.run("stop")
        signal_file = self.postgres.data / "standby.signal"
        signal_file.touch()
        stat = self.postgres.data.stat()
        os.chown(signal_file, stat.st_uid, stat.st_gid)
        self.postgres.run("start")
        answers = [self.ledger.send(self.ledger.new()) for _ in range(5)]
        self.checks.equal({answer.status for answer in answers if answer}, {503}, f"{what}: a write gets 503")
        self.checks.that(all(b"may or may not" not in answer.body for answer in answers), f"{what}: and stores nothing", answers[0])
        read = self.server.ask("GET", "/v1/events", query={"page": "/faults", "limit": 1})
        # A person's read leaves an audit event; the administrator's token is a program, so this only reads.
        self.checks.equal(read.status, 200, f"{what}: a list is answered ({read})")
        self.checks.that(self.server.wait_for("/readyz", 503, 6), f"{what}: /readyz responds with 503")
        self.server.database.change("SELECT pg_promote(true, 60)")
        self.works_again(what, "writes 503, reads 200")

    def poison(self):
        """PostgreSQL refuses one event for a reason that the server does not know. Its neighbours of the group are stored."""
        bad = self.ledger.new()[0]
        change = self.server.database.change
        change(f"""CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.id = '{bad}' THEN RAISE EXCEPTION 'poison' USING ERRCODE = '23514'; END IF; RETURN NEW; END $$""")
        change("CREATE TRIGGER poison BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION poison()")
        requests = [[bad] if number % 10 == 0 else self.ledger.new(2) for number in range(60)]
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(self.ledger.send, requests))
        wrong = [(ids, answer) for ids, answer in zip(requests, answers) if (answer and answer.status) != (500 if ids == [bad] else 200)]
        self.checks.equal(wrong, [], "a poison event: it fails with 500, and every other request is stored")
        change("DROP TRIGGER poison ON events")
        change("DROP FUNCTION poison")
        self.works_again("a poison event", "6 of 60 requests had it")

    def overload(self, seconds):
        """Clients offer ten times what a slow PostgreSQL takes. What is accepted is answered in time, the rest gets 503 at
        once, and memory stays in its budget."""
        what = "ten times the load"
        self.proxy.run("slow 40")
        resident = self.resident()
        ends, lock, took, peak = time.monotonic() + seconds, threading.Lock(), {200: [], 503: []}, [0]

        def offer(_):
            while time.monotonic() < ends:
                answer, spent = timed(lambda: self.ledger.send(self.ledger.new(100)))
                with lock:
                    took.setdefault(answer.status if answer else None, []).append(spent)

        def watch():
            while time.monotonic() < ends:
                peak[0] = max(peak[0], self.resident())
                time.sleep(0.1)

        watcher = threading.Thread(target=watch)
        watcher.start()
        with ThreadPoolExecutor(24) as pool:
            list(pool.map(offer, range(24)))
        watcher.join()
        self.proxy.run("forward")
        accepted, refused = len(took[200]), len(took[503])
        self.checks.equal(set(took), {200, 503}, f"{what}: every request is stored or gets 503")
        self.checks.that(accepted > 0 and accepted + refused >= 10 * accepted, f"{what}: so much was offered", f"{accepted} accepted, {refused} refused")
        slowest, fast = max(took[200] or [0]), sorted(took[503] or [0])
        self.checks.that(slowest < LIMIT_SECONDS + SLACK_SECONDS, f"{what}: accepted requests are answered in time", f"{slowest:.1f} s")
        at_once = fast[len(fast) * 95 // 100]
        self.checks.that(at_once < LIMIT_SECONDS / 2, f"{what}: the rest gets 503 at once", f"p95 {at_once:.2f} s")
        grown = (peak[0] - resident) / MIB
        self.checks.that(grown < 64, f"{what}: memory stays in its budget", f"{grown:.0f} MiB more")
        self.works_again(what, f"{accepted} requests stored within {slowest:.1f} s, {refused} got 503 (p95 {at_once * 1e3:.0f} ms), {grown:.0f} MiB more")

    def killed(self, both):
        """PostgreSQL is killed under load, by itself or together with the server."""
        what = "SIGKILL of PostgreSQL" + (" and of the server" if both else "")
        ends = threading.Event()

        def load(_):
            while not ends.is_set():
                self.ledger.send(self.ledger.new(5))

        with ThreadPoolExecutor(6) as pool:
            clients = [pool.submit(load, number) for number in range(6)]
            time.sleep(0.7)
            self.postgres.kill()
            if both:
                self.checks.equal(self.server.kill(), -signal.SIGKILL, f"{what}: the server lived until then")
            ends.set()
            for client in clients:
                client.result()
        self.postgres.run("start")
        if both:
            self.server.start()
        self.works_again(what)

    def resident(self):
        """The memory of the server in bytes."""
        with open(f"/proc/{self.server.process.pid}/status", encoding="utf-8") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024

    def network(self):
        """The faults between the server and PostgreSQL."""
        # So that later events bring no new names, which have commits of their own.
        self.ledger.send(self.ledger.new(400))
        self.proxied("freeze", "a frozen PostgreSQL")
        self.proxied("lose-requests", "a network that loses requests")
        self.proxied("lose-answers", "a network that loses answers")
        self.slow()
        self.cut_commits("cut-after-commit", "cut-after-commit", True)
        self.cut_commits("cut-before-commit", "cut-before-commit", False)

    def all(self, seconds):
        """Every fault once."""
        self.network()
        self.frozen_processes()
        self.poison()
        self.overload(seconds)
        self.killed(both=False)
        self.killed(both=True)

    def soak(self, minutes):
        """Every fault repeatedly. The memory after each round stays flat."""
        ends, samples = time.monotonic() + 60 * minutes, []
        while time.monotonic() < ends:
            self.network()
            self.frozen_processes()
            self.poison()
            self.overload(20)
            self.killed(both=False)
            samples.append(self.resident())
            print(f"round {len(samples)}: {samples[-1] / MIB:.0f} MiB", flush=True)
        if len(samples) < 4:
            self.checks.that(False, "a soak has at least four rounds; take more minutes", len(samples))
            return
        # The first round fills caches and pools.
        third = max(1, (len(samples) - 1) // 3)
        first, last = (sum(part) / len(part) / MIB for part in (samples[1:1 + third], samples[-third:]))
        self.checks.that(last < first * 1.1 + 8, "the memory of the server stays flat", f"{first:.0f} MiB at first, {last:.0f} MiB in the end")
        print(f"memory: {first:.0f} MiB at first, {last:.0f} MiB in the end, {len(samples)} rounds", flush=True)


def main():
    options = arguments(__doc__, ("--minutes", {"type": float, "default": 0, "help": "repeat the faults for so long"}))
    checks, started = Checks(), time.monotonic()
    postgres = Postgres()
    server = Mortal(checks, "postgres", database_timeout=LIMIT_SECONDS, ingest_queue="400")
    with FaultProxy(server.database.url) as proxy:
        server.settings["TRAILKEEPER_DATABASE_URL"] = proxy.url
        with server:
            faults = Faults(checks, server, proxy, postgres)
            if options.minutes:
                faults.soak(options.minutes)
            faults.all(4)
            faults.standby()
            killed_in_turn(checks, faults.ledger, server, rounds=3 if not options.minutes else 12)
            replaced_in_turn(checks, faults.ledger, server)
            sheets = Sheets(checks, server)
            sheets.lapse()
            sheets.merged("in the end")
            sheets.check("in the end")
            summary = {"acknowledged": len(faults.ledger.acknowledged), **proxy.counts()}
    print(json.dumps(summary), f"in {time.monotonic() - started:.0f} s", flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
