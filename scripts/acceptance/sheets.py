"""What an operator can do with the sheets of a running or a stopped server: wait until all is merged, check
them against a recount, rebuild them."""

import re
import subprocess
import time

SYSTEM = "ffffffff-ffff-ffff-ffff-ffffffffffff"
# A killed merger or rebuild keeps its lease until that runs out.
MERGE_SECONDS = 90


class Sheets:
    """The sheets of one server's database."""

    def __init__(self, checks, server):
        self.checks = checks
        self.server = server

    def pending(self):
        """How many deltas wait to be merged."""
        return int(self.server.database.rows("SELECT count(*) FROM deltas")[0][0])

    def merged(self, when):
        """Waits until the server has merged everything."""
        deadline = time.monotonic() + MERGE_SECONDS
        while (left := self.pending()) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.checks.equal(left, 0, f"{when}: everything is merged within {MERGE_SECONDS} s")

    def check(self, when):
        """`trailkeeper verify` compares every event's row and finds nothing that differs. Nobody may send meanwhile."""
        events = int(self.server.database.rows(f"SELECT count(*) FROM event_log WHERE tenant_id <> '{SYSTEM}'")[0][0])
        done = self.server.command("verify")
        said = (done.stdout + done.stderr).decode(errors="replace")
        told = re.search(r"^(\d+) events, .*: 0 differences$", said, re.MULTILINE)
        self.checks.that(done.returncode == 0 and told, f"{when}: trailkeeper verify is clean",
                         f"exit code {done.returncode}, {said[-2000:]}")
        self.checks.equal(int(told[1]) if told else None, events, f"{when}: trailkeeper verify looked at every event")

    def rebuild(self, when):
        """`trailkeeper rebuild` beside the server."""
        before = self.generation()
        done = self.server.command("rebuild")
        self.checks.equal(done.returncode, 0, f"{when}: trailkeeper rebuild, which said {done.stderr.decode(errors='replace')[-1500:]}")
        self.checks.that(self.generation() > before, f"{when}: a rebuild makes a new generation", f"{before} is still the one")

    def lapse(self):
        """What time would do: the lease of a killed process runs out. Whoever lives and works under it must notice."""
        self.server.database.change("DELETE FROM leases")

    def begin_rebuild(self):
        """A rebuild that somebody may kill."""
        return subprocess.Popen(
            [self.server.program, "rebuild"], env=self.server.settings, cwd=self.server.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def generation(self):
        """Which generation of sheets answers."""
        return int(self.server.database.rows("SELECT generation FROM sheet_generation")[0][0])
