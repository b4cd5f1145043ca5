"""Every benchmark runs, in a mode that measures next to nothing, and ends with its figures."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.models import idx_shades, shades
from support.scripts import run_script

import foveal
from foveal.model import Model
from foveal.net.notation import parse
from foveal.zoo import ENTRIES

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
MACHINE = {"benchmark", "date", "processor", "cores", "load", "system", "versions"}
TRAINED = {
    *("device", "precision", "epochs", "n_train", "n_test", "part"),
    *("accuracy", "train_seconds", "total_seconds", "shell_seconds"),
}
AIMED_AT = {"options", "target", "note", "reached"} | TRAINED
TRUNK = "trunk.safetensors"
NET = parse(
    "input uint8 -> resize 8 -> crop 8 -> normalise -> conv 4 3 -> globalavgpool -> dense 3"
    " -> softmax"
)
FEW = ["--seeds", "1", "--epochs", "1"]


@pytest.mark.parametrize(
    ("name", "arguments", "figures"),
    [
        ("digits_accuracy", FEW, TRAINED),
        ("mnist_default", ["idx", *FEW], TRAINED),
        ("mnist_time_to", ["idx", *FEW, "--net", "lenet5"], AIMED_AT),
        pytest.param(
            "cifar10_time_to",
            ["colours.npz", *FEW, "--note", "made up"],
            AIMED_AT,
            marks=pytest.mark.long,
        ),
        (
            "ablation",
            ["idx", *FEW, "--held", "3", "--only", "all of it", "SGD for Muon", "not mirrored"],
            {"net", "recipe", "held", "ways"},
        ),
        ("throughput", ["lenet5", "-n", "1", "--largest", "2"], {"peaks", "nets"}),
        ("decode", ["-n", "1", "--pictures", "4", "--small"], {"pictures", "size", "per_second"}),
        pytest.param(
            "cold_start",
            ["-n", "1", "--trainings", "1", "--small"],
            {"help", "show_milliseconds", "predict", "train"},
            marks=pytest.mark.long,
        ),
        pytest.param(
            "scaling",
            ["-n", "1", "--small"],
            {"threads", "batch_size"},
            marks=pytest.mark.long,
        ),
        pytest.param(
            "peers",
            ["lenet5", "-n", "1", "--pictures", "64"],
            {"cases"},
            marks=pytest.mark.long,
        ),
        ("flowers", ["photos", "--each", "3", *FEW], TRAINED),
        ("calibration", ["photos", "--each", "10", *FEW], {"each", "figures"}),
        (
            "transfer_flowers",
            ["photos", "--weights", TRUNK, "--each", "8", "--size", "8", *FEW],
            {"each", "trunk", "scratch", "gain"},
        ),
        (
            "first_stage",
            ["--pictures", "8", "--side", "32", "-n", "1"],
            {"pictures", "side", "cold", "again", "one_changed"},
        ),
        ("predict_latency", ["-n", "1", "--small"], {"python", "lenet5", "resnet18"}),
        ("show_latency", ["-n", "1"], {"milliseconds"}),
        (
            "convolution",
            ["-n", "1", "--batch", "2", "--largest", "32"],
            {"threads", "n", "milliseconds"},
        ),
        ("unshared", ["-n", "1", "--cases", "1"], {"threads", "n", "cases"}),
        ("faces_unshared", ["faces", "-n", "1", "--epochs", "1"], {"errors"}),
        (
            "train_digit_reader",
            ["idx", "--epochs", "1", "--test", "-o", "idx/made.safetensors"],
            {"device", "recipe", "digest", "part", "n", "measured"},
        ),
        (
            "train_picture_trunk",
            ["cifar10", "--epochs", "1", "--size", "16", "-o", "cifar10/made.safetensors"],
            {"data", "device", "recipe", "digest", "metrics"},
        ),
        ("other_runtimes", ["--only", "relu", "--layers", "1", "--nets", "1"], {"runtimes"}),
    ],
)
def test_a_benchmark_ends_with_its_figures(name, arguments, figures, tmp_path: Path) -> None:
    idx_shades(tmp_path / "idx")
    shades(tmp_path / "photos")
    faces(tmp_path / "faces")
    cifar10(tmp_path / "cifar10")
    colours(tmp_path / "colours.npz")
    Model.fresh(NET, (1, 8, 8), "abc").save(tmp_path / TRUNK)
    run = run_script(FOLDER / f"{name}.py", *arguments, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert set(found) == MACHINE | figures
    assert found["benchmark"] == name
    assert abs((date.today() - date.fromisoformat(found["date"])).days) <= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("cifar10", "colours.npz", "faces", "idx", "photos", TRUNK)
    ]
    if "-o" in arguments:
        assert foveal.load(tmp_path / arguments[-1]).about["made"]["by"] == f"benchmarks/{name}.py"


def test_transfer_compares_arms_on_the_same_pictures(tmp_path: Path) -> None:
    all_of_cifar10(tmp_path / "cifar10")
    few = ["cifar10", "-", "--each", "2", "3", *FEW, "--known", "kept"]
    run = run_script(FOLDER / "transfer.py", *few, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert set(found) == MACHINE | {"seeds", "questions"}
    question = found["questions"]["cifar10"]
    assert (question["n_test"], list(question["each"])) == (8, ["2", "3"])
    for one in question["each"].values():
        assert set(one) == {"accuracy", "gain", "steps", "steps_to_scratch"}
        assert list(one["accuracy"]) == ["scratch", "head", "transfer"]
        assert one["steps"]["head"] == [0]
        arms = one["accuracy"]
        assert one["gain"]["transfer"]["mean"] == arms["transfer"][0] - arms["scratch"][0]
    assert foveal.load(tmp_path / "kept" / "cifar10.safetensors").classes == tuple("234567")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["idx", "--within", "3s"], "error: --within: the schedule and the seeds are fixed"),
        (["idx", "--seed=3"], "error: --seed=3: the schedule and the seeds are fixed"),
        (["photos"], "photos: has no test part, which the accuracy is to be of"),
    ],
)
def test_a_time_to_an_accuracy_is_of_a_fixed_schedule_and_a_test_part(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    shades(tmp_path / "photos")
    run = run_script(FOLDER / "mnist_time_to.py", *arguments, cwd=tmp_path)
    assert run.returncode != 0
    assert run.stderr.splitlines()[-1].endswith(says)


def test_peers_learn_the_same_nets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER / "peers")
    from cases import CASES, NUM_CLASSES
    from plain_nets import NETS

    for name, case in CASES.items():
        entry = ENTRIES.get(case.net)
        net = entry.build(case.shape, NUM_CLASSES) if entry else parse(case.net)
        ours, theirs = foveal.module(net, case.shape).eval(), NETS[name]().eval()
        known = {path: value for path, value in theirs.state_dict().items() if value.dim()}
        theirs.load_state_dict(
            dict(zip(known, ours.state_dict().values(), strict=True)), strict=False
        )
        x = torch.rand(2, *case.shape, generator=torch.Generator().manual_seed(0))
        made, wanted = theirs(x), ours(x)[""]
        assert (made - wanted).abs().max() <= 1e-5 * wanted.abs().max(), name


def all_of_cifar10(folder: Path) -> None:
    """Ten shades as classes, in CIFAR-10's binary version."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, each in (*((f"data_batch_{n}", 6) for n in range(1, 6)), ("test_batch", 2)):
        labels = np.arange(10 * each, dtype=np.uint8)[:, None] % 10
        pictures = 20 * labels + random.integers(0, 40, (10 * each, 3 * 32 * 32), np.uint8)
        (folder / f"{name}.bin").write_bytes(np.hstack([labels, pictures]).tobytes())


