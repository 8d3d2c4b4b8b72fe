"""A receiver of webhooks over TLS, which behaves well or badly, for the check of forwarding streams.

It checks every signature by the published library of Standard Webhooks.
"""

import http.server
import json
import socket
import ssl
import threading
import time

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

# No text of an answer may show anywhere.
ANSWER = b"SECRET-OF-THE-RECEIVER"


class Inbox:
    """What arrives at one path, and how it is answered."""

    def __init__(self):
        self.mode = "accept"
        self.secrets = []
        self.attempts = []
        self.messages = []
        self.odd = []
        self.lock = threading.Lock()

    def events(self):
        """The ids of accepted events, each at its first arrival."""
        with self.lock:
            return list(dict.fromkeys(event["id"] for _, body in self.messages for event in body["data"]["events"]))

    def took(self, headers, body):
        """Checks a message with every secret that must sign it."""
        for secret in self.secrets:
            try:
                Webhook(secret).verify(body, headers)
            except WebhookVerificationError as error:
                self.odd.append((str(error), headers))


class Receiver:
    """The server. It can die, and come back on the same port."""

    def __init__(self, certificate, key):
        self.files = certificate, key
        self.inboxes = {}
        self.server = None
        self.port = None
        self.start()

    def inbox(self, path):
        """The inbox of a path."""
        return self.inboxes.setdefault(path, Inbox())

    def url(self, path):
        """The address of a path."""
        return f"https://127.0.0.1:{self.port}{path}?key=SECRET-OF-THE-URL"

    def start(self):
        """Listens, on the same port as before."""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""

            protocol_version = "HTTP/1.1"
            timeout = 20

            def do_POST(self):  # pylint: disable=invalid-name
                """Answers by the mode of the inbox."""
                receiver.answer(self)

            def do_GET(self):  # pylint: disable=invalid-name
                """A redirect was followed."""
                receiver.inbox("/followed").odd.append(self.path)
                self.send_error(404)

            def log_message(self, *_):
                """Prints nothing."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.files)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port or 0), Handler, bind_and_activate=False)
        self.server.daemon_threads = True
        self.server.allow_reuse_address = True
        self.server.handle_error = lambda *_: None
        self.server.server_bind()
        self.server.server_activate()
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def die(self):
        """Listens no more."""
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request):
        """One request."""
        inbox = self.inbox(request.path.split("?")[0])
        mode, length = inbox.mode, int(request.headers["Content-Length"])
        if mode == "close":
            request.rfile.read(length // 2)
            inbox.attempts.append(request.headers["webhook-id"])
            request.connection.shutdown(socket.SHUT_RDWR)
            request.close_connection = True
            return
        body = request.rfile.read(length)
        headers = {name.lower(): value for name, value in request.headers.items()}
        inbox.took(headers, body)
        inbox.attempts.append(headers["webhook-id"])
        if mode == "slow":
            time.sleep(3)
        status = {"accept": 200, "slow": 200, "refuse": 500, "redirect": 302, "gone": 410}[mode]
        if status == 200:
            with inbox.lock:
                inbox.messages.append((headers, json.loads(body)))
        request.send_response(status)
        if mode == "redirect":
            request.send_header("Location", f"https://127.0.0.1:{self.port}/followed")
        request.send_header("Content-Length", str(len(ANSWER)))
        request.end_headers()
        request.wfile.write(ANSWER)
