#!/usr/bin/env python3
"""Measures the whole server. Called by `scripts/bench/run`, which says how."""

import json
import os
import shutil
import signal
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import clickhouse
import databases
import growth
import reading
import settings
import storing
from drive import Drive
from report import Report
from subject import Subject


def say(text):
    """A line about the progress."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def measured(run):
    """One run at one size. Returns its report."""
    report = Report(json.loads(json.dumps(asdict(run), default=str)))
    drive = Drive(run.drive)
    for number, ids in enumerate(run.ids):
        folder = run.folder / f"{run.events}-{ids}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subjects, baseline = [], None
        try:
            say(f"generating {run.events:,} events, ids {ids}")
            meta = drive.generate(folder, run.events, run.more(), ids)
            for kind in run.databases:
                for label, program in run.programs.items():
                    subjects.append(Subject(label, program, kind, folder))
            # Only ids differ in a second round, and no question depends on them.
            baseline = clickhouse.opened(run, folder) if number == 0 else None
            suffix = f", ids {ids}"
            say("loading")
            storing.load(report, subjects, baseline, folder / "events.ndjson", run.events, suffix)
            storing.disk(report, subjects, baseline, drive, run.events, suffix)
            if number == 0:
                say("asking")
                reading.ask(report, subjects, baseline, drive, meta, run)
            say("storing more")
            more = storing.More(folder / "more.ndjson")
            storing.log(report, subjects, drive, more, run, suffix)
            storing.requests(report, subjects, drive, more, run, suffix, partial(reading.compare_again, report, subjects, meta))
        finally:
            for subject in subjects:
                subject.remove()
            if baseline is not None:
                baseline.close()
            if not os.environ.get("KEEP"):
                shutil.rmtree(folder, ignore_errors=True)
    return report


def main():
    """Measures, prints, writes. The status says whether all answers were equal."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    runs = settings.read()
    if "postgres" in runs[0].databases:
        databases.durable()
    reports = []
    for run in runs:
        report = measured(run)
        print(f"\n# {run.events:,} events")
        report.show()
        reports.append(report)
    if len(reports) > 1:
        growth.show(reports)
    file = Path(os.environ.get("BENCH_JSON") or runs[0].folder / "result.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([report.json() for report in reports], indent=1, ensure_ascii=False) + "\n")
    say(f"wrote {file}")
    return 1 if any(report.differences for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
