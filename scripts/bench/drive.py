"""Calls the program `drive` (bins/trailkeeper/benches/drive), which has the workload and clients with little overhead."""

import json
import subprocess
from contextlib import contextmanager


class Drive:
    """The commands of the program."""

    def __init__(self, program):
        self.program = program

    def generate(self, folder, events, more, ids):
        """Writes `events.ndjson`, `more.ndjson` and `meta.json`. Returns the contents of `meta.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.run("generate", folder, events, more, ids)
        return json.loads((folder / "meta.json").read_text())

    def send(self, address, token, file, *, connections, batch, skip, take):
        """Sends `take` lines of a file after the first `skip`. Returns events per second; every event must be new."""
        done = json.loads(self.run("send", address, token, connections, batch, skip, take, file))
        if done["stored"] != take:
            raise RuntimeError(f"{done['stored']} of {take} events were stored")
        return take / done["seconds"]

    def ask(self, servers, paths, *, rounds, budget_seconds):
        """Asks servers in turn. Returns for each path a list of milliseconds per server.

        `servers` are pairs of an address and a token. A server that used its budget is asked no further paths.
        """
        pairs = [text for pair in servers for text in pair]
        output = self.run("ask", rounds, round(budget_seconds * 1000), *pairs, stdin="\n".join(paths))
        return json.loads(output)

    def disk(self, file):
        """Moves the log of a SQLite file into it. Returns (table, table or index, bytes) of each, and of the free pages."""
        return [tuple(part) for part in json.loads(self.run("disk", file))]

    @contextmanager
    def parse_only(self):
        """A server that parses events and stores nothing. Gives its address."""
        with subprocess.Popen([self.program, "parse"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield json.loads(process.stdout.readline())["address"]
            finally:
                process.stdin.close()

    def run(self, *arguments, stdin=None):
        """The output of a command."""
        command = [str(self.program), *map(str, arguments)]
        done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"drive {arguments[0]} failed (see above)")
        return done.stdout
