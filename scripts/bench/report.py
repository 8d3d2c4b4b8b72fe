"""Collects measurements and differences; prints tables with ratios; writes JSON."""

import json
import sys
from dataclasses import asdict, dataclass, field

from settings import machine


@dataclass
class Measurement:
    """One row: what was measured, and the value of each subject and baseline, by name."""

    section: str
    what: str
    unit: str
    values: dict
    # Whether more of it is better. Ratios say how many times better the present program is.
    more_is_better: bool = False
    # Whether ratios make sense; they do not for parts of a sum.
    compared: bool = True


@dataclass
class Report:
    """Everything that one run found out at one size."""

    settings: dict
    machine: dict = field(default_factory=machine)
    measurements: list = field(default_factory=list)
    differences: list = field(default_factory=list)
    checked: int = 0

    def add(self, *arguments, **named):
        """Adds a measurement, and says so at once: a long run that is interrupted has shown what it measured."""
        row = Measurement(*arguments, **named)
        self.measurements.append(row)
        values = ", ".join(f"{name} {formatted(value)}" for name, value in row.values.items())
        print(f"bench: {row.section}: {row.what}: {values} {row.unit}".rstrip(), file=sys.stderr, flush=True)

    def equal(self, what, answers):
        """Checks that all subjects gave the same answer. `answers` are by name."""
        (first, expected), *others = answers.items()
        for name, answer in others:
            self.checked += 1
            if answer != expected:
                self.differences.append({"what": what, first: shown(expected), name: shown(answer)})

    def show(self):
        """Prints the tables of all sections."""
        for section in dict.fromkeys(one.section for one in self.measurements):
            print(f"\n## {section}\n")
            rows = [one for one in self.measurements if one.section == section]
            table(rows)
        print(f"\n{self.checked} answers compared, {len(self.differences)} differ")
        for difference in self.differences[:20]:
            print(f"DIFFERENT {json.dumps(difference, ensure_ascii=False)[:2_000]}")

    def json(self):
        """The report for other programs."""
        return asdict(self)


def table(rows):
    """A Markdown table: a column per subject, then the ratios."""
    names = list(dict.fromkeys(name for one in rows for name in one.values))
    ratios = [(ours, other) for ours, other in pairs(names) if any(one.compared and both(one, ours, other) for one in rows)]
    heads = ["", "unit", *names, *(f"{ours} × {other}" for ours, other in ratios)]
    print(f"| {' | '.join(heads)} |")
    print(f"|{'---|' * len(heads)}")
    for one in rows:
        values = [formatted(one.values.get(name)) for name in names]
        print(f"| {' | '.join([one.what, one.unit, *values, *(ratio(one, *pair) for pair in ratios)])} |")


def pairs(names):
    """What is compared: the present program with another one on the same database, and with ClickHouse and the like."""
    ours = [name for name in names if name.startswith("now/")]
    for name in ours:
        kind = name.split("/", 1)[1]
        for other in names:
            if not other.startswith("now/") and other.split("/", 1)[-1] in (kind, other):
                yield name, other


def both(one, ours, other):
    """Whether a row has both values, as numbers."""
    return all(isinstance(value, (int, float)) and value for value in (one.values.get(ours), one.values.get(other)))


def ratio(one, ours, other):
    """How many times better the present program is."""
    if not one.compared or not both(one, ours, other):
        return ""
    times = one.values[ours] / one.values[other]
    return f"{times if one.more_is_better else 1 / times:.3g}"


def formatted(value):
    """A value with about three digits, or a text such as `not available`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def shown(answer):
    """The beginning of an answer."""
    text = repr(answer)
    return text if len(text) <= 600 else f"{text[:600]}… ({len(text)} characters)"
