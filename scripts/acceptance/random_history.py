"""Sends a random history of tenants, users, memberships and events to a server over HTTP.

The seed determines the history. Times are relative to now, because some answers depend on the current time.
"""

import gzip
import json
import random
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

NO_TENANT = "00000000-0000-0000-0000-000000000000"
KINDS = ["page_load", "userinfo", "login_success", "login_fail", "logout", "sign_up", "password_change", "report.exported"]
# Ids that break a careless router, LIKE pattern or join.
ODD_USERS = ["a/b", "100%", "50%2F50", "x+y z", "あい", "O'Neill", "_under_", "Ünïcode@example.com", "quote\"d", "a&b=c?d#e"]
PAGES = ["/", "/users", "/users?action=delete_user", "/users?page=2#top", "https://app.example.com/a", "https://app.example.com/a?x=1",
         "/b", "/B", "/é", "/a-b", "/a_b", "/100%25", "?only=query", "#only"]


class History:
    """Sends the history and records which events must be stored."""

    def __init__(self, server, checks, seed):
        self.server = server
        self.checks = checks
        self.choose = random.Random(seed)
        self.now = datetime.now(timezone.utc)
        self.tenants = [str(uuid.UUID(int=self.choose.getrandbits(128), version=4)) for _ in range(5)]
        self.users = [f"user-{n}" for n in range(30)] + ODD_USERS
        self.sent = {}
        self.unnamed = 0

    def moment(self):
        """A random time: mostly in the last 26 days, some long ago, some at the edge of a day or month. None from 26 to 33 days
        ago: "the past month" may or may not include them."""
        days = self.choose.choice([self.choose.uniform(0.01, 26), self.choose.uniform(0.01, 26), self.choose.uniform(33, 75)])
        at = self.now - timedelta(days=days)
        edge = self.choose.random()
        if edge < 0.05:
            return at.replace(hour=0, minute=0, second=0, microsecond=0)
        if edge < 0.1 and days > 1:
            return at.replace(hour=23, minute=59, second=59, microsecond=999999)
        if edge < 0.13 and days > 33:
            return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return at if edge < 0.5 else at.replace(microsecond=0)

    def event(self):
        """One random event. Optional fields are often missing."""
        choose = self.choose
        event = {"type": choose.choices(KINDS, [40, 20, 10, 8, 6, 4, 4, 8])[0], "occurred_at": spelled(choose, self.moment())}
        optional = {
            "id": (0.8, lambda: str(uuid.UUID(int=choose.getrandbits(128), version=4))),
            "tenant_id": (0.85, lambda: choose.choice(self.tenants)),
            "env_id": (0.6, lambda: choose.choice([0, 1, 2, 7, 4294967295])),
            "user_id": (0.92, lambda: choose.choice(self.users)),
            "outcome": (0.5, lambda: choose.choice(["success", "failure", "unknown"])),
            "source": (0.5, lambda: choose.choice(["203.0.113.7", "::ffff:203.0.113.7", "2001:db8::1"])),
            "page": (0.8 if event["type"] in ("page_load", "userinfo") else 0.05, lambda: choose.choice(PAGES)),
            "metadata": (0.2, lambda: {"n": choose.randrange(10), "nested": {"text": "ü", "list": [1, None, True]}}),
        }
        for name, (chance, value) in optional.items():
            if choose.random() < chance:
                event[name] = value()
        return event

    def send_events(self, count):
        """Sends events in batches of many sizes and formats. Some are sent twice, some must be refused."""
        events = [self.event() for _ in range(count)]
        named = [event for event in events if "id" in event]
        known = list(self.sent.values())
        events += map(self.again, self.choose.sample(named, len(named) // 8) + self.choose.sample(known, len(known) // 10))
        self.choose.shuffle(events)
        while events:
            size = self.choose.choice([1, 2, 17, 120])
            batch, events = events[:size], events[size:]
            bad = {self.choose.randrange(len(batch) + 1): {"type": "Not A Type"}} if self.choose.random() < 0.3 else {}
            for place, event in bad.items():
                batch.insert(place, event)
            self.post(batch, bad)

    def again(self, event):
        """The same event again, sometimes without its time or with another one."""
        copy = dict(event)
        change = self.choose.random()
        if change < 0.3:
            copy.pop("occurred_at", None)
        elif change < 0.5:
            copy["occurred_at"] = spelled(self.choose, self.moment())
        return copy

    def post(self, batch, bad):
        """Sends one request, as an object, an array or NDJSON, compressed or not. Checks every result."""
        headers = {"Content-Type": "application/json"}
        if len(batch) == 1 and self.choose.random() < 0.5:
            body = json.dumps(batch[0])
        elif self.choose.random() < 0.5:
            body = json.dumps(batch)
        else:
            headers["Content-Type"] = "application/x-ndjson"
            body = "\n".join(json.dumps(event, ensure_ascii=False) for event in batch) + "\n"
        body = body.encode()
        if self.choose.random() < 0.3:
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body)
        expected = []
        for place, event in enumerate(batch):
            key = (event.get("tenant_id", NO_TENANT), event.get("id"))
            if place in bad:
                expected.append("refused")
            elif key in self.sent:
                expected.append("known")
            else:
                expected.append("stored")
                if event.get("id") is None:
                    self.unnamed += 1
                else:
                    self.sent[key] = event
        answer = self.server.ask("POST", "/v1/events", body, headers=headers)
        sums = answer.json() or {}
        self.checks.equal([one["status"] for one in sums.get("results", [])], expected, "every event's result, in order")
        counts = {name: expected.count(name) for name in ("stored", "known", "refused")}
        self.checks.equal({name: sums.get(name) for name in counts}, counts, "the sums of a batch")

    def send_behaviors(self):
        """Sends the growing list of a day repeatedly, as clients do."""
        day = (self.now - timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
        for user in self.users[:4] + ODD_USERS[:2]:
            histories = []
            for _ in range(4):
                at = int(day.timestamp()) + self.choose.randrange(86400)
                histories.append({"timestamp": at, "referer": self.choose.choice(PAGES[:6])})
                body = {"timestamp": int(day.timestamp()), "user_id": user, "histories": histories}
                self.checks.equal(self.server.ask("PUT", "/v1/analysis/user-behavior-day", body).status, 200, "behaviour histories are accepted")

    def send_reports(self):
        """Reports active users, some in place of a computed number, some without one."""
        for _ in range(20):
            kind, at = self.choose.choice(["daily", "monthly"]), self.moment()
            body = {
                "type": kind, "date": f"{at:%Y-%m-%d}" if kind == "daily" else f"{at:%Y-%m}",
                "tenant_id": self.choose.choice(self.tenants + [NO_TENANT]), "env_id": self.choose.choice([1, 2, 9]),
                "active_users": self.choose.choice([0, 1, 500, 2_000_000_000]),
            }
            self.checks.equal(self.server.ask("PUT", "/v1/analysis/active-users", body).status, 200, "a report is accepted")

    def send_directory(self):
        """Creates, corrects, removes and creates again tenants, users and memberships."""
        for tenant in self.tenants:
            self.put(f"/v1/tenants/{tenant}", {"name": f"Tenant {tenant[:4]}"}, "created_at")
        for user in self.users:
            self.put(f"/v1/users/{quote(user, safe='')}", {"email": f"{uuid.uuid4().hex}@example.com"}, "registered_at")
        for _ in range(60):
            tenant, user = self.choose.choice(self.tenants), self.choose.choice(self.users)
            path = f"/v1/tenants/{tenant}/users/{quote(user, safe='')}"
            self.put(path, {}, "created_at")
            if self.choose.random() < 0.2:
                self.checks.equal(self.server.ask("DELETE", path).status, 204, "a membership is removed")
                if self.choose.random() < 0.5:
                    self.put(path, {}, "created_at")
        gone = quote(self.choose.choice(self.users), safe="")
        self.checks.equal(self.server.ask("DELETE", f"/v1/users/{gone}").status, 204, "a user is removed")
        self.checks.equal(self.server.ask("DELETE", f"/v1/tenants/{self.tenants[0]}").status, 204, "a tenant is removed")

    def put(self, path, body, time_field):
        """Creates or replaces a record, with or without a time of creation."""
        if self.choose.random() < 0.7:
            body = body | {time_field: spelled(self.choose, self.moment())}
        answer = self.server.ask("PUT", path, body)
        self.checks.that(answer.status in (200, 201), f"PUT {path} is accepted", answer)


def spelled(choose, at):
    """A time in a random spelling of RFC 3339."""
    zone = choose.choice([timezone.utc, timezone(timedelta(hours=9)), timezone(-timedelta(hours=3, minutes=30))])
    text = at.astimezone(zone).isoformat()
    return text.replace("+00:00", "Z") if choose.random() < 0.5 else text
