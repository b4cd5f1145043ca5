"""What a training will do, and everything that can be wrong before it begins."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.models import shades, write_shades
from support.runs import run_python

from foveal.errors import DataError, MachineError, MissingExtra, NotationError, SpecError
from foveal.net.notation import parse
from foveal.recipe import Goal, Recipe
from foveal.run import trunk
from foveal.run.planning import plan
from foveal.zoo import ENTRIES

NET = "flatten -> dense 2"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return shades(tmp_path / "photos")


def test_what_is_left_open_is_settled(photos: Path) -> None:
    made = plan(photos)
    assert (made.begins.name, made.begins.size, made.shape) == ("quick", 8, (1, 8, 8))
    assert made.goal == Goal()
    assert made.folder == Path("runs/classify/photos-quick")
    assert not Path("runs").exists()
    assert made.asked == {"data": str(photos), "net": "quick"}


def test_what_is_asked_for_is_kept(photos: Path) -> None:
    made = plan(
        photos,
        net="INPUT -> [CONV -> RELU]*N -> FC",
        size=(6, 10),
        settings={"N": 2},
        goal={"accuracy": 0.9},
        name="my run",
        runs="results",
        seed=7,
        epochs=3,
    )
    assert (made.shape, made.begins.name) == ((1, 6, 10), "net")
    assert (made.recipe.seed, made.recipe.epochs, made.data.seed) == (7, 3, 7)
    assert made.goal == Goal(accuracy=0.9)
    assert made.folder == Path("results/classify/my-run")
    assert made.asked["set"] == {"N": 2}
    assert plan(photos, goal=Goal(within=3.0)).goal == Goal(within=3.0)


@pytest.mark.parametrize("net", ["lenet5", "LeNet5"])
def test_the_zoo_is_known_in_any_case(net: str, photos: Path) -> None:
    made = plan(photos, net=net)
    assert (made.begins.name, made.shape) == ("lenet5", (1, 32, 32))


def test_a_net_comes_as_an_object_text_or_file(photos: Path) -> None:
    Path("own.net").write_text("# mine\nflatten\ndense 2 -> softmax\n", encoding="utf-8")
    nets = [
        plan(photos, net=net).begins.net
        for net in (NET, parse(NET), f"{NET} -> softmax", "own.net")
    ]
    assert nets == [parse(NET)] * 4


@pytest.mark.parametrize(
    ("sides", "net", "size"),
    [((8, 8), "quick", 8), ((300, 90), "quick", 64), ((8, 8), "lenet5", 32),
     ((300, 90), "lenet5", 32), ((300, 90), "resnet18", 64), ((300, 400), "resnet18", 224),
     ((20, 20), "resnet18", 32)],
)  # fmt: skip
def test_the_size_fits_the_pictures_and_the_net(sides, net, size, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(2):
            picture = Image.fromarray(np.full((*sides, 3), 20 * number, np.uint8))
            picture.save(tmp_path / name / f"{number}.png")
    assert plan(tmp_path, net=net).begins.size == size


@pytest.mark.parametrize(
    ("mode", "side", "net"),
    [("RGB", 24, "airbench94"), ("RGB", 23, "quick"), ("RGB", 49, "quick"), ("L", 24, "quick")],
)
def test_many_small_pictures_in_colour_are_learned_from_thoroughly(
    mode: str, side: int, net: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(4):
            pixels = random.integers(0, 256, (side, side, 3), np.uint8)
            Image.fromarray(pixels).convert(mode).save(tmp_path / name / f"{number}.png")
    assert plan(tmp_path, pretrained="none").begins.name == "quick"
    monkeypatch.setattr(trunk, "MANY", 6)
    begins = plan(tmp_path, pretrained="none").begins
    assert begins.name == net
    assert begins.size == (side if side <= trunk.SMALL else trunk.PHOTO)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("a/b", "a-b"),
        ("../../x", "-..-x"),
        ("..", "run"),
        ("ä b:c", "ä-b-c"),
        ("n" * 300, "n" * 60),
    ],
)
def test_a_name_is_a_folder_and_no_other_place(name: str, folder: str, photos: Path) -> None:
    assert plan(photos, net=NET, name=name).folder == Path("runs/classify", folder)


SENTENCES = [
    (
        {"net": "lenet"},
        SpecError,
        "lenet: is no net of the zoo, no .net file and no layer\n"
        "  fix:      did you mean 'lenet5'?",
    ),
    (
        {"net": "xyzzy"},
        SpecError,
        "xyzzy: is no net of the zoo, no .net file and no layer\n"
        f"  fix:      the zoo has {', '.join(ENTRIES)}",
    ),
    (
        {"net": "flaten -> dense 2"},
        NotationError,
        "line 1, column 1: unknown word 'flaten'\n  flaten -> dense 2\n  ^\n"
        "  fix:      did you mean 'flatten'?",
    ),
    ({"net": "absent.net"}, SpecError, "absent.net: cannot be read: No such file or directory"),
    ({"net": "latin.net"}, SpecError, "latin.net: is not text in UTF-8"),
    (
        {"net": "typo.net"},
        NotationError,
        "typo.net, line 2, column 1: unknown word 'dens'\n  dens 2\n  ^\n"
        "  fix:      did you mean 'dense'?",
    ),
    (
        {"net": "flatten -> dense 3"},
        SpecError,
        "net: does not end in one score for each class\n  arrives:  3\n  expected: 2 classes\n"
        "  fix:      let the net end with: dense 2",
    ),
    (
        {"net": "input uint8 -> flatten -> dense 2"},
        SpecError,
        "net: begins with input uint8, which a training puts before it\n"
        "  fix:      leave out input, resize, crop and normalise; --size sets the size of the "
        "pictures",
    ),
    (
        {"net": "lenet5", "settings": {"N": 2}},
        SpecError,
        "--set: letters are set only in notation\n  fix:      leave it out",
    ),
    ({"epoch": 3}, SpecError, "recipe: has no 'epoch'\n  fix:      did you mean 'epochs'?"),
    (
        {"epochs": 0},
        SpecError,
        "recipe epochs: must be a whole number from 1, not 0",
    ),
    (
        {"goal": {"accuracy": 99}},
        SpecError,
        "goal accuracy: must be a number from 0 to 1, or unset, not 99",
    ),
]


@pytest.mark.parametrize(("arguments", "kind", "sentence"), SENTENCES)
def test_what_cannot_be_is_said_before_anything_is_done(
    arguments, kind, sentence, photos: Path
) -> None:
    Path("latin.net").write_bytes(b"# caf\xe9")
    Path("typo.net").write_text("flatten\ndens 2\n", encoding="utf-8")
    with pytest.raises(kind) as caught:
        plan(photos, **{"net": NET, **arguments})
    assert str(caught.value) == sentence
    assert not Path("runs").exists()


def test_without_a_picture_to_measure_with_nothing_begins(tmp_path: Path) -> None:
    for name in ("dark", "light"):
        write_shades(tmp_path / name, 60, 1)
    with pytest.raises(DataError) as caught:
        plan(tmp_path, net=NET)
    assert str(caught.value) == (
        f"{tmp_path.name}: no picture is left to measure with\n"
        "  arrives:  2 pictures of 2 classes\n"
        "  expected: two pictures of some class, or a test part"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="the memory is not known there")
def test_pictures_of_a_step_larger_than_the_memory_are_refused(photos: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**18}.__getitem__)
    with pytest.raises(MachineError) as caught:
        plan(photos, net="globalavgpool -> dense 2", size=9999)
    assert str(caught.value) == (
        "photos: 16 pictures of 1x9999x9999, a step's, do not fit into the memory\n"
        "  arrives:  6 GiB\n  expected: less than 1 GiB\n"
        "  fix:      --size 64, or any smaller size"
    )


def test_without_pytorch_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra) as caught:
        plan()
    assert str(caught.value) == (
        "training needs the extra 'train'\n  fix:      pip install 'foveal[train]'"
    )


def test_mistakes_are_said_before_pytorch_is_loaded(photos: Path) -> None:
    code = (
        "import sys\n"
        "from foveal.cli import main\n"
        "code = main(['train', sys.argv[1], '--net', sys.argv[2]])\n"
        "print(code, 'torch' in sys.modules)\n"
    )
    for source, net in ((photos, "conv 3 99 -> flatten -> dense 2"), ("absent", NET)):
        run: subprocess.CompletedProcess[str] = run_python(code, source, net)
        assert run.stdout == "2 False\n"


def test_every_field_of_the_recipe_can_be_asked_for(photos: Path) -> None:
    wanted = Recipe(epochs=2, optimiser="adamw", flip=True, schedule="linear", precision="float32")
    assert plan(photos, net=NET, **asdict(wanted)).recipe == wanted
