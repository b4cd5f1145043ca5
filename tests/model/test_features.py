"""Values at a step of a net: the right ones, and each computed once until something changes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.models import idx_shades, light_or_dark, shades, write_shades

from foveal import data
from foveal.data.samples import Samples
from foveal.engines.weights import initial
from foveal.errors import DataError, FovealError, SpecError
from foveal.model.features import BATCH, Extracted, Extractor
from foveal.model.model import Model
from foveal.net.notation import parse

NET = parse(
    "input uint8 -> resize 8 -> crop 8 -> normalise -> c1: conv 4 3 -> bn1: bn -> relu"
    " -> maxpool 2 -> flatten -> hidden: dense 5 -> relu -> scores: dense 2 -> softmax"
)
INPUT = (1, 8, 8)
WEIGHTS = initial(NET.bind(INPUT), seed=3)


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shades(tmp_path / "photos")


def samples(folder: Path) -> Samples:
    return data.open(folder, validation=0).train


def extractor(layer: str | None = None, weights: dict[str, np.ndarray] = WEIGHTS) -> Extractor:
    return Extractor(NET, INPUT, weights, layer)


def run(folder: Path, layer: str | None = None) -> Extracted:
    return extractor(layer).run(samples(folder))


def test_the_values_are_those_that_arrive_at_the_last_layer(folder: Path) -> None:
    made = run(folder)
    assert made.layer == "relu2"
    assert made.values.shape == (24, 5)
    assert made.values.dtype == np.float32
    model = Model(NET, INPUT, WEIGHTS, ("dark", "light"))
    loaded = model.split.load(samples(folder))
    assert made.names == loaded.names
    assert np.array_equal(made.labels, loaded.labels)
    scores = made.values @ WEIGHTS["scores.weight"].T + WEIGHTS["scores.bias"]
    odds = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    assert np.allclose(odds, model.probabilities(loaded.pictures), atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "path", "shape"), [("c1", "c1", (4, 6, 6)), ("maxpool1", "maxpool1", (4, 3, 3))]
)
def test_any_step_can_be_asked(folder: Path, layer: str, path: str, shape: tuple) -> None:  # type: ignore[type-arg]
    made = run(folder, layer)
    assert (made.layer, made.values.shape[1:]) == (path, shape)


def test_a_group_stands_for_its_last_step() -> None:
    net = parse("input uint8 -> stem: [conv 2 3 -> relu] -> globalavgpool -> dense 2 -> softmax")
    weights = initial(net.bind(INPUT), 0)
    assert Extractor(net, INPUT, weights, "stem").path == "stem.relu1"


def test_weights_behind_the_layer_may_be_missing(folder: Path) -> None:
    trunk = {path: array for path, array in WEIGHTS.items() if not path.startswith("scores")}
    made = extractor(weights=trunk).run(samples(folder))
    assert np.array_equal(made.values, run(folder).values)


def test_what_cannot_be_asked_is_refused_with_a_sentence() -> None:
    with pytest.raises(SpecError) as error:
        extractor("relu3").path  # noqa: B018
    assert str(error.value) == (
        "layer 'relu3': is no step of the net\n  fix:      did you mean 'relu2'?"
    )
    with pytest.raises(SpecError) as error:
        extractor(weights={}).run(samples_of_arrays())
    assert str(error.value) == (
        "weights: missing tensors: bn1.bias, bn1.running_mean, bn1.running_var, …\n"
        "  fix:      weights of the same net; its paths are those of Program.tensors()"
    )


def samples_of_arrays() -> Samples:
    x = np.zeros((1, 8, 8, 1), np.uint8)
    content = data.samples.Content(("0",), np.zeros(1, np.int64), data.samples.Stack(x))
    return Samples("train", ("a",), content)


def test_the_second_run_decodes_nothing_and_gives_the_same_bits(
    folder: Path, decoded: list[str]
) -> None:
    first = run(folder)
    assert (first.reused, len(decoded)) == (0, 24)
    decoded.clear()
    second = run(folder)
    assert (second.reused, decoded) == (24, [])
    assert np.array_equal(first.values, second.values)
    assert first.names == second.names


def test_a_changed_an_added_and_a_renamed_file_are_noticed(
    folder: Path, decoded: list[str]
) -> None:
    before = run(folder)
    decoded.clear()
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(folder / "dark" / "3.png")
    write_shades(folder / "new", 100, 1)[0].rename(folder / "light" / "added.png")
    (folder / "new").rmdir()
    (folder / "dark" / "5.png").rename(folder / "dark" / "renamed.png")
    after = run(folder)
    assert sorted(decoded) == ["3.png", "added.png"]
    assert after.reused == 23
    values = dict(zip(after.names, after.values, strict=True))
    old = dict(zip(before.names, before.values, strict=True))
    assert np.array_equal(values["dark/renamed.png"], old["dark/5.png"])
    assert not np.array_equal(values["dark/3.png"], old["dark/3.png"])
    fresh = extractor().run(samples(folder), cached=False)
    assert np.array_equal(fresh.values, after.values)


def test_a_file_changed_in_its_middle_is_noticed_by_its_time(
    tmp_path: Path, decoded: list[str]
) -> None:
    folder = tmp_path / "large"
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        noise = random.integers(0, 256, (500, 500), np.uint8)
        Image.fromarray(noise).save(folder / name / "1.bmp")
    run(folder)
    decoded.clear()
    path = folder / "a" / "1.bmp"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    assert run(folder).reused == 1
    assert decoded == ["1.bmp"]


@pytest.mark.parametrize("change", ["weights", "layer", "size"])
def test_another_net_has_rows_of_its_own(folder: Path, change: str) -> None:
    run(folder)
    other = {
        "weights": extractor(weights={**WEIGHTS, "c1.bias": WEIGHTS["c1.bias"] + 1}),
        "layer": extractor("c1"),
        "size": Extractor(parse(NET.write().replace("resize 8", "resize 9")), INPUT, WEIGHTS),
    }[change]
    assert other.run(samples(folder)).reused == 0
    assert run(folder).reused == 24


def test_another_head_uses_the_same_rows(folder: Path) -> None:
    run(folder)
    other = Extractor(parse(NET.write().replace("dense 2", "dense 9")), INPUT, WEIGHTS)
    assert other.run(samples(folder)).reused == 24


def test_what_was_computed_before_an_interruption_is_kept(folder: Path) -> None:
    def interrupt(done: int, of: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extractor().run(samples(folder), interrupt)
    again = run(folder)
    assert again.reused == 20
    whole = extractor().run(samples(folder), cached=False)
    assert np.array_equal(again.values, whole.values)


def test_a_damaged_row_is_computed_anew(folder: Path) -> None:
    whole = run(folder)
    (file,) = extractor().cache_folder.iterdir()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    again = run(folder)
    assert again.reused == 23
    assert np.array_equal(again.values, whole.values)
    assert run(folder).reused == 24


def test_a_cache_that_cannot_be_written_is_done_without(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "taken"))
    assert len(run(folder)) == 24
    assert run(folder).reused == 0


def test_values_do_not_depend_on_which_others_are_new(folder: Path) -> None:
    whole = extractor().run(samples(folder), cached=False)
    assert len(whole) % BATCH == 0
    part = samples(folder)
    few = Samples("train", part.classes, part._content().take(np.array([1, 7, 20])))
    assert np.array_equal(extractor().run(few, cached=False).values, whole.values[[1, 7, 20]])


def test_damaged_pictures_are_set_aside_and_looked_at_again(folder: Path) -> None:
    path = folder / "dark" / "4.png"
    good = path.read_bytes()
    path.write_bytes(good[:-30])
    made = run(folder)
    assert len(made) == 23
    assert [entry.path for entry in made.skipped] == ["dark/4.png"]
    assert "dark/4.png" not in made.names
    path.write_bytes(good)
    again = run(folder)
    assert (len(again), again.reused) == (24, 23)


def test_a_file_that_goes_away_is_set_aside(folder: Path) -> None:
    part = samples(folder)
    assert len(part) == 24
    (folder / "light" / "0.png").unlink()
    made = extractor().run(part)
    assert [entry.reason for entry in made.skipped] == [
        "cannot be opened: No such file or directory"
    ]


def test_a_class_without_any_picture_is_refused(folder: Path) -> None:
    for path in (folder / "dark").iterdir():
        path.write_bytes(path.read_bytes()[:-30])
    for name in ("10.png", "11.png"):
        (folder / "dark" / name).unlink()
    with pytest.raises(DataError) as error:
        run(folder)
    assert error.value.problem == "no picture of the class 'dark' can be read"


def test_pictures_in_arrays_are_known_by_their_bytes(tmp_path: Path) -> None:
    folder = idx_shades(tmp_path / "idx")
    net = light_or_dark()
    extractor = Extractor(net.net, net.input, net.weights)
    part = data.open(folder, validation=0).train
    assert extractor.run(part).reused == 0
    assert extractor.run(part).reused == 40


def test_progress_counts_what_was_reused(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    extractor().run(samples(folder), lambda done, of: seen.append((done, of)))
    assert seen == [(done, 24) for done in range(1, 25)]


def test_a_value_that_is_no_number_stops_the_run(folder: Path) -> None:
    broken = {**WEIGHTS, "hidden.bias": np.full(5, np.inf, np.float32)}
    with pytest.raises(FovealError) as error:
        extractor(weights=broken).run(samples(folder))
    assert str(error.value) == (
        "layer 'relu2', dark/0.png: is not finite for this picture\n"
        "  fix:      other weights, or a layer before it"
    )
