"""Who acts, where: tenants, users and pages by Zipf laws, as in bins/trailkeeper/benches/drive, for any number of them.

Ranks of one law are put together into classes, so that a population of 10^9 costs as much as one of 10^4.
"""

import math
from dataclasses import dataclass

# Parts of a day by hour and of a week by day, from bins/trailkeeper/benches/drive/rhythm.rs.
WEEK = [1.1, 1.05, 0.95, 0.35, 0.3, 1.0, 1.05]
HOURS = [0.15 + 0.85 * math.exp(-((hour - 12) ** 2) / 32) for hour in range(24)]


def zipf(size, power, classes=28):
    """The law in which rank r of `size` has the weight r ** -power: pairs of (ranks in a class, share of each of them)."""
    edges = sorted({min(size, round(size ** (number / classes))) for number in range(classes + 1)} | {0, size})
    parts = [(high - low, power_sum(low, high, power)) for low, high in zip(edges, edges[1:], strict=False)]
    total = sum(part for _, part in parts)
    return [(count, part / count / total) for count, part in parts]


def power_sum(low, high, power):
    """The sum of r ** -power for low < r <= high."""
    first = min(high, low + 64)
    exact = sum(rank**-power for rank in range(low + 1, first + 1))
    if first == high:
        return exact
    # The midpoint rule of Euler and Maclaurin; its error is below 10^-5 from rank 64 on.
    low, high = first + 0.5, high + 0.5
    rest = math.log(high / low) if power == 1 else (high ** (1 - power) - low ** (1 - power)) / (1 - power)
    return exact + rest


@dataclass(frozen=True)
class World:
    """Numbers of everything. `events` happen in `days` days."""

    events: float
    users: int = 100_000
    tenants: int = 500
    pages: int = 300
    days: int = 90

    def tenant_classes(self):
        """(number of tenants, share of events of each, users of each)."""
        return [(count, share, max(1.0, self.users * share)) for count, share in zipf(self.tenants, 1.0)]

    def user_classes(self, classes=40):
        """(number of users, share of events of each), the most active first."""
        users = []
        for tenants, share, size in self.tenant_classes():
            users += [(tenants * count, share * part) for count, part in zipf(max(1, round(size)), 0.8, 12)]
        low, high = math.log(min(share for _, share in users)), math.log(max(share for _, share in users))
        merged = {}
        for count, share in users:
            number = int((math.log(share) - low) / (high - low + 1e-9) * classes)
            before, sum_before = merged.get(number, (0.0, 0.0))
            merged[number] = (before + count, sum_before + count * share)
        return [(count, total / count) for _, (count, total) in sorted(merged.items(), reverse=True)]

    def days_of_week(self):
        """(number of days, events of each) over all days."""
        total = sum(WEEK)
        return [(self.days / 7, self.events / (self.days / 7) * part / total) for part in WEEK]

    def hours(self):
        """(number of hours, events of each) over all hours."""
        total = sum(HOURS)
        return [(days, events * part / total) for days, events in self.days_of_week() for part in HOURS]

    def months(self):
        """The number of months that begin, and the events of each."""
        months = max(1.0, self.days / 30)
        return [(months, self.events / months)]


def distinct(weights, draws):
    """The expected number of different users among `draws`."""
    return sum(count * seen(share, draws) for count, share in weights)


def seen(share, draws):
    """The probability that something with this share of the draws is among them."""
    return -math.expm1(draws * math.log1p(-min(share, 1 - 1e-12)))
