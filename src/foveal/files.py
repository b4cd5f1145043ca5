"""Writing files so that a crash, a full disk or a second process never leaves half of one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from foveal.errors import MachineError

if sys.platform != "win32":
    import fcntl

Block = bytes | bytearray | memoryview

TRIES = 3
_MARK = ".foveal-part"
# ENOENT: the temporary file was swept in the instant between its creation and its lock.
_PASSING = (errno.EIO, errno.EAGAIN, errno.EINTR, errno.ENOENT)


def sha256(path: Path) -> str:
    """The SHA-256 digest of a file's content, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_atomically(path: Path, content: Block | Iterable[Block]) -> str:
    """Write a file wholly or not at all, and return the SHA-256 digest of what was written.

    The bytes go to a temporary file in the same folder, are forced to the disk, read back and
    compared, and only then renamed over the old file. A symbolic link at `path` is replaced,
    its target is left alone. Blocks are written as they are, without a copy; they are kept
    until the end because a failed try starts again.

    Raises: MachineError if the disk is full, read-only or failing after three tries; the old
            file is then as it was and the temporary one is gone.
    """
    blocks = [content] if isinstance(content, Block) else list(content)
    size = sum(memoryview(block).nbytes for block in blocks)
    for attempt in range(1, TRIES + 1):
        try:
            return _write_once(path, blocks)
        except OSError as error:
            if attempt == TRIES or error.errno not in _PASSING:
                raise _explain(error, path, size) from error
            time.sleep(0.05 * attempt)
    raise AssertionError("unreachable")


def sweep(folder: Path) -> None:
    """Remove temporary files that an interrupted write left in a folder.

    Those of a process that is still writing are left alone: it holds a lock on them. Where the
    file system knows no locks nothing is removed.
    """
    for part in folder.glob(f".*{_MARK}"):
        remove_unused(part)


def remove_unused(path: Path) -> bool:
    """Remove a file that nobody holds a lock on; whether it is gone.

    Where the file system knows no locks it stays.
    """
    with contextlib.suppress(OSError), path.open("r+b") as file:
        if sys.platform == "win32":
            file.close()
            path.unlink()  # refused by the system while another process has it open
            return True
        if lock(file.fileno()):
            path.unlink()
            return True
    return False


def lock(descriptor: int, *, shared: bool = False) -> bool:
    """Whether a lock could be had: nobody else has one that excludes it, and the system knows them.

    It is held until the file is closed.
    """
    if sys.platform != "win32":
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
    return False


def _write_once(path: Path, blocks: Sequence[Block]) -> str:
    part = path.with_name(f".{os.getpid()}-{os.urandom(4).hex()}{_MARK}")
    digest = hashlib.sha256()
    part.touch(exist_ok=False)
    try:
        with _held(part):
            with part.open("r+b") as file:
                for block in blocks:
                    file.write(block)
                    digest.update(block)
                file.flush()
                os.fsync(file.fileno())
                if sys.platform == "linux":  # so that reading back asks the disk, not the memory
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            if sha256(part) != digest.hexdigest():
                raise OSError(errno.EIO, "what was read back is not what was written")
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return digest.hexdigest()


@contextlib.contextmanager
def _held(part: Path) -> Iterator[None]:
    """Keep a temporary file locked, so that `sweep` in another process leaves it alone."""
    if sys.platform == "win32":
        yield
        return
    with part.open("r+b") as file:
        lock(file.fileno())
        yield


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, on systems where a folder can be synced."""
    if sys.platform == "win32":
        return
    descriptor = None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a folder; a write-only folder cannot be opened.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES):
            raise
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _explain(error: OSError, path: Path, size: int) -> MachineError:
    fixes = {
        getattr(errno, "EDQUOT", -1): f"free {size:,} bytes of your quota, or save elsewhere",
        errno.ENOSPC: f"free {size:,} bytes on that disk, or save elsewhere",
        errno.EROFS: "save to a disk that can be written",
        errno.EACCES: "save to a folder you may write to",
        errno.ENOENT: "make that folder first",
        errno.ENOTDIR: "save to a folder, not into a file",
        errno.EISDIR: "give a file name, not a folder",
        errno.ENAMETOOLONG: "give a shorter name",
    }
    return MachineError(
        f"cannot be saved: {error.strerror or error}",
        where=str(path),
        expected=f"{size:,} bytes to be written",
        fix=fixes.get(error.errno or 0, "see the message of the operating system above"),
    )
