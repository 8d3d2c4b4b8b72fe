#!/usr/bin/env python3
"""Models the bytes that Trailkeeper keeps, compares the model with measured sizes, and prints what larger worlds take.

    make simulate

It fails if a part of the model is off by more than its bound.
"""

import sys

from measured import MEASURED
from model import largest_sheet, on_postgres, sizes
from population import World

# The largest error of each part, and of all parts together. Free pages are what the last merge has left: chance.
BOUND, REST_BOUND, TOTAL_BOUND = 0.03, 0.25, 0.02
# Events of a user in a month, users of a tenant.
ACTIVITY, TENANT = 100, 200
# Measured (docs/benchmarks.md): events per second in batches of 1,000 at 20 million events on SQLite, and on PostgreSQL with
# fsync off; client, server and database on two cores.
SQLITE_RATE, POSTGRES_RATE = 45_000, 55_000
# Assumed: load at its peak to its mean, and the part of a rate that is used at the peak.
PEAK, USED = 4, 0.5
UNITS = ["B", "KB", "MB", "GB", "TB", "PB"]


def shown(size):
    """Bytes with a unit."""
    number = 0
    while size >= 1000 and number < len(UNITS) - 1:
        size, number = size / 1000, number + 1
    return f"{size:.3g} {UNITS[number]}"


def check():
    """Compares the model with the measured sizes. Returns whether every part is within its bound."""
    print("bytes per event on SQLite, model / measured (error)\n")
    parts = list(next(iter(MEASURED.values())))
    print(f"{'events':>12} " + "".join(f"{part:>24}" for part in [*parts, "all"]))
    good = True
    for events, measured in MEASURED.items():
        modelled = {part: size / events for part, size in sizes(World(events=events)).items()}
        cells = []
        for part in [*parts, "all"]:
            got = sum(modelled.values()) if part == "all" else modelled[part]
            wanted = sum(measured.values()) if part == "all" else measured[part]
            error = got / wanted - 1
            bound = {"all": TOTAL_BOUND, "rest": REST_BOUND}.get(part, BOUND)
            good &= abs(error) <= bound
            mark = "" if abs(error) <= bound else " OFF"
            cells.append(f"{got:.2f} / {wanted:.2f} ({error:+.1%}){mark}")
        print(f"{events:>12,} " + "".join(f"{cell:>24}" for cell in cells))
    print(f"\nbounds: {BOUND:.0%} for a part, {REST_BOUND:.0%} for the rest, {TOTAL_BOUND:.0%} for all\n")
    return good


def months():
    """Prints what one month takes, for 10^4 to 10^9 users. Nothing of it is measured."""
    print(f"one month, {ACTIVITY} events per user, {TENANT} users per tenant, 300 pages; modelled, not measured\n")
    heads = ["users", "events", "events/s peak", "rows", "postings", "sheets", "dictionaries", "SQLite", "PostgreSQL",
             "everyone's pages", "ordinals used"]
    print("".join(f"{head:>18}" for head in heads))
    for power in range(4, 10):
        users = 10**power
        world = World(events=float(users * ACTIVITY), users=users, tenants=max(5, users // TENANT), days=30)
        parts = sizes(world)
        rate = world.events / 30 / 86_400 * PEAK
        cells = [f"{users:.0e}", f"{world.events:.0e}", f"{rate:,.0f}",
                 *(shown(parts[part]) for part in ("events", "postings", "sheets", "dictionaries")),
                 shown(sum(parts.values())), shown(sum(on_postgres(parts).values())), shown(largest_sheet(world)),
                 f"{users / 2**32:.2%}"]
        print("".join(f"{cell:>18}" for cell in cells))
    for name, rate in (("SQLite", SQLITE_RATE), ("PostgreSQL", POSTGRES_RATE)):
        most = rate * USED / PEAK * 86_400 * 30
        print(f"\n{name}: {rate:,} events/s in batches, used to {USED:.0%} at a peak of {PEAK} times the mean: {most:.1e} a month")


def main():
    """Checks the model, then prints its figures."""
    good = check()
    if not good:
        print("the model is off by more than its bound: a format has changed, or a constant is wrong", file=sys.stderr)
        return 1
    months()
    return 0


if __name__ == "__main__":
    sys.exit(main())
