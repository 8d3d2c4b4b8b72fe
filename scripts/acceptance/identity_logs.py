#!/usr/bin/env python3
"""Imports logs of a real OpenSSH server, and exports of identity providers, and compares the events with a count.

    scripts/acceptance/identity_logs.py [--database sqlite|postgres]

The part with the OpenSSH server is skipped where sshd is not installed (Debian: openssh-server).
"""

import getpass
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

from harness import Checks, Server, arguments, free_port, shown

NO_TENANT = "00000000-0000-0000-0000-000000000000"
SSHD = "/usr/sbin/sshd"


def listed(server, kind=None):
    """All events without a tenant, read page by page."""
    events, query = [], {"tenant_id": NO_TENANT, "limit": 1000} | ({"type": kind} if kind else {})
    while True:
        page = server.ask("GET", "/v1/events", query=query).json()
        events += page["events"]
        if page["next_cursor"] is None:
            return events
        query["cursor"] = page["next_cursor"]


class OpenSsh:
    """An OpenSSH server on a loopback port, and logins to it."""

    def __init__(self, folder):
        self.folder, self.port, self.user = folder, free_port(), getpass.getuser()
        for name in ("host", "own", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        shutil.copy(folder / "own.pub", folder / "authorized")
        self.log = folder / "sshd.log"
        (folder / "config").write_text("\n".join([
            f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {folder}/host", f"PidFile {folder}/pid",
            f"AuthorizedKeysFile {folder}/authorized", "StrictModes no", "UsePAM no", "PasswordAuthentication yes",
            "PermitRootLogin yes", "LogLevel INFO", "MaxAuthTries 4",
        ]) + "\n")
        (folder / "password").write_text("#!/bin/sh\necho wrong\n")
        (folder / "password").chmod(0o700)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.process = subprocess.Popen([SSHD, "-D", "-f", folder / "config", "-E", self.log])
        deadline = time.monotonic() + 10
        while "Server listening" not in (self.log.read_text() if self.log.exists() else ""):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("sshd did not start")
            time.sleep(0.02)

    def login(self, user, key, passwords=0):
        """Tries to log in, by the key, or by so many wrong passwords. Returns whether it succeeded."""
        method = "password" if passwords else "publickey"
        done = subprocess.run(
            ["ssh", "-F", "none", "-p", str(self.port), "-i", self.folder / key, "-o", "IdentitiesOnly=yes",
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", f"PreferredAuthentications={method}",
             "-o", f"NumberOfPasswordPrompts={max(passwords, 1)}", f"{user}@127.0.0.1", "true"],
            env=os.environ | {"SSH_ASKPASS": str(self.folder / "password"), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": "x"},
            stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False,
        )
        return done.returncode == 0

    def stop(self):
        """Ends the server. Returns the lines of its log, as a syslog daemon writes them: time, machine and program."""
        self.process.terminate()
        self.process.wait(10)
        at = datetime.now(timezone.utc)
        lines = [line.rstrip("\r\n") for line in self.log.read_text(errors="replace").splitlines()]
        return [f"{at:%b} {at.day:2} {at:%H:%M:%S} web1 sshd[{self.process.pid}]: {line}" for line in lines if line]


def check_open_ssh(checks, server, folder):
    """Logs in to a real server, fails to, and imports its log."""
    if not Path(SSHD).is_file() or shutil.which("ssh") is None:
        print("SKIPPED: identity_logs.py: there is no OpenSSH server; on Debian run 'sudo apt-get install openssh-server'", flush=True)
        return
    ssh = OpenSsh(folder)
    # Names with which clients try to forge an address.
    forged = "x from 192.0.2.66 port 1 ssh2"
    checks.that(ssh.login(ssh.user, "own"), "the key logs in", ssh.log.read_text()[-800:])
    checks.that(ssh.login(ssh.user, "own"), "the key logs in again")
    checks.that(not ssh.login("nobody-here", "other"), "a key of an unknown user is rejected, which leaves no line")
    checks.that(not ssh.login("nobody-here", "other", passwords=2), "two wrong passwords of an unknown user")
    checks.that(not ssh.login(ssh.user, "other", passwords=3), "three wrong passwords")
    checks.that(not ssh.login(forged, "other", passwords=1), "a name that looks like an address")
    lines = ssh.stop()
    print("\n".join(lines), flush=True)
    expected = Counter({
        ("login_success", ssh.user, ssh.user, "127.0.0.1", "publickey"): 2,
        ("logout", ssh.user, ssh.user, "127.0.0.1", None): 2,
        ("login_fail", None, "nobody-here", "127.0.0.1", "password"): 2,
        ("login_fail", ssh.user, ssh.user, "127.0.0.1", "password"): 3,
        ("login_fail", None, forged, "127.0.0.1", "password"): 1,
    })
    log = folder / "auth.log"
    log.write_text("\n".join(lines) + "\n")
    done = server.command("import", "authlog", str(log))
    print(done.stdout.decode(), flush=True)
    checks.equal(done.returncode, 0, f"the log is imported {done.stderr[-300:]!r}")

    def seen():
        return Counter(
            (event["type"], event["user_id"], event["user_name"], event["source"], event["metadata"].get("method"))
            for event in listed(server) if (event["metadata"] or {}).get("provider") == "sshd"
        )

    checks.equal(seen(), expected, "the events are the logins, one failure per attempt")
    packed = folder / "auth.log.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    server.command("import", "authlog", str(packed))
    checks.equal(seen(), expected, "the same log again stores nothing new")
    # Rotated in the middle of equal lines: the files of one command count together.
    half = len(lines) // 2
    (folder / "auth.log.1").write_text("\n".join(lines[:half]) + "\n")
    (folder / "auth.log.0").write_text("\n".join(lines[half:]) + "\n")
    server.command("import", "authlog", str(folder / "auth.log.1"), str(folder / "auth.log.0"))
    checks.equal(seen(), expected, "nor do its rotated parts")


def exports(choose, at):
    """Exports of the three providers and, for each, the expected number of events by type and outcome."""
    counted = {"keycloak": Counter(), "auth0": Counter(), "cloudtrail": Counter()}
    records = {name: [] for name in counted}
    for number in range(3_000):
        at += timedelta(seconds=1)
        user = f"user-{choose.randrange(50)}"
        kind, ours, fails = choose.choice([
            ("LOGIN", "login_success", False), ("LOGIN_ERROR", "login_fail", True), ("LOGOUT", "logout", False),
            ("CODE_TO_TOKEN", "keycloak.code_to_token", False), ("REGISTER", "sign_up", False),
        ])
        records["keycloak"].append({
            "id": str(uuid.UUID(int=choose.getrandbits(128), version=4)), "time": int(at.timestamp() * 1000), "type": kind,
            "realmId": "shop", "clientId": "web", "userId": user, "ipAddress": "203.0.113.7",
            "error": "invalid_user_credentials" if fails else None, "details": {"username": user},
        })
        counted["keycloak"][(ours, "failure" if fails else "success")] += 1
        kind, ours, outcome = choose.choice([
            ("s", "login_success", "success"), ("fp", "login_fail", "failure"), ("slo", "logout", "success"),
            ("seacft", "auth0.seacft", "success"), ("depnote", "auth0.depnote", "unknown"),
        ])
        records["auth0"].append({
            "log_id": f"9002026{number:040}", "date": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "type": kind, "user_id": f"auth0|{user}", "user_name": user, "ip": "203.0.113.8", "user_agent": "curl",
        })
        counted["auth0"][(ours, outcome)] += 1
        name, error, response, ours = choose.choice([
            ("InitiateAuth", None, {"authenticationResult": "HIDDEN_DUE_TO_SECURITY_REASONS"}, "login_success"),
            ("InitiateAuth", "NotAuthorizedException", None, "login_fail"),
            ("InitiateAuth", None, {"challengeName": "SMS_MFA"}, "aws.cognito_idp.initiate_auth"),
            ("SignUp", None, None, "sign_up"),
        ])
        records["cloudtrail"].append({
            "eventVersion": "1.08", "eventID": str(uuid.UUID(int=choose.getrandbits(128), version=4)),
            "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "eventSource": "cognito-idp.amazonaws.com", "eventName": name,
            "sourceIPAddress": "203.0.113.9", "userAgent": "curl", "errorCode": error, "responseElements": response,
            "requestParameters": {"authFlow": "USER_PASSWORD_AUTH"}, "additionalEventData": {"sub": user},
        })
        counted["cloudtrail"][(ours, "failure" if error else "success")] += 1
    return records, counted


def check_exports(checks, server, folder):
    """Imports each export as a list, in an object and as lines: all three are the same events."""
    records, counted = exports(random.Random(7), datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=3))
    wrappers = {"keycloak": None, "auth0": "logs", "cloudtrail": "Records"}
    for provider, events in records.items():
        forms = {"list": json.dumps(events, indent=1), "lines": "\n".join(map(json.dumps, events)) + "\n"}
        if wrappers[provider]:
            forms["object"] = json.dumps({"total": 5, wrappers[provider]: events, "next": None})
        # Two broken records among the lines.
        forms["lines"] = forms["lines"].replace("\n", '\n{"broken": \n["x"]\n', 1)
        for form, text in forms.items():
            file = folder / f"{provider}.{form}.json"
            file.write_text(text)
            done = server.command("import", provider, str(file))
            checks.equal(done.returncode, 0, f"{provider}: a {form} is imported {done.stderr[-300:]!r}")
            said = done.stdout.decode()
            checks.that(f"refused   {2 if form == 'lines' else 0}\n" in said, f"{provider}: broken records of a {form} are counted", said)
        got = Counter(
            (event["type"], event["outcome"]) for event in listed(server) if (event["metadata"] or {}).get("provider") == provider
        )
        checks.that(got == counted[provider], f"{provider}: the events are those of the export, once",
                    f"missing {shown(list((counted[provider] - got).items()))}, too many {shown(list((got - counted[provider]).items()))}")


def main():
    options = arguments(__doc__)
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder, Server(checks, options.database) as server:
        check_open_ssh(checks, server, Path(folder))
        check_exports(checks, server, Path(folder))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
