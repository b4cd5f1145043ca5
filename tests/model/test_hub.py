"""Weights from a hub and the cache: whole and checked, or a sentence and nothing."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import huggingface_hub
import pytest
from support.disks import on_a_small_disk, refuse_windows
from support.hub import COMMIT, Hub, serving

from foveal.errors import FovealError, MachineError, ModelFileError, SpecError
from foveal.model import hub as weights

REPOSITORY = "timm/resnet18.tv_in1k"
CONTENT = random.Random(1).randbytes(600_000)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has one file, and is the one that is asked."""
    with serving(Hub({REPOSITORY: CONTENT})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield hub
        huggingface_hub.close_session()


def refusal(name: str = "resnet18") -> FovealError:
    with pytest.raises(FovealError) as caught:
        weights.fetch(name)
    return caught.value


def lying(folder: Path) -> list[str]:
    """What is in the cache, without locks and notes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if path.suffix not in (".lock", ".origin"))


def by_hand(hub: Hub) -> str:
    return (
        f"fetch {hub.url}/{REPOSITORY}/resolve/main/model.safetensors\n"
        "            elsewhere and give it to foveal cache add FILE"
    )


def test_what_is_fetched_is_the_file_and_is_fetched_once(hub: Hub, folder: Path) -> None:
    assert weights.cached("resnet18") is None
    path = weights.fetch("resnet18")
    assert path == folder / "hub" / "resnet18.safetensors" == weights.cached("resnet18")
    assert path.read_bytes() == CONTENT
    assert hub.asked == [("HEAD", ""), ("GET", "")]
    assert weights.fetch("resnet18") == path
    assert len(hub.asked) == 2
    (kept,) = weights.listing()
    assert (kept.name, kept.what, kept.bytes) == ("resnet18", "weights", len(CONTENT))
    assert kept.origin == f"{REPOSITORY}@{COMMIT[:12]}" == weights.origin(path)


def test_nothing_is_told_of_this_machine(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    weights.fetch("resnet18")
    for headers in hub.headers:
        assert not {"authorization", "cookie"} & set(headers)
        assert "torch" not in headers["user-agent"]


def test_progress_goes_from_nothing_to_all(hub: Hub) -> None:
    told: list[tuple[int, int]] = []
    weights.fetch("resnet18", lambda done, total: told.append((done, total)))
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


def test_a_broken_connection_is_taken_up_again(hub: Hub, capfd: pytest.CaptureFixture) -> None:
    hub.breaks = [250_000, 100_000]
    assert weights.fetch("resnet18").read_bytes() == CONTENT
    assert hub.gets() == ["", "bytes=250000-", "bytes=350000-"]
    assert capfd.readouterr() == ("", "")


def test_an_interrupted_download_goes_on_from_there(hub: Hub, folder: Path) -> None:
    hub.breaks = [250_000, 0]
    error = refusal()
    assert isinstance(error, MachineError)
    problem, arrives, *fix = str(error).split("\n")
    assert problem == f"{REPOSITORY}: the connection broke after 250,000 of 600,000 bytes"
    assert arrives.startswith("  arrives:  peer closed connection")
    assert "\n".join(fix) == (
        f"  fix:      run it once more, and it goes on from there; or {by_hand(hub)}"
    )
    assert weights.cached("resnet18") is None
    (part,) = weights.listing()
    assert (part.name, part.what, part.bytes) == ("resnet18", "unfinished", 250_000)

    told: list[int] = []
    weights.fetch("resnet18", lambda done, total: told.append(done))
    assert told[0] == 250_000
    assert hub.gets()[-1] == "bytes=250000-"
    assert lying(folder) == ["resnet18.safetensors"]


def test_a_hub_without_ranges_begins_again(hub: Hub) -> None:
    hub.breaks, hub.knows_ranges = [250_000], False
    assert weights.fetch("resnet18").read_bytes() == CONTENT


def test_a_hub_without_ranges_that_always_breaks_is_given_up(hub: Hub) -> None:
    hub.breaks, hub.knows_ranges = [250_000] * 9, False
    assert refusal().problem == "the connection broke after 250,000 of 600,000 bytes"
    assert len(hub.gets()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_a_killed_process_leaves_nothing_half_and_the_next_goes_on(hub: Hub, folder: Path) -> None:
    hub.holds = Event()
    command = [sys.executable, "-m", "foveal", "cache", "add", "resnet18"]
    with subprocess.Popen(command, env={**os.environ, "HF_HUB_OFFLINE": "0"}) as process:
        while not sum(one.bytes for one in weights.listing()):
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert weights.cached("resnet18") is None
    hub.holds.set()
    assert weights.fetch("resnet18").read_bytes() == CONTENT
    assert hub.gets()[-1].startswith("bytes=")


def test_a_second_one_waits_for_the_first(hub: Hub) -> None:
    hub.holds = Event()
    threads = [Thread(target=weights.fetch, args=("resnet18",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    while hub.asked.count(("HEAD", "")) < 2 or not hub.gets():
        time.sleep(0.01)
    hub.holds.set()
    for thread in threads:
        thread.join()
    assert hub.gets() == [""]
    assert weights.fetch("resnet18").read_bytes() == CONTENT


def test_the_bytes_may_lie_elsewhere(hub: Hub) -> None:
    with serving(Hub({REPOSITORY: CONTENT})) as other:
        hub.elsewhere = other.url
        other.breaks = [1000]
        assert weights.fetch("resnet18").read_bytes() == CONTENT
        assert hub.asked == [("HEAD", ""), ("GET", ""), ("GET", "bytes=1000-")]
        assert other.asked == [("GET", ""), ("GET", "bytes=1000-")]


def test_a_repository_may_have_another_name_now(hub: Hub) -> None:
    hub.files, hub.moved = {"timm/other": CONTENT}, {REPOSITORY: "timm/other"}
    assert weights.fetch("resnet18").read_bytes() == CONTENT


def test_other_bytes_than_announced_are_removed(hub: Hub, folder: Path) -> None:
    hub.said = {"X-Linked-Etag": "0" * 64}
    error = refusal()
    assert isinstance(error, ModelFileError)
    assert str(error) == (
        f"{REPOSITORY}: other bytes came than the hub announced; they are removed\n"
        f"  arrives:  SHA-256 {hashlib.sha256(CONTENT).hexdigest()}\n"
        f"  expected: SHA-256 {'0' * 64}\n"
        "  fix:      run it once more"
    )
    assert lying(folder) == []


def test_more_bytes_than_announced_are_not_taken(hub: Hub, folder: Path) -> None:
    hub.said = {"X-Linked-Size": "1000"}
    assert refusal().problem.startswith("other bytes came than the hub announced")
    assert lying(folder) == []


@pytest.mark.parametrize(
    ("said", "arrives"),
    [
        ({"X-Linked-Etag": '"abc"'}, f"digest 'abc', size '600000', commit '{COMMIT}'"),
        ({"X-Linked-Etag": ""}, f"digest '', size '600000', commit '{COMMIT}'"),
        (
            {"X-Linked-Etag": "0" * 64, "X-Linked-Size": ""},
            f"digest '{'0' * 64}', size '', commit '{COMMIT}'",
        ),
        (
            {"X-Linked-Etag": "0" * 64, "X-Linked-Size": "-1", "X-Repo-Commit": ""},
            f"digest '{'0' * 64}', size '-1', commit ''",
        ),
    ],
    ids=["digest", "no digest", "no size", "no commit"],
)
def test_a_hub_must_say_what_it_has(said: dict[str, str], arrives: str, hub: Hub) -> None:
    hub.said = said
    assert str(refusal()) == (
        f"{REPOSITORY}: the hub does not say which file it has, so that nothing could be checked\n"
        f"  arrives:  {arrives}\n"
        "  expected: the SHA-256 digest of the file, its size in bytes and its commit\n"
        f"  fix:      {by_hand(hub)}"
    )
    assert hub.gets() == []


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (401, "the hub has no such repository, or shows it to members only"),
        (403, "the hub does not hand it out"),
        (404, "the hub has no such file"),
        (429, "the hub asks for a pause"),
        (500, "the hub answers with an error"),
    ],
)
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_refusals_of_the_hub(
    method: str, status: int, problem: str, hub: Hub, folder: Path
) -> None:
    hub.status = {method: status}
    error = refusal()
    assert isinstance(error, MachineError)
    assert str(error) == (
        f"{REPOSITORY}: {problem}\n  arrives:  HTTP {status}\n"
        f"  fix:      run it once more later; or {by_hand(hub)}"
    )
    assert weights.cached("resnet18") is None


def test_a_hub_that_sends_in_circles(hub: Hub) -> None:
    hub.moved = {REPOSITORY: REPOSITORY}
    assert refusal().arrives == "digest '', size '', commit ''"


def test_without_a_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = Hub({})
    with serving(nobody):
        pass
    monkeypatch.setenv("HF_ENDPOINT", nobody.url)
    error = refusal()
    assert isinstance(error, MachineError)
    assert str(error) == (
        f"{REPOSITORY}: the hub cannot be reached\n"
        f"  arrives:  [Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}\n"
        f"  fix:      connect to the network; or {by_hand(nobody)}"
    )


def test_offline_asks_nobody(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    error = refusal()
    assert isinstance(error, MachineError)
    assert str(error) == (
        f"{REPOSITORY}: is not fetched, because HF_HUB_OFFLINE is set\n"
        f"  fix:      unset HF_HUB_OFFLINE; or {by_hand(hub)}"
    )
    assert hub.asked == []


def test_without_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert str(refusal()) == (
        "fetching published weights needs the extra 'zoo'\n  fix:      pip install 'foveal[zoo]'"
    )


def test_a_full_disk_is_noticed_before(hub: Hub, tmp_path: Path) -> None:
    refuse_windows()
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (
        f"import os; os.environ.update(FOVEAL_CACHE={str(disk)!r}, HF_HUB_OFFLINE='0')\n"
        "from foveal.cli import main; raise SystemExit(main(['cache', 'add', 'resnet18']))"
    )
    run = on_a_small_disk(disk, "400k", [sys.executable, "-c", script], tmp_path)
    problem, arrives, *rest = run.stderr.splitlines()
    assert problem == f"MachineError: {disk}/hub: the disk has no room for the weights"
    assert arrives.endswith(" bytes free")
    assert rest == [
        "  expected: 600,000 bytes",
        "  fix:      free some of that disk, or set FOVEAL_CACHE to a folder on another",
    ]
    assert run.returncode == 3


def test_a_disk_that_refuses_in_between(hub: Hub, folder: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        error = refusal()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert isinstance(error, MachineError)
    assert str(error) == (
        f"{folder / 'hub'}: cannot be written: {os.strerror(errno.EFBIG)}\n"
        "  fix:      free some of that disk, or set FOVEAL_CACHE to a folder on another"
    )
    assert weights.fetch("resnet18").read_bytes() == CONTENT


def test_a_cache_that_cannot_be(hub: Hub, folder: Path) -> None:
    folder.write_text("in the way")
    assert str(refusal()) == (
        f"{folder / 'hub'}: cannot be written: {os.strerror(errno.ENOTDIR)}\n"
        "  fix:      free some of that disk, or set FOVEAL_CACHE to a folder on another"
    )


NOWHERE = [
    ("lenett5", "lenett5: is not in the zoo\n  fix:      did you mean 'lenet5'?"),
    (
        "lenet5",
        "lenet5: nobody published weights for it\n  fix:      foveal train photos/ --net lenet5",
    ),
    (
        "alexnet",
        "alexnet: no hub has its weights as safetensors\n"
        "  fix:      give a file of them: foveal cache add FILE.safetensors\n"
        "            (made of a .pth by foveal zoo convert FILE.pth)",
    ),
]


@pytest.mark.parametrize(("name", "sentence"), NOWHERE, ids=[name for name, _ in NOWHERE])
def test_what_no_hub_has(name: str, sentence: str, hub: Hub) -> None:
    error = refusal(name)
    assert isinstance(error, SpecError)
    assert str(error) == sentence
    assert hub.asked == []
