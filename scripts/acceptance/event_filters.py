#!/usr/bin/env python3
"""Asks the running program for events by many random filters, and finds the same events in Python.

    event_filters.py [--database sqlite|postgres] [--seed N] [--events N] [--questions N]

The lists are read page by page, while their events are merged and afterwards. Counts, histograms and numbers of users must
be those of the lists. Several callers ask: one of each role that may read events, some confined to one tenant.
"""

import random
import sys
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

from harness import Checks, Server, arguments, shown
from page_key import page_key
from sheets import SYSTEM, Sheets

UTC = timezone.utc
NO_TENANT = "00000000-0000-0000-0000-000000000000"
TYPES = ["page_load", "userinfo", "login_success", "login_fail", "logout", "sign_up", "report.exported"]
OUTCOMES = ["success", "failure", "unknown"]
# Values with the characters that a careless parser or join takes for its own.
USERS = [f"user-{number}" for number in range(20)] + ["a,b", "100%", "x+y z", "あい", "O'Neill", "a&b=c?d#e", "user_not"]
SOURCES = ["203.0.113.7", "203.0.113.8", "203.0.114.1", "198.51.100.20", "2001:db8::1", "2001:db8:1::1"]
NETWORKS = ["203.0.113.0/24", "203.0.112.0/22", "2001:db8::/32", "0.0.0.0/0", "::/0", "192.0.2.0/24"]
PAGES = ["/", "/users", "/users?page=2#top", "https://app.example.com/a", "/é", "/caf%C3%A9", "/café", "/a,b"] + [f"/p{n}" for n in range(15)]
SESSIONS = [f"s,{number}" for number in range(12)]
TARGET_TYPES = ["invoice", "Invoice", "user", "a,b"]
TARGET_IDS = [str(number) for number in range(8)] + ["ü/&"]
# The fields of a filter, the values that are tried, some of which no event has, and whether they may be joined by commas.
FIELDS = {
    "env_id": ([0, 1, 2, 4294967295, 77], True),
    "user_id": ([*USERS, "nobody"], False),
    "type": ([*TYPES, "never_sent"], True),
    "outcome": (OUTCOMES, True),
    "source": ([*SOURCES, *NETWORKS, "203.0.113.99"], False),
    "page": ([*PAGES, "/nowhere", "(other)"], False),
    "session_id": ([*SESSIONS, "none"], False),
    "target_type": ([*TARGET_TYPES, "none"], False),
    "target_id": ([*TARGET_IDS, "none"], False),
}
ZONES = ["UTC", "Asia/Tokyo", "Asia/Kathmandu", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]


@dataclass
class Caller:
    """A caller, and whether an event of a tenant is visible to it."""

    name: str
    token: str
    tenant: str = None
    sees_system: bool = False


@dataclass
class Filter:
    """The conditions of a question: for each field, wanted and excluded values."""

    wanted: dict
    excluded: dict
    tenant: str
    start: datetime
    end: datetime

    def keeps(self, event):
        """Whether the event matches. An event without a field is excluded by no negation."""
        if self.tenant not in (None, event["tenant_id"]):
            return False
        if (self.start and event["at"] < self.start) or (self.end and event["at"] >= self.end):
            return False
        for name in FIELDS:
            value = field(event, name)
            if name in self.wanted and not any(same(name, one, value) for one in self.wanted[name]):
                return False
            if any(same(name, one, value) for one in self.excluded.get(name, ())):
                return False
        return True


def field(event, name):
    """The value of a field of an event; None if it has none."""
    if name.startswith("target_"):
        return (event.get("target") or {}).get(name.removeprefix("target_"))
    return event.get(name)


def same(name, wanted, value):
    """Whether the value of an event is one that a filter names."""
    if value is None:
        return False
    if name == "page":
        return page_key(wanted) == page_key(value)
    if name == "source":
        return ip_address(value) in ip_network(wanted)
    return wanted == value


