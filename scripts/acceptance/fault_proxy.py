"""The fault proxy of the crate testkit, and the processes of the test's own PostgreSQL."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from harness import ROOT


class FaultProxy:
    """The proxy between one server and PostgreSQL. Use it in a `with` statement."""

    def __init__(self, url):
        program = Path(os.environ.get("TRAILKEEPER_FAULT_PROXY") or ROOT / "target/debug/fault-proxy")
        if not program.is_file():
            sys.exit(f"there is no {program}; run 'make build', or name the program in TRAILKEEPER_FAULT_PROXY")
        parts = urlsplit(url)
        self.process = subprocess.Popen([program, f"{parts.hostname}:{parts.port}"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        address = self.process.stdout.readline().strip()
        login = f"{parts.username}@" if parts.username else ""
        self.url = urlunsplit(parts._replace(netloc=login + address))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)

    def run(self, command):
        """Runs one command of the proxy, and returns its answer."""
        self.process.stdin.write(f"{command}\n")
        answer = self.process.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise RuntimeError(f"fault-proxy: {command}: {answer}")
        return answer

    def counts(self):
        """What happened so far, by name."""
        words = self.run("counts").split()
        return dict(zip(words[::2], map(int, words[1::2])))


class Postgres:
    """The PostgreSQL server that scripts/with-postgres started."""

    def __init__(self):
        control = os.environ.get("TRAILKEEPER_TEST_POSTGRES_CONTROL")
        if not control:
            sys.exit("this stops and kills PostgreSQL, so it needs one of our own: run it under scripts/with-postgres")
        self.control = control
        self.data = Path(control).parent / "data"

    def processes(self):
        """The server's first process and all processes that it started."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        children = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # It ended meanwhile.
            if int(fields[1]) == first:
                children.append(int(entry.parent.name))
        return [first, *children]

    def signal(self, number):
        """Sends a signal to every process of the server."""
        for process in self.processes():
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass  # A backend may end meanwhile.

    def freeze(self):
        """Stops every process of the server, as a suspended virtual machine does."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        """Lets all processes go on."""
        self.signal(signal.SIGCONT)

    def kill(self):
        """Kills every process of the server, and waits until they are gone."""
        # Stopped first, so that it starts no more processes. A new server must not find one that uses the old memory.
        os.kill(self.processes()[0], signal.SIGSTOP)
        processes = self.processes()
        self.signal(signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(Path(f"/proc/{one}").exists() and not is_zombie(one) for one in processes) and time.monotonic() < deadline:
            time.sleep(0.02)
        # In a container nobody may collect the dead first process, and PostgreSQL would take it for a living one.
        (self.data / "postmaster.pid").unlink()
        for lock in self.data.parent.glob(".s.PGSQL.*"):
            lock.unlink()

    def run(self, command):
        """Runs `stop` or `start`."""
        done = subprocess.run([self.control, command], timeout=90, check=False)
        if done.returncode != 0:
            log = (self.data.parent / "server.log").read_text(errors="replace")
            raise RuntimeError(f"PostgreSQL does not {command}:\n{log[-3000:]}")


def is_zombie(process):
    """Whether a process has ended and only waits for its parent."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
