"""When the pictures kept aside have told how good a net is, it learns from them too."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.trunks import learn, only

from foveal.cli import main
from foveal.errors import DataError
from foveal.model import load
from foveal.run.execution import execute
from foveal.run.planning import plan
from foveal.run.results import Done, Refit
from foveal.training import Finished, Fitted

QUICK = {"pretrained": "trunk.safetensors", "epochs": 1, "refit": True}


def test_the_model_learns_from_all_and_the_one_that_was_measured_stays(desk: Path) -> None:
    model, seen = learn(**QUICK)
    done = only(seen, Done)
    assert only(seen, Refit).pictures == 20
    assert [event.pictures for event in seen if isinstance(event, Fitted)] == [20, 20]
    first, last = (event for event in seen if isinstance(event, Finished))
    assert done.finished is first
    assert done.train_seconds == first.training_seconds + last.training_seconds
    measured, kept = load(done.folder / "measured.safetensors"), load(done.model_path)
    assert kept.about == model.about
    assert model.about == measured.about | {"refit": "measured.safetensors"}
    assert any(
        not np.array_equal(array, measured.weights[path]) for path, array in kept.weights.items()
    )
    assert measured.evaluate("photos").accuracy == done.evaluation.accuracy
    plain, seen = learn(**QUICK | {"refit": False})
    assert not any(isinstance(event, Refit) for event in seen)
    assert "refit" not in plain.about
    assert not (only(seen, Done).folder / "measured.safetensors").exists()
    for path, array in plain.weights.items():
        assert np.array_equal(array, measured.weights[path])


def test_the_report_and_the_last_lines_say_so(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = ["--pretrained", "trunk.safetensors", "--epochs", "1", "--name", "two"]
    assert main(["train", "photos", *steps]) == 0
    said = capsys.readouterr().err
    assert ", twice\n" in said
    assert (
        "measured; learns once more, now from all 20 pictures (--no-refit: leaves it at that)\n"
        in said
    )
    assert said.count("first loss") == said.count("last layer on") == said.count("epoch   1") == 1
    since = "The model has since learned from these too, measured.safetensors has not."
    assert f"{since}\n" in said
    page = Path("runs", "classify", "two", "report.html").read_text("utf-8")
    assert "The model has since learned from these pictures too" in page
    assert main(["train", "photos", *steps, "--no-refit"]) == 0
    said = capsys.readouterr().err
    assert "twice" not in said
    assert since not in said
    page = Path("runs", "classify", "two-2", "report.html").read_text("utf-8")
    assert "has since learned" not in page


def test_what_it_knows_measures_nothing(desk: Path) -> None:
    model, _ = learn(**QUICK)
    with pytest.raises(DataError) as refused:
        model.evaluate("photos")
    assert str(refused.value).splitlines() == [
        "photos: the model has learned from all of these pictures",
        "  fix:      measure measured.safetensors beside it, which had not yet learned from those "
        "kept aside, or use other pictures",
    ]
    shutil.copytree("photos", "others")
    Image.new("RGB", (80, 72), "red").save("others/red/more.png")
    assert model.evaluate("others").n == 21


def test_the_command_asks_the_one_that_was_measured(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, seen = learn(**QUICK)
    done = only(seen, Done)
    assert main(["evaluate", str(done.model_path), "photos"]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "model.safetensors has learned from all of these pictures: measured.safetensors, beside "
        "it, is asked about those that were kept aside"
    ]
    assert said.out.startswith("on the validation part, which the model did not learn from\n")
    assert f"{done.evaluation.accuracy:.2%} of 4 pictures" in said.out
    (done.folder / "measured.safetensors").unlink()
    assert main(["evaluate", str(done.model_path), "photos"]) == 2


def test_going_on_begins_with_what_does_not_know_what_measures(desk: Path) -> None:
    _, seen = learn(**QUICK)
    done = only(seen, Done)
    going_on = plan("photos", go_on=done.model_path)
    measured = load(done.folder / "measured.safetensors")
    for path, array in going_on.begins.weights.items():
        assert np.array_equal(array, measured.weights[path])
    assert not any("learned from" in note for note in going_on.notes)
    alone = shutil.copy(done.model_path, "alone.safetensors")
    assert plan("photos", go_on=alone).notes[-1] == (
        "alone has learned from all of its pictures: if these are the same, it knows those that "
        "it is measured on (measured.safetensors, which lay beside it, does not)."
    )


@pytest.mark.parametrize("also", [{"goal": {"accuracy": 0.1}}, {"goal": {"within": 5}}])
def test_a_goal_is_enough(desk: Path, also: dict[str, object]) -> None:
    assert not plan("photos", **QUICK, **also).refits


def test_a_net_that_knows_nothing_learns_once(desk: Path) -> None:
    assert plan("photos", pretrained="trunk.safetensors").refits
    assert not plan("photos", pretrained="none").refits


def test_a_validation_part_that_somebody_made_is_left_alone(desk: Path) -> None:
    for name in ("red", "blue"):
        shutil.copytree(Path("photos", name), Path("parts", "train", name))
        shutil.copytree(Path("photos", name), Path("parts", "val", name))
    assert not plan("parts", **QUICK).refits


def test_a_test_part_measures_what_learned_from_all(desk: Path) -> None:
    for name in ("red", "blue"):
        shutil.copytree(Path("photos", name), Path("parts", "train", name))
        shutil.copytree(Path("photos", name), Path("parts", "test", name))
    model, seen = learn(source="parts", **QUICK)
    done = only(seen, Done)
    assert done.refitted
    assert done.evaluation.part == "test"
    assert model.evaluate("parts").loss == pytest.approx(done.evaluation.loss)
    measured = load(done.folder / "measured.safetensors")
    assert measured.evaluate("parts").loss != pytest.approx(done.evaluation.loss)


def test_an_interruption_keeps_what_was_measured(desk: Path) -> None:
    seen: list[object] = []

    def stop() -> bool:
        return any(isinstance(event, Refit) for event in seen)

    for event in execute(plan("photos", **QUICK), stop):
        seen.append(event)
    done = only(seen, Done)
    assert not done.refitted
    assert "refit" not in load(done.model_path).about
    assert not (done.folder / "measured.safetensors").exists()


def test_where_thawing_hurt_the_last_layer_alone_learns_again(desk: Path) -> None:
    model, seen = learn(**QUICK, learning_rate=9, anchor=0, averaging=0)
    first, last = (event for event in seen if isinstance(event, Finished))
    assert first.learned == last.learned == "head"
    assert last.steps == 0
    trunk = load("trunk.safetensors")
    for path, array in trunk.weights.items():
        assert np.array_equal(array, model.weights[path]) == (not path.startswith("dense1"))
