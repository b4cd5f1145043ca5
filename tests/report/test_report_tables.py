import csv
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.errors import MachineError, SpecError
from foveal.report import write_args, write_results_csv, write_wrong_csv


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_wrong_csv_has_a_row_per_mistake_worst_first(tmp_path, evaluation):
    write_wrong_csv(tmp_path / "wrong.csv", evaluation(mistakes=2))
    header, first, second = rows(tmp_path / "wrong.csv")
    assert header == ["file", "truth", "answer", "probability", "probability_of_truth"]
    assert first == ["cat/0.png", "cat", "dog", "0.8", "0.2"]
    assert second[0] == "dog/1.png"


def test_wrong_csv_keeps_odd_names(tmp_path, evaluation):
    names = ['a,"b".png', "two\nlines.png", "re\rturn.png", "=1+1.png", "é中.png"]
    write_wrong_csv(tmp_path / "wrong.csv", evaluation(count=5, mistakes=5, names=names))
    assert [row[0] for row in rows(tmp_path / "wrong.csv")[1:]] == names


def test_a_name_that_is_not_utf8_is_spelled_out(tmp_path, evaluation):
    names = ["a\udcff.png"]
    write_wrong_csv(tmp_path / "wrong.csv", evaluation(count=1, mistakes=1, names=names))
    assert rows(tmp_path / "wrong.csv")[1][0] == r"a\udcff.png"


def test_results_csv_has_a_row_per_epoch(tmp_path, epoch):
    write_results_csv(tmp_path / "results.csv", [epoch(1), epoch(2, 0.25, None, None)])
    assert rows(tmp_path / "results.csv") == [
        [
            "epoch",
            "train_loss",
            "validation_loss",
            "validation_accuracy",
            "learning_rate",
            "seconds",
        ],
        ["1", "0.5", "0.6", "0.9", "0.01", "1.5"],
        ["2", "0.25", "", "", "0.01", "1.5"],
    ]


def test_results_csv_has_its_header_without_an_epoch(tmp_path):
    write_results_csv(tmp_path / "results.csv", [])
    assert len(rows(tmp_path / "results.csv")) == 1


def test_args_come_back_as_they_were(tmp_path):
    args = {
        "net": 'conv 32 3 -> "relu"\n\t# not a comment \\ \x07\x7f',
        "epochs": 20,
        "learning rate": 1e-05,
        "limit": float("inf"),
        "flip": True,
        "until": ["accuracy=0.99", "loss=0.05"],
        "size": (32, 32),
        "seeds": [],
        "data": {"seed": 3, "split": {"test": 0.2}, "größe": 1},
        "path": Path("photos"),
        "numpy": np.float64(0.5),
    }
    write_args(tmp_path / "args.toml", args)
    read = tomllib.loads((tmp_path / "args.toml").read_text("utf-8"))
    assert read == {**args, "size": [32, 32], "path": "photos"}


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
plain = names | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False)
values = st.recursive(
    plain | st.lists(plain, max_size=3), lambda inner: st.dictionaries(names, inner, max_size=3)
)


@given(args=st.dictionaries(names, values, max_size=4))
def test_any_args_come_back(tmp_path_factory, args):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    write_args(path, args)
    assert tomllib.loads(path.read_text("utf-8")) == args


def test_an_option_that_is_none_is_left_out(tmp_path):
    write_args(tmp_path / "args.toml", {"within": None, "seed": 1, "data": {"part": None}})
    assert tomllib.loads((tmp_path / "args.toml").read_text()) == {"seed": 1, "data": {}}


def test_a_value_toml_has_no_word_for_is_refused(tmp_path):
    with pytest.raises(SpecError) as caught:
        write_args(tmp_path / "args.toml", {"data": {"parts": [1, {2}]}})
    assert str(caught.value) == (
        "data.parts: a value of type set cannot be written as TOML\n"
        "  expected: text, a number, true or false, a path, a list or a dictionary"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_args, write_results_csv])
def test_a_folder_that_is_missing_is_said(write, tmp_path):
    with pytest.raises(MachineError):
        write(tmp_path / "missing" / "file", {})
