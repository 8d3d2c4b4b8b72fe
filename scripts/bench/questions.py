"""Questions: a request, the same in ClickHouse's SQL, and both answers in one common form."""

from dataclasses import dataclass
from typing import Callable
from urllib.parse import urlencode

from times import DAY, date, milliseconds, rfc3339, within

# Logins that failed are no activity.
ACTIVE = "type != 'login_fail'"
# What a list of events says about each.
FIELDS = "occurred_at, tenant_id, env_id, user_id, user_name, type, outcome, page, source"


@dataclass
class Question:
    """`ours` brings a server's JSON, `theirs` ClickHouse's rows of each statement into the common form."""

    name: str
    path: str
    sql: tuple
    ours: Callable
    theirs: Callable
    # The operation of the API, which an older program may lack.
    operation: str = ""


def aggregates(meta):
    """The questions that sheets answer, and the basic lists."""
    start, end, tenant = meta["start"], meta["end"], meta["largest_tenant"]
    odd = (start + 40 * DAY + 49_031, start + 75 * DAY + 19_303)
    return [
        page_statistics("page statistics, 90 days", start, end),
        page_statistics("page statistics, 30 days", end - 30 * DAY, end),
        page_statistics("page statistics, 35 days, odd seconds", *odd),
        Question(
            name="distinct users, 90 days",
            path=request("/v1/analytics/active-users", granularity="month", **{"from": rfc3339(start), "to": rfc3339(end)}),
            sql=(f"SELECT uniqExact(user_id) FROM events WHERE {ACTIVE} AND {within(start, end)}",),
            ours=lambda answer: answer["current"]["totals"]["active_users"],
            theirs=lambda rows: int(rows[0][0]),
        ),
        Question(
            name="daily active users, 90 days",
            path=request("/v1/analytics/active-users", granularity="day", **{"from": rfc3339(start), "to": rfc3339(end)}),
            sql=(f"SELECT toDate(occurred_at) AS day, uniqExact(user_id) AS n FROM events WHERE {ACTIVE} AND {within(start, end)} GROUP BY day ORDER BY day",),
            ours=lambda answer: [(one["start"][:10], one["active_users"]) for one in answer["current"]["buckets"] if one["active_users"]],
            theirs=lambda rows: [(day, int(users)) for day, users in rows],
        ),
        active_users("daily active users of the largest tenant by environment, 90 days", start, end, tenant),
        active_users("daily active users of each tenant and environment, 90 days", start, end, None),
        events_list("newest 50 events", {}, [within(0, end)], 50, to=end),
        events_list("newest 50 events of the largest tenant", {"tenant_id": tenant}, [f"tenant_id = '{tenant}'", within(0, end)], 50, to=end),
        events_list(
            "a heavy user's month",
            {"user_id": meta["heaviest_user"], "from": rfc3339(end - 30 * DAY)},
            [f"user_id = '{meta['heaviest_user']}'", within(end - 30 * DAY, end)],
            1_000,
            to=end,
        ),
    ]


def request(path, **parameters):
    """A path with a query."""
    return f"{path}?{urlencode(parameters)}"


def page_statistics(name, start, end):
    """Views and distinct users of all pages together, and of each."""
    condition = f"type = 'page_load' AND {within(start, end)}"
    return Question(
        name=name,
        # The end is inclusive.
        path=request("/v1/analysis/metrics/page-statistics", start_timestamp=start, end_timestamp=end - 1),
        sql=(
            f"SELECT count(), uniqExact(user_id) FROM events WHERE {condition}",
            f"SELECT page, count() AS views, uniqExact(user_id) AS users FROM events WHERE {condition} GROUP BY page ORDER BY views DESC, page",
        ),
        ours=lambda answer: (
            (answer["total_page_views"], answer["total_unique_users"]),
            sorted((one["page_url"], one["total_views"], one["unique_users"]) for one in answer["page_statistics"]),
        ),
        theirs=lambda totals, pages: (
            tuple(map(int, totals[0])),
            sorted((page, int(views), int(users)) for page, views, users in pages),
        ),
    )


def active_users(name, start, end, tenant):
    """Active users of each day, tenant and environment; only of one tenant if one is named."""
    condition = f"{ACTIVE} AND {within(start, end)}" + (f" AND tenant_id = '{tenant}'" if tenant else "")
    parameters = {"type": "daily", "date_from": date(start), "date_to": date(end - 1)} | ({"tenant_id": tenant} if tenant else {})
    return Question(
        name=name,
        path=request("/v1/analysis/active-users", **parameters),
        sql=(
            f"SELECT toDate(occurred_at) AS day, tenant_id, env_id, uniqExact(user_id) FROM events WHERE {condition} "
            "GROUP BY day, tenant_id, env_id ORDER BY day, tenant_id, env_id",
        ),
        ours=lambda answer: sorted((one["date"], one["tenant_id"], one["env_id"], one["active_users"]) for one in answer["data"]),
        theirs=lambda rows: sorted((day, tenant, int(env), int(users)) for day, tenant, env, users in rows),
    )


def events_list(name, parameters, conditions, limit, to):
    """The newest events of a filter."""
    return Question(
        name=name,
        path=request("/v1/events", limit=limit, to=rfc3339(to), **parameters),
        sql=(f"SELECT {FIELDS} FROM events WHERE {' AND '.join(conditions)} ORDER BY occurred_at DESC LIMIT {limit}",),
        ours=lambda answer: [
            (milliseconds(one["occurred_at"]), one["tenant_id"], one["env_id"], one["user_id"], one["user_name"],
             one["type"], one["outcome"], one["page"] or "", one["source"])
            for one in answer["events"]
        ],
        theirs=lambda rows: [(milliseconds(at), tenant, int(env), *rest) for at, tenant, env, *rest in rows],
    )
