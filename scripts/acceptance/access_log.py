#!/usr/bin/env python3
"""Imports an access log and compares the answers of the server with an independent count.

    scripts/acceptance/access_log.py [--database sqlite|postgres] [FILE[.gz]]

Without a FILE, it first writes a random recent log with every kind of line that the importer must distinguish, one of
them truncated.
"""

import gzip
import ipaddress
import random
import re
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

from harness import Checks, Server, arguments, shown
from page_key import page_key

NO_TENANT = "00000000-0000-0000-0000-000000000000"
# An address with what may stand around it, a list of them, and a line.
ADDRESS = r"\[?[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*(?:%\w+)?\]?(?::\d+)?"
HOST = rf"{ADDRESS}(?:, *{ADDRESS})*|-|unix:"
QUOTED = r'"((?:[^"\\]|\\.)*)"'
LINE = re.compile(
    rf"(?:[\w.-]+\.example(?::\d+)? +)?({HOST}) +- (.*?) \[([^\]]+)\] +{QUOTED} +(\d{{3}}|-) +(?:\d+|-)"
    rf"(?: +[\d.]+)*(?: +{QUOTED} +{QUOTED}.*)?"
)
# The bots and static files of the generated log.
BOTS = re.compile(r"bot|curl")
ASSETS = (".css", ".js", ".png", ".woff2", "/robots.txt")
CHARACTERS = {"t": "\t", "n": "\n", '"': '"', "\\": "\\"}


def address(text):
    """The address of the first member of a list, without port, brackets and zone; None for `-` and `unix:`."""
    if text in ("-", "unix:"):
        return None
    first = re.sub(r"^(\d+\.\d+\.\d+\.\d+):\d+$", r"\1", text.split(",")[0].strip())
    first = re.sub(r"^\[(.*)\](:\d+)?$", r"\1", first).split("%")[0]
    read = ipaddress.ip_address(first)
    return str(getattr(read, "ipv4_mapped", None) or read)


def unescaped(text):
    """The text without the escapes of Apache and nginx. Bytes that are no UTF-8 stay as they are written."""
    def undone(match):
        if match[2]:
            return CHARACTERS[match[2]]
        try:
            return bytes.fromhex(match[1].replace("\\x", "")).decode()
        except UnicodeDecodeError:
            return match[1]
    return re.sub(r'((?:\\x[0-9A-Fa-f]{2})+)|\\([tn"\\])', undone, text)


