"""foveal cache: what is kept on this computer, as a list, more of it, less of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from support.hub import COMMIT, Hub, serving
from support.models import light_or_dark
from support.weights_files import SMALL, numbers, shapes_of, write

from foveal.cli import main, progress
from foveal.zoo import ENTRIES

NOON = time.mktime((2026, 11, 21, 12, 0, 0, 0, 0, -1))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(Hub({"timm/resnet18.tv_in1k": bytes(300_000)})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield hub
        huggingface_hub.close_session()


def put(folder: Path, **sizes: int) -> None:
    """Files in the cache, written on one noon; `_` stands for the slash, `__` for the dot."""
    for place, size in sizes.items():
        path = folder / place.replace("__", ".").replace("_", "/", 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
        os.utime(path, (NOON, NOON))


def test_an_empty_cache(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache"]) == 0
    assert capsys.readouterr() == (f"nothing in {folder}\n", "")
    assert not folder.exists()


def test_the_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(
        folder,
        hub_resnet18__safetensors=3_000_000,
        hub_resnet34__0123456789abcdef__part=1000,
        weights_cats__safetensors=2048,
        features_0a1b__safetensors=5_000,
    )
    (folder / "hub" / "resnet18.origin").write_text("timm/resnet18.tv_in1k@0123456789ab")
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == (
        "Name       What         Size         Written      From\n"
        "cats       model        2.0 KiB      2026-11-21\n"
        "resnet18   weights      2.9 MiB      2026-11-21   timm/resnet18.tv_in1k@0123456789ab\n"
        "resnet34   unfinished   1000 bytes   2026-11-21\n"
        "0a1b       features     4.9 KiB      2026-11-21\n"
        f"\n4 things, 2.9 MiB, in {folder}\n"
    )


@pytest.mark.parametrize("arguments", [["cache", "--json"], ["cache", "add", "resnet18", "--json"],
                                       ["cache", "--json", "add", "resnet18"]])  # fmt: skip
def test_json(arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, hub_resnet18__safetensors=30)
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == {
        "folder": str(folder),
        "bytes": 30,
        "things": [
            {
                "name": "resnet18",
                "what": "weights",
                "path": str(folder / "hub" / "resnet18.safetensors"),
                "bytes": 30,
                "when": NOON,
                "origin": "",
            }
        ],
    }


def test_adding_weights_finds_out_which(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "some.safetensors", numbers(shapes_of(SMALL, "keras")))
    assert main(["cache", "add", str(file)]) == 0
    heading, row, _, sum_line = capsys.readouterr().out.splitlines()
    assert heading.split() == ["Name", "What", "Size", "Written", "From"]
    assert row.split()[:4] == [SMALL, "weights", "6.5", "MiB"]
    assert row.split()[-1] == str(file)
    assert sum_line == f"1 thing, 6.5 MiB, in {folder}"
    assert main(["zoo"]) == 0
    (listed,) = (line for line in capsys.readouterr().out.splitlines() if "(cached)" in line)
    assert listed.startswith(f"{SMALL} ")
    assert listed.endswith(" convert (cached)")


def test_adding_weights_for_another_net_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "some.safetensors", numbers(shapes_of(SMALL, "keras")))
    assert main(["cache", "add", str(file), "--net", "mobilenet_v2_140"]) == 2
    assert "does not fit mobilenet_v2_140" in capsys.readouterr().err.splitlines()[0]
    assert not folder.exists()


def test_adding_a_model_of_ones_own(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    light_or_dark().save(tmp_path / "shades.safetensors")
    assert main(["cache", "add", str(tmp_path / "shades.safetensors")]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("shades   model ")


def test_adding_by_name_fetches(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "add", "resnet18"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].endswith(f"   timm/resnet18.tv_in1k@{COMMIT[:12]}")
    assert err == ""  # nobody watches
    assert main(["cache", "add", "resnet18"]) == 0
    assert len(hub.gets()) == 1


def test_a_bar_while_it_is_fetched(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, float, str]] = []
    monkeypatch.setattr(progress.Bar, "show", lambda bar, *what: shown.append(what))
    assert main(["cache", "add", "resnet18"]) == 0
    assert shown[0] == ("resnet18", 0.0, "0 bytes of 293.0 KiB")
    assert shown[-1] == ("resnet18", 1.0, "293.0 KiB of 293.0 KiB, a second left")


def test_what_is_neither_a_file_nor_a_net(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "add", "resnet_18"]) == 2
    assert capsys.readouterr().err == (
        "SpecError: resnet_18: is neither a file nor a net of the zoo\n"
        "  fix:      did you mean 'resnet18'?\n"
    )


def test_clearing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, hub_resnet18__safetensors=10, weights_cats__safetensors=20)
    assert main(["cache", "clear", "cats"]) == 0
    assert capsys.readouterr().out == (
        "Name   What    Size       Written      From\n"
        "cats   model   20 bytes   2026-11-21\n"
        f"\n1 thing, 20 bytes, removed from {folder}\n"
    )
    assert main(["cache", "clear", "--all"]) == 0
    assert main(["cache"]) == 0
    assert capsys.readouterr().out.endswith(f"nothing in {folder}\n")


@pytest.mark.parametrize("arguments", [[], ["--all", "resnet18"]], ids=["neither", "both"])
def test_clearing_wants_names_or_all(
    arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder, hub_resnet18__safetensors=10)
    assert main(["cache", "clear", *arguments]) == 2
    assert capsys.readouterr().err == (
        "SpecError: clear: what is to go?\n  fix:      foveal cache clear NAME, or --all\n"
    )
    assert (folder / "hub" / "resnet18.safetensors").exists()


def test_clearing_what_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "clear", "cats"]) == 2
    assert capsys.readouterr() == ("", "SpecError: cats: is not in the cache\n")


def test_offline_says_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "resnet18" in ENTRIES
    assert main(["cache", "add", "resnet18"]) == 3
    assert capsys.readouterr().err == (
        "MachineError: timm/resnet18.tv_in1k: is not fetched, because HF_HUB_OFFLINE is set\n"
        "  fix:      unset HF_HUB_OFFLINE; or fetch https://huggingface.co/timm/resnet18.tv_in1k/"
        "resolve/main/model.safetensors\n"
        "            elsewhere and give it to foveal cache add FILE\n"
    )