def colours(path: Path) -> None:
    """Two shades as classes, in colour, with a test part."""
    labels, random = np.arange(24) % 2, np.random.default_rng(0)
    x = 120 * labels[:, None, None, None] + random.integers(0, 100, (24, 32, 32, 3))
    parts = {"x": x[:16], "x_test": x[16:]}
    shown = {name: part.astype(np.uint8) for name, part in parts.items()}
    np.savez(path, **shown, y=labels[:16], y_test=labels[16:])


def faces(folder: Path) -> None:
    """Two pictures in either part, with 68 points each."""
    random = np.random.default_rng(0)
    for part in ("training", "test"):
        (folder / part).mkdir(parents=True)
        lines = [",".join(["", *map(str, range(136))])]
        for name in ("a.png", "b.png"):
            Image.fromarray(random.integers(0, 256, (90, 80, 3), np.uint8)).save(
                folder / part / name
            )
            lines.append(",".join([name, *map(str, random.integers(10, 70, 136))]))
        (folder / f"{part}_frames_keypoints.csv").write_text("\n".join(lines), encoding="utf-8")


def cifar10(folder: Path) -> None:
    """Dark ships and light birds in CIFAR-10's binary version: a label, then 3x32x32 bytes."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, count in (("data_batch_1", 10), ("data_batch_2", 10), ("test_batch", 4)):
        labels = np.arange(count, dtype=np.uint8)[:, None] % 2
        pictures = 100 * labels + random.integers(0, 100, (count, 3 * 32 * 32), np.uint8)
        (folder / f"{name}.bin").write_bytes(np.hstack([labels, pictures]).tobytes())
    (folder / "batches.meta.txt").write_text("ship\nbird\n\n", encoding="utf-8")


def test_every_benchmark_is_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    scripts = {path.name for path in FOLDER.glob("*.py")} - {"common.py"}
    assert scripts == {line.split("`")[1] for line in readme.splitlines() if line.startswith("| `")}
