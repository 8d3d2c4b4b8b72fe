"""Recounts the rows of events by brute force, in the cells of sheets."""

from collections import defaultdict

from database import DAY, EVERYONE, HOUR, LONG, MONTH, period
from sheet_format import (
    ACTIVE, ACTIVE_ALL, ALL_VIEWS, FAILED_LOGIN_SOURCES, FAILED_LOGINS, KIND, LOGIN_SOURCES, LOGINS, USERINFO, VIEWS,
)

SYSTEM_TENANT = 0
FAILURE = 1


class Kinds:
    """The numbers of the types that have a meaning."""

    def __init__(self, kinds):
        self.login, self.failed_login, self.userinfo = (kinds[name] for name in ("login_success", "login_fail", "userinfo"))


def facts(kinds, scope, values):
    """What one event counts in: (facet, id, member of the set or None)."""
    env, kind, outcome, user, source, page = values[:6]
    if page is not None:
        yield VIEWS, page, user
        yield ALL_VIEWS, 0, user
    failed = kind == kinds.failed_login or kind != kinds.login and outcome == FAILURE
    if user is not None and not failed:
        if scope != EVERYONE:
            yield ACTIVE, env, user
        yield ACTIVE_ALL, 0, user
    yield KIND, kind, user
    if kind == kinds.userinfo:
        yield USERINFO, 0, user
    if kind == kinds.login:
        yield LOGINS, 0, user
        yield LOGIN_SOURCES, 0, source
    if kind == kinds.failed_login:
        yield FAILED_LOGINS, 0, user
        yield FAILED_LOGIN_SOURCES, 0, source


class Cells:
    """Cells of a period that grow: (facet, id) to a count and a set."""

    def __init__(self):
        self.counts = defaultdict(int)
        self.sets = defaultdict(set)

    def add(self, kinds, scope, values):
        """Counts one event."""
        for facet, cell_id, member in facts(kinds, scope, values):
            self.counts[facet, cell_id] += 1
            if member is not None:
                self.sets[facet, cell_id].add(member)

    def merge(self, cells):
        """Adds the decoded cells of a sheet."""
        for key, (count, members) in cells.items():
            self.counts[key] += count
            self.sets[key] |= members

    def content(self, of_pages=None):
        """The cells of one part, or of both."""
        return {
            key: (count, self.sets.get(key) or set())
            for key, count in self.counts.items() if of_pages is None or (key[0] == VIEWS) == of_pages
        }


def levels(scope):
    """The levels of a scope whose sheets are complete at any time."""
    return (HOUR, DAY, MONTH) if scope == EVERYONE else (DAY, MONTH)


def recount(database, scope, seqs):
    """The cells of these events of a scope, by level and period."""
    kinds, periods = Kinds(database.kinds), defaultdict(Cells)
    for seq in seqs:
        tenant, time, values = database.events[seq]
        if tenant != SYSTEM_TENANT:
            for level in (*levels(scope), *(LONG if scope == EVERYONE else ())):
                periods[level, period(level, time)].add(kinds, scope, values)
    return periods
