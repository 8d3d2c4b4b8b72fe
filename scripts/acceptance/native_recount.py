"""Recounts the answers of `/v1/analytics` in Python over the raw rows, with the time zones of Python."""

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from urllib.parse import quote
from zoneinfo import ZoneInfo

from random_history import NO_TENANT
from recount import ACTIVE, Sql, dashed

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Offsets of whole, half and quarter hours, and clock changes. A missing time zone database ends the check, so that it is
# not skipped unnoticed.
ZONES = ["UTC", "Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]
MICROSECOND = timedelta(microseconds=1)


@dataclass
class Row:
    """An event, read from its row."""

    at: datetime
    tenant: str
    env: int
    user: str
    kind: str
    page: str
    source: str
    active: bool


@dataclass
class Question:
    """A range, its time zone, and the tenant and environment of the events."""

    zone: str
    start: datetime
    end: datetime
    query: dict
    rows: list = None  # Events that the question is about, by time.
    first: dict = None  # First activity of each user.

    def local(self, at):
        """The local time of an instant."""
        return at.astimezone(ZoneInfo(self.zone))

    def period(self, granularity, at):
        """The key of a local period. Repeated hours differ by their offset."""
        local = self.local(at)
        if granularity == "hour":
            return local.date(), local.hour, local.utcoffset()
        if granularity == "week":
            return local.date() - timedelta(days=local.weekday())
        return local.date().replace(day=1) if granularity == "month" else local.date()


class NativeRecount:
    """Compares the server with the rows."""

    def __init__(self, checks, server, tenants, users, seed):
        self.checks = checks
        self.server = server
        self.tenants = tenants
        self.users = users
        self.choose = random.Random(f"native {seed}")
        self.sql = Sql(server.database)
        self.rows = []
        self.ledger = []

    def load(self):
        """Reads all events and the ledger of creations."""
        columns = (
            self.sql.micros("occurred_at"), self.sql.uuid("tenant_id"), "env_id", "user_id", "type", "counted_page",
            "source", f"CASE WHEN {ACTIVE} THEN 1 ELSE 0 END",
        )
        self.rows = [
            Row(EPOCH + timedelta(microseconds=int(at)), dashed(tenant), int(env), user, kind, page, source, active == "1")
            for at, tenant, env, user, kind, page, source, active in self.sql.events(", ".join(columns))
        ]
        at = "(extract(epoch FROM created_at) * 1000000)::bigint" if self.sql.postgres else "created_at"
        found = self.sql.rows(f"SELECT kind, {at}, {self.sql.uuid('tenant_id')}, user_id, region, user_pool_id FROM creations")
        self.ledger = [
            (kind, EPOCH + timedelta(microseconds=int(at)), dashed(tenant), user, region or None, pool or None)
            for kind, at, tenant, user, region, pool in found
        ]

    def everything(self, times=4):
        """Asks every question many times."""
        self.load()
        for _ in range(times):
            self.active_users()
            self.page_statistics()
            self.traffic()
            self.logins()
            self.registrations()
            self.retention()
            self.profile()

    def question(self, env=True):
        """A random question: a range of local days or of odd instants, a time zone, a tenant and an environment."""
        choose, now = self.choose, datetime.now(UTC)
        zone = choose.choice(ZONES)
        if choose.random() < 0.5:
            last = now.date() - timedelta(days=choose.choice([0, choose.randrange(60)]))
            first = last - timedelta(days=choose.choice([0, 1, 9, 70]))
            start, end = midnight(zone, first), midnight(zone, last + timedelta(days=1))
            query = {"from": f"{first}", "to": f"{last}"}
        else:
            end = now - timedelta(seconds=choose.uniform(0, 30 * 86400))
            start = end - timedelta(seconds=choose.choice([0.000001, 3600.5, choose.uniform(1, 60 * 86400)]))
            query = {"from": spelled(start), "to": spelled(end)}
        query["timezone"] = zone
        if choose.random() < 0.6:
            query["tenant_id"] = choose.choice([*self.tenants, NO_TENANT])
            if env and choose.random() < 0.4:
                query["env_id"] = choose.choice([0, 1, 2, 4294967295])
        return Question(zone, start, end, query)

    def ask(self, path, question, **more):
        """Asks the server. Checks that both periods of the answer match the range of the question."""
        query = question.query | more
        answer = self.server.ask("GET", f"/v1/analytics{path}", query=query)
        if not self.checks.equal(answer.status, 200, f"GET {path} {query}: {answer}"):
            return None
        got = answer.json()
        span = tuple(map(datetime.fromisoformat, (plain(got["current"]["start"]), plain(got["current"]["end"]))))
        self.checks.equal(span, (question.start, question.end), f"{path} {query}: the range")
        return got

    def within(self, question, start, end):
        """The rows in a range that the question is about, by time."""
        if question.rows is None:
            tenant, env = question.query.get("tenant_id"), question.query.get("env_id")
            mine = [row for row in self.rows if tenant in (None, row.tenant) and env in (None, row.env)]
            question.rows = sorted(mine, key=lambda row: row.at)
        return question.rows[bisect_left(question.rows, start, key=when):bisect_left(question.rows, end, key=when)]

    def active(self, question, start, end):
        """The users who were active in a range."""
        return {row.user for row in self.within(question, start, end) if row.active}

    def newcomers(self, question, start, end):
        """The users who were active in a range, and never before it."""
        if question.first is None:
            question.first = {}
            for row in self.within(question, EPOCH, datetime.max.replace(tzinfo=UTC)):
                if row.active:
                    question.first.setdefault(row.user, row.at)
        return {user for user in self.active(question, start, end) if question.first[user] >= start}

    def series(self, path, counts, env=True, **more):
        """A question with buckets: each bucket and the total must equal the result of `counts`."""
        question = self.question(env)
        granularity = self.choose.choice(["hour", "day", "week", "month"])
        if self.choose.random() < 0.4:
            more["compare"] = "previous_period"
        got = self.ask(path, question, granularity=granularity, **more)
        if got is None:
            return
        what = f"{path} {question.query} {granularity} {more}"
        self.checks.equal(got["previous"] is not None, "compare" in more, f"{what}: the previous period")
        for period in filter(None, (got["previous"], got["current"])):
            start, end = edges(period)
            at = start
            for bucket in period["buckets"]:
                first, after = edges(bucket)
                same = question.period(granularity, first) == question.period(granularity, after - MICROSECOND)
                cut = after == end or question.period(granularity, first) != question.period(granularity, after)
                self.checks.that(first == at and same and cut, f"{what}: buckets are local periods without gaps", bucket)
                expected = counts(question, first, after, bucket=True)
                shown = {name: value for name, value in bucket.items() if name not in ("start", "end")}
                self.checks.equal(shown, expected, f"{what}: {bucket['start']}")
                at = after
            self.checks.equal(at, end, f"{what}: buckets cover the range")
            self.checks.equal(period["totals"], counts(question, start, end, bucket=False), f"{what}: totals")

    def active_users(self):
        """Active, new and returning users; stickiness."""
        def counts(question, start, end, bucket):
            active, new = self.active(question, start, end), self.newcomers(question, start, end)
            expected = {"active_users": len(active), "new_users": len(new), "returning_users": len(active - new)}
            if bucket:
                return expected
            days = defaultdict(set)
            for row in self.within(question, start, end):
                if row.active:
                    days[question.local(row.at).date()].add(row.user)
            first, last = question.local(start).date(), question.local(end - MICROSECOND).date()
            number, daily = (last - first).days + 1, sum(map(len, days.values()))
            monthly = {row.user for row in self.within(question, EPOCH, end)
                       if row.active and question.local(row.at).date() > last - timedelta(days=30)}
            expected["stickiness"] = {"average_daily_users": rounded(daily, number), "monthly_users": len(monthly),
                                  "ratio": rounded(daily, number * len(monthly))}
            return expected

        self.series("/active-users", counts)

    def traffic(self):
        """Events and users by type."""
        chosen = self.choose.choice([[], ["page_load"], ["userinfo", "logout"]])

        def counts(question, start, end, bucket):
            rows = [row for row in self.within(question, start, end) if not chosen or row.kind in chosen]
            by_kind = defaultdict(list)
            for row in rows:
                by_kind[row.kind].append(row)
            types = [{"type": kind, "events": len(some), "users": users(some)} for kind, some in sorted(by_kind.items())]
            return {"events": len(rows), "users": users(rows), "types": types}

        self.series("/traffic", counts, **({"type": chosen} if chosen else {}))

    def logins(self):
        """Logins by outcome, with their users and sources."""
        def counts(question, start, end, bucket):
            rows = self.within(question, start, end)
            expected = {}
            for name, kind in (("success", "login_success"), ("failure", "login_fail")):
                some = [row for row in rows if row.kind == kind]
                expected[name] = {"logins": len(some), "users": users(some), "sources": len({row.source for row in some} - {""})}
            return expected

        self.series("/logins", counts)

    def registrations(self):
        """Users who registered and memberships that began, from the ledger."""
        more = {"region": "eu-west-1"} if self.choose.random() < 0.2 else {}
        homes = defaultdict(set)
        for kind, _, tenant, user, _, _ in self.ledger:
            if kind == "create_tenant_user":
                homes[user].add(tenant)

        def counts(question, start, end, bucket):
            tenant = question.query.get("tenant_id")
            mine = [entry for entry in self.ledger if start <= entry[1] < end]
            some = [entry for entry in mine if entry[0] == "create_saas_user" and entry[4] == more.get("region", entry[4])
                    and (tenant is None or tenant in homes[entry[3]] or (tenant == NO_TENANT and not homes[entry[3]]))]
            members = Counter(entry[2] for entry in mine if entry[0] == "create_tenant_user" and tenant in (None, entry[2]))
            expected = {
                "users": len(some),
                "regions": [{"region": name, "users": count} for name, count in ranked_names(entry[4] for entry in some)],
                "user_pools": [{"user_pool_id": name, "users": count} for name, count in ranked_names(entry[5] for entry in some)],
                "memberships": None if more else sum(members.values()),
                "tenants": None if more else [{"tenant_id": name, "memberships": count} for name, count in sorted(members.items())],
            }
            return {"counts": expected} if bucket else expected

        self.series("/registrations", counts, env=False, **more)

    def page_statistics(self):
        """Views and users of pages."""
        question, limit = self.question(), self.choose.choice([1, 5, 10000])
        got = self.ask("/page-statistics", question, limit=limit)
        if got is None:
            return
        rows = [row for row in self.within(question, question.start, question.end) if row.page]
        views = Counter(row.page for row in rows)
        pages = sorted(views, key=lambda page: (-views[page], page.encode()))[:limit]
        expected = [{"page": page, "current": {"views": views[page], "users": users(row for row in rows if row.page == page)},
                     "previous": None} for page in pages]
        self.checks.equal(got["pages"], expected, f"page statistics {question.query}")
        totals = {"views": len(rows), "users": users(rows), "pages": len(views)}
        self.checks.equal(got["current"]["totals"], totals, f"page statistics {question.query}: totals")

    def retention(self):
        """Cohorts by first activity, and how many of their users came back."""
        question, periods = self.question(), self.choose.choice([1, 4])
        got = self.ask("/retention", question, granularity=self.choose.choice(["day", "week", "month"]), periods=periods)
        if got is None:
            return
        cohorts = got["current"]["cohorts"]
        active = [self.active(question, *edges(cohort)) for cohort in cohorts]
        for place, cohort in enumerate(cohorts):
            members = self.newcomers(question, *edges(cohort))
            followed = [len(members & users) for users in active[place:place + periods + 1]]
            self.checks.equal((cohort["users"], cohort["active"]), (len(members), followed), f"retention {question.query} {cohort['start']}")

    def profile(self):
        """The profile of a user."""
        question, user = self.question(), self.choose.choice(self.users)
        got = self.ask(f"/users/{quote(user, safe='')}/profile", question)
        if got is None:
            return
        ever = sorted(row.at for row in self.within(question, EPOCH, datetime.max.replace(tzinfo=UTC)) if row.user == user)
        rows = [row for row in self.within(question, question.start, question.end) if row.user == user]
        hours = [[0] * 24 for _ in range(7)]
        for row in rows:
            if row.active:
                local = question.local(row.at)
                hours[local.weekday()][local.hour] += 1
        views, sources, types = (Counter(filter(None, names)) for names in (
            (row.page for row in rows), (row.source for row in rows), (row.kind for row in rows)))
        expected = {
            "seen": (ever[0], ever[-1]) if ever else None,
            "totals": {"events": len(rows), "failed_events": sum(not row.active for row in rows),
                       "active_days": len({question.local(row.at).date() for row in rows if row.active})},
            "hours": hours, "pages": len(views), "sources": len(sources), "types": types,
            "top": sorted(views.values(), reverse=True)[:10],
        }
        seen = got["first_seen"] and tuple(map(datetime.fromisoformat, (plain(got["first_seen"]), plain(got["last_seen"]))))
        answered = {
            "seen": seen, "totals": got["current"]["totals"], "hours": got["hours"], "pages": got["distinct_pages"],
            "sources": got["distinct_sources"], "types": Counter({kind["type"]: kind["events"] for kind in got["types"]}),
            "top": [page["views"] for page in got["pages"]],
        }
        self.checks.equal(answered, expected, f"profile of {user} {question.query}")


def when(row):
    """The time of a row, to sort by."""
    return row.at


def users(rows):
    """Number of distinct users."""
    return len({row.user for row in rows} - {""})


def ranked_names(names):
    """How often each name, those without one first."""
    return sorted(Counter(names).items(), key=lambda entry: (entry[0] is not None, entry[0] or ""))


def rounded(dividend, divisor):
    """A quotient with four decimals, halves rounded up; None if the divisor is zero."""
    return None if divisor == 0 else (dividend * 20_000 + divisor) // (divisor * 2) / 10_000


def midnight(zone, day):
    """The instant at which a local day begins."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def spelled(at):
    """An instant as RFC 3339."""
    return at.isoformat().replace("+00:00", "Z")


def plain(text):
    """RFC 3339 in the form that every Python version parses."""
    return text.replace("Z", "+00:00")


def edges(period):
    """Start and end of a period or bucket."""
    return datetime.fromisoformat(plain(period["start"])), datetime.fromisoformat(plain(period["end"]))
