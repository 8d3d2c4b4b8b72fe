#!/usr/bin/env python3
"""Sends a random history over HTTP and compares every SaaSus answer with SQL over the stored rows.

    scripts/acceptance/recount.py [--database sqlite|postgres] [--seed N] [--events N]

The databases' own clients run the SQL, which is independent of the queries of the server. Every question is asked at
once, again after the server has merged its sheets, and again after a rebuild next to the server.
"""

import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from harness import Checks, Server, arguments
from random_history import NO_TENANT, History
from sheets import Sheets

SYSTEM = "ffffffff-ffff-ffff-ffff-ffffffffffff"
# Logins fail by their type, whatever outcome the client sent; other events by their outcome.
ACTIVE = "user_id IS NOT NULL AND type <> 'login_fail' AND (type = 'login_success' OR outcome <> 'failure')"


class Sql:
    """Queries over the raw rows, in the dialect of either database. Events come from the view `event_log`.

    SQLite stores times as microseconds and UUIDs as blobs in its tables, but the view has both as texts.
    """

    def __init__(self, database):
        self.database = database
        self.postgres = database.kind == "postgres"

    def at(self, column, form):
        """A time as text: %Y-%m-%d, %Y-%m, or %s for whole UNIX seconds."""
        if self.postgres:
            if form == "%s":
                return f"floor(extract(epoch FROM {column}))::bigint"
            return f"to_char({column} AT TIME ZONE 'UTC', '{form.replace('%Y', 'YYYY').replace('%m', 'MM').replace('%d', 'DD')}')"
        if column in ("occurred_at", "received_at"):
            # Cut, because strftime rounds 23:59:59.999999 up to the next day.
            return f"strftime('{form}', substr({column}, 1, 19))"
        return f"strftime('{form}', {column} / 1000000, 'unixepoch')"

    def micros(self, column):
        """The time of an event as whole UNIX microseconds."""
        if self.postgres:
            return f"(extract(epoch FROM {column}) * 1000000)::bigint"
        return f"(strftime('%s', substr({column}, 1, 19)) * 1000000 + substr({column}, 21, 6))"

    def uuid(self, column):
        """A UUID as 32 lower-case hexadecimal digits."""
        if self.postgres:
            return f"replace({column}::text, '-', '')"
        return f"CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE lower(replace({column}, '-', '')) END"

    def rows(self, sql):
        """Rows of texts."""
        return self.database.rows(sql)

    def events(self, columns, where="1 = 1", rest=""):
        """A query over the events outside the system tenant."""
        return self.rows(f"SELECT {columns} FROM event_log WHERE {self.uuid('tenant_id')} <> '{bare(SYSTEM)}' AND {where} {rest}")

    def reported(self, period):
        """Reported active users: (first day, tenant, environment, users)."""
        day = "first_day::text" if self.postgres else "strftime('%Y-%m-%d', first_day * 86400, 'unixepoch')"
        return self.rows(f"SELECT {day}, {self.uuid('tenant_id')}, env_id, users FROM reported_active_users WHERE period = '{period}'")


def bare(tenant):
    """A UUID without its dashes."""
    return tenant.replace("-", "")


