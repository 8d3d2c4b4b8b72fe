"""Reads the tables of a database in one snapshot: events as numbers, dictionaries, and what derived data say of them."""

import sqlite3
from collections import defaultdict
from datetime import datetime, timezone
from functools import lru_cache

from binary import siphash_1_3

EVERYONE = 0
HOUR, DAY, MONTH, QUARTER, YEAR = 1, 2, 3, 4, 5
# Only everyone has sheets of these, which may be missing.
LONG = (QUARTER, YEAR)
MICROSECONDS = 1_000_000
SESSION, TARGET_TYPE, TARGET_ID, PAGE_KEY = 2, 3, 4, 5


@lru_cache(maxsize=None)
def months_of_day(day, months):
    """The start of the month, quarter or year of a day since 1970, in microseconds."""
    at = datetime.fromtimestamp(day * 86_400, timezone.utc)
    return int(at.replace(day=1, month=(at.month - 1) // months * months + 1).timestamp()) * MICROSECONDS


def period(level, time):
    """The start of the period of a time, both in microseconds since 1970."""
    if level >= MONTH:
        return months_of_day(time // (86_400 * MICROSECONDS), {MONTH: 1, QUARTER: 3, YEAR: 12}[level])
    length = (3_600 if level == HOUR else 86_400) * MICROSECONDS
    return time // length * length


class Database:
    """A snapshot of a database."""

    def __init__(self, file):
        self.connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)
        self.connection.execute("BEGIN")
        (self.secret,), = self.rows("SELECT key FROM hash_key")
        self.generation, self.has_postings = self.rows("SELECT generation, has_postings FROM sheet_generation")[0]
        self.tenants = dict(self.rows("SELECT id, tenant_id FROM dict_tenants"))
        self.numbers = {tenant: number for number, tenant in self.tenants.items()}
        self.kinds = {name: number for number, name in self.rows("SELECT id, name FROM dict_kinds")}
        self.hashes = {}
        self.event_ids = {}
        self.events = dict(map(self.event, self.rows(
            "SELECT seq, tenant_id, id, occurred_at, env_id, kind_ref, outcome, user_ref, source_ref, page_ref, "
            "page_key, session_id, target_type, target_id FROM events ORDER BY seq"
        )))
        # The numbers of the events of each scope. The system tenant has the number of everyone, whose events are all.
        self.scopes = defaultdict(set)
        for seq, (tenant, _, _) in self.events.items():
            self.scopes[tenant].add(seq)
        self.scopes[EVERYONE] = set(self.events)

    def rows(self, sql, *values):
        """The rows of a query."""
        return self.connection.execute(sql, values).fetchall()

    def event(self, row):
        """The number of an event, and its tenant, time and ten values in the order of columns of a delta."""
        seq, tenant, event_id, time, *values, page_key, session, target_type, target_id = row
        self.event_ids[seq] = event_id
        texts = ((PAGE_KEY, page_key), (SESSION, session), (TARGET_TYPE, target_type), (TARGET_ID, target_id))
        return seq, (tenant, time, (*values, *(self.hash(domain, text) for domain, text in texts)))

    def hash(self, domain, text):
        """The number of 32 bits that stands for a text."""
        if text is None:
            return None
        if (domain, text) not in self.hashes:
            self.hashes[domain, text] = siphash_1_3(self.secret, bytes([domain]) + text.encode()) >> 32
        return self.hashes[domain, text]

    def merged_deltas(self, claims):
        """For each scope, the numbers of the deltas that its sheets and runs have already. `claims` are those of passes."""
        merged = defaultdict(set)
        for pass_number, scope in self.rows("SELECT pass, scope FROM merged_scopes"):
            merged[scope] |= set(claims.get(pass_number, ()))
        return merged
