"""foveal bench: what is measured, how it is told, and with what it is compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from foveal.bench import MEASURES, Figure, Recorded, measures
from foveal.bench.record import machines
from foveal.cli import bench, main
from foveal.engines.pytorch import peak

SLOW = Recorded("a slow one", "2026-01-31", {"torch": "2.8"}, {"fast": 50.0, "wait": 8.0})
HERE = {
    "date": "2026-02-28",
    "processor": "P",
    "device": "CPU, 2 threads",
    "precision": "float32",
    "versions": {},
}


def fast() -> Iterator[Figure]:
    yield Figure("fast", "products", "GFLOP/s", (90.0, 100.0, 1234.5))


def wait() -> Iterator[Figure]:
    yield Figure("wait", "a training", "s", (2.0,), "less")
    yield Figure("right", "right of 9 others", "%", (98.765,), "")


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two measures that cost nothing, and one machine to compare with."""
    monkeypatch.setattr(measures, "MEASURES", {"fast": fast, "wait": wait})
    monkeypatch.setattr("foveal.bench.machines", lambda: (SLOW,))
    monkeypatch.setattr(bench, "_here", lambda: dict(HERE))


@pytest.mark.usefixtures("made_up")
def test_a_table_compares_with_machines_that_were_recorded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bench"]) == 0
    assert (
        capsys.readouterr().out
        == """P, CPU, 2 threads, float32

                                                    median               range    n      [1]
products                                       100 GFLOP/s          90 – 1,234    3    2.00×
a training                                             2 s                        1    4.00×
  right of 9 others                                 98.8 %                        1

so many times as fast as:
[1] a slow one (2026-01-31: torch 2.8)
"""
    )


@pytest.mark.usefixtures("made_up")
def test_json_has_every_value_and_names_choose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "wait", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == HERE | {
        "figures": {
            "wait": {
                **{"what": "a training", "unit": "s", "n": 1, "median": 2.0},
                **{"range": [2.0, 2.0], "values": [2.0]},
            },
            "right": {
                **{"what": "right of 9 others", "unit": "%", "n": 1, "median": 98.765},
                **{"range": [98.765, 98.765], "values": [98.765]},
            },
        },
        "times_as_fast_as": {"a slow one": {"wait": 4.0}},
    }


@pytest.mark.usefixtures("made_up")
def test_what_json_says_of_one_machine_is_a_record_to_compare_others_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--json"]) == 0
    (tmp_path / "record.jsonl").write_text(capsys.readouterr().out, encoding="utf-8")
    monkeypatch.setattr("foveal.bench.record.RECORD", tmp_path / "record.jsonl")
    assert machines() == (
        Recorded(
            "P, CPU, 2 threads, float32",
            "2026-02-28",
            {},
            {"fast": 100.0, "wait": 2.0, "right": 98.765},
        ),
    )


def test_with_no_record_there_is_nothing_to_compare_with(
    made_up: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("foveal.bench.machines", lambda: ())
    assert main(["bench", "fast"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "products                                       100 GFLOP/s          90 – 1,234    3"
    )


def test_an_unknown_measure_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "matrx"]) == 2
    assert capsys.readouterr() == (
        "",
        "SpecError: matrx: is no measure\n  fix:      did you mean 'matrix'?\n",
    )


def test_without_pytorch_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "find_spec", lambda name: None)
    assert main(["bench"]) == 2
    assert capsys.readouterr().err == (
        "MissingExtra: benchmarking needs the extra 'train'\n"
        "  fix:      pip install 'foveal[train]'\n"
    )


def test_every_recorded_machine_was_measured_with_todays_measures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measures, "NETS", {"quick": ((1, 28, 28), 4, 1)})
    monkeypatch.setattr(measures, "PREDICTIONS", 3)
    monkeypatch.setattr(peak, "SIDES", {"cpu": 16, "cuda": 16})
    brief = [MEASURES[name] for name in ("matrix", "training", "predict")]
    found = {figure.name: figure for measure in brief for figure in measure()}
    precisions = {name for name in found if name.startswith("matrix_")}
    assert "matrix_float32" in precisions
    assert set(found) - precisions == {"train_quick", "predict"}
    assert {name: len(figure.values) for name, figure in found.items()} == {
        **dict.fromkeys(precisions, 10),
        "train_quick": 5,
        "predict": 3,
    }
    assert all(value > 0 for figure in found.values() for value in figure.values)
    known = {"matrix_bfloat16", "digits", "digits_right", "train_resnet18", *found}
    for machine in machines():
        assert set(machine.figures) <= known


@pytest.mark.long
def test_a_training_of_the_digits_is_measured() -> None:
    seconds, right = MEASURES["digits"]()
    assert (seconds.name, seconds.better, right.name) == ("digits", "less", "digits_right")
    assert right.median > 95
