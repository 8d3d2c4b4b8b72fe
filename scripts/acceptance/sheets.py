"""Operations on the sheets of a running or stopped server: wait until everything is merged, verify, rebuild."""

import re
import subprocess
import time

SYSTEM = "ffffffff-ffff-ffff-ffff-ffffffffffff"
# A killed merger or rebuild keeps its lease until the lease expires.
MERGE_SECONDS = 90
# The longest recount of every event: millions of them, on a machine that has little time for it.
VERIFY_SECONDS = 1_800


class Sheets:
    """The sheets of one server's database."""

    def __init__(self, checks, server):
        self.checks = checks
        self.server = server

    def pending(self):
        """Number of unmerged deltas."""
        return int(self.server.database.rows("SELECT count(*) FROM deltas")[0][0])

    def merged(self, when):
        """Waits until the server has merged everything."""
        deadline = time.monotonic() + MERGE_SECONDS
        while (left := self.pending()) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.checks.equal(left, 0, f"{when}: everything is merged within {MERGE_SECONDS} s")

    def check(self, when):
        """Checks that `trailkeeper verify` recounts every event and finds no difference. No client may send meanwhile."""
        events = int(self.server.database.rows(f"SELECT count(*) FROM event_log WHERE tenant_id <> '{SYSTEM}'")[0][0])
        done = self.server.command("verify", timeout=VERIFY_SECONDS)
        said = (done.stdout + done.stderr).decode(errors="replace")
        summary = re.search(r"^(\d+) events, .*: 0 differences$", said, re.MULTILINE)
        self.checks.that(done.returncode == 0 and summary, f"{when}: trailkeeper verify finds no difference",
                         f"exit code {done.returncode}, {said[-2000:]}")
        self.checks.equal(int(summary[1]) if summary else None, events, f"{when}: trailkeeper verify recounted every event")

    def rebuild(self, when):
        """Runs `trailkeeper rebuild` while the server runs."""
        before = self.generation()
        done = self.server.command("rebuild")
        self.checks.equal(done.returncode, 0, f"{when}: trailkeeper rebuild, which printed {done.stderr.decode(errors='replace')[-1500:]}")
        self.checks.that(self.generation() > before, f"{when}: a rebuild makes a new generation", f"it is still {before}")

    def lapse(self):
        """Expires the lease of a killed process, as time would do. A live process that holds the lease must notice."""
        self.server.database.change("DELETE FROM leases")

    def begin_rebuild(self):
        """Starts a rebuild that can be killed."""
        return subprocess.Popen(
            [self.server.program, "rebuild"], env=self.server.settings, cwd=self.server.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def generation(self):
        """The generation of sheets in use."""
        return int(self.server.database.rows("SELECT generation FROM sheet_generation")[0][0])
