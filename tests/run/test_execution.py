"""A whole training: what lies in its folder, what ends it, what survives a fault."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import pytest
from support.models import idx_shades, shade, shades, write_shades
from support.runs import run_python

import foveal
from foveal import files
from foveal.errors import DataError, MachineError
from foveal.model import Model, load
from foveal.model.model import BATCH
from foveal.run.execution import execute
from foveal.run.planning import plan
from foveal.run.results import Done
from foveal.training import Epoch, Finished, Started, Step

FEW = {"net": "flatten -> dense 2", "epochs": 2, "batch_size": 8, "learning_rate": 0.02}
FILES = ["args.toml", "model.safetensors", "report.html", "results.csv", "wrong.csv"]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return shades(tmp_path / "photos")


def done(source: Path | str = "photos", **changes: object) -> Done:
    *_, last = execute(plan(source, **{**FEW, **changes}))
    assert isinstance(last, Done)
    return last


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_run_leaves_everything_in_one_folder(photos: Path) -> None:
    made = done()
    assert made.folder == Path("runs/classify/photos-net")
    assert entries(made.folder) == FILES
    assert (made.model_path, made.report_path) == (
        made.folder / "model.safetensors",
        made.folder / "report.html",
    )
    assert entries(Path.cwd()) == ["photos", "runs"]


def test_the_saved_model_is_the_one_that_was_measured(photos: Path) -> None:
    made = done()
    loaded = load(made.model_path)
    assert loaded.classes == ("dark", "light")
    assert loaded.predict(shade(60)).label == "dark"
    assert loaded.predict(shade(190)).label == "light"
    assert loaded.evaluate("photos") == made.evaluation
    assert loaded.about["metrics"] == {
        "part": "validation",
        "n": made.evaluation.n,
        "accuracy": made.evaluation.accuracy,
        "accuracy_interval": list(made.evaluation.accuracy_interval),
        "loss": made.evaluation.loss,
    }
    assert sorted(loaded.about) == [
        "data", "device", "metrics", "precision", "recipe", "temperature", "versions",
    ]  # fmt: skip
    assert loaded.about["recipe"]["epochs"] == 2
    assert loaded.about["versions"]["foveal"] == foveal.__version__


def test_the_arguments_can_be_read_back(photos: Path) -> None:
    made = done(size=(6, 7), seed=3, goal={"loss": 0.0}, net="INPUT -> FC", settings={"N": 1})
    args = tomllib.loads((made.folder / "args.toml").read_text(encoding="utf-8"))
    assert args["data"] == "photos"
    assert (args["net"], args["set"], args["size"]) == ("INPUT -> FC", {"N": 1}, [6, 7])
    assert args["goal"] == {"loss": 0.0}
    recipe = {key: args[key] for key in args if key not in ("data", "net", "set", "size", "goal")}
    assert foveal.Recipe(**recipe).seed == 3
    plain = tomllib.loads((done().folder / "args.toml").read_text(encoding="utf-8"))
    assert not {"set", "goal"} & set(plain)


def test_the_results_have_a_row_per_epoch(photos: Path) -> None:
    made = done(epochs=3)
    with (made.folder / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    assert list(rows[0]) == [
        "epoch",
        "train_loss",
        "validation_loss",
        "validation_accuracy",
        "learning_rate",
        "seconds",
    ]
    assert float(rows[-1]["validation_accuracy"]) == made.evaluation.accuracy


def test_wrong_pictures_are_listed_and_shown(photos: Path) -> None:
    for number, path in enumerate(write_shades(photos / "light", 60, 12)):
        path.rename(path.with_name(f"dark{number}.png"))
    made = done()
    wrong = [mistake.file for mistake in made.evaluation.wrong]
    assert wrong
    with (made.folder / "wrong.csv").open(encoding="utf-8", newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == wrong
    page = made.report_path.read_text(encoding="utf-8")
    assert page.count("data:image") >= len(wrong)


def test_a_taken_name_gets_a_number_and_nothing_is_overwritten(photos: Path) -> None:
    taken = Path("runs/classify/mine")
    taken.mkdir(parents=True)
    (taken / "model.safetensors").write_text("precious")
    Path("runs/classify/mine-2").write_text("a file")
    assert done(name="mine").folder == Path("runs/classify/mine-3")
    assert done(name="mine").folder == Path("runs/classify/mine-4")
    assert (taken / "model.safetensors").read_text() == "precious"
    assert Path("runs/classify/mine-2").read_text() == "a file"


def test_the_folder_is_taken_when_the_run_begins(photos: Path) -> None:
    first, second = execute(plan(photos, **FEW)), execute(plan(photos, **FEW))
    assert isinstance(next(first), Started)
    assert isinstance(next(second), Started)
    folders = {list(running)[-1].folder for running in (second, first)}
    assert folders == {Path("runs/classify/photos-net"), Path("runs/classify/photos-net-2")}


def test_what_killed_runs_left_half_written_is_swept(photos: Path, monkeypatch) -> None:
    old = Path("runs/classify/old")
    old.mkdir(parents=True)
    (old / ".99-00.foveal-part").touch()
    (old / "model.safetensors").write_text("precious")
    swept: list[Path] = []
    sweep = files.sweep
    monkeypatch.setattr(files, "sweep", lambda folder: (swept.append(folder), sweep(folder)))
    made = done()
    assert sorted(swept) == [old, made.folder]
    assert entries(old) == ["model.safetensors"]


@pytest.mark.parametrize("obstacle", ["runs", "runs/classify"])
def test_where_no_folder_can_be_made_nothing_is_trained(obstacle: str, photos: Path) -> None:
    Path(obstacle).parent.mkdir(exist_ok=True)
    Path(obstacle).write_text("a file")
    with pytest.raises(MachineError) as caught:
        next(execute(plan(photos, **FEW)))
    first, fix = str(caught.value).splitlines()
    assert first == f"{Path('runs/classify/photos-net')}: cannot be made: Not a directory"
    assert fix == "  fix:      --runs FOLDER, where you may write"


def test_a_link_to_nowhere_is_no_place_either(photos: Path) -> None:
    Path("runs").symlink_to("absent/place")
    with pytest.raises(MachineError, match="photos-net: cannot be made: "):
        next(execute(plan(photos, **FEW)))


def test_a_training_that_fails_leaves_no_folder(photos: Path) -> None:
    with pytest.raises(foveal.FovealError, match="no longer a number"):
        done(learning_rate=1e30, net="flatten -> dense 8 -> dense 2", precision="float32")
    assert list(Path("runs/classify").iterdir()) == []


def test_the_same_seed_gives_the_same_file(photos: Path) -> None:
    first, same, other = (done(seed=seed).model_path.read_bytes() for seed in (1, 1, 2))
    assert first == same
    assert first != other


def test_a_test_part_is_what_is_reported(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    shades(tmp_path / "split" / "train")
    shades(tmp_path / "split" / "test", each=3)
    (tmp_path / "split" / "test" / "dark" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    made = done("split")
    assert (made.evaluation.part, made.evaluation.n) == ("test", 5)
    assert "dark/0.png" in made.report_path.read_text(encoding="utf-8")


def test_a_damaged_test_part_does_not_cost_the_model(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = idx_shades(tmp_path / "idx")
    (folder / "t10k-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03")
    with pytest.raises(DataError, match="cut off"):
        done("idx")
    model = load(tmp_path / "runs" / "classify" / "idx-net" / "model.safetensors")
    assert model.predict(shade(190)).label == "1"
    assert entries(Path("runs/classify/idx-net")) == ["model.safetensors"]


COUNT_OPENS = """
import json, sys
opened = []
sys.addaudithook(
    lambda event, args: opened.append(str(args[0])) if event == "open" and "t10k" in str(args[0])
    else None
)
import foveal
from foveal.training import Finished
before = []
foveal.train(
    "idx", net="flatten -> dense 2", epochs=2, batch_size=8,
    watch=lambda event: before.append(list(opened)) if isinstance(event, Finished) else None,
)
print(json.dumps([before, sorted(name.rpartition("/")[2] for name in opened)]))
"""


def test_the_test_files_are_opened_once_after_the_last_step(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    idx_shades(tmp_path / "idx")
    run = run_python(COUNT_OPENS)
    assert run.stderr == ""
    before, opened = json.loads(run.stdout)
    assert before == [[]]
    assert opened == ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


def test_a_goal_stops_early(photos: Path) -> None:
    made = done(goal={"accuracy": 0.01}, epochs=50)
    assert (len(made.finished.epochs), made.finished.stopped) == (1, "accuracy")
    assert made.started.repeatable


def test_a_time_limit_makes_a_run_unrepeatable(photos: Path) -> None:
    made = done(goal={"within": 0.2}, epochs=50)
    assert made.finished.stopped == "within"
    assert not made.started.repeatable
    page = made.report_path.read_text(encoding="utf-8")
    assert "repeat" in page


def test_asked_to_stop_it_keeps_what_was_learned(photos: Path) -> None:
    steps: list[Step] = []

    def stop() -> bool:
        return len(steps) == 2

    made = None
    for event in execute(plan(photos, **{**FEW, "batch_size": 4}), stop=stop):
        if isinstance(event, Step):
            steps.append(event)
        if isinstance(event, Done):
            made = event
    assert made is not None
    assert (len(steps), made.finished.stopped) == (2, "interrupted")
    assert made.finished.epochs == ()
    assert entries(made.folder) == FILES
    assert load(made.model_path).evaluate("photos").n == made.evaluation.n


def test_a_run_that_is_closed_leaves_no_folder(photos: Path) -> None:
    running = execute(plan(photos, **FEW))
    next(running)
    assert entries(Path("runs/classify")) == ["photos-net"]
    running.close()
    assert entries(Path("runs/classify")) == []


def test_a_watcher_sees_everything_in_order(photos: Path) -> None:
    seen: list[object] = []
    loaded: list[tuple[str, int, int]] = []
    for event in execute(plan(photos, **FEW), loading=lambda *args: loaded.append(args)):
        seen.append(event)
    kinds = [type(event) for event in seen if not isinstance(event, Step)]
    assert kinds == [Started, Epoch, Epoch, Finished, Done]
    assert (loaded[0], loaded[4]) == (("validation", 1, 4), ("training", 1, 20))
    assert loaded[-1] == ("training", 20, 20)


def test_one_call_trains_and_returns_the_model(photos: Path) -> None:
    model = foveal.train("photos", **FEW)
    assert isinstance(model, Model)
    answers = model.predict_all(sorted(photos.rglob("*.png")) * (BATCH // 8))
    assert {answer.label for answer in answers} == {"dark", "light"}
    assert Path("runs/classify/photos-net/model.safetensors").is_file()


def test_pictures_that_cannot_be_read_are_in_the_report(photos: Path) -> None:
    picture = (photos / "dark" / "1.png").read_bytes()
    (photos / "dark" / "1.png").write_bytes(picture[: len(picture) - 30])
    (photos / "dark" / "notes.txt").touch()
    made = done()
    page = made.report_path.read_text(encoding="utf-8")
    assert "dark/1.png" in page
    assert "dark/notes.txt" in page


def test_too_many_broken_pictures_stop_it_before_anything_is_learned(photos: Path) -> None:
    for path in (photos / "dark").iterdir():
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError):
        done()
    assert list(Path("runs/classify").iterdir()) == []
