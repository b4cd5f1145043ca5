"""What the cache keeps of weights and models: what is added, listed, cleared, and goes first."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.models import light_or_dark
from support.weights_files import SMALL, numbers, shapes_of, write

from foveal.errors import ModelFileError, SpecError
from foveal.model import hub as weights
from foveal.model import shipped
from foveal.zoo import ENTRIES


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def lying(folder: Path) -> list[str]:
    """What is in the cache, without locks and notes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if path.suffix not in (".lock", ".origin"))


def weights_file(path: Path, by: str = "keras") -> Path:
    path.parent.mkdir(exist_ok=True)
    return write(path, numbers(shapes_of(SMALL, by)))


def test_weights_that_are_added_go_before_those_of_the_hub(folder: Path, tmp_path: Path) -> None:
    file = weights_file(tmp_path / "of keras.safetensors")
    fetched = folder / "hub" / f"{SMALL}.safetensors"
    fetched.parent.mkdir(parents=True)
    fetched.write_bytes(b"of the hub")
    assert weights.cached(SMALL) == fetched
    added = weights.add(file)
    assert added == folder / "weights" / f"{SMALL}.safetensors" == weights.cached(SMALL)
    assert added.read_bytes() == file.read_bytes()
    assert [one.origin for one in weights.listing()] == ["", str(file)]
    file.write_bytes(b"changed")
    assert added.read_bytes() != b"changed"
    assert weights.add(added) == added


def test_a_folder_with_weights_is_added_by_its_file(folder: Path, tmp_path: Path) -> None:
    file = weights_file(tmp_path / "downloads" / "model.safetensors", by="torchvision")
    assert weights.add(file.parent) == folder / "weights" / f"{SMALL}.safetensors"
    (kept,) = weights.listing()
    assert (kept.name, kept.origin) == (SMALL, str(file))


def test_a_model_of_a_training_is_called_like_its_folder(folder: Path, tmp_path: Path) -> None:
    for name in ("pets", "flowers"):
        (tmp_path / name).mkdir()
        light_or_dark().save(tmp_path / name / "model.safetensors")
        assert weights.add(tmp_path / name).name == f"{name}.safetensors"
    assert [(one.name, one.what) for one in weights.listing()] == [
        ("flowers", "model"),
        ("pets", "model"),
    ]


def test_what_is_neither_weights_nor_model_is_not_added(folder: Path, tmp_path: Path) -> None:
    file = weights_file(tmp_path / "weights.safetensors")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ModelFileError):
        weights.add(file)
    with pytest.raises(ModelFileError, match="does not fit mobilenet_v2_140"):
        weights.add(weights_file(file), "mobilenet_v2_140")
    assert lying(folder) == []


def test_a_model_keeps_the_name_of_its_file(folder: Path, tmp_path: Path) -> None:
    light_or_dark().save(tmp_path / "shades.of.grey.safetensors")
    added = weights.add(tmp_path / "shades.of.grey.safetensors")
    assert weights.cached("shades.of.grey") == added
    (kept,) = weights.listing()
    assert (kept.name, kept.what) == ("shades.of.grey", "model")
    assert weights.names() == []  # it sees no colours


