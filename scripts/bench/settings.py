"""What to measure, from the environment. `scripts/bench/run` has the list."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATABASES = ("sqlite", "postgres")
IDS = ("v4", "v7")
# ClickHouse may use as many threads as the server has workers.
THREADS = 2


@dataclass
class Settings:
    """One run at one size."""

    events: int
    programs: dict  # label → path; the first one is the present program
    databases: tuple
    ids: tuple
    drive: Path
    folder: Path
    clickhouse: bool
    # Repetitions: times a question is asked, random filters per kind of list, times a load is sent.
    repeats: int = 9
    lists: int = 200
    rounds: int = 3
    # Events sent on top of the loaded ones, per measurement.
    singles: int = field(init=False)
    batches: int = field(init=False)
    small_groups: int = field(init=False)
    large_groups: int = field(init=False)

    def __post_init__(self):
        self.singles = bounded(self.events // 50, 2_000, 30_000)
        self.batches = bounded(self.events // 20, 10_000, 200_000)
        self.small_groups = bounded(self.events // 50, 3_200, 25_600)
        self.large_groups = bounded(self.events // 20, 10_000, 50_000)

    def more(self):
        """Events that are generated after the 90 days: each is sent once per database."""
        return self.rounds * (self.singles + self.batches) + self.small_groups + self.large_groups


def bounded(number, least, most):
    """The number, moved into the range."""
    return max(least, min(most, number))


def number(name, default):
    """An integer of the environment; `5_000_000` and `5000000` are the same."""
    text = os.environ.get(name, "") or str(default)
    if not re.fullmatch(r"[0-9_]+", text):
        sys.exit(f"bench: {name}={text} is not a number")
    return int(text)


def choice(name, allowed, default):
    """A list of words of the environment, separated by spaces or commas."""
    words = tuple(re.split(r"[ ,]+", os.environ.get(name, "").strip())) if os.environ.get(name) else default
    for word in words:
        if word not in allowed:
            sys.exit(f"bench: {name}={word} is not one of {', '.join(allowed)}")
    return words


def program(name, default=None):
    """A program that the environment names; None if it names none."""
    text = os.environ.get(name) or default
    if not text:
        return None
    found = shutil.which(text)
    if not found:
        sys.exit(f"bench: {name}={text} is not a program")
    return Path(found).resolve()


def read():
    """The settings of one run per size, from the smallest to the largest."""
    programs = {"now": program("BENCH_BIN", str(ROOT / "target/release/trailkeeper"))}
    base = program("BASE")
    if base:
        programs["base"] = base
    databases = choice("DATABASES", DATABASES, DATABASES)
    if "postgres" in databases and not os.environ.get("TRAILKEEPER_TEST_POSTGRES_URL"):
        print("bench: no TRAILKEEPER_TEST_POSTGRES_URL, so PostgreSQL is not measured", file=sys.stderr)
        databases = tuple(name for name in databases if name != "postgres")
    growth = os.environ.get("GROWTH", "0") not in ("", "0")
    events = number("EVENTS", 5_000_000 if growth else 500_000)
    sizes = (events // 5, events, events * 4) if growth else (events,)
    return [
        Settings(
            events=size,
            programs=programs,
            databases=databases,
            ids=choice("IDS", IDS, ("v4",)),
            drive=program("BENCH_DRIVE"),
            folder=Path(os.environ.get("BENCH_FOLDER") or ROOT / "target/bench").resolve(),
            clickhouse=choice("CLICKHOUSE", ("0", "1"), ("1",)) == ("1",),
            lists=number("LISTS", 200),
            rounds=number("ROUNDS", 3),
        )
        for size in sizes
    ]


def machine():
    """What the figures depend on, for the report."""
    memory = Path("/proc/meminfo").read_text().split()[1] if Path("/proc/meminfo").exists() else "0"
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()) if Path("/proc/cpuinfo").exists() else None
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return {
        "processors": os.cpu_count(),
        "model": model[1] if model else "unknown",
        "memory_mib": int(memory) // 1024,
        "load_average": os.getloadavg()[0],
        "commit": commit.stdout.strip() or "unknown",
    }