def dashed(digits):
    """A UUID with its dashes."""
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def among(column, values):
    """A condition: a column is one of these texts."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def days(first, last):
    """Every day from the first to the last."""
    return [f"{first + timedelta(days=n):%Y-%m-%d}" for n in range((last - first).days + 1)]


class Recount:
    """Asks the server and the rows the same questions."""

    def __init__(self, checks, server, history):
        self.checks = checks
        self.server = server
        self.history = history
        self.choose = history.choose
        self.sql = Sql(server.database)

    def ask(self, path, **query):
        """An answer of the SaaSus contract."""
        answer = self.server.ask("GET", f"/v1/analysis{path}", query=query)
        if not self.checks.equal(answer.status, 200, f"GET {path} {query}: {answer}"):
            return {}
        return answer.json()

    def range(self):
        """A random range of days, sometimes with today."""
        last = self.history.now - timedelta(days=self.choose.choice([0, self.choose.randrange(60)]))
        return last - timedelta(days=self.choose.choice([0, 1, 10, 80])), last

    def everything(self, times=12):
        """Asks every question many times."""
        self.rows_are_what_was_sent()
        for _ in range(times):
            for period in ("daily", "monthly"):
                self.active_users(period)
            self.page_statistics()
            self.userinfo()
            for kind in ("create_tenant", "create_saas_user", "create_tenant_user"):
                self.creations(kind)
        for user in self.history.users:
            self.behaviors(user)

    def rows_are_what_was_sent(self):
        """Checks that each sent event is stored once, and no other."""
        ids = self.sql.events(f"{self.sql.uuid('tenant_id')}, {self.sql.uuid('id')}", "type <> 'never'")
        self.checks.equal(len(ids), len(set(ids)), "no event is stored twice")
        missing = {(bare(tenant), bare(event)) for tenant, event in self.history.sent} - set(ids)
        self.checks.equal(len(missing), 0, "every event that was sent is stored")

    def active_users(self, period):
        """Operation 3, with and without tenant, environment and end."""
        form = "%Y-%m-%d" if period == "daily" else "%Y-%m"
        first, last = self.range()
        query = {"type": period, "date_from": f"{first:{form}}"}
        if self.choose.random() < 0.7:
            query["date_to"] = f"{last:{form}}"
        upto = query.get("date_to", f"{datetime.now(timezone.utc):{form}}")
        date = self.sql.at("occurred_at", form)
        counted = self.sql.events(
            f"{date}, {self.sql.uuid('tenant_id')}, env_id, count(DISTINCT user_id)",
            f"{ACTIVE} AND {date} BETWEEN '{query['date_from']}' AND '{upto}'",
            "GROUP BY 1, 2, 3",
        )
        values = {(day, dashed(tenant), int(env)): int(users) for day, tenant, env, users in counted}
        for day, tenant, env, users in self.sql.reported(period):
            day = day if period == "daily" else day[:7]
            if query["date_from"] <= day <= upto:
                values[(day, dashed(tenant), int(env))] = int(users)
        if self.choose.random() < 0.6:
            query["tenant_id"] = self.choose.choice(self.history.tenants + [NO_TENANT])
            values = {key: users for key, users in values.items() if key[1] == query["tenant_id"]}
            if self.choose.random() < 0.5:
                query["env_id"] = self.choose.choice([0, 1, 2, 9, 4294967295])
                values = {key: users for key, users in values.items() if key[2] == query["env_id"]}
        expected = [
            {"date": day, "tenant_id": tenant, "env_id": env, "active_users": users}
            for (day, tenant, env), users in sorted(values.items())
        ]
        self.checks.equal(self.ask("/active-users", **query).get("data"), expected, f"active users {query}")

    def page_statistics(self):
        """Operation 6: views, and distinct users over all pages and per page."""
        first, last = self.range()
        start = int(first.timestamp()) if self.choose.random() < 0.5 else int(first.replace(hour=0, minute=0, second=0).timestamp())
        end = int(last.timestamp()) if self.choose.random() < 0.5 else int(last.replace(hour=23, minute=59, second=59).timestamp())
        where = f"page IS NOT NULL AND {self.sql.at('occurred_at', '%s')} + 0 BETWEEN {start} AND {end}"
        key = "coalesce(nullif(%s, ''), '/')" % (
            "split_part(split_part(page, '#', 1), '?', 1)" if self.sql.postgres
            else "substr(page, 1, min(instr(page || '#', '#'), instr(page || '?', '?')) - 1)"
        )
        rows = self.sql.events(f"{key}, count(*), count(DISTINCT user_id)", where, "GROUP BY 1")
        pages = [{"page_url": page, "total_views": int(views), "unique_users": int(users)} for page, views, users in rows]
        total = self.sql.events("count(DISTINCT user_id)", where)
        expected = {
            "start_date": start, "end_date": end, "total_unique_users": int(total[0][0]),
            "total_page_views": sum(page["total_views"] for page in pages),
            "page_statistics": sorted(pages, key=lambda page: (-page["total_views"], page["page_url"].encode())),
        }
        got = self.ask("/metrics/page-statistics", start_timestamp=start, end_timestamp=end)
        self.checks.equal(got, expected, f"page statistics {start} {end}")

    def some_tenants(self):
        """A choice of tenants and how to write it: repeated, joined by commas, or mixed."""
        if self.choose.random() < 0.4:
            return None, {}
        chosen = self.choose.sample(self.history.tenants + [NO_TENANT], self.choose.randrange(1, 4))
        written = self.choose.choice([chosen, [",".join(chosen)], [",".join(chosen[:2]), *chosen[2:]]])
        return chosen, {"tenant_ids": written}

    def userinfo(self):
        """Operation 7: calls per day and tenant, days without any included."""
        first, last = self.range()
        chosen, query = self.some_tenants()
        day, tenant = self.sql.at("occurred_at", "%Y-%m-%d"), self.sql.uuid("tenant_id")
        where = f"type = 'userinfo' AND {day} BETWEEN '{first:%Y-%m-%d}' AND '{last:%Y-%m-%d}'"
        if chosen:
            where += " AND " + among(tenant, map(bare, chosen))
        details = defaultdict(dict)
        for at, who, count in self.sql.events(f"{day}, {tenant}, count(*)", where, "GROUP BY 1, 2"):
            details[at][dashed(who)] = int(count)
        expected = [{"date": at, "details": details[at]} for at in days(first, last)]
        got = self.ask("/userinfo/aggregated", start_date=f"{first:%Y-%m-%d}", end_date=f"{last:%Y-%m-%d}", **query)
        self.checks.equal(got.get("metrics"), expected, f"userinfo {first:%F} {last:%F} {query}")

    def creations(self, kind):
        """Operation 5: creations per day, including records that were removed later."""
        first, last = self.range()
        chosen, query = self.some_tenants()
        day, tenant = self.sql.at("created_at", "%Y-%m-%d"), self.sql.uuid("tenant_id")
        where = f"kind = '{kind}' AND {day} BETWEEN '{first:%Y-%m-%d}' AND '{last:%Y-%m-%d}'"
        if chosen and kind == "create_saas_user":
            joined = "SELECT user_id FROM creations WHERE kind = 'create_tenant_user'"
            member = f"user_id IN ({joined} AND {among(tenant, map(bare, chosen))})"
            where += f" AND ({member} OR user_id NOT IN ({joined}))" if NO_TENANT in chosen else f" AND {member}"
        elif chosen:
            where += " AND " + among(tenant, map(bare, chosen))
        counts, details = defaultdict(int), defaultdict(dict)
        for at, who, count in self.sql.rows(f"SELECT {day}, {tenant}, count(*) FROM creations WHERE {where} GROUP BY 1, 2"):
            counts[at] += int(count)
            details[at][dashed(who)] = int(count)
        expected = [{"date": at, "count": counts[at]} for at in days(first, last)]
        if kind == "create_tenant_user":
            expected = [row | {"details": details[row["date"]]} for row in expected]
        got = self.ask("/metrics/aggregated", metrics_type=kind, start_date=f"{first:%Y-%m-%d}", end_date=f"{last:%Y-%m-%d}", **query)
        self.checks.equal(got.get("metrics"), expected, f"{kind} {first:%F} {last:%F} {query}")

    def behaviors(self, user):
        """Operation 2: the pages of the past month, as they were sent, by day and time."""
        since = int((self.history.now - timedelta(days=29)).timestamp())
        seconds, name = self.sql.at("occurred_at", "%s"), user.replace("'", "''")
        rows = self.sql.events(
            f"{self.sql.at('occurred_at', '%Y-%m-%d')}, {seconds}, page",
            f"user_id = '{name}' AND page IS NOT NULL AND type IN ('page_load', 'userinfo') AND {seconds} + 0 >= {since}",
            "ORDER BY occurred_at, seq",
        )
        by_day = defaultdict(list)
        for day, at, page in rows:
            by_day[day].append({"timestamp": int(at), "referer": page})
        expected = [
            {"behaved_at": int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()), "histories": histories}
            for day, histories in sorted(by_day.items())
        ]
        got = self.ask(f"/users/{quote(user, safe='')}/behavior-histories")
        self.checks.equal(got.get("histories"), expected, f"behaviours of {user}")


def main():
    # That module imports this one.
    from native_recount import NativeRecount

    options = arguments(
        __doc__, ("--seed", {"type": int, "default": 20260131, "help": "seed of the history"}),
        ("--events", {"type": int, "default": 1500, "help": "number of events in each of two rounds"}),
    )
    checks = Checks()
    with Server(checks, options.database) as server:
        history = History(server, checks, options.seed)
        recount, sheets = Recount(checks, server, history), Sheets(checks, server)
        native = NativeRecount(checks, server, history.tenants, history.users, options.seed)
        history.send_directory()
        for _ in range(2):
            history.send_events(options.events)
            history.send_behaviors()
            history.send_reports()
            recount.everything()
            native.everything()
            sheets.merged("after sending")
            recount.everything(4)
            native.everything()
            sheets.check("after merging")
            sheets.rebuild("after merging")
            recount.everything(4)
            native.everything()
            sheets.check("after a rebuild")
        print(f"{len(history.sent) + history.unnamed} events sent and stored by seed {options.seed}", flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
