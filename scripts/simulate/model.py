"""Bytes of everything that Trailkeeper keeps on SQLite, by part, for a world of any size.

Constants are of two kinds. FORMAT follows from a format that docs/sheets.md describes. FITTED was chosen by the sizes at 1
and 20 million events; those at 5 million were not used.
"""

import math

from population import distinct, seen, zipf

# FORMAT: part of the events of each kind that has a set of users of its own, besides pages: all views, active users, four
# types, userinfo, logins, failed logins, sources of both.
TOTALS = [0.88, 0.98, 0.88, 0.08, 0.02, 0.02, 0.02, 0.08, 0.02, 0.08, 0.02]
ENVIRONMENTS = [0.80, 0.13, 0.07]
VIEWS = 0.88
# FORMAT: bytes of a cell without its set: the gap of its id, its head, its count.
CELL = 4
# FORMAT: 48 bits of an id in pages that are nearly full.
ID = 6.66
# FORMAT: a packed block has a byte for sixteen gaps, and all of them the width of the largest.
PACKED_BITS = 2.2

# FITTED: bytes of a row of `events` and its index without the number of the event, which SQLite writes as a varint.
EVENT = 60.1
# FITTED: bytes of postings per event of both scopes, and of each run of a scope and month.
POSTING, RUN = 34.7, 1_300
# FITTED: sheets are this much longer than one run per period would be, because a period has several.
SHEETS = 1.324
# FITTED: bytes of a row of `sheets` with its entries in two indexes.
SHEET_ROW = 30
# FITTED: bytes of a user and of a source address in the dictionaries, with their indexes.
USER, SOURCE = 170, 29.4
# FITTED: free pages, counts of all tenants and the rest, per event.
REST = 4.9


def varint(last):
    """The mean bytes of the numbers up to `last`, with seven bits per byte."""
    total, low, size = 0.0, 0.0, 1
    while low < last:
        high = min(last, 2.0 ** (7 * size))
        total += (high - low) * size
        low, size = high, size + 1
    return total / last


def packed(ids, among):
    """Bytes of a set of ids that are spread over the numbers below `among`."""
    if ids <= 0:
        return 0.0
    gap = max(0.0, math.log2(max(1.0, among / ids)))
    return min(ids * (gap + PACKED_BITS) / 8, among / 8)


def ordered(weights, draws):
    """Bytes of a set in which active users have low numbers: the dense beginning as bits, the rest packed."""
    parts = [(count, packed(count * seen(share, draws), count)) for count, share in weights]
    sparse = sum(size for _, size in parts)
    best, dense = sparse, 0.0
    for count, size in parts:
        sparse, dense = sparse - size, dense + count / 8
        best = min(best, dense + sparse)
    return best


def sheet(draws, set_bytes, pages, environments):
    """Bytes of the totals and pages of one period with `draws` events."""
    total = 0.0
    for part in TOTALS + environments:
        total += seen(part, draws) * CELL + set_bytes(draws * part)
    for count, share in pages:
        total += count * (seen(share * VIEWS, draws) * CELL + set_bytes(draws * share * VIEWS))
    return total


def everyone(world):
    """Bytes and rows of everyone's sheets of hours, days and months."""
    weights = world.user_classes()
    pages = zipf(world.pages, 1.0, 12)
    total, rows = 0.0, 0.0
    for periods in (world.hours(), world.days_of_week(), world.months()):
        for count, events in periods:
            total += count * sheet(events, lambda draws: ordered(weights, draws), pages, [])
            rows += 2 * count * seen(1 - 1e-9, events)
    return total, rows, weights


def tenants(world):
    """Bytes and rows of all tenants' sheets of days and months."""
    pages = zipf(world.pages, 1.0, 12)
    total, rows = 0.0, 0.0
    for number, share, users in world.tenant_classes():
        weights = zipf(max(1, round(users)), 0.8, 12)
        # Ordinals are global: those of a tenant are spread over all that are in use.
        spread = world.users / max(1.0, users)

        def set_bytes(draws, weights=weights, spread=spread):
            ids = distinct(weights, draws)
            return packed(ids, max(ids, sum(count for count, _ in weights) * spread))

        for periods in (world.days_of_week(), world.months()):
            for count, events in periods:
                draws = events * share
                total += number * count * sheet(draws, set_bytes, pages, ENVIRONMENTS)
                rows += 2 * number * count * -math.expm1(-draws)
    return total, rows


def sizes(world):
    """Bytes by part."""
    of_everyone, everyones_rows, weights = everyone(world)
    of_tenants, tenants_rows = tenants(world)
    users = distinct(weights, world.events)
    # A user has one usual address, and every tenth event comes from anywhere else.
    addresses = 2.0**32 * 222 / 256
    sources = users + addresses * -math.expm1(-world.events / 10 / addresses)
    runs = (world.tenants + 1) * max(1, world.days / 30)
    return {
        "events": world.events * (EVENT + varint(world.events)),
        "ids": world.events * ID,
        "postings": world.events * POSTING + runs * RUN,
        "sheets": SHEETS * (of_everyone + of_tenants) + SHEET_ROW * (everyones_rows + tenants_rows),
        "dictionaries": users * USER + sources * SOURCE,
        "rest": world.events * REST,
    }


# Bytes on PostgreSQL to those on SQLite, measured at 1 million events. Rows include the unique key and the index of order.
ON_POSTGRES = {"events": 242 / 63.08, "ids": 0.0, "postings": 81 / 36.66, "sheets": 55 / 35.26,
               "dictionaries": 48 / 22.61, "rest": 4 / 5.51}


def on_postgres(parts):
    """The same parts on PostgreSQL."""
    return {part: size * ON_POSTGRES[part] for part, size in parts.items()}


def largest_sheet(world):
    """Bytes of everyone's pages of one month, as one sheet: what a question for a month reads at most."""
    weights = world.user_classes()
    (_, events), = world.months()
    return sum(
        count * ordered(weights, events * share * VIEWS) for count, share in zipf(world.pages, 1.0, 12)
    )
