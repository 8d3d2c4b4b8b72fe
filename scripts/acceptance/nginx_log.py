"""A real nginx (Debian's package) whose log is written, rotated and read by checks."""

import gzip
import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

from harness import free_port

SECONDS = 60
BROWSER = "Mozilla/5.0 (X11)"
CONFIGURATION = """
{user}
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    {logs}
    client_body_temp_path {folder}/temp; proxy_temp_path {folder}/temp; fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "here"; }}
        location /missing {{ return 404; }}
    }}
}}
"""


class Nginx:
    """A real nginx with a log of its own."""

    def __init__(self, folder, logs=None):
        """`logs` are further directives of its configuration; without them, it writes the combined format."""
        self.folder = folder
        self.log = folder / "access.log"
        self.port = free_port()
        self.sent = Counter()
        configuration = folder / "nginx.conf"
        # Workers of another user could not open the log in this folder again.
        user = "user root;" if os.geteuid() == 0 else ""
        configuration.write_text(CONFIGURATION.format(folder=folder, port=self.port, user=user, logs=logs or f"access_log {self.log} combined;"))
        self.process = subprocess.Popen([program(), "-c", str(configuration), "-e", str(folder / "error.log")])
        wait(lambda: self.answers(), "nginx answers")

    def answers(self):
        """Whether nginx listens."""
        try:
            self.request("/start")
        except OSError:
            return False
        return True

    def request(self, path, times=1, headers=None):
        """Sends equal requests."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for _ in range(times):
            connection.request("GET", path, headers={"User-Agent": BROWSER, "Host": "shop.example"} | (headers or {}))
            connection.getresponse().read()
            self.sent[path] += 1
        connection.close()

    def lines(self):
        """The number of lines in all files of the log."""
        return sum(content(file).count(b"\n") for file in self.folder.glob("access.log*"))

    def quiet(self):
        """Waits until everything that was sent is in the log: nginx writes a line after its response."""
        wait(lambda: self.lines() == sum(self.sent.values()), "nginx logs every request")

    def rename(self):
        """Rotates as logrotate's `create` does."""
        self.shift()
        self.log.rename(self.folder / "access.log.1")
        os.kill(self.process.pid, signal.SIGUSR1)
        wait(self.log.exists, "nginx opens a new log")

    def copy_and_truncate(self):
        """Rotates as logrotate's `copytruncate` does, while nothing is written: it loses what is written meanwhile."""
        self.quiet()
        self.shift()
        shutil.copy(self.log, self.folder / "access.log.1")
        os.truncate(self.log, 0)

    def compress(self, number):
        """Compresses a rotated file, and keeps its time, as gzip does."""
        file = self.folder / f"access.log.{number}"
        about = file.stat()
        packed = file.with_name(f"{file.name}.gz")
        packed.write_bytes(gzip.compress(file.read_bytes()))
        os.utime(packed, ns=(about.st_atime_ns, about.st_mtime_ns))
        file.unlink()

    def shift(self):
        """Gives each rotated file the next number."""
        for number in range(20, 0, -1):
            for ending in ("", ".gz"):
                file = self.folder / f"access.log.{number}{ending}"
                if file.exists():
                    file.rename(self.folder / f"access.log.{number + 1}{ending}")

    def stop(self):
        """Ends nginx."""
        self.process.terminate()
        self.process.wait(30)


def found():
    """The program nginx; root's folders are not in everyone's path."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def program():
    """The program nginx, installed if it is missing and that is allowed."""
    if not found() and os.geteuid() == 0 and shutil.which("apt-get"):
        settings = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "nginx-light"]):
            subprocess.run(["apt-get", *command], env=settings, stdout=sys.stderr, check=True, timeout=600)
    return found() or sys.exit("there is no nginx; run 'sudo apt-get install --no-install-recommends nginx-light'")


def content(file):
    """The content of a log, compressed or not."""
    packed = file.read_bytes()
    return gzip.decompress(packed) if file.suffix == ".gz" else packed


def wait(holds, what, seconds=SECONDS):
    """Waits until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)
