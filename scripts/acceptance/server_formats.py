#!/usr/bin/env python3
"""Imports one log of a real nginx in three formats, and compares the events with the requests that were sent.

    scripts/acceptance/server_formats.py [--database sqlite|postgres]

nginx writes each request in the combined format, in one of its own, and as JSON. The requests have what a client can put into
a line: quotes, backslashes, blanks, other alphabets, and texts that look like other fields.
"""

import base64
import sys
import tempfile
import uuid
from collections import Counter
from pathlib import Path

from harness import Checks, Server, arguments
from nginx_log import BROWSER, Nginx

OWN = '$msec|$remote_addr|$host|$remote_user|"$request_method $request_uri $server_protocol"|$status|"$http_referer"|"$http_user_agent"|$request_time'
LOGS = """
    log_format own '{own}';
    log_format json escape=json '{{"time_iso8601":"$time_iso8601","remote_addr":"$remote_addr","remote_user":"$remote_user",'
        '"request":"$request","status":$status,"http_referer":"$http_referer","http_user_agent":"$http_user_agent","host":"$host"}}';
    access_log {folder}/access.log combined;
    access_log {folder}/own.log own;
    access_log {folder}/json.log json;
"""
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PATHS = ["/", "/prices?q=%22x%22", "/missing", "/caf%C3%A9", "/a.css?v=1", "/robots.txt", '/q"x"', "/back\\slash", "/|\"|200|"]
USERS = [None, "jane", "jane doe", "J\u00fcrgen", 'quote"d', "back\\slash", "x [yesterday] y", "a|b"]
AGENTS = [BROWSER, GOOGLE, "curl/8.5.0", 'quote "inside" \\ and é', '" 200 5 "-" "forged', "| | |"]
REFERERS = [None, "https://r.example/?q=a b", "https://r.example/é"]


def requests():
    """Every path with every user, agent and referer at least once."""
    for number in range(len(PATHS) * len(USERS) * len(AGENTS)):
        path, user = PATHS[number % len(PATHS)], USERS[number // len(PATHS) % len(USERS)]
        yield path, user, AGENTS[number // 7 % len(AGENTS)], REFERERS[number // 5 % len(REFERERS)]


def send(nginx):
    """Sends the requests. Returns the events that they stand for."""
    expected = Counter()
    for path, user, agent, referer in requests():
        headers = {"User-Agent": agent.encode()}
        if user is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:secret".encode()).decode()
        if referer is not None:
            headers["Referer"] = referer.encode()
        nginx.request(path, headers=headers)
        plain = path.split("?")[0]
        is_automatic = agent in (GOOGLE, "curl/8.5.0") or plain in ("/a.css", "/robots.txt")
        kind = "request" if is_automatic or plain == "/missing" else "page_load"
        expected[(kind, path, user or "ip:127.0.0.1", agent, referer)] += 1
    return expected


def listed(server, tenant):
    """The events of a tenant in the same form."""
    events, query = Counter(), {"tenant_id": tenant, "limit": 1000}
    while True:
        page = server.ask("GET", "/v1/events", query=query).json()
        for event in page["events"]:
            path = event["page"] or (event["target"] or {}).get("id")
            referer = (event["metadata"] or {}).get("referer")
            if path != "/start":
                events[(event["type"], path, event["user_id"], event["user_agent"], referer)] += 1
        if page["next_cursor"] is None:
            return events
        query["cursor"] = page["next_cursor"]


def main():
    options = arguments(__doc__)
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder, Server(checks, options.database) as server:
        nginx = Nginx(Path(folder), LOGS.format(own=OWN, folder=folder))
        try:
            expected = send(nginx)
            nginx.quiet()
        finally:
            nginx.stop()
        for name, more in (("access.log", []), ("json.log", []), ("own.log", ["--format", OWN])):
            tenant = str(uuid.uuid4())
            done = server.command("import", "access-log", str(nginx.folder / name), "--tenant", tenant, *more)
            checks.equal(done.returncode, 0, f"{name}: {done.stderr.decode()}")
            out = done.stdout.decode()
            got = listed(server, tenant)
            checks.that("refused   0" in out, f"{name}: no line is refused", out[:1500])
            checks.that(got == expected, f"{name}: every request is its event",
                        f"missing {list((expected - got).items())[:4]}, too many {list((got - expected).items())[:4]}")
            print(f"{name}: {sum(got.values())} events of {len(got)} kinds", flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
