"""A hub on this machine that hands out one file per repository, well or badly."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

COMMIT = "c0ffee" + "0" * 34


@dataclass
class Hub:
    """What the hub has, how it misbehaves, and what it was asked."""

    files: dict[str, bytes]
    """By repository."""
    url: str = ""
    said: dict[str, str] = field(default_factory=dict)
    """Headers that are said instead of the true ones; an empty one is left out."""
    status: dict[str, int] = field(default_factory=dict)
    """By method: what is answered instead of the file."""
    breaks: list[int] = field(default_factory=list)
    """After how many bytes the next answers break off."""
    holds: Event | None = None
    """What is waited for after half of the bytes."""
    knows_ranges: bool = True
    elsewhere: str = ""
    """Another hub, that has the bytes."""
    moved: dict[str, str] = field(default_factory=dict)
    """By repository: what it is called now."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and Range of every request."""
    headers: list[dict[str, str]] = field(default_factory=list)

    def gets(self) -> list[str]:
        """The ranges of the requests for bytes."""
        return [asked for method, asked in self.asked if method == "GET"]


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
            wanted = self.headers.get("Range", "")
            hub.asked.append((self.command, wanted))
            hub.headers.append({name.lower(): value for name, value in self.headers.items()})
            repository, _, rest = self.path.removeprefix("/").partition("/resolve/")
            content = hub.files.get(repository)
            if repository in hub.moved:
                self.begin(307, {"Location": f"/{hub.moved[repository]}/resolve/{rest}"})
            elif content is None or self.command in hub.status:
                self.begin(hub.status.get(self.command, 401), {})
            elif hub.elsewhere:
                location = f"{hub.elsewhere}{self.path}"
                self.begin(302, {**announced(content, hub), "Location": location})
            else:
                start = int(wanted.removeprefix("bytes=").rstrip("-") or 0) * hub.knows_ranges
                self.hand_out(content, start)

        def hand_out(self, content: bytes, start: int) -> None:
            said = announced(content, hub)
            if start:
                said["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.begin(206 if start else 200, said, len(content) - start)
            if self.command == "HEAD":
                return
            rest = memoryview(content)[start:]
            if hub.breaks:
                rest = rest[: hub.breaks.pop(0)]
                self.close_connection = True
            if hub.holds:
                half = len(rest) // 2
                self.wfile.write(rest[:half])
                hub.holds.wait()
                rest = rest[half:]
            self.wfile.write(rest)

        def begin(self, status: int, headers: dict[str, str], length: int = 0) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(length)}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    return Handler


def announced(content: bytes, hub: Hub) -> dict[str, str]:
    """What a hub says of a file, with the digest of its content as huggingface.co writes it."""
    true = {
        "ETag": '"of-the-pointer"',
        "X-Repo-Commit": COMMIT,
        "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
        "X-Linked-Size": str(len(content)),
    }
    return {name: value for name, value in {**true, **hub.said}.items() if value}
