"""Random filters over the events, in kinds: one filter, two, three with a rare one, none that matches."""

import itertools
import random
from dataclasses import dataclass

from questions import Question, events_list, request
from times import DAY, rfc3339, within

# Parameters of `GET /v1/events` that the workload has values for. A user's value is rare, the others are common.
RARE = "user_id"
COMMON = ("type", "page", "source", "env_id", "outcome")
UNKNOWN = {"user_id": "nobody-has-this-id", "page": "/no/such/page", "source": "192.0.2.1", "type": "no_such_type"}


@dataclass
class Kind:
    """Questions that are measured together."""

    name: str
    scope: str
    questions: list


class Filters:
    """Makes questions from sampled events."""

    def __init__(self, meta, count):
        self.samples = meta["samples"]
        self.start, self.end = meta["start"], meta["end"]
        self.count = count
        self.choose = random.Random(20250101)

    def lists(self):
        """The newest 50 of every kind of filter, for everyone and in a tenant. Half of them begin anywhere in time."""
        makers = {"one filter": self.one, "two filters": self.two, "three filters, one rare": self.three, "no match": self.none}
        return [
            Kind(f"newest 50, {name}", scope, [self.listed(make(scope), scope) for _ in range(self.count)])
            for scope in ("tenant", "everyone")
            for name, make in makers.items()
        ]

    def sums(self):
        """Counts and histograms of two filters over 90 days."""
        return [
            Kind(f"{name} of two filters, 90 days", scope, [make(self.two(scope)) for _ in range(self.count)])
            for scope in ("tenant", "everyone")
            for name, make in (("count", self.counted), ("histogram", self.by_day))
        ]

    def some(self, scope, names):
        """A filter with these fields of one event, so that at least this event matches."""
        event = self.choose.choice([one for one in self.samples if all(name in one for name in names)])
        tenant = {"tenant_id": event["tenant_id"]} if scope == "tenant" else {}
        return tenant | {name: event[name] for name in names}

    def one(self, scope):
        """One filter."""
        return self.some(scope, [self.choose.choice((RARE, *COMMON))])

    def two(self, scope):
        """Two filters."""
        return self.some(scope, self.choose.choice(list(itertools.combinations((RARE, *COMMON), 2))))

    def three(self, scope):
        """Three filters, one of them the user."""
        return self.some(scope, [RARE, *self.choose.choice(list(itertools.combinations(COMMON, 2)))])

    def none(self, scope):
        """A filter without a match: a name that nobody has, or names that never occur together."""
        name = self.choose.choice(list(UNKNOWN))
        if self.choose.random() < 0.5:
            return self.some(scope, [self.choose.choice([other for other in COMMON if other != name])]) | {name: UNKNOWN[name]}
        # Both names exist, and both have events. A user belongs to one tenant and mostly comes from one address.
        user, other = self.choose.sample(self.samples, 2)
        while user["tenant_id"] == other["tenant_id"]:
            user, other = self.choose.sample(self.samples, 2)
        if scope == "tenant":
            return {"tenant_id": other["tenant_id"], "user_id": user["user_id"]}
        return {"user_id": user["user_id"], "source": other["source"]}

    def listed(self, chosen, scope):
        """A question for the newest 50, now or before a random time."""
        end = self.end if self.choose.random() < 0.5 else self.choose.randrange(self.start + DAY, self.end)
        return events_list(f"newest 50 for {scope}", chosen, [*conditions(chosen), within(0, end)], 50, end)

    def counted(self, chosen):
        """A question for a count."""
        return Question(
            name="count",
            path=request("/v1/events/count", **self.range(), **chosen),
            sql=(f"SELECT count() FROM events WHERE {self.condition(chosen)}",),
            ours=lambda answer: answer["count"],
            theirs=lambda rows: int(rows[0][0]),
            operation="/v1/events/count",
        )

    def by_day(self, chosen):
        """A question for a histogram by day."""
        return Question(
            name="histogram",
            path=request("/v1/events/histogram", granularity="day", **self.range(), **chosen),
            sql=(f"SELECT toDate(occurred_at) AS day, count() FROM events WHERE {self.condition(chosen)} GROUP BY day ORDER BY day",),
            ours=lambda answer: [(one["start"][:10], one["events"]) for one in answer["buckets"] if one["events"]],
            theirs=lambda rows: [(day, int(events)) for day, events in rows],
            operation="/v1/events/histogram",
        )

    def range(self):
        """Parameters of the 90 days."""
        return {"from": rfc3339(self.start), "to": rfc3339(self.end)}

    def condition(self, chosen):
        """SQL of a filter within the 90 days."""
        return " AND ".join([*conditions(chosen), within(self.start, self.end)])


def conditions(chosen):
    """SQL of a filter. A user who does not exist has no UUID, and matches nothing."""
    return ["0" if value == UNKNOWN["user_id"] else f"{name} = '{value}'" for name, value in chosen.items()]