def test_a_model_must_not_be_called_like_a_net_of_the_zoo(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "resnet18.safetensors"
    light_or_dark().save(file)
    with pytest.raises(SpecError) as caught:
        weights.add(file)
    assert str(caught.value) == (
        f"{file}: is a model with the name of a net of the zoo\n  fix:      rename the file"
    )
    assert lying(folder) == []


def test_a_name_with_a_path_in_it_is_in_no_cache(folder: Path) -> None:
    (folder / "weights" / "deep").mkdir(parents=True)
    for place in ("weights/deep/a.safetensors", "a.safetensors"):
        (folder / place).write_bytes(b"")
    for name in ("deep/a", "../a", str(folder / "a"), "", "."):
        assert weights.cached(name) is None


def test_names_are_those_for_photos_the_best_first(folder: Path, tmp_path: Path) -> None:
    assert weights.names() == []
    for name in ("vgg16", "resnet18", "mobilenet_v2_035", "mobilenet_v2", "lenet5"):
        file = folder / "hub" / f"{name}.safetensors"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    for name, side, channels in (("cats", 64, 3), ("small", 63, 3), ("grey", 64, 1)):
        light_or_dark(side, channels).save(tmp_path / f"{name}.safetensors")
        weights.add(tmp_path / f"{name}.safetensors")
    (folder / "weights" / "damaged.safetensors").write_bytes(b"")
    assert weights.names() == ["mobilenet_v2", "resnet18", "mobilenet_v2_035", "vgg16", "cats"]
    assert set(weights.FOR_PHOTOS) <= set(ENTRIES)


def fill(folder: Path) -> None:
    for place in (
        "hub/resnet18.safetensors",
        "hub/resnet18.origin",
        "hub/.resnet18.lock",
        "hub/resnet34.0123456789abcdef.part",
        "weights/resnet18.safetensors",
        "weights/cats.safetensors",
        "features/0a.safetensors",
        "features/1b/0.rows",
        "features/1b/1.rows",
        "pictures/3x8x8-2c/0.rows",
    ):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(b"12345678")


def test_the_listing_has_everything(folder: Path) -> None:
    fill(folder)
    told = [(one.name, one.what, one.bytes) for one in weights.listing()]
    assert told == [
        ("cats", "model", 8),
        ("resnet18", "weights", 8),
        ("resnet18", "weights", 8),
        ("resnet34", "unfinished", 8),
        ("0a", "features", 8),
        ("1b", "features", 16),
        ("3x8x8-2c", "pictures", 8),
    ]


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (["resnet18"], "0 0 0a 1 cats resnet34.0123456789abcdef"),
        (["resnet34", "cats"], "0 0 0a 1 resnet18 resnet18"),
        (["features"], "0 cats resnet18 resnet18 resnet34.0123456789abcdef"),
        (["pictures", "features"], "cats resnet18 resnet18 resnet34.0123456789abcdef"),
        (["1b"], "0 0a cats resnet18 resnet18 resnet34.0123456789abcdef"),
        (None, ""),
    ],
)
def test_clearing(names: list[str] | None, left: str, folder: Path) -> None:
    fill(folder)
    before = weights.listing()
    gone = weights.clear(names)
    assert [Path(name).stem for name in lying(folder)] == left.split()
    assert [one for one in before if one not in gone] == weights.listing()
    if names is None or "resnet18" in names:
        assert not [path for path in folder.rglob("*resnet18*") if path.is_file()]


def test_clearing_what_is_not_there_removes_nothing(folder: Path) -> None:
    fill(folder)
    with pytest.raises(SpecError) as caught:
        weights.clear(["cats", "resnet19"])
    assert str(caught.value) == (
        "resnet19: is not in the cache\n  fix:      did you mean 'resnet18'?"
    )
    assert len(weights.listing()) == 7


def test_where_weights_come_from() -> None:
    told = {name: weights.weights(name) for name in ENTRIES}
    assert {name for name in ENTRIES if told[name] == "convert"} == {
        *("alexnet", "googlenet", "mobilenet_v2_035")
    }
    assert {name for name in ENTRIES if told[name] == "none"} == {
        *("lenet5", "lenet5_1998", "alexnet_2012", "airbench94")
    }
    assert {name for name in ENTRIES if told[name] == "own"} == {"quick"}
    assert {told[name] for name in weights.FOR_PHOTOS} == {"hub", "convert"}


def test_own_weights_are_there_without_a_cache(folder: Path) -> None:
    assert weights.weights("quick") == "own"
    assert weights.fetch("quick") == shipped.path_of("digit_reader")
    assert weights.listing() == []
