"""Readers of the feed, and writers, for the check of the feed. Each goes on after the server was killed."""

import http.client
import json
import random
import threading
import time
import uuid

PAUSE_SECONDS = 0.1


class Writers:
    """Threads that send batches of events to some tenants. A batch is sent again until it is acknowledged."""

    def __init__(self, server, tenants, rate, threads=4, batch=25):
        self.server = server
        self.tenants = tenants
        self.batch = batch
        self.pause = threads * batch / rate
        self.acknowledged = {}
        self.tenant_of = {}
        self.odd = []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(n,)) for n in range(threads)]

    def start(self):
        """Starts the threads."""
        for thread in self.threads:
            thread.start()

    def stop(self):
        """Ends them, when each has its last batch acknowledged."""
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def write(self, number):
        """The work of a thread."""
        choose, connection = random.Random(number), None
        while not self.stopped.is_set():
            started = time.monotonic()
            events = [{"id": str(uuid.uuid4()), "tenant_id": choose.choice(self.tenants), "type": "page_load",
                       "user_id": f"user-{choose.randrange(100)}", "page": "/"} for _ in range(self.batch)]
            for event in events:
                self.tenant_of[event["id"]] = event["tenant_id"]
            body = json.dumps(events).encode()
            while not self.sent(connection := connection or self.server.connection(), body):
                connection.close()
                connection = None
                time.sleep(PAUSE_SECONDS)
            at = time.monotonic()
            for event in events:
                self.acknowledged[event["id"]] = at
            time.sleep(max(0, self.pause - (at - started)))
        if connection:
            connection.close()

    def sent(self, connection, body):
        """Whether the server acknowledged the batch."""
        headers = {"Authorization": f"Bearer {self.server.admin}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/v1/events", body, headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            return False
        if response.status != 200 or json.loads(answer)["refused"]:
            self.odd.append((response.status, answer[:300]))
        return response.status == 200


class Reader:
    """A thread that follows the feed and keeps the ids of all events, in their order."""

    def __init__(self, server, token, name):
        self.server = server
        self.token = token
        self.name = name
        self.ids = []
        self.cursor = None
        self.odd = []
        self.begun = 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.follow)

    def start(self):
        """Starts the thread."""
        self.thread.start()
        return self

    def stop(self):
        """Ends it."""
        self.stopped.set()
        self.thread.join()

    def follow(self):
        """The work of the thread."""
        while not self.stopped.is_set():
            self.begun += 1
            try:
                self.read()
            except (OSError, http.client.HTTPException):
                pass  # The server was killed, or is not there yet.
            self.stopped.wait(PAUSE_SECONDS)

    def has(self, wanted):
        """Whether it has all of these."""
        return wanted <= set(self.ids)


class FeedReader(Reader):
    """Follows by pages, and waits for events."""

    def read(self):
        """Reads pages on one connection, until it is cut."""
        connection = self.server.connection()
        while not self.stopped.is_set():
            cursor = f"&cursor={self.cursor}" if self.cursor else ""
            connection.request("GET", f"/v1/events/feed?limit=500&wait=1{cursor}", headers={"Authorization": f"Bearer {self.token}"})
            response = connection.getresponse()
            page = json.loads(response.read())
            if response.status == 503:
                break
            if response.status != 200 or page["gap"]:
                self.odd.append((response.status, page))
                break
            # The cursor after the events: what a reader does whose memory of both survives.
            self.ids += [event["id"] for event in page["events"]]
            self.cursor = page["next_cursor"]
        connection.close()


class StreamReader(Reader):
    """Follows by streams, from the beginning. It disconnects by itself after a random number of events, if `restless`."""

    def __init__(self, server, token, name, restless=True):
        super().__init__(server, token, name)
        self.choose = random.Random(name)
        self.restless = restless
        self.arrived = {}

    def read(self):
        """Reads one stream."""
        connection = self.server.connection()
        # Ends a restless reader that has nothing to read; the others get a comment in time.
        connection.timeout = 2 if self.restless else 30
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Last-Event-ID": self.cursor} if self.cursor else {})
        connection.request("GET", "/v1/events/stream?start=beginning", headers=headers)
        response = connection.getresponse()
        if response.status != 200:
            if response.status != 503:
                self.odd.append((response.status, response.read()[:300]))
            connection.close()
            return
        left = self.choose.randrange(1, 4000) if self.restless else float("inf")
        for block in blocks(response, self.stopped):
            if "id" in block:
                self.cursor = block["id"]
            kind = block.get("event")
            if kind == "event":
                event = json.loads(block["data"])
                self.ids.append(event["id"])
                self.arrived[event["id"]] = time.monotonic()
                left -= 1
                if event["position"] != block["id"]:
                    self.odd.append(block)
            elif kind in ("gap", "behind"):
                self.odd.append(block)
            if left <= 0:
                break
        connection.close()


def blocks(response, stopped):
    """The blocks of a stream: the fields of each by their names, comments under an empty one."""
    text = b""
    while not stopped.is_set() and (part := response.read1(1 << 16)):
        *whole, text = (text + part).split(b"\n\n")
        for block in whole:
            yield dict(line.split(": ", 1) for line in block.decode().split("\n"))
