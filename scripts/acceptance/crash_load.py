"""The load of the crash check: clients that send events at the same time, and a ledger with the outcome of each request."""

import http.client
import json
import random
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from random_history import NO_TENANT

WAIT_SECONDS = 30
KINDS = ["page_load", "page_load", "userinfo", "login_success", "login_fail", "report.exported"]
PAGES = ["/", "/users", "/users?page=2", "/reports/7", "/settings#top"]
BAD = {"type": "Not A Type"}

# Outcomes of a request.
ANSWERED, REFUSED, CUT, HALF, SILENT = "answered", "no connection", "cut off", "half an answer", "no answer in time"


@dataclass
class Request:
    """One request: its events, its outcome, and the status that the server returned for each event."""

    keys: list  # (tenant, id) of each event; None for an event that must be refused.
    ended: str = ""
    statuses: list = field(default_factory=list)

    def named(self):
        """The events that the server must accept."""
        return {key for key in self.keys if key is not None}


class Ledger:
    """All requests of all clients, and their outcomes. A recount reads `choose`, `now`, `tenants` and `users`."""

    def __init__(self, seed, bulk=False):
        self.lock = threading.Lock()
        self.bulk = bulk
        self.events = {}
        self.keys = []
        self.requests = []
        self.recent = []
        self.odd = []
        self.choose = random.Random(seed)
        self.now = datetime.now(timezone.utc)
        self.tenants = [str(uuid.UUID(int=self.choose.getrandbits(128), version=4)) for _ in range(4)]
        self.users = [f"user-{n}" for n in range(40)]

    def new_event(self, choose):
        """Makes a new event. Returns its key. Sometimes reuses the id of another tenant: ids are unique only within a tenant."""
        # None from 26 to 33 days ago: "the past month" may or may not include them.
        age = choose.choice([choose.uniform(0.01, 26), choose.uniform(33, 75)])
        if self.bulk and choose.random() < 0.9:
            # In the middle of the month before last.
            age = self.now.day + 45 + choose.uniform(0, 3)
        event = {
            "id": str(uuid.UUID(int=choose.getrandbits(128), version=4)),
            "tenant_id": choose.choice([*self.tenants, NO_TENANT]),
            "env_id": choose.choice([1, 1, 2]),
            "type": choose.choice(KINDS),
            "occurred_at": f"{self.now - timedelta(days=age):%Y-%m-%dT%H:%M:%SZ}",
            "user_id": choose.choice(self.users),
        }
        if event["type"] in ("page_load", "userinfo"):
            event["page"] = choose.choice(PAGES)
        with self.lock:
            if self.recent and choose.random() < 0.03:
                event["id"] = choose.choice(self.recent)[1]
            key = (event["tenant_id"], event["id"])
            if self.events.setdefault(key, event) is event:
                self.keys.append(key)
            self.recent = self.recent[-199:] + [key]
        return key

    def shared(self, choose, most):
        """Events of recent or current requests of all clients."""
        with self.lock:
            return choose.sample(self.recent, min(most, len(self.recent)))

    def old(self, choose, most):
        """Events of any time: their ids may have left the server's memory, and the server may have started since."""
        with self.lock:
            return choose.sample(self.keys, min(most, len(self.keys)))

    def begin(self, keys):
        """Records a request before it is sent."""
        request = Request(keys)
        with self.lock:
            self.requests.append(request)
        return request

    def sent(self):
        """The requests that may have reached the server."""
        return [request for request in self.requests if request.ended != REFUSED]

    def acknowledged(self):
        """The events of the requests with a response."""
        return set().union(*(request.named() for request in self.requests if request.ended == ANSWERED))


