"""foveal train: its options, what it prints, and how it ends when it is told to."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import signal
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from support.models import shades
from support.runs import content, run_foveal, start_foveal

from foveal.checks import Flag
from foveal.cli import main
from foveal.cli.signals import Signals
from foveal.cli.train import command
from foveal.model import load
from foveal.recipe import Recipe, Transfer

FEW = [
    "--net",
    "flatten -> dense 2",
    "--epochs",
    "2",
    "--batch-size",
    "8",
    "--learning-rate",
    "0.02",
]
SUMMARY = [
    "model",
    "accuracy",
    "loss",
    "epochs",
    "train_seconds",
    "total_seconds",
    "device",
    "precision",
    "seed",
    "n_train",
    "n_test",
    "part",
    "versions",
]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return shades(tmp_path / "photos")


def test_every_field_of_the_recipe_is_an_option() -> None:
    options = {option.name: option for option in command.params}
    for field in (*fields(Recipe), *fields(Transfer)):
        assert options[field.name].help == field.metadata["help"]
        name = field.name.replace("_", "-")
        flag = isinstance(field.metadata["constraint"], Flag)
        assert options[field.name].opts == [f"--{name}"]
        assert options[field.name].secondary_opts == ([f"--no-{name}"] if flag else [])


def test_the_options_are_these() -> None:
    recipe = {field.name for owner in (Recipe, Transfer) for field in fields(owner)}
    assert [option.name for option in command.params if option.name not in recipe] == [
        "data",
        "net",
        "settings",
        "pretrained",
        "go_on",
        "size",
        "balance",
        "group_by",
        "recipe",
        "until",
        "within",
        "name",
        "runs",
        "cache_limit",
        "as_json",
    ]


def test_what_a_person_reads(photos: Path, capsys) -> None:
    assert main(["train", "photos", *FEW, "--seed", "4"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    lines = [
        r"photos: 2 classes, 20 pictures to learn from",
        r"  No test part: accuracy is measured on the validation part, 4 of 24 pictures "
        r"\(seed 4\)\.",
        r"net: 130 parameters, pictures of 1x8x8, \w+ on .*, about .+",
        r"  first loss \d\.\d{3}; guessing gives ln\(classes\) = 0\.693",
        r"epoch   1  training loss \d\.\d{4}  validation loss \d\.\d{4}  accuracy .*%  \d\.\d s",
        r"epoch   2  training loss \d\.\d{4}  validation loss \d\.\d{4}  accuracy .*%  \d\.\d s",
        r"",
        r"100 % of 4 pictures it did not learn from were named right \(95 % interval 51\.0–100\); "
        r"always saying “dark” would get 50\.0 %\.",
        r"\d\.\d s of training, \d+\.\d s in all; seed 4",
        r"model   runs/classify/photos-net/model\.safetensors",
        r"report  runs/classify/photos-net/report\.html",
    ]
    said = err.replace("\u202f", " ").replace("\u00a0", " ").replace(os.sep, "/").splitlines()
    assert len(said) == len(lines)
    for line, pattern in zip(said, lines, strict=True):
        assert re.fullmatch(pattern, line), line


def test_json_ends_with_one_line_of_these_keys(photos: Path, capsys) -> None:
    assert main(["train", "photos", *FEW, "--json", "--name", "mine"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert list(found) == SUMMARY
    assert Path(found["model"]) == Path("runs/classify/mine/model.safetensors")
    assert (found["accuracy"], found["epochs"], found["seed"]) == (1.0, 2, 0)
    assert (found["n_train"], found["n_test"], found["part"]) == (20, 4, "validation")
    assert 0 < found["train_seconds"] < found["total_seconds"]
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))


def test_a_goal_that_is_reached_is_no_benchmark(photos: Path, capsys) -> None:
    arguments = ["--until", "accuracy=0.01", "--epochs", "99", "--json"]
    assert main(["train", "photos", *FEW, *arguments]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["epochs"] == 1
    assert "\nStopped when the validation part reached the goal: no benchmark.\n" in err


def test_a_time_limit_is_not_repeatable(photos: Path, capsys) -> None:
    assert main(["train", "photos", *FEW, "--within", "0.2s"]) == 0
    said = "\n  ends by the clock: the same seed will not give the same numbers\n"
    assert said in capsys.readouterr().err


def test_files_that_are_not_used_are_named(photos: Path, capsys) -> None:
    for number in range(7):
        (photos / "dark" / f"notes{number}.txt").touch()
    assert main(["train", "photos", *FEW]) == 0
    lines = capsys.readouterr().err.splitlines()
    named = [line for line in lines if line.startswith("  not used: dark/notes")]
    assert named[0] == "  not used: dark/notes0.txt: not a picture by its name (.txt)"
    assert len(named) == 5
    assert "  … and 2 more, all in the report" in lines


def test_pictures_that_cannot_be_read_are_named_before_the_result(photos: Path, capsys) -> None:
    broken = photos / "dark" / "a\x1b[2J.png"
    broken.write_bytes((photos / "dark" / "0.png").read_bytes()[:60])
    assert main(["train", "photos", *FEW]) == 0
    lines = capsys.readouterr().err.splitlines()
    named = next(line for line in lines if line.startswith("  not used: "))
    assert named == r"  not used: dark/a\x1b[2J.png: the picture is cut off"
    assert lines[lines.index(named) + 1] == ""


def test_the_pictures_are_no_weights(photos: Path, capsys) -> None:
    assert main(["train", "--pretrained", "photos", *FEW]) == 2
    assert capsys.readouterr().err == (
        "SpecError: photos: is read as the weights of --pretrained, and holds none\n"
        "  fix:      foveal train photos --pretrained\n"
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_there_is_a_bar_and_the_same_lines(photos: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert main(["train", "photos", *FEW]) == 0
    said = sys.stderr.getvalue()
    assert "training" in said
    assert " left" in said
    assert "epoch   2  training loss " in said
    assert "model   runs" in said


def test_letters_and_a_size_reach_the_net(photos: Path, capsys) -> None:
    pattern = "INPUT -> [FC -> RELU]*K -> FC"
    arguments = ["--net", pattern, "--set", "K=2", "--size", "4x6", "--epochs", "1"]
    assert main(["train", "photos", *arguments]) == 0
    assert "pictures of 1x4x6" in capsys.readouterr().err
    model = load("runs/classify/photos-net/model.safetensors")
    assert sum(type(step.kind).__name__ == "Dense" for step in model.program.steps) == 3


def test_the_same_seed_gives_the_same_bits_in_two_processes(photos: Path, tmp_path: Path) -> None:
    digests = set()
    for _ in range(2):
        run = run_foveal("train", "photos", *FEW, "--json", "--seed", "5", cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        model = tmp_path / json.loads(run.stdout)["model"]
        digests.add(hashlib.sha256(model.read_bytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_training_with_a_model(number, code, photos: Path, tmp_path: Path) -> None:
    endless = [*FEW, "--epochs", "1000000", "--json"]
    with start_foveal("train", "photos", *endless, cwd=tmp_path) as running:
        while not running.stderr.readline().startswith("epoch "):
            pass
        running.send_signal(number)
        out, err = running.communicate(timeout=120)
    assert running.returncode == code
    assert "stopped: measuring and saving what was learned; once more stops at once\n" in err
    assert "Traceback" not in err
    found = json.loads(out)
    model = load(tmp_path / found["model"])
    assert model.about["metrics"]["accuracy"] == found["accuracy"]
    rows = (tmp_path / found["model"]).with_name("results.csv").read_text().splitlines()
    assert len(rows) == 1 + found["epochs"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_it_leaves_nothing_half_written(photos: Path, tmp_path: Path) -> None:
    endless = [*FEW, "--epochs", "1000000"]
    with start_foveal("train", "photos", *endless, cwd=tmp_path) as running:
        while not running.stderr.readline().startswith("epoch "):
            pass
        running.kill()
        running.communicate(timeout=120)
    assert running.returncode == -signal.SIGKILL
    assert content(tmp_path / "runs") == {"classify": None, "classify/photos-net": None}


def test_before_there_is_anything_to_lose_a_signal_ends_it_at_once() -> None:
    told: list[int] = []
    with pytest.raises(SystemExit) as caught, Signals(lambda: told.append(1)) as signals:
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 143
    assert not signals.stop()
    assert told == []


def test_the_first_signal_waits_and_the_second_does_not() -> None:
    told: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    with Signals(lambda: told.append(1)) as signals:
        signals.can_wait = True
        assert not signals.stop()
        signal.raise_signal(signal.SIGINT)
        assert signals.stop()
        assert signals.stop()
        assert (told, signals.exit_code) == ([1], 130)
        with pytest.raises(SystemExit) as caught:
            signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 143
    assert signal.getsignal(signal.SIGINT) is before


def test_without_a_signal_nothing_is_said() -> None:
    with Signals(pytest.fail) as signals:
        assert not signals.stop()
    assert signals.exit_code == 0


def test_a_long_training_is_told_in_twenty_lines(photos: Path, capsys) -> None:
    assert main(["train", "photos", *FEW, "--epochs", "45"]) == 0
    said = [line.split()[1] for line in capsys.readouterr().err.splitlines() if "epoch " in line]
    assert said == ["1", *map(str, range(3, 46, 3))]