def generated(path, lines=4000, seed=20260131):
    """Writes a log of ten days that ends two hours ago."""
    choose = random.Random(seed)
    hosts = [f"203.0.113.{n}" for n in range(1, 80)] + [f"2001:db8::{n:x}" for n in range(1, 20)]
    hosts += ["203.0.113.7:51234", "::ffff:203.0.113.8", "[2001:DB8::1]:443", "fe80::1%eth0", "203.0.113.9, 10.0.0.1", "-", "unix:"]
    users = ["alice", "bob@example.com", "carol", "jane doe", r"CORP\\jane", r'\"bob\"', r"J\xC3\xBCrgen", r"J\xc3\xbcrgen"]
    users += [r"J\xfcrgen", "x [01/Jan/2020:00:00:00 +0000]", "- jane", "10.0.0.1 - jane", "n" * 128, "n" * 129, r"tab\tjane"]
    users += [" ", "   ", "jane ", " carol", "x - y", "10.0.0.1", r"\x20", " - "]
    pages = [f"/docs/{n}" for n in range(60)] + ["/", "/search?q=a+b", "/search?q=%22x%22#top", "/a%20b", "/caf%C3%A9", "/login"]
    pages += ["/caf%c3%a9?x", r"/caf\xC3\xA9", r"/caf\xc3\xa9#top", "/%6Cogin", "/%2fx", "/%FF%fe"]
    pages += ["/%66oo", "/foo", "/x/../foo/.", "http://Shop.Example:80/cart", "/%zz%2fb", "/%E2%80%AEx"]
    pages += ["/style.css", "/static/App.3f2.JS?v=1.2", "/a.png#x", "/robots.txt", "/x.woff2/y"]
    agents = ["Mozilla/5.0 (X11; Linux x86_64)"] * 5 + ["-", r'quote \"inside\" agent', "curl/8.5.0"]
    agents += ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"]
    zones = [timezone.utc, timezone(timedelta(hours=2)), timezone(timedelta(hours=-9, minutes=-30))]
    at = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=10, hours=2)
    step = timedelta(days=10) / lines
    written = []
    for number in range(lines):
        at += step
        method = choose.choices(["GET", "POST", "HEAD", "OPTIONS"], [90, 5, 3, 2])[0]
        status = choose.choices(
            ["200", "206", "304", "301", "404", "403", "500", "101", "-", "000", "009"], [80, 2, 5, 3, 6, 2, 1, 1, 1, 1, 1]
        )[0]
        user = choose.choice(users) if choose.random() < 0.15 else "-"
        local = at.astimezone(choose.choice(zones))
        fraction = choose.choice(["", "", "", ".000", ".999"])
        host = choose.choice(hosts)
        # Without a client, a name without a port could be the client's.
        virtual_host = choose.choice(["", "", "", "shop.example:443 ", "www.shop.example " if host != "-" else ""])
        blanks = " " * choose.choices([1, 3], [95, 5])[0]
        end = choose.choice([' "-" "{}"', ' "-" "{}"', ' "-" "{}" 431 "x"', "", " 1736", "  0.003"])
        written.append(
            f'{virtual_host}{host}{blanks}- {user} [{local:%d/%b/%Y:%H:%M:%S}{fraction} {local:%z}]{blanks}'
            f'"{method} {choose.choice(pages)} HTTP/1.1" {status} {choose.choice(["-", choose.randrange(90000)])}'
            + end.format(choose.choice(agents))
        )
        if choose.random() < 0.02:
            written.append(written[-1])  # Two equal lines are two requests.
    complete = max(written, key=len)
    for at, broken in enumerate([
        complete[:complete.index("HTTP/1.1")],
        # Two addresses: a virtual host and a client, or a client and a proxy.
        f"203.0.113.7 10.0.0.1 {complete.split(' ', 1)[1]}",
        # An application load balancer of AWS.
        'h2 2026-01-01T00:00:00.1Z app/a/5 203.0.113.7:2817 10.0.0.1:80 0 0 0 200 200 34 366 "GET https://a:443/ HTTP/2.0" "curl" - -',
    ]):
        written.insert(len(written) // 2 + at, broken)
    path.write_text("\n".join(written) + "\n", encoding="utf-8")


class Counted:
    """The contents of a log, counted without the program."""

    def __init__(self, text, finds_automatic):
        self.finds_automatic = finds_automatic
        self.events = Counter()
        self.views = Counter()
        self.visitors = defaultdict(set)
        self.active = {"daily": defaultdict(set), "monthly": defaultdict(set)}
        self.behaviors = defaultdict(list)
        self.refused = []
        self.times = []
        for number, line in enumerate(text.splitlines(), 1):
            match = LINE.fullmatch(line)
            if match is None:
                self.refused.append(number)
                continue
            host, remote, time, request, status, _, agent = match.groups()
            words = unescaped(request).split(" ")
            method, path = words[:2] if len(words) in (2, 3) else (None, None)
            form = "%d/%b/%Y:%H:%M:%S.%f %z" if "." in time else "%d/%b/%Y:%H:%M:%S %z"
            at = datetime.strptime(time, form).astimezone(timezone.utc)
            self.line(address(host), remote, at, method, path, 0 if status == "-" else int(status), agent)

    def is_automatic(self, path, agent):
        """Whether a bot sent the request, or it is for a static file."""
        if not self.finds_automatic:
            return False
        name = re.split("[?#]", path or "")[0].lower()
        return bool(BOTS.search(unescaped(agent or "").lower())) or name.endswith(ASSETS)

    def line(self, host, remote, at, method, path, status, agent):
        """Counts one complete line."""
        original = None
        if remote.strip(" ") == "-":
            user = f"ip:{host}" if host else None
        else:
            # Blanks, addresses and words with a `-` between them are no names. They are kept beside the user, as a name
            # that cannot be stored.
            user = unescaped(remote)
            is_name = user.strip() and "-" not in remote.split(" ") and not re.fullmatch(ADDRESS, remote)
            if not is_name or len(user) > 128 or not user.isprintable():
                user, original = None, user
        outcome = "unknown" if status < 100 else "success" if status < 400 else "failure"
        self.times.append(at)
        if outcome != "failure" and user:
            self.active["daily"][f"{at:%Y-%m-%d}"].add(user)
            self.active["monthly"][f"{at:%Y-%m}"].add(user)
        is_page_load = method == "GET" and outcome == "success" and not self.is_automatic(path, agent)
        kind = "page_load" if is_page_load else "request"
        kept = path if path and len(path) <= (2048 if kind == "page_load" else 256) else None
        self.events[(kind, user, original, host, int(at.timestamp()), kept, outcome)] += 1
        if kind == "page_load":
            page = page_key(path)
            self.views[page] += 1
            if user:
                self.visitors[page].add(user)
                self.behaviors[user].append((int(at.timestamp()), path))

    def statistics(self):
        """The expected page statistics of the whole log."""
        rows = [
            {"page_url": page, "total_views": views, "unique_users": len(self.visitors[page])}
            for page, views in self.views.items()
        ]
        return {
            "start_date": int(min(self.times).timestamp()),
            "end_date": int(max(self.times).timestamp()),
            "total_page_views": sum(self.views.values()),
            "total_unique_users": len(set().union(*self.visitors.values())),
            "page_statistics": sorted(rows, key=lambda row: (-row["total_views"], row["page_url"].encode())),
        }


def listed(server):
    """All events without a tenant, read page by page."""
    events, query = [], {"tenant_id": NO_TENANT, "limit": 1000}
    while True:
        page = server.ask("GET", "/v1/events", query=query).json()
        events += page["events"]
        if page["next_cursor"] is None:
            return events
        query["cursor"] = page["next_cursor"]


def as_counted(event):
    """An event of the native API in the form of `Counted.events`."""
    path = event["page"] if event["type"] == "page_load" else (event.get("target") or {}).get("id")
    at = datetime.fromisoformat(event["occurred_at"].replace("Z", "+00:00"))
    original = (event["original"] or {}).get("user_id", {}).get("text")
    return (event["type"], event["user_id"], original, event["source"], int(at.timestamp()), path, event["outcome"])


def compare(checks, server, counted):
    """Compares the answers of the server with the count."""
    expected = counted.statistics()
    answer = server.ask("GET", "/v1/analysis/metrics/page-statistics", query={
        "start_timestamp": expected["start_date"], "end_timestamp": expected["end_date"],
    })
    got = answer.json() or {}
    for name in ("total_page_views", "total_unique_users", "start_date", "end_date"):
        checks.equal(got.get(name), expected[name], f"page statistics: {name}")
    checks.equal(len(got.get("page_statistics", [])), len(expected["page_statistics"]), "page statistics: number of pages")
    wrong = [pair for pair in zip(got.get("page_statistics", []), expected["page_statistics"]) if pair[0] != pair[1]]
    checks.equal(wrong[:3], [], "page statistics: every page, in order")
    for period, form in (("daily", "%Y-%m-%d"), ("monthly", "%Y-%m")):
        answer = server.ask("GET", "/v1/analysis/active-users", query={
            "type": period, "date_from": f"{min(counted.times):{form}}", "date_to": f"{max(counted.times):{form}}",
        })
        rows = [
            {"date": date, "tenant_id": NO_TENANT, "env_id": 1, "active_users": len(users)}
            for date, users in sorted(counted.active[period].items())
        ]
        checks.equal((answer.json() or {}).get("data"), rows, f"active users, {period}")
    month_ago = (datetime.now(timezone.utc) - timedelta(days=27)).timestamp()
    for user in sorted(counted.behaviors, key=lambda user: -len(counted.behaviors[user]))[:5]:
        answer = server.ask("GET", f"/v1/analysis/users/{quote(user, safe='')}/behavior-histories")
        recent = Counter(entry for entry in counted.behaviors[user] if entry[0] >= month_ago)
        got = Counter((one["timestamp"], one["referer"]) for day in answer.json()["histories"] for one in day["histories"])
        checks.equal(got, recent, f"behaviour histories of {user}")


def main():
    options = arguments(__doc__, ("file", {"nargs": "?", "type": Path, "help": "an access log in combined format"}))
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder, Server(checks, options.database) as server:
        log = options.file.resolve() if options.file else Path(folder) / "access.log"
        if not options.file:
            generated(log)
        packed = log.read_bytes()
        plain = gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed
        counted = Counted(plain.decode("utf-8", errors="backslashreplace"), not options.file)
        # Of a log of one's own, every request counts: the check knows only its own bots.
        keep = ["--keep-bots", "--keep-assets"] if options.file else []
        print(f"{log.name}: {len(counted.times)} complete lines, {sum(counted.views.values())} page loads on "
              f"{len(counted.views)} pages by {counted.statistics()['total_unique_users']} visitors, "
              f"{len(counted.refused)} broken lines", flush=True)

        done = server.command("import", "access-log", str(log), *keep)
        said = (done.stdout + done.stderr).decode(errors="replace")
        print(said.strip(), flush=True)
        checks.equal(done.returncode, 0, "the import succeeds despite broken lines")
        for number in counted.refused[:3]:
            checks.that(re.search(rf"\b{number}\b", said), f"the import names the broken line {number}", said)
        events = listed(server)
        got = Counter(map(as_counted, events))
        checks.equal(sum(got.values()), len(counted.times), "one event per complete line")
        checks.that(got == counted.events, "every event has the contents of its line",
                    f"missing {shown(list((counted.events - got).items())[:3])}, too many {shown(list((got - counted.events).items())[:3])}")
        compare(checks, server, counted)

        other = Path(folder) / ("access.copy" if log.suffix == ".gz" else "access.log.gz")
        # Zero bytes after gzip data are padding.
        other.write_bytes(plain if log.suffix == ".gz" else gzip.compress(plain) + bytes(1000))
        before = {event["id"] for event in events}
        for again, stdin in ((str(log), None), (str(other), None), ("-", plain)):
            done = server.command("import", "access-log", again, *keep, stdin=stdin)
            checks.equal(done.returncode, 0, f"importing {Path(again).name} again succeeds {done.stderr[-300:]!r}")
            checks.equal({event["id"] for event in listed(server)}, before, f"importing {Path(again).name} again stores nothing new")
        compare(checks, server, counted)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
