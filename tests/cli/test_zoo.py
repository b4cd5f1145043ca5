"""foveal zoo: what it lists is what the arithmetic says, and what it writes out is the net."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("name", NAMES)
def test_json_of_one_net_is_its_part_of_the_list(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["zoo", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["nets"]
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
