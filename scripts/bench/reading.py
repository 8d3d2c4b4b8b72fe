"""Measures questions, lists, counts and histograms, and compares all answers."""

import statistics
import time

from filters import Filters
from questions import aggregates
from storing import remember
from times import DAY

# A subject answers a kind of random filters for at most this long; all of them together, when they are compared.
BUDGET_SECONDS = 20
# Questions of a kind that ClickHouse is asked too, for comparison.
SAMPLED = 12
# Fields of answers that differ between databases with the same events.
VOLATILE = ("received_at", "next_cursor")


def ask(report, subjects, clickhouse, drive, meta, settings):
    """Asks everything, first without and then with the fold cache."""
    questions = aggregates(meta)
    for subject in subjects:
        subject.start(fold_cache_mib=0)
    timed(report, "Questions, first (no fold cache)", questions, subjects, clickhouse, drive, settings)
    for subject in subjects:
        subject.stop()
        subject.start()
    timed(report, "Questions, again", questions, subjects, clickhouse, drive, settings)
    filters = Filters(meta, settings.lists)
    for kind in (*filters.lists(), *filters.sums()):
        percentiles(report, kind, subjects, clickhouse, drive)
    remember(report, "while answering", {subject.name: subject.stop() for subject in subjects})


def compare_again(report, subjects, meta):
    """Compares the servers after more events: the same questions up to a later end."""
    for question in aggregates(meta | {"end": meta["end"] + 30 * DAY}):
        compare(report, question, subjects, None)


def timed(report, section, questions, subjects, clickhouse, drive, settings):
    """The median time of each question. ClickHouse is timed next to the servers, every time."""
    for question in questions:
        compare(report, question, subjects, clickhouse)
        servers = [(subject.address, subject.token) for subject in subjects]
        (times,) = drive.ask(servers, [question.path], rounds=settings.repeats, budget_seconds=3_600)
        values = {subject.name: statistics.median(each) for subject, each in zip(subjects, times, strict=True)}
        if clickhouse is not None:
            values[clickhouse.name] = clickhouse.milliseconds(question, 5)
        report.add(section, question.name, "ms", values)


def compare(report, question, subjects, clickhouse):
    """Compares the answers of all servers with each other, whole, and with ClickHouse in the common form."""
    answers = {subject.name: subject.get(question.path) for subject in subjects}
    report.equal(question.path, {name: lasting(answer) for name, answer in answers.items()})
    if clickhouse is not None:
        forms = {name: question.ours(answer) for name, answer in answers.items()}
        report.equal(question.path, forms | {clickhouse.name: clickhouse.answer(question)})


def lasting(answer):
    """An answer without what differs between databases with the same events."""
    if isinstance(answer, dict):
        return {name: lasting(value) for name, value in answer.items() if name not in VOLATILE}
    return [lasting(one) for one in answer] if isinstance(answer, list) else answer


def percentiles(report, kind, subjects, clickhouse, drive):
    """p50 and p99 of a kind of random filters."""
    section = f"{kind.name.split(',')[0] if 'newest' in kind.name else 'Counts and histograms'}, {kind.scope}".capitalize()
    operation = kind.questions[0].operation
    able = [subject for subject in subjects if not operation or operation in subject.operations]
    unable = {subject.name: "not available" for subject in subjects if subject not in able}
    if not able:
        report.add(section, kind.name, "ms", unable)
        return
    servers = [(subject.address, subject.token) for subject in able]
    deadline = time.monotonic() + BUDGET_SECONDS
    for number, question in enumerate(kind.questions):
        if number < SAMPLED:
            compare(report, question, able, clickhouse)
        elif time.monotonic() < deadline:
            compare(report, question, able, None)
    times = drive.ask(servers, [question.path for question in kind.questions], rounds=1, budget_seconds=BUDGET_SECONDS)
    for what, share in (("p50", 0.5), ("p99", 0.99)):
        values = {subject.name: percentile([each[at] for each in times], share) for at, subject in enumerate(able)}
        report.add(section, f"{kind.name}, {what}", "ms", values | unable)


def percentile(times, share):
    """A percentile of lists of times; a server that used its budget has empty lists at the end."""
    flat = sorted(time for each in times for time in each)
    return flat[min(round(share * (len(flat) - 1)), len(flat) - 1)]
