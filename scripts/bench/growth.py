"""How results grow with the number of events."""

from report import formatted


def show(reports):
    """Prints each result of the present program at every size, and the last as a multiple of the first."""
    sizes = [report.settings["events"] for report in reports]
    print("\n# Growth\n")
    print(f"| | unit | subject | {' | '.join(f'{size:,} events' for size in sizes)} | last to first |")
    print(f"|---|---|---|{'---|' * len(sizes)}---|")
    tables = [results(report) for report in reports]
    for key in tables[0]:
        values = [table.get(key) for table in tables]
        if all(isinstance(value, float | int) and value for value in values):
            cells = [*map(formatted, values), f"{values[-1] / values[0]:.2f}"]
            print(f"| {' | '.join([*key, *cells])} |")


def results(report):
    """The values of the present program, by section, row, unit and subject."""
    return {
        (f"{one.section}: {one.what}", one.unit, name): value
        for one in report.measurements
        if one.compared
        for name, value in one.values.items()
        if name.startswith("now/")
    }
