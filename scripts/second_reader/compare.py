"""Compares what a database derives from its events with a count of the rows of events."""

from collections import Counter, defaultdict
from itertools import islice

import run_format
from binary import checksum, without_checksum
from database import EVERYONE, LONG, MONTH, period
from delta_format import decode_claim, decode_delta
from id_format import PAGES_PER_RUN, decode_id_header, decode_id_page, id_key
from recount import SYSTEM_TENANT, Cells, Kinds, levels, recount
from sheet_format import ACTIVE, USERINFO, VIEWS, decode_sheet, decode_tenant_counts

PAGES = 2
SYSTEM_DIMENSION = 11
NO_EVENT = (None, None, (None,) * 10)


class SecondReader:
    """The checks of one database."""

    def __init__(self, checks, database):
        self.checks = checks
        self.database = database
        self.seen = Counter(events=len(database.events))
        # By scope: the events that wait in deltas, and the numbers of the others, which sheets and runs have.
        self.waiting = {}
        self.merged = {}
        self.recounted = {}

    def read(self):
        """Makes all checks."""
        self.deltas()
        for scope, seqs in self.merged.items():
            self.recounted[scope] = recount(self.database, scope, seqs)
        self.runs()
        self.sheets()
        self.tenant_counts()
        self.ids()

    def deltas(self):
        """Compares the waiting deltas with rows, and finds the events that each scope has in them."""
        database, deltas, owners = self.database, {}, {}
        for seq, events, payload in database.rows("SELECT seq, events, payload FROM deltas ORDER BY seq"):
            where = f"delta {seq}"
            self.seen["deltas"] += 1
            found = deltas[seq] = {}
            decoded = self.checks.decoded(decode_delta, payload, what="the payload", where=where) or []
            for number, tenant, time, values in decoded:
                found[number] = database.numbers.get(tenant), time, values
                self.checks.equal(owners.setdefault(number, seq), seq, "the only delta", f"event {number}")
            last = max(found, default=None)
            self.checks.equal((last, len(found)), (seq, events), "last event and number of events", where)
            self.checks.equal(found, {number: database.events.get(number) for number in found}, "the events", where)
        claims = {}
        for number, payload in database.rows("SELECT pass, deltas FROM merge_passes"):
            where = f"pass {number}"
            self.seen["passes"] += 1
            claims[number] = self.checks.decoded(decode_claim, payload, what="the claim", where=where) or []
            self.checks.equal(set(claims[number]) - set(deltas), set(), "claimed deltas that are gone", where)
        merged_deltas = database.merged_deltas(claims)
        for scope, seqs in database.scopes.items():
            self.waiting[scope] = {
                number: event for seq, events in deltas.items() if seq not in merged_deltas[scope]
                for number, event in events.items() if scope in (EVERYONE, event[0])
            }
            self.merged[scope] = seqs - set(self.waiting[scope])
        self.seen["waiting events"] = len(self.waiting[EVERYONE])

    def runs(self):
        """Compares the posting runs of every scope with rows."""
        strangers = self.database.rows(
            "SELECT DISTINCT generation, scope, month, run FROM posting_pages "
            "EXCEPT SELECT generation, scope, month, run FROM posting_runs "
            "EXCEPT SELECT generation, scope, month, run FROM hidden_posting_runs"
        )
        self.checks.equal(strangers, [], "pages of runs that are neither visible nor hidden", "posting_pages")
        both = self.database.rows(
            "SELECT generation, scope, month, run FROM posting_runs "
            "INTERSECT SELECT generation, scope, month, run FROM hidden_posting_runs"
        )
        self.checks.equal(both, [], "runs that are visible and hidden", "posting_runs")
        if not self.database.has_postings:
            print("the database has no index of events at present")
            return
        events_of = defaultdict(Counter)
        for scope, month, run, events, size, header, removed in self.database.rows(
            "SELECT scope, month, run, events, bytes, header, removed FROM posting_runs WHERE generation = ?",
            self.database.generation,
        ):
            where = f"run {run} of month {month} of scope {scope}"
            self.seen["runs"] += 1
            payloads = self.database.rows(
                "SELECT page, payload FROM posting_pages WHERE generation = ? AND scope = ? AND month = ? AND run = ? "
                "ORDER BY page", self.database.generation, scope, month, run,
            )
            decoded = self.checks.decoded(run_format.decode_header, header, what="the header", where=where)
            gone = [] if removed is None else self.checks.decoded(
                run_format.decode_removed, removed, what="the removed positions", where=where)
            if decoded is None or gone is None:
                continue
            self.checks.equal([number for number, _ in payloads], list(range(len(payloads))), "the numbers of pages", where)
            bytes_of_all = len(header) + sum(len(payload) for _, payload in payloads)
            self.checks.equal((decoded.events, bytes_of_all), (events, size), "events and bytes", where)
            pages = decoded.inline if decoded.inline is not None else [
                self.checks.decoded(without_checksum, payload, what=f"page {number}", where=where) or b""
                for number, payload in payloads
            ]
            if decoded.inline is not None:
                self.checks.equal(payloads, [], "the pages beside an inline header", where)
            events_of[scope].update(self.run(scope, month, decoded, iter(pages), set(gone), where))
        for scope in sorted(set(events_of) | set(self.merged)):
            expected = dict.fromkeys(self.merged.get(scope, ()), 1)
            self.checks.equal(dict(events_of[scope]), expected, "the events in runs", f"scope {scope}")

    def run(self, scope, month, header, pages, gone, where):
        """Compares one run with rows. Returns the numbers of its events."""
        checks, events = self.checks, header.events
        some = list(islice(pages, run_format.pages_of(events, run_format.KEYS_PER_PAGE)))
        keys = checks.decoded(run_format.decode_keys, header, some, what="the keys", where=where) or []
        here = {place: seq for place, (_, seq) in enumerate(keys) if place not in gone}
        rows = {place: self.database.events.get(seq, NO_EVENT) for place, seq in here.items()}
        times = {place: time for place, (_, time, _) in rows.items()}
        checks.equal({place: keys[place][0] for place in here}, times, "the times", where)
        checks.equal({period(MONTH, time) for time, _ in keys}, {month}, "the month of the times", where)
        for number in run_format.DIMENSIONS:
            values = {place: value for place, row in rows.items() if (value := dimension(number, scope, row)) is not None}
            if number not in header.dimensions:
                checks.equal({}, values, f"the values of dimension {number}, which is missing", where)
                continue
            some = list(islice(pages, 1 + len(header.dimensions[number].values)))
            lists = checks.decoded(
                run_format.decode_lists, header, number, some, what=f"the lists of dimension {number}", where=where,
            ) or {}
            self.seen["lists"] += len(lists)
            pairs = [(place, value) for value, places in lists.items() for place in places if place not in gone]
            checks.equal(len(pairs), len(dict(pairs)), f"one value per event in dimension {number}", where)
            checks.equal(dict(pairs), values, f"the values by lists of dimension {number}", where)
            if header.inline is None and number in run_format.COLUMNS:
                some = list(islice(pages, run_format.pages_of(events, run_format.VALUES_PER_PAGE)))
                column = checks.decoded(
                    run_format.decode_column, header, some, what=f"the column of dimension {number}", where=where,
                ) or []
                found = {place: value for place, value in enumerate(column) if value is not None and place not in gone}
                checks.equal(found, values, f"the values by column of dimension {number}", where)
        checks.equal(len(list(pages)), 0, "the pages that are left", where)
        return here.values()

    def sheets(self):
        """Compares the sheets of every scope, level and period with the rows of the events that they claim."""
        folded, latest = defaultdict(lambda: defaultdict(Cells)), {}
        for scope, level, part, start, run, payload in self.database.rows(
            "SELECT scope, level, part, start, run, payload FROM sheets WHERE generation = ?", self.database.generation,
        ):
            where = f"run {run} of part {part} of level {level} from {start} of scope {scope}"
            self.seen["long sheets" if level in LONG else "sheets"] += 1
            latest[scope, level, part, start] = max(run, latest.get((scope, level, part, start), -1))
            cells = self.checks.decoded(decode_sheet, payload, what="the sheet", where=where) or {}
            odd = {
                key: count for key, (count, members) in cells.items()
                if count < max(1, len(members)) or (key[0] == VIEWS) != (part == PAGES)
            }
            self.checks.equal(odd, {}, "cells that count nothing, too little, or belong to the other part", where)
            folded[scope][level, start].merge(cells)
        for scope in sorted(set(folded) | set(self.recounted)):
            expected = self.recounted.get(scope, {})
            for level, start in sorted(set(folded[scope]) | {key for key in expected if key[0] not in LONG}):
                where = f"level {level} from {start} of scope {scope}"
                for of_pages, part in ((False, "totals"), (True, "pages")):
                    found = content(folded[scope], (level, start), of_pages)
                    self.seen["cells"] += len(found)
                    self.checks.equal(found, content(expected, (level, start), of_pages), f"the {part}", where)
            if self.waiting.get(scope):
                self.sheets_and_deltas(scope, folded[scope])
        for (scope, level, part, start), run in latest.items():
            if level in LONG:
                months = [
                    run + 1 for (of, length, half, month), run in latest.items()
                    if (of, length, half, period(level, month)) == (scope, MONTH, part, start)
                ]
                where = f"part {part} of level {level} from {start} of scope {scope}"
                self.checks.equal(run, sum(months), "the number of the run", where)

    def sheets_and_deltas(self, scope, together):
        """Compares sheets with waiting deltas added to them with the rows of all events."""
        kinds = Kinds(self.database.kinds)
        for tenant, time, values in self.waiting[scope].values():
            if tenant != SYSTEM_TENANT:
                for level in levels(scope):
                    together[level, period(level, time)].add(kinds, scope, values)
        expected = recount(self.database, scope, self.database.scopes[scope])
        for key in sorted(key for key in set(together) | set(expected) if key[0] not in LONG):
            where = f"level {key[0]} from {key[1]} of scope {scope}"
            self.checks.equal(content(together, key), content(expected, key), "sheets and deltas", where)

    def tenant_counts(self):
        """Compares the counts of all tenants with rows."""
        expected = defaultdict(lambda: {ACTIVE: {}, USERINFO: {}})
        for scope, periods in self.recounted.items():
            for key in periods if scope != EVERYONE else ():
                for (facet, cell_id), (count, members) in content(periods, key).items():
                    if facet in (ACTIVE, USERINFO):
                        expected[key][facet][self.database.tenants[scope], cell_id] = count, len(members)
        for level, start, payload in self.database.rows(
            "SELECT level, start, payload FROM tenant_counts WHERE generation = ?", self.database.generation,
        ):
            where = f"level {level} from {start}"
            self.seen["counts of all tenants"] += 1
            found = self.checks.decoded(decode_tenant_counts, payload, what="the counts of all tenants", where=where)
            if found is not None:
                wanted = {facet: cells for facet, cells in expected[level, start].items() if cells}
                self.checks.equal(found, wanted, "the counts of all tenants", where)

    def ids(self):
        """Compares the runs of ids with rows."""
        database, end = self.database, 0
        for run, after, last, ids, pages, stored, header in database.rows(
            "SELECT run, after_seq, last_seq, ids, pages, checksum, header FROM id_runs ORDER BY after_seq"
        ):
            where = f"id run {run}"
            self.seen["id runs"] += 1
            self.checks.equal(after, end, "the end of the run before", where)
            end = last
            firsts = self.checks.decoded(decode_id_header, header, what="the header", where=where) or []
            self.checks.equal((len(firsts), checksum(header)), (pages, stored), "pages and checksum", where)
            entries = []
            for number, first in enumerate(firsts):
                stored = database.rows("SELECT payload FROM id_pages WHERE page = ?", run * PAGES_PER_RUN + number)
                page = [entry for payload, in stored for entry in self.checks.decoded(
                    decode_id_page, payload, what=f"page {number}", where=where) or []]
                self.checks.equal(page[0][0] if page else None, first, f"the first key of page {number}", where)
                entries += page
            self.seen["ids"] += len(entries)
            expected = sorted(
                (id_key(database.secret, database.event_ids[seq], tenant), seq)
                for seq, (tenant, _, _) in database.events.items() if after < seq <= last
            )
            self.checks.equal(len(entries), ids, "the number of entries", where)
            self.checks.equal(entries, expected, "the entries", where)


def dimension(number, scope, event):
    """The value of an event in a dimension of the runs of a scope."""
    tenant, _, values = event
    if number == SYSTEM_DIMENSION:
        return 1 if scope == EVERYONE and tenant == SYSTEM_TENANT else None
    return values[number - 1]


def content(periods, key, of_pages=None):
    """The cells of a period that may be missing, of one part or of both."""
    return periods[key].content(of_pages) if key in periods else {}
