"""Compares lists and counts of events with a scan of the rows. The index that answers them is merged while kills come."""

from itertools import islice

from harness import shown
from page_key import page_key
from random_history import NO_TENANT
from recount import SYSTEM, bare

# A list is read up to this many events; what is left is compared by its count.
MOST_LISTED = 3_000


class Lists:
    """Asks one server for events by random filters, and scans its rows."""

    def __init__(self, checks, server, sql, ledger):
        self.checks = checks
        self.server = server
        self.sql = sql
        self.ledger = ledger
        self.choose = ledger.choose

    def hold(self, when, rows):
        """Asks some questions. `rows` has all events: (tenant, id) → environment, type, seconds, user, page.

        Clients send whole seconds. Events of one second are in the order of storage, which these rows do not have, so the
        ids of the listed seconds are compared as sets.
        """
        for names in ((), ("tenant_id",), ("user_id",), ("type", "env_id"), ("tenant_id", "user_id"), ("page", "type", "user_id")):
            asked = {name: self.value(name) for name in names}
            matching = [(int(row[2]), key) for key, row in rows.items() if all(same(key, row, *one) for one in asked.items())]
            matching.sort(key=lambda one: one[0], reverse=True)
            what = f"{when}: events of {shown(asked)}"
            count = self.get("/count", asked, what)
            self.checks.equal(count and count["count"] - self.trail(asked), len(matching), f"{what}: their number")
            self.listed(asked, matching, what)

    def listed(self, asked, matching, what):
        """Reads the newest events page by page, and compares them."""
        got, cursor = [], {}
        while len(got) < MOST_LISTED:
            answer = self.get("", asked | {"limit": self.choose.choice([50, 1_000])} | cursor, what)
            if answer is None:
                return
            got += [(event["occurred_at"], (event["tenant_id"], event["id"])) for event in answer["events"] if event["tenant_id"] != SYSTEM]
            if answer["next_cursor"] is None:
                break
            cursor = {"cursor": answer["next_cursor"]}
        else:
            # The last second may go on behind the last page.
            last = got[-1][0]
            got = [one for one in got if one[0] != last]
        self.checks.equal(sorted({key for _, key in got}), sorted({key for _, key in islice(matching, len(got))}), f"{what}: the list")
        self.checks.that(all(one[0] >= other[0] for one, other in zip(got, got[1:])), f"{what}: the newest first")

    def trail(self, asked):
        """The number of the server's own events that match: they have other types, users and no tenant of a customer."""
        if set(asked) - {"env_id"}:
            return 0
        environment = f" AND env_id = {asked['env_id']}" if "env_id" in asked else ""
        return int(self.sql.rows(f"SELECT count(*) FROM event_log WHERE {self.sql.uuid('tenant_id')} = '{bare(SYSTEM)}'{environment}")[0][0])

    def value(self, name):
        """A value to ask for, mostly one that events have."""
        event = self.ledger.events[self.choose.choice(self.ledger.keys)] if self.ledger.keys else {}
        return event.get(name) or {"tenant_id": NO_TENANT, "env_id": 1}.get(name, "nobody")

    def get(self, operation, query, what):
        """An answer, which must be a success."""
        answer = self.server.ask("GET", f"/v1/events{operation}", query=query)
        if not self.checks.equal(answer.status, 200, f"{what}: {answer}"):
            return None
        return answer.json()


def same(key, row, name, value):
    """Whether a row has a value."""
    if name == "tenant_id":
        return key[0] == value
    if name == "page":
        return bool(row[4]) and page_key(row[4]) == page_key(value)
    return row[{"env_id": 0, "type": 1, "user_id": 3}[name]] == str(value)
