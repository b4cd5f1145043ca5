"""foveal zoo: what it lists is what the arithmetic says, and what it writes out is the net."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from support.weights_files import SMALL, numbers, shapes_of, write

from foveal.cli import main
from foveal.net.arithmetic import arithmetic
from foveal.net.notation import parse
from foveal.zoo import ENTRIES

NAMES = sorted(ENTRIES)


@pytest.mark.parametrize("name", NAMES)
def test_the_stated_parameters_are_those_of_the_arithmetic(name: str) -> None:
    entry = ENTRIES[name]
    net = entry.build(entry.input, entry.num_classes)
    assert arithmetic(net.bind(entry.input)).parameters == entry.parameters


@pytest.mark.parametrize("name", NAMES)
def test_a_net_that_is_written_out_is_the_net(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = ENTRIES[name]
    assert main(["zoo", name]) == 0
    page = capsys.readouterr().out
    assert parse(page) == entry.build(entry.input, entry.num_classes)
    assert page.startswith(f"# {name}: {entry.about}\n# {entry.source}; published: ")


@pytest.fixture(scope="module")
def listed() -> dict[str, dict]:
    """What the list says of each net, as JSON."""
    with redirect_stdout(io.StringIO()) as out:
        assert main(["zoo", "--json"]) == 0
    return json.loads(out.getvalue())["nets"]


@pytest.mark.parametrize("name", NAMES)
def test_json_of_one_net_is_its_part_of_the_list(
    name: str, listed: dict[str, dict], capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(listed) == list(ENTRIES)
    assert main(["zoo", name, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == listed[name]
    assert facts["parameters"] == ENTRIES[name].parameters


def test_the_list_has_a_line_for_each_net(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo"]) == 0
    table, _, sources = capsys.readouterr().out.partition("\n\n")
    heading, rule, *lines = table.splitlines()
    assert heading.startswith("Name ")
    assert set(rule) == {"─"}
    assert [line.split()[0] for line in lines] == list(ENTRIES)
    for line, entry in zip(sources.splitlines(), ENTRIES.values(), strict=True):
        published = f"{entry.accuracy}, " if entry.accuracy else ""
        assert line.endswith(f"   {published}{entry.source}")


def test_lenet5_as_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "lenet5", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    # of the five layers with weights, by hand
    assert facts["macs"] == 117_600 + 240_000 + 48_000 + 10_080 + 840
    assert facts["receptive_field"] == [32, 32]
    assert facts["accuracy"] == "99.05 % (MNIST)"


def test_an_unknown_net_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "lenet"]) == 2
    assert capsys.readouterr() == (
        "",
        "SpecError: lenet: is not in the zoo\n  fix:      did you mean 'lenet5'?\n",
    )


def test_what_is_written_out_can_be_read_as_a_net_file(
    run_foveal: Callable, tmp_path: Path
) -> None:
    page = run_foveal("zoo", "lenet5")
    assert (page.returncode, page.stderr) == (0, "")
    assert parse(page.stdout).bind((1, 32, 32)).result_shapes() == {"": (10,)}


def test_where_weights_are_from_and_whether_they_are_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path))
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "resnet18.safetensors").write_bytes(b"")
    assert main(["zoo"]) == 0
    heading, _, *rest = capsys.readouterr().out.splitlines()
    told = {line.split()[0]: line.split("iB")[-1].split() for line in rest[: len(ENTRIES)]}
    assert heading.endswith("   Weights")
    assert told["resnet18"] == ["hub", "(cached)"]
    assert told["resnet34"] == ["hub"]
    assert told["alexnet"] == ["convert"]
    assert told["lenet5"] == ["none"]
    assert told["quick"] == ["own:", "digit_reader"]
    assert main(["zoo", "resnet18", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["weights"], facts["cached"]) == ("hub", True)
    assert (facts["repository"], facts["model"]) == ("timm/resnet18.tv_in1k", None)


def test_the_word_net_and_the_place_of_json_are_free(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for words in ("lenet5 --json", "--json lenet5", "net lenet5 --json", "--json net lenet5"):
        assert main(["zoo", *words.split()]) == 0
        said.append(capsys.readouterr().out)
    assert len(set(said)) == 1


@pytest.mark.parametrize("name", [name for name in NAMES if ENTRIES[name].published])
def test_names_of_tensors(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", name, "--names", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["tensors"]
    entry = ENTRIES[name]
    tensors = entry.build(entry.input, entry.num_classes).bind(entry.input).tensors()
    assert {row["path"]: tuple(row["shape"]) for row in rows} == {
        path: tensor.shape for path, tensor in tensors.items()
    }
    for one in entry.published:
        assert len({row[one.by] for row in rows}) == len(rows)


def test_names_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "alexnet", "--names"]) == 0
    heading, first, *_, last = capsys.readouterr().out.splitlines()
    assert heading.split() == ["path", "shape", *(one.by for one in ENTRIES["alexnet"].published)]
    assert first.split()[:3] == ["conv1.weight", "64x3x11x11", "features.0.weight"]
    assert last.split()[:3] == ["dense3.bias", "1000", "classifier.6.bias"]


def test_a_net_without_weights_has_no_other_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "lenet5", "--names"]) == 2
    assert capsys.readouterr().err == (
        "SpecError: lenet5: has no published weights, so no other names\n"
    )


def test_converting_says_which_net_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = write(tmp_path / "made.safetensors", numbers(shapes_of(SMALL, "torchvision")))

    def convert(path: Path, output: Path) -> None:
        assert path == tmp_path / "small.pth"
        weights.rename(output)

    monkeypatch.setattr("foveal.model.conversion.convert", convert)
    assert main(["zoo", "convert", str(tmp_path / "small.pth")]) == 0
    target = tmp_path / "small.safetensors"
    assert capsys.readouterr().out == (
        f"written {target} (6.5 MiB)\nit is for {SMALL}; to use it: foveal cache add {target}\n"
    )


def test_converting_what_no_net_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {"strange": np.zeros(250, np.float32)}
    monkeypatch.setattr("foveal.model.conversion.convert", lambda _, output: write(output, odd))
    target = tmp_path / "mine.safetensors"
    assert main(["zoo", "convert", "odd.pth", "-o", str(target)]) == 0
    first, second, third, *_ = capsys.readouterr().out.splitlines()
    assert first == f"written {target} (1.1 KiB)"
    assert second == "but it cannot be used as it is:"
    assert third == f"{target}: fits no net of the zoo"


class Malicious:
    def __reduce__(self) -> tuple[Callable, tuple[str]]:
        return os.system, ("echo run > trace",)


def test_converting_a_malicious_file(run_foveal: Callable, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(3), "b": Malicious()}, tmp_path / "bad.pth")
    run = run_foveal("zoo", "convert", "bad.pth")
    assert (run.returncode, run.stdout) == (2, "")
    asked = f"{os.system.__module__}.system"
    assert run.stderr == (
        f"ModelFileError: bad.pth: asks for {asked}, and was read no further\n"
        "  expected: nothing but tensors and their names\n"
        "  fix:      where it was made: torch.save(model.state_dict(), FILE)\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["bad.pth"]
