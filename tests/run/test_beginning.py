"""What a training begins with: at random, from a trunk, or from a model, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.models import light_or_dark, shades
from support.weights_files import numbers, shapes_of, write

from foveal.errors import FovealError, SpecError
from foveal.model import Model, hub
from foveal.net.notation import parse
from foveal.run.beginning import Cut, _in_words, cut_of
from foveal.run.planning import Plan, plan

NET = (
    "input uint8 -> resize 64 -> normalise mean 10 std 20"
    " -> conv 4 3 stride 4 -> relu -> globalavgpool"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


def photos(root: Path, counts: tuple[int, ...] = (6, 6), mode: str = "RGB") -> Path:
    random = np.random.default_rng(0)
    for number, count in enumerate(counts):
        folder = root / f"kind{number}"
        folder.mkdir(parents=True)
        for name in range(count):
            pixels = random.integers(0, 256, (70, 80, 3), np.uint8)
            Image.fromarray(pixels).convert(mode).save(folder / f"{name}.png")
    return root


def trunk(path: Path, classes: tuple[str, ...] = ("cat", "dog", "cow"), channels: int = 3) -> Path:
    net = parse(f"{NET} -> dense {len(classes)} -> softmax")
    Model.fresh(net, (channels, 64, 64), classes, seed=3).save(path)
    return path


def flat(path: Path) -> Path:
    """A trunk with a dense layer that has a weight for each place of a map."""
    text = "resize 64 -> conv 4 9 stride 9 -> flatten -> dense 8 -> dense 2"
    net = parse(f"input uint8 -> {text} -> softmax")
    Model.fresh(net, (3, 64, 64), ("cat", "dog"), seed=3).save(path)
    return path


def learn(source: Path, **options: object) -> Plan:
    return plan(source, **options)  # type: ignore[arg-type]


def test_few_photographs_begin_with_what_the_cache_has(cache: Path) -> None:
    hub.add(trunk(Path("pets.safetensors")))
    made = learn(photos(Path("photos"))).begins
    assert made.name == "pets"
    assert made.weights is not None
    assert sorted(made.weights) == ["conv1.bias", "conv1.weight"]
    assert made.normalise == parse("normalise mean 10 std 20").root.items[0]
    assert made.net.bind((3, 64, 64)).result_shapes() == {"": (2,)}
    assert made.says == (
        "begins with pets, which tells 3 kinds apart: 10 photographs are few to learn "
        "everything from\n"
        f"  from {Path('pets.safetensors').resolve()}; 28 thousand multiplications for a picture "
        "of 3x64x64, 488 bytes on the disk\n"
        "  --pretrained none would begin at random"
    )


def test_without_one_they_begin_at_random_and_it_is_said_why(cache: Path) -> None:
    made = learn(photos(Path("photos"))).begins
    assert (made.name, made.size, made.weights) == ("quick", 64, None)
    first, second, third = made.says.splitlines()
    assert first == ("begins at random, though 10 photographs are few to learn everything from")
    assert second == (
        "  no net that has learned before can be used: timm/mobilenetv2_100.ra_in1k: "
        "is not fetched, because HF_HUB_OFFLINE is set"
    )
    assert third == ("  foveal cache add FILE brings one; foveal train --pretrained FILE uses one")


def test_one_that_cannot_be_used_does_not_stop_what_nobody_asked_for(cache: Path) -> None:
    kept = hub.add(flat(Path("flat.safetensors")))
    source = photos(Path("photos"))
    assert learn(source).begins.name == "flat"
    made = learn(source, size=80).begins
    assert (made.name, made.weights) == ("quick", None)
    assert made.says.splitlines()[1] == (
        "  no net that has learned before can be used: flat: fits one size of pictures only, "
        "because of dense1.weight"
    )
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    made = learn(source).begins
    assert (made.name, made.weights) == ("quick", None)
    assert made.says.splitlines()[1] == (
        f"  no net that has learned before can be used: {kept}: is damaged: its weights do "
        "not match their digest"
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0 thousand"),
        (58_123_456, "58 million"),
        (1_814_073_344, "1.8 billion"),
        (15_470_000_000_000, "15,470 billion"),
    ],
)
def test_large_numbers_are_said_in_words(number: int, words: str) -> None:
    assert _in_words(number) == words


@pytest.mark.parametrize(
    "options", [{"net": "quick"}, {"pretrained": "none"}, {"size": 32}], ids=["net", "none", "size"]
)
def test_what_was_asked_for_comes_first(cache: Path, options: dict) -> None:
    hub.add(trunk(Path("pets.safetensors")))
    made = learn(photos(Path("photos")), **options).begins
    assert (made.weights, made.says) == (None, "")


def test_small_or_grey_pictures_and_very_many_begin_at_random(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(trunk(Path("pets.safetensors")))
    assert learn(shades(Path("shades"))).begins.says == ""
    assert learn(photos(Path("grey"), mode="L")).begins.says == ""
    monkeypatch.setattr("foveal.run.beginning.FEW", 10)
    assert learn(photos(Path("many"))).begins.says == ""


def test_a_file_is_used_as_it_is_named(cache: Path) -> None:
    made = learn(photos(Path("photos")), pretrained=trunk(Path("pets.safetensors"))).begins
    assert made.says.startswith("begins with pets, which tells 3 kinds apart")
    assert made.says.splitlines()[0].endswith(": as you asked")
    assert made.about is not None
    assert sorted(made.about) == ["digest", "name", "origin"]


def test_what_a_file_has_too_much_is_said(cache: Path) -> None:
    shapes = {**shapes_of("googlenet", "torchvision"), "aux2.fc2.bias": (1000,)}
    file = write(Path("googlenet.safetensors"), numbers(shapes))
    made = learn(photos(Path("photos")), pretrained=file).begins
    assert made.says.endswith("\n  not used of it: 1 tensor of auxiliary heads")


def test_grey_pictures_are_read_in_colour_where_the_trunk_sees_colour(cache: Path) -> None:
    made = learn(photos(Path("grey"), mode="L"), pretrained=trunk(Path("pets.safetensors")))
    assert (made.data.channels, made.shape) == (3, (3, 64, 64))
    picture = made.data.train.pictures(0)
    assert picture.shape == (70, 80, 3)
    assert (picture[..., 0] == picture[..., 2]).all()


def test_a_model_goes_on_with_all_it_knows(cache: Path) -> None:
    model = trunk(Path("kinds.safetensors"), ("kind0", "kind1"))
    made = learn(photos(Path("photos")), go_on=model).begins
    assert made.weights is not None
    assert "dense1.weight" in made.weights
    assert made.says == "goes on from kinds, which knows these 2 classes"


def test_a_model_is_called_as_its_training_was(cache: Path) -> None:
    Path("runs", "pets").mkdir(parents=True)
    model = trunk(Path("runs", "pets", "model.safetensors"), ("kind0", "kind1"))
    made = learn(photos(Path("photos")), go_on=model)
    assert made.begins.says == "goes on from pets, which knows these 2 classes"
    assert made.folder == Path("runs", "classify", "photos-pets")
    again = trunk(Path("runs", "photos-pets.safetensors"), ("kind0", "kind1"))
    assert learn(Path("photos"), go_on=again).folder == Path("runs", "classify", "photos-pets")


def learned(seed: int, group_by: str | None = None) -> Path:
    model = light_or_dark(64)
    about = {"recipe": {"seed": seed}, "data": {"name": "any", "group_by": group_by}}
    replace(model, about=about).save(path := Path("learned.safetensors"))
    return path


def test_who_goes_on_measures_on_what_the_model_was_measured_on(cache: Path) -> None:
    source, model = shades(Path("shades")), learned(5)
    assert cut_of(model) == Cut(5, None)
    made = learn(source, go_on=model)
    assert (made.recipe.seed, made.data.seed) == (5, 5)
    assert made.notes == made.data.notes
    other = learn(source, go_on=model, seed=6)
    assert other.data.seed == 6
    assert other.notes[-1] == (
        "The pictures of learned were cut otherwise (seed 5; here seed 6): if these are the same, "
        "it has learned from some of those that it is measured on."
    )
    assert "(seed 5; here seed 0)" in learn(source, pretrained=model).notes[-1]
    grouped = learn(source, go_on=learned(5, "folder"))
    assert "(seed 5, group_by folder; here seed 5)" in grouped.notes[-1]
    assert cut_of(Path("nowhere.safetensors")) is None


def test_options_that_change_nothing_are_said(cache: Path) -> None:
    made = learn(shades(Path("shades")), thaw=0, falling=0.5)
    assert made.notes[-1] == "The net begins at random: thaw and falling without effect."


def test_with_other_classes_its_last_layer_is_new(cache: Path) -> None:
    model = trunk(Path("pets.safetensors"), ("kind0", "cat", "dog"))
    made = learn(photos(Path("photos")), go_on=model).begins
    assert made.weights is not None
    assert "dense1.weight" not in made.weights
    assert made.says == ("begins with pets, which knows 3 classes, 1 of them among these 2")


REFUSED = [
    (
        {"pretrained": "pets.safetensors", "net": "flatten -> dense 2"},
        "--pretrained: only nets of the zoo have published weights\n"
        "  fix:      --net NAME with a name that foveal zoo lists, or leave --net out",
    ),
    *(
        (
            {option: "flat.safetensors", "size": (64, 96)},
            "flat: fits one size of pictures only, because of dense1.weight\n"
            "  arrives:  3x64x96\n"
            "  expected: 3x64x64\n"
            "  fix:      --size 64, or leave it out",
        )
        for option in ("pretrained", "go_on")
    ),
    (
        {"pretrained": "resnet18"},
        "--pretrained resnet18: is a net, and no file of weights\n"
        "  fix:      --net resnet18 --pretrained hub",
    ),
    (
        {"go_on": "pets.safetensors", "net": "quick"},
        "--from: goes on with the net of the model\n  fix:      leave out --net and --pretrained",
    ),
    (
        {"pretrained": "grey.safetensors"},
        "grey: reads grey pictures, and these are in colour\n"
        "  fix:      a net that was trained on pictures in colour",
    ),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_cannot_be_is_said(cache: Path, options: dict, message: str) -> None:
    trunk(Path("pets.safetensors"))
    light_or_dark(64).save("grey.safetensors")
    flat(Path("flat.safetensors"))
    with pytest.raises(FovealError) as caught:
        learn(photos(Path("photos")), **options)
    assert isinstance(caught.value, SpecError)
    assert str(caught.value) == message


def test_rare_classes_count_more(cache: Path) -> None:
    source = photos(Path("photos"), (20, 5))
    made = learn(source, pretrained="none")
    assert made.class_weights == pytest.approx((20 / 32, 20 / 8))
    assert made.notes[-1] == (
        "Classes differ in size ('kind0' 16, 'kind1' 4): pictures of rare classes count more, "
        "so that all classes count alike (--no-balance: all pictures alike)."
    )
    assert learn(source, pretrained="none", balance=False).class_weights is None
    assert learn(photos(Path("alike"), (6, 7)), pretrained="none").class_weights is None