class Questions:
    """Asks the server and searches the sent events."""

    def __init__(self, checks, server, seed):
        self.checks = checks
        self.server = server
        self.choose = random.Random(seed)
        self.now = datetime.now(UTC)
        self.tenants = [str(uuid.UUID(int=self.choose.getrandbits(128), version=4)) for _ in range(4)]
        self.events = []
        self.found = 0
        one, other = self.tenants[:2]
        self.callers = [
            Caller("admin", server.admin, sees_system=True),
            Caller("analyst", server.token("analyst")),
            Caller("auditor", server.token("auditor"), sees_system=True),
            Caller("auditor of a tenant", server.token("auditor", one), one),
            Caller("admin of a tenant", server.token("admin", other), other),
        ]

    def event(self):
        """A random event. Optional fields are often missing."""
        choose = self.choose
        at = self.now - timedelta(days=choose.choice([choose.uniform(0, 2), choose.uniform(0, 28), choose.uniform(28, 70)]))
        if choose.random() < 0.3:  # Many events of one time: pages end between them.
            at = at.replace(minute=0, second=0, microsecond=0)
        event = {
            "id": str(uuid.UUID(int=choose.getrandbits(128), version=4)), "type": choose.choice(TYPES), "at": at,
            "tenant_id": choose.choice([*self.tenants, NO_TENANT]), "env_id": choose.choice([0, 1, 1, 2, 4294967295]),
            "outcome": choose.choice(OUTCOMES), "source": choose.choice(SOURCES),
        }
        optional = {"user_id": USERS, "page": PAGES, "session_id": SESSIONS}
        event |= {name: choose.choice(values) for name, values in optional.items() if choose.random() < 0.7}
        if choose.random() < 0.6:
            event["target"] = {
                name: choose.choice(values) for name, values in (("type", TARGET_TYPES), ("id", TARGET_IDS)) if choose.random() < 0.8
            }
        return event

    def send(self, count):
        """Sends events. Their order is the order of storage."""
        for _ in range(count // 200):
            batch = [self.event() for _ in range(200)]
            body = [{name: value for name, value in event.items() if name != "at"} | {"occurred_at": event["at"].isoformat()}
                    for event in batch]
            answer = self.server.ask("POST", "/v1/events", body).json()
            self.checks.equal(answer and answer["stored"], len(batch), "a batch is stored")
            self.events += batch

    def filter(self, caller):
        """A random filter of this caller, mostly of few conditions."""
        choose = self.choose
        conditions = {"wanted": {}, "excluded": {}}
        for name in choose.sample(list(FIELDS), choose.choice([0, 1, 1, 2, 2, 3, 5])):
            for kind in choose.choice([["wanted"], ["wanted"], ["excluded"], ["wanted", "excluded"]]):
                values = FIELDS[name][0]
                conditions[kind][name] = choose.sample(values, choose.choice([1, 1, 2, min(4, len(values))]))
        tenant = choose.choice([*self.tenants, NO_TENANT, str(uuid.UUID(int=1))]) if caller.tenant is None and choose.random() < 0.4 else None
        start = self.now - timedelta(days=choose.uniform(1, 60)) if choose.random() < 0.4 else None
        end = self.now - timedelta(days=choose.uniform(0, 20)) if choose.random() < 0.3 else None
        if start and end and start >= end:
            start, end = end, start
        # Without a tenant, users or addresses, the server looks for targets in 31 days.
        if any(name.startswith("target_") for kind in conditions.values() for name in kind):
            upto = end or self.now
            start = max(start or upto - timedelta(days=30), upto - timedelta(days=30))
        return Filter(**conditions, tenant=tenant, start=start, end=end)

    def query(self, asked):
        """The parameters of a filter. Negations are written in both ways, lists repeated or joined."""
        choose = self.choose
        query = {} if asked.tenant is None else {"tenant_id": asked.tenant}
        for kind, ends in (("wanted", [""]), ("excluded", ["!", "_not"])):
            for name, values in getattr(asked, kind).items():
                joined = FIELDS[name][1] and choose.random() < 0.5
                query[name + choose.choice(ends)] = ",".join(map(str, values)) if joined else values
        if asked.start:
            query["from"] = asked.start.isoformat()
        if asked.end:
            query["to"] = asked.end.isoformat()
        return query

    def scan(self, caller, asked):
        """The events that match, newest first; of one time, the latest stored first."""
        kept = [
            (event["at"], place, event) for place, event in enumerate(self.events)
            if caller.tenant in (None, event["tenant_id"]) and asked.keeps(event)
        ]
        return [event for _, _, event in sorted(kept, key=lambda one: one[:2], reverse=True)]

    def listed(self, caller, query):
        """All events of a list, read page by page. Events of the server's own trail are counted apart."""
        events, cursor, size = [], {}, self.choose.choice([7, 50, 200, 1000])
        while True:
            answer = self.server.ask("GET", "/v1/events", query=query | {"limit": size} | cursor, token=caller.token)
            page = answer.json()
            if not self.checks.equal(answer.status, 200, f"{caller.name} lists {shown(query)}"):
                return events
            events += page["events"]
            if page["next_cursor"] is None:
                return events
            cursor = {"cursor": page["next_cursor"]}

    def number(self, caller, operation, query):
        """The answer of one of the operations that count."""
        answer = self.server.ask("GET", f"/v1/events/{operation}", query=query, token=caller.token)
        return answer.json() if answer.status == 200 else answer

    def ask(self, when):
        """One question of one caller, in all forms."""
        caller = self.choose.choice(self.callers)
        asked = self.filter(caller)
        query = self.query(asked)
        what = f"{when}: {caller.name}: {shown(query)}"
        expected = self.scan(caller, asked)
        listed = self.listed(caller, query)
        own = [event for event in listed if event["tenant_id"] == SYSTEM]
        self.checks.that(caller.sees_system or not own, f"{what}: no event of the server's own trail")
        ids = [event["id"] for event in listed if event["tenant_id"] != SYSTEM]
        self.checks.equal(ids, [event["id"] for event in expected], f"{what}: the list")
        self.found += len(ids)
        self.checks.equal(self.number(caller, "count", query), {"count": len(expected) + len(own)}, f"{what}: the count")
        users = {event.get("user_id") for event in [*expected, *own]} - {None}
        self.checks.equal(self.number(caller, "distinct-users", query), {"users": len(users)}, f"{what}: the users")
        self.histogram(caller, asked, query, expected, own, what)

    def histogram(self, caller, asked, query, expected, own, what):
        """Buckets join, begin and end with local periods, and contain the events of the list."""
        end = asked.end or self.now + timedelta(hours=1)
        start = asked.start or end - timedelta(days=self.choose.choice([1, 30]))
        granularity, zone = self.choose.choice(["hour", "day", "week", "month"]), self.choose.choice(ZONES)
        asked_for = query | {
            "from": start.isoformat(), "to": end.isoformat(), "granularity": granularity, "timezone": zone,
            "week_start": (first := self.choose.choice(["monday", "sunday", "saturday"])),
        }
        answer = self.number(caller, "histogram", asked_for)
        if not self.checks.that(isinstance(answer, dict) and answer.get("buckets"), f"{what}: the histogram", answer):
            return
        buckets = [(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]), one["events"]) for one in answer["buckets"]]
        edges = [buckets[0][0], *(bucket[1] for bucket in buckets)]
        self.checks.equal([bucket[0] for bucket in buckets], edges[:-1], f"{what}: the buckets join")
        self.checks.equal((edges[0], edges[-1]), (start, end), f"{what}: the buckets cover the range")
        whole = all(begins(granularity, first, edge.astimezone(ZoneInfo(zone))) for edge in edges[1:-1])
        self.checks.that(whole, f"{what}: every {granularity} of {zone} begins a bucket", edges)
        times = [event["at"] for event in expected] + [datetime.fromisoformat(event["occurred_at"]) for event in own]
        counts = [sum(lower <= at < upper for at in times) for lower, upper, _ in buckets]
        self.checks.equal([bucket[2] for bucket in buckets], counts, f"{what}: {granularity} of {zone}")

    def refused(self):
        """Questions with too many values, and answers with too many buckets."""
        for name, (values, joined) in FIELDS.items():
            for written in (name, f"{name}_not", f"{name}!"):
                many = [values[0]] * 51
                query = {written: ",".join(map(str, many)) if joined else many}
                for operation in ("", "/count", "/histogram", "/distinct-users"):
                    answer = self.server.ask("GET", f"/v1/events{operation}", query=query)
                    problem = answer.json() or {}
                    self.checks.equal(
                        (answer.status, problem.get("field"), "at most 50" in str(problem.get("detail"))),
                        (400, written.replace("!", "_not"), True), f"{operation} with 51 values of {written}")
        query = {"from": "2020-01-01", "to": "2026-01-01", "granularity": "hour"}
        answer = self.server.ask("GET", "/v1/events/histogram", query=query)
        self.checks.equal((answer.status, (answer.json() or {}).get("field")), (400, "granularity"), "too many buckets")
        for tenant in self.tenants[1:]:
            for operation in ("", "/count", "/histogram", "/distinct-users"):
                answer = self.server.ask("GET", f"/v1/events{operation}", query={"tenant_id": tenant}, token=self.callers[3].token)
                self.checks.equal(answer.status, 404, f"{operation} of another tenant")