class Client:
    """One client, with a persistent connection or with one per request."""

    def __init__(self, server, ledger, seed, keeps):
        self.server = server
        self.ledger = ledger
        self.choose = random.Random(seed)
        self.keeps = keeps
        self.connection = None
        self.unanswered = []

    def run(self, unavailable):
        """Sends without a pause until no server listens."""
        while True:
            request = self.send(self.next_keys(), unavailable)
            if request.ended != ANSWERED:
                self.unanswered.append(request)
            if request.ended in (REFUSED, SILENT):
                self.close()
                return

    def next_keys(self):
        """The events to send next: mostly new ones, some that other clients also send, some without a response so far."""
        choose = self.choose
        if self.unanswered and choose.random() < 0.3:
            keys = self.unanswered.pop().keys
            keys = choose.choice([keys, keys[: len(keys) // 2 + 1], keys + [self.ledger.new_event(choose)]])
            return keys[:5000]
        size = choose.choice([1_500, 4_900]) if self.ledger.bulk else choose.choices([1, 2, 9, 60, 400, 1500], [50, 15, 15, 12, 7, 1])[0]
        keys = [self.ledger.new_event(choose) for _ in range(size)]
        if choose.random() < 0.3:
            keys += self.ledger.shared(choose, choose.choice([1, 5, 30]))
            choose.shuffle(keys)
            if choose.random() < 0.3:
                keys = keys[-1:]
        if choose.random() < 0.15:
            keys += self.ledger.old(choose, choose.choice([1, 20]))
        if choose.random() < 0.1:
            keys.append(choose.choice([None, keys[0]]))
        return keys

    def send(self, keys, unavailable=False):
        """Sends one request. Returns its outcome. `unavailable`: whether 503 is a valid response."""
        request = self.ledger.begin(keys)
        events = [BAD if key is None else self.ledger.events[key] for key in keys]
        form = "application/json"
        if len(events) == 1 and self.choose.random() < 0.7:
            body = json.dumps(events[0])
        elif self.choose.random() < 0.5:
            body = json.dumps(events)
        else:
            form, body = "application/x-ndjson", "".join(json.dumps(event) + "\n" for event in events)
        headers = {"Authorization": f"Bearer {self.server.admin}", "Content-Type": form}
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=WAIT_SECONDS)
            self.connection.request("POST", "/v1/events", body.encode(), headers)
            response = self.connection.getresponse()
            self.answered(request, response.status, response.read(), unavailable)
        except ConnectionRefusedError:
            request.ended = REFUSED
        except TimeoutError:
            request.ended = SILENT
        except ConnectionError:
            request.ended = CUT
        except http.client.HTTPException:
            request.ended = HALF
        if not self.keeps or request.ended != ANSWERED:
            self.close()
        return request

    def answered(self, request, status, body, unavailable):
        """Records a response. Keeps an invalid one for the checks."""
        if status == 503 and unavailable:
            request.ended = "503"
            return
        statuses = [one["status"] for one in json.loads(body)["results"]] if status == 200 else []
        fits = len(statuses) == len(request.keys) and all(
            status == "refused" if key is None else status in ("stored", "known")
            for key, status in zip(request.keys, statuses)
        )
        if not fits:
            self.ledger.odd.append((status, len(request.keys), body[:300]))
            request.ended = f"answered {status}"
            return
        request.statuses = statuses
        request.ended = ANSWERED

    def close(self):
        """Closes the connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class SlowRequest:
    """A request whose second half is sent after SIGTERM."""

    def __init__(self, server, ledger):
        self.ledger = ledger
        self.request = ledger.begin([ledger.new_event(ledger.choose)])
        self.body = json.dumps(ledger.events[self.request.keys[0]]).encode()
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_SECONDS)

    def begin(self):
        """Sends the head and half of the body."""
        self.connection.putrequest("POST", "/v1/events")
        headers = {"Authorization": f"Bearer {self.server.admin}", "Content-Type": "application/json"}
        for name, value in (headers | {"Content-Length": str(len(self.body))}).items():
            self.connection.putheader(name, value)
        self.connection.endheaders(self.body[: len(self.body) // 2])

    def finish(self):
        """Sends the rest and reads the response."""
        try:
            self.connection.send(self.body[len(self.body) // 2:])
            response = self.connection.getresponse()
            answer = json.loads(response.read())
            if response.status == 200:
                self.request.statuses = [one["status"] for one in answer["results"]]
            self.request.ended = ANSWERED if response.status == 200 else f"answered {response.status}"
        except (OSError, http.client.HTTPException) as error:
            self.request.ended = f"{CUT}: {error!r}"
        finally:
            self.connection.close()


def as_row(event):
    """An event in the form of its row, as the databases' clients print it."""
    seconds = int(datetime.fromisoformat(event["occurred_at"].replace("Z", "+00:00")).timestamp())
    return str(event["env_id"]), event["type"], str(seconds), event["user_id"], event.get("page", "")
