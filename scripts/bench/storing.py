"""Measures what storing costs: loading, disk, log, merging, requests."""

import statistics

from settings import bounded
from subject import AT_ONCE, NEVER

# Connections that send single events, and such that send batches: enough that one always waits.
CONNECTIONS, SENDERS = 64, 4
# Tables and indexes with fewer bytes per event, or with a smaller share of everything, have no row.
WORTH_A_ROW, WORTH_A_SHARE = 0.5, 0.005
GROUPS = (
    ("events", lambda table, part: table == "events" and part == table),
    ("indexes of events", lambda table, part: table == "events" and part != table),
    ("ids", lambda table, part: table.startswith(("event_ids", "id_"))),
    ("postings", lambda table, part: table.startswith("posting")),
    ("sheets", lambda table, part: table.startswith(("sheet", "deltas"))),
    ("dictionaries", lambda table, part: table.startswith("dict_")),
)


def load(report, subjects, clickhouse, file, events, suffix):
    """Imports the file into every subject, one after the other."""
    rates = {subject.name: events / subject.load(file, events) for subject in subjects}
    if clickhouse is not None:
        rates[clickhouse.name] = clickhouse.load(file, events)
    report.add(f"Loading{suffix}", "import of a file", "events/s", rates, more_is_better=True)
    for subject in subjects:
        subject.start(merge_every=AT_ONCE)
        note_waiting(report, subject, subject.settle())
        subject.stop()


def note_waiting(report, subject, waiting):
    """Says so if deltas stay unmerged."""
    if waiting:
        report.add("Notes", f"{subject.name}: deltas that were not merged in time", "rows", {subject.name: waiting}, compared=False)


def disk(report, subjects, clickhouse, drive, events, suffix):
    """Bytes per event, in sum and by table and index."""
    section = f"Disk{suffix}"
    sums, groups, parts = {}, {}, {}
    for subject in subjects:
        for table, part, size in subject.database.sizes(drive):
            each = size / events
            group = next((name for name, has in GROUPS if has(table, part)), "everything else")
            name = f"`{part}`" if part == table else f"`{table}`: `{part}`"
            for rows, key in ((sums, "everything"), (groups, group), (parts, name)):
                values = rows.setdefault(key, {})
                values[subject.name] = values.get(subject.name, 0) + each
    if clickhouse is not None:
        sums["everything"][clickhouse.name] = clickhouse.bytes() / events
    report.add(section, "everything", "bytes/event", sums["everything"])
    for name in (*(name for name, _ in GROUPS), "everything else"):
        if name in groups:
            report.add(section, f"of it {name}", "bytes/event", groups[name])
    least = max(WORTH_A_ROW, WORTH_A_SHARE * max(sums["everything"].values()))
    for name, values in parts.items():
        if max(values.values()) >= least:
            report.add(section, name, "bytes/event", values, compared=False)


class More:
    """The events that are sent after the loading: each measurement takes the next ones."""

    def __init__(self, file):
        self.file = file
        self.used = 0

    def next(self, events):
        """Where the next events begin."""
        skip = self.used
        self.used += events
        return skip


def log(report, subjects, drive, more, settings, suffix):
    """Bytes of the log while events arrive in groups of a fixed size, and while they are merged."""
    for size, events in ((32, settings.small_groups), (1_000, settings.large_groups)):
        events -= events % size
        skip = more.next(events)
        stored, images, merged, groups = {}, {}, {}, {}
        for subject in subjects:
            subject.start(merge_every=AT_ONCE)
            subject.settle()
            subject.stop()
            subject.start(merge_every=NEVER)
            # One connection: each request is one transaction.
            with subject.database.measured_log() as written:
                drive.send(subject.address, subject.token, more.file, connections=1, batch=size, skip=skip, take=events)
            stored[subject.name] = written.bytes / events
            if subject.database.waiting() < events // size:
                note = f"{subject.name}: merged while groups of {size:,} arrived, so their log contains merging"
                report.add("Notes", note, "", {subject.name: "yes"}, compared=False)
            if written.page_images is not None:
                images[subject.name] = written.page_images / events
            if written.commits:
                groups[subject.name] = events / written.commits
            subject.stop()
            with subject.database.measured_log() as written:
                subject.start(merge_every=AT_ONCE)
                note_waiting(report, subject, subject.settle())
                subject.rest()
            merged[subject.name] = written.bytes / events
            subject.stop()
        section = f"Log{suffix}"
        report.add(section, f"groups of {size:,}", "bytes/event", stored)
        if images:
            report.add(section, f"groups of {size:,}: of it images of pages", "bytes/event", images)
        if groups:
            report.add(section, f"groups of {size:,}: events per commit", "events", groups, compared=False)
        report.add(section, f"merging groups of {size:,}", "bytes/event", merged)


def requests(report, subjects, drive, more, settings, suffix, compare):
    """Rates of single events and of batches over HTTP, in turns; and the peak of memory meanwhile.

    `compare` is called while all servers run, with all events and before all of them are merged.
    """
    for subject in subjects:
        subject.start()
    for what, connections, batch, events in (
        (f"single events, {CONNECTIONS} connections", CONNECTIONS, 1, settings.singles),
        ("batches of 1,000", SENDERS, 1_000, settings.batches),
    ):
        rates = {subject.name: [] for subject in subjects}
        with drive.parse_only() as parser:
            for turn in range(settings.rounds):
                skip = more.next(events)
                for subject in rotated(subjects, turn):
                    rate = drive.send(subject.address, subject.token, more.file, connections=connections, batch=batch, skip=skip, take=events)
                    rates[subject.name].append(rate)
                if batch == 1:
                    rate = drive.send(parser, "none", more.file, connections=connections, batch=batch, skip=skip, take=events)
                    rates.setdefault("parse-only", []).append(rate)
        medians = {name: statistics.median(values) for name, values in rates.items()}
        report.add(f"Requests{suffix}", what, "events/s", medians, more_is_better=True)
    compare()
    for subject in subjects:
        note_waiting(report, subject, subject.settle())
    memory = {subject.name: subject.stop() for subject in subjects}
    remember(report, f"while storing{suffix}", memory)


def remember(report, when, memory):
    """Adds resident memory."""
    for what in ("peak", "present"):
        values = {name: figures[what] for name, figures in memory.items() if figures}
        if values:
            report.add("Memory", f"{what if what == 'peak' else 'afterwards'}, {when}", "MiB", values)


def rotated(subjects, turn):
    """The subjects, beginning with another one each time."""
    at = bounded(turn % len(subjects), 0, len(subjects) - 1)
    return subjects[at:] + subjects[:at]
