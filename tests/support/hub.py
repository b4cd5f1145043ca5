"""A hub on this machine that hands out one file per repository, well or badly."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

COMMIT = "c0ffee" + "0" * 34


@dataclass
class Hub:
    """What the hub has, how it misbehaves, and what it was asked."""

    files: dict[str, bytes]
    """By repository."""
    url: str = ""
    digest: str | None = None
    """Announced instead of the true one."""
    status: dict[str, int] = field(default_factory=dict)
    """By method: what is answered instead of the file."""
    breaks: list[int] = field(default_factory=list)
    """After how many bytes the next answers break off."""
    knows_ranges: bool = True
    says_size: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and Range of every request."""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub, reachable under its `url` until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            asked = self.headers.get("Range", "")
            hub.asked.append((self.command, asked))
            repository = self.path.removeprefix("/").partition("/resolve/")[0]
            content = hub.files.get(repository)
            status = hub.status.get(self.command, 200 if content is not None else 401)
            if content is None or status != 200:
                self.send_response(status)
                if status == 401:
                    self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(asked.removeprefix("bytes=").rstrip("-") or 0) if hub.knows_ranges else 0
            self.send_response(206 if start else 200)
            digest = hub.digest if hub.digest is not None else hashlib.sha256(content).hexdigest()
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", '"pointer"')
            self.send_header("X-Linked-Etag", f'"{digest}"')
            if hub.says_size:
                self.send_header("X-Linked-Size", str(len(content)))
                self.send_header("Content-Length", str(len(content) - start))
            if start:
                last = len(content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
            self.end_headers()
            if self.command == "GET":
                self.send(content[start:])

        def send(self, content: bytes) -> None:
            if hub.breaks:
                content = content[: hub.breaks.pop(0)]
                self.close_connection = True
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    return Handler
