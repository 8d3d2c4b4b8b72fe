"""Times as requests, SQL and answers write them. A time is a number of seconds since 1970."""

from datetime import datetime, timezone

DAY = 86_400


def rfc3339(seconds):
    """The text of a time for a request."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def date(seconds):
    """The UTC day of a time."""
    return rfc3339(seconds)[:10]


def milliseconds(text):
    """Milliseconds since 1970 of a text of a server or of ClickHouse."""
    text = text.removesuffix("Z").replace(" ", "T")
    read = datetime.fromisoformat(text if "." in text else f"{text}.000").replace(tzinfo=timezone.utc)
    return round(read.timestamp() * 1000)


def within(start, end):
    """SQL of ClickHouse: the event happened in the range, whose end is exclusive."""
    return f"occurred_at >= toDateTime64({start}, 3, 'UTC') AND occurred_at < toDateTime64({end}, 3, 'UTC')"