def begins(granularity, week_start, local):
    """Whether a local time is the beginning of a period."""
    if granularity == "hour":
        return (local.minute, local.second, local.microsecond) in ((0, 0, 0), (30, 0, 0))  # Lord Howe's clock moves by half an hour.
    if (local.hour, local.minute, local.second, local.microsecond) != (0, 0, 0, 0):
        return False
    if granularity == "week":
        return local.weekday() == {"monday": 0, "sunday": 6, "saturday": 5}[week_start]
    return local.day == 1 if granularity == "month" else True


def main():
    options = arguments(
        __doc__, ("--seed", {"type": int, "default": 20261129, "help": "seed of events and questions"}),
        ("--events", {"type": int, "default": 2000, "help": "number of events in each of two rounds"}),
        ("--questions", {"type": int, "default": 120, "help": "number of questions before and after each merge"}),
    )
    checks = Checks()
    # Few pages are counted by name: the others are found by their keys.
    with Server(checks, options.database, new_pages_per_day="4") as server:
        questions, sheets = Questions(checks, server, options.seed), Sheets(checks, server)
        for number in (1, 2):
            questions.send(options.events)
            for _ in range(options.questions):
                questions.ask(f"round {number}, while merging")
            sheets.merged(f"round {number}")
            for _ in range(options.questions):
                questions.ask(f"round {number}, merged")
        sheets.rebuild("at the end")
        for _ in range(options.questions):
            questions.ask("rebuilt")
        questions.refused()
        checks.that(questions.found > 100 * options.questions, "the questions find events", questions.found)
        print(f"{len(questions.events)} events, {questions.found} listed by seed {options.seed}", flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
