"""One file from a hub, wholly or not at all: resumed, and compared with the digest it announces."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import urljoin

from foveal import files
from foveal.errors import MachineError, MissingExtra, ModelFileError

FILE = "model.safetensors"
PART = ".part"
PUBLIC = "https://huggingface.co"
"""Asked unless HF_ENDPOINT names another."""
PATIENCE = (5.0, 20.0, 20.0, 5.0)
"""Seconds to wait for a connection, for bytes, for bytes to go out, and for a free line."""
REDIRECTS = 5
AGAIN = "run it once more"

Progress: TypeAlias = Callable[[int, int], None]
"""Told the bytes that are there and all there will be."""


def download(repository: str, target: Path, progress: Progress | None = None) -> str:
    """Load `model.safetensors` of a repository into `target`, and return the commit it is from.

    What an interruption leaves lies beside the target under another name, and the next call goes
    on from there. The target appears only when all bytes are there, match the SHA-256 digest that
    the hub announced, and are on the disk. A second process waits for the first. Neither a token
    nor anything about this machine is sent.

    Raises: MissingExtra without huggingface_hub; MachineError if the hub cannot be reached or
            refuses, or the disk does; ModelFileError if other bytes came than were announced
    """
    hub = _Hub(repository)
    digest, size, commit = hub.announced()
    part = target.with_name(f"{target.stem}.{digest[:16]}{PART}")
    with writable(target.parent), hub.locked(target):
        if target.exists():  # another process was quicker
            return commit
        with part.open("ab") as file:
            if file.tell() > size:
                _empty(file)
            _make_room(target.parent, size - file.tell())
            hub.send(commit, file, size, progress or (lambda done, total: None))
            os.fsync(file.fileno())
        came = files.sha256(part)
        if came != digest:
            part.unlink()
            raise ModelFileError(
                "other bytes came than the hub announced; they are removed",
                where=repository,
                arrives=f"SHA-256 {came}",
                expected=f"SHA-256 {digest}",
                fix=AGAIN,
            )
        part.replace(target)
    return commit


class _Hub:
    """A repository, asked through the session of huggingface_hub: its proxies and certificates.

    Its own `hf_hub_download` forgets what an interrupted process had loaded, compares sizes but
    no digests, and tells the hub which programs are installed here.
    """

    def __init__(self, repository: str) -> None:
        try:
            from huggingface_hub import constants, errors, get_session
            from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]
        except ImportError as error:
            raise MissingExtra("fetching published weights", extra="zoo") from error
        self._offline = constants.HF_HUB_OFFLINE
        self._broken = (errors.HTTPError, OSError)  # type: ignore[attr-defined]
        self._session, self._lock = get_session(), WeakFileLock
        self._repository = repository

    def announced(self) -> tuple[str, int, str]:
        """The SHA-256 digest of the file, its size in bytes, and the commit it is from."""
        if self._offline:
            raise MachineError(
                "is not fetched, because HF_HUB_OFFLINE is set",
                where=self._repository,
                fix=f"unset HF_HUB_OFFLINE; or {self._by_hand()}",
            )
        try:
            said = self._headers(self._url("main"))
        except self._broken as error:
            raise MachineError(
                "the hub cannot be reached",
                where=self._repository,
                arrives=str(error),
                fix=f"connect to the network; or {self._by_hand()}",
            ) from error
        digest, size, commit = (
            said.get(name, "").strip('"')
            for name in ("X-Linked-Etag", "X-Linked-Size", "X-Repo-Commit")
        )
        if not (re.fullmatch("[0-9a-f]{64}", digest) and size.isdecimal() and commit):
            raise MachineError(
                "the hub does not say which file it has, so that nothing could be checked",
                where=self._repository,
                arrives=f"digest {digest!r}, size {size!r}, commit {commit!r}",
                expected="the SHA-256 digest of the file, its size in bytes and its commit",
                fix=self._by_hand(),
            )
        return digest, int(size), commit

    def send(self, commit: str, file: BinaryIO, size: int, progress: Progress) -> None:
        """Append what is missing of a file, taken up again as long as a connection brings some."""
        url = self._url(commit)
        while file.tell() < size:
            there = file.tell()
            try:
                self._append(url, file, size, progress)
                problem: object = "the hub sent no more"
            except self._broken as error:
                problem = error
            if file.tell() <= there:
                raise MachineError(
                    f"the connection broke after {file.tell():,} of {size:,} bytes",
                    where=self._repository,
                    arrives=str(problem),
                    fix=f"{AGAIN}, and it goes on from there; or {self._by_hand()}",
                )

    def locked(self, target: Path) -> contextlib.AbstractContextManager[object]:
        """Wait until no other process loads this target."""
        return self._lock(target.with_name(f".{target.stem}.lock"))

    def _headers(self, url: str) -> Any:
        """What the hub says of a file, before it sends one on to where the bytes lie."""
        for _ in range(REDIRECTS):
            with self._asked("HEAD", url, {}, follow=False) as response:
                if "X-Linked-Etag" in response.headers or "Location" not in response.headers:
                    return response.headers
                url = urljoin(url, response.headers["Location"])
        return {}

    def _append(self, url: str, file: BinaryIO, size: int, progress: Progress) -> None:
        there = file.tell()
        wanted = {"Range": f"bytes={there}-"} if there else {}
        with self._asked("GET", url, wanted, follow=True) as response:
            if response.status_code != 206:  # it begins at the beginning, whatever was asked
                _empty(file)
            progress(file.tell(), size)
            for block in response.iter_raw():
                with writable(Path(file.name).parent):
                    file.write(block)
                progress(file.tell(), size)
                if file.tell() > size:
                    return

    @contextlib.contextmanager
    def _asked(
        self, method: str, url: str, wanted: Mapping[str, str], *, follow: bool
    ) -> Iterator[Any]:
        headers = {"Accept-Encoding": "identity", **wanted}
        with self._session.stream(
            method, url, headers=headers, timeout=PATIENCE, follow_redirects=follow
        ) as response:
            if response.status_code >= 400:
                raise MachineError(
                    _ANSWERS.get(response.status_code, "the hub answers with an error"),
                    where=self._repository,
                    arrives=f"HTTP {response.status_code}",
                    fix=f"{AGAIN} later; or {self._by_hand()}",
                )
            yield response

    def _url(self, revision: str) -> str:
        endpoint = os.environ.get("HF_ENDPOINT") or PUBLIC
        return f"{endpoint.rstrip('/')}/{self._repository}/resolve/{revision}/{FILE}"

    def _by_hand(self) -> str:
        return f"fetch {self._url('main')}\nelsewhere and give it to foveal cache add FILE"


_ANSWERS = {
    401: "the hub has no such repository, or shows it to members only",
    403: "the hub does not hand it out",
    404: "the hub has no such file",
    429: "the hub asks for a pause",
}
"""What an answer means; an absent repository is a 401 there."""


@contextlib.contextmanager
def writable(folder: Path) -> Iterator[None]:
    """A folder that is made if it is not there; a sentence where the disk refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise MachineError(
            f"cannot be written: {error.strerror or error}", where=str(folder), fix=ANOTHER_DISK
        ) from error


def _empty(file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()


def _make_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise MachineError(
            "the disk has no room for the weights",
            where=str(folder),
            arrives=f"{free:,} bytes free",
            expected=f"{size:,} bytes",
            fix=ANOTHER_DISK,
        )


ANOTHER_DISK = "free some of that disk, or set FOVEAL_CACHE to a folder on another"
