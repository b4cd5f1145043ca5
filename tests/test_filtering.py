"""Filters on pictures: the numbers are those of the definition, and so are the levels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from foveal.engines import reference
from foveal.engines.weights import initial
from foveal.errors import DataError, ShapeError, SpecError
from foveal.filtering import apply, choose, encode, given, own, sheet, targets, to_levels
from foveal.filtering.targets import FORMATS
from foveal.net.filters import FAMILIES, FILTERS
from foveal.net.kernels import Rows
from foveal.net.notation import parse

RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.integers(0, 256, (20, 17, 3), np.uint8)
MODES: dict[str, Literal["edge", "reflect", "wrap"]] = {
    "replicate": "edge",
    "reflect": "reflect",
    "circular": "wrap",
}


def slid(rows: Rows, picture: np.ndarray, padding: str) -> np.ndarray:
    """The definition: at every place the sum of what lies under the kernel, times its numbers."""
    kernel = np.array(rows)
    values = picture.astype(np.float64)
    height, width = kernel.shape
    if padding != "valid":
        up, left = (height - 1) // 2, (width - 1) // 2
        pads = ((up, height - 1 - up), (left, width - 1 - left), (0, 0))
        if padding in MODES:
            values = np.pad(values, pads, MODES[padding])
        else:
            values = np.pad(values, pads, constant_values=float(padding))
    rest = values.shape[0] - height + 1, values.shape[1] - width + 1
    made = np.zeros((*rest, values.shape[2]))
    for y, x in np.ndindex(height, width):
        made += kernel[y, x] * values[y : y + rest[0], x : x + rest[1]]
    return made


def close(found: np.ndarray, wanted: np.ndarray) -> bool:
    same: bool = found.shape == wanted.shape
    return same and bool(np.abs(found - wanted).max() <= 1e-5 * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_gives_what_its_definition_gives(name: str) -> None:
    chosen = given(name)
    before = PICTURE.copy()
    assert close(apply(chosen, PICTURE), slid(chosen.rows, PICTURE, "replicate"))
    assert np.array_equal(PICTURE, before)


@pytest.mark.parametrize("name", ["sobel_x", "roberts_45", "motion", "gabor_45"])
@pytest.mark.parametrize("padding", ["reflect", "circular", "valid", "0", "128.5"])
def test_padding_is_what_it_is_called(name: str, padding: str) -> None:
    chosen = given(name, padding=padding)
    assert close(apply(chosen, PICTURE), slid(chosen.rows, PICTURE, padding))


def test_true_convolution_turns_the_kernel_round() -> None:
    chosen = own("1 2 3 / 4 5 6", true=True)
    turned = tuple(row[::-1] for row in chosen.rows[::-1])
    assert close(apply(chosen, PICTURE), slid(turned, PICTURE, "replicate"))
    assert not np.allclose(apply(chosen, PICTURE), apply(own("1 2 3 / 4 5 6"), PICTURE))


def test_normalise_divides_by_the_sum() -> None:
    made = apply(own("1 2 / 3 4", normalise=True), PICTURE)
    assert close(made, slid(((0.1, 0.2), (0.3, 0.4)), PICTURE, "replicate"))


def test_the_filter_is_a_layer_that_other_engines_have_too() -> None:
    chosen = given("gaussian", size=5, sigma=1.2)
    net = parse(chosen.net.write())
    assert net == chosen.net
    program = net.bind((3, *PICTURE.shape[:2]))
    weights = initial(program, seed=3)
    x = np.moveaxis(PICTURE, 2, 0)[None].astype(np.float64)
    made = reference.build(program, weights).run(x)[""][0]
    assert close(apply(chosen, PICTURE), np.moveaxis(made, 0, 2))


def test_the_sharpened_pixel_of_the_article() -> None:
    patch = np.array([[0, 157, 0], [155, 164, 159], [0, 157, 0]], np.uint8)[:, :, None]
    assert apply(given("sharpen", padding="valid"), patch).tolist() == [[[192.0]]]


@pytest.mark.parametrize(
    ("name", "shape", "problem"),
    [
        ("reflect", (4, 9, 1), "reflect padding of 7:7 needs more than 4 positions"),
        ("valid", (20, 9, 1), "kernel 15x15 does not fit into 20x9"),
    ],
)
def test_a_picture_may_be_too_small(name: str, shape: tuple[int, ...], problem: str) -> None:
    with pytest.raises(ShapeError) as caught:
        apply(given("gabor", padding=name), np.zeros(shape, np.uint8))
    assert caught.value.problem == problem


def test_a_single_pixel_has_replicated_neighbours() -> None:
    assert apply(given("sharpen"), np.full((1, 1, 1), 77, np.uint8)).tolist() == [[[77.0]]]


@pytest.mark.parametrize("name", [*FILTERS, *FAMILIES, "all"])
def test_a_name_means_filters_in_their_order(name: str) -> None:
    names = choose(name)
    assert names == [each for each in FILTERS if each in names]
    assert names == [name] if name in FILTERS else len(names) >= 1
    if name in FAMILIES:
        assert {FILTERS[each].family for each in names} == {name}
    if name == "all":
        assert names == list(FILTERS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: choose("blur"), "blur: is not a filter\n  fix:      did you mean 'blurs'?"),
        (
            lambda: choose("x"),
            "x: is not a filter\n  fix:      foveal filter --list shows them",
        ),
        (
            lambda: choose("pyproject.toml"),
            "pyproject.toml: is not a filter\n"
            "  fix:      the filter comes first: foveal filter sharpen pyproject.toml",
        ),
        (
            lambda: given("edges", normalise=True),
            "edges: cannot be divided by the sum of its numbers, which is 0\n"
            "  fix:      leave out --normalise: a kernel for edges cannot keep a plain picture",
        ),
        (
            lambda: given("sharpen", padding="same"),
            "padding: cannot be 'same'\n"
            "  expected: reflect, replicate, circular, valid, or a level from 0 to 255\n"
            "  fix:      replicate, which repeats the border",
        ),
        (
            lambda: given("sharpen", padding="256"),
            "padding: cannot be '256'\n"
            "  expected: reflect, replicate, circular, valid, or a level from 0 to 255\n"
            "  fix:      replicate, which repeats the border",
        ),
    ],
)
def test_messages(
    call: Callable[[], object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").touch()
    with pytest.raises(SpecError) as caught:
        call()
    assert str(caught.value) == message


def values(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)[:, None, None]


@pytest.mark.parametrize(
    ("rule", "numbers", "levels", "sentence"),
    [
        (
            "clip",
            (-3, 0.5, 1.5, 254.6, 300),
            [0, 0, 2, 255, 255],
            "values -3 … 300; clip: black is 0, white 255, 40.00% beyond",
        ),
        ("clip", (7, 8), [7, 8], "values 7 … 8; clip: black is 0, white 255"),
        (
            "rescale",
            (-10, 0, 10),
            [0, 128, 255],
            "values -10 … 10; rescale: black is -10, white 10",
        ),
        ("rescale", (9, 9), [9, 9], "values 9 … 9; rescale: black is 0, white 255"),
        (
            "signed",
            (-10, 0, 5),
            [1, 128, 192],
            "values -10 … 5; signed: black is -10, white 10, 0 is grey",
        ),
        (
            "signed",
            (0, 0),
            [128, 128],
            "values 0 … 0; signed: black is -127, white 127, 0 is grey",
        ),
        ("signed", (2, 4), [192, 255], "values 2 … 4; signed: black is -4, white 4, 0 is grey"),
    ],
)
def test_rules(rule: str, numbers: tuple[float, ...], levels: list[int], sentence: str) -> None:
    given_values = values(*numbers)
    made = to_levels(given_values, rule)
    assert made.pixels.ravel().tolist() == levels
    assert made.sentence() == sentence
    assert given_values.ravel().tolist() == pytest.approx(list(numbers))


def test_signed_may_saturate_a_share() -> None:
    made = to_levels(values(*[1.0] * 998, -1.0, 100.0), "signed", saturate=0.01)
    assert made.white == pytest.approx(1, abs=0.1)
    assert made.pixels.ravel()[[0, 998, 999]].tolist() == [255, 1, 255]
    assert made.cut == pytest.approx(0.001)
    assert "0.10% beyond" in made.sentence()


def test_rules_follow_from_the_sum() -> None:
    assert given("sobel_x").rule == "signed"
    assert given("gabor").rule == "signed"
    assert given("sharpen").rule == "clip"
    assert own("1 1 / 1 -2").rule == "clip"


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_format_is_written(suffix: str, mode: str, tmp_path: Path) -> None:
    picture = Image.new(mode, (5, 4), 200 if mode == "L" else (200, 100, 50))
    path = tmp_path / f"x{suffix.upper()}"
    path.write_bytes(encode(picture, path))
    with Image.open(path) as again:
        assert again.size == (5, 4)
        assert abs(int(np.asarray(again.convert("L"))[0, 0]) - (200 if mode == "L" else 124)) < 4


@pytest.mark.parametrize(("suffix", "most"), [("jpg", 65_500), ("jpeg", 65_500), ("webp", 16_383)])
def test_a_picture_longer_than_its_format_holds_is_refused(suffix: str, most: int) -> None:
    assert encode(Image.new("L", (most, 1)), Path(f"x.{suffix}"))
    with pytest.raises(DataError) as caught:
        encode(Image.new("L", (1, most + 1)), Path(f"a/x.{suffix}"))
    assert str(caught.value) == (
        f"a/x.{suffix}: the format .{suffix} holds at most {most:,} pixels a side\n"
        f"  arrives:  {most + 1} x 1 (height x width)\n"
        "  fix:      -o x.png"
    )


def test_an_output_without_a_name_is_refused() -> None:
    with pytest.raises(SpecError) as caught:
        targets([Path("a.png")], "", "edges")
    assert str(caught.value) == "-o: is empty\n  fix:      -o edges.png, or -o folder/"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a/x.jpg", "a/y.png", "b/x.png", "z.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("files", "output", "made"),
    [
        (["a/x.jpg"], None, ["a/x-edges.png"]),
        (["a/x.jpg"], "o.JPG", ["o.JPG"]),
        (["a/x.jpg"], "o", ["o/x.png"]),
        (["a/x.jpg"], "o.d/", ["o.d/x.png"]),
        (["a/x.jpg"], "b", ["b/x.png"]),
        (["a/x.jpg", "b/x.png"], "o", ["o/a/x.png", "o/b/x.png"]),
        (["a/x.jpg", "a/y.png"], "o/", ["o/x.png", "o/y.png"]),
        (["a/../z.png", "a/x.jpg"], "o/", ["o/z.png", "o/a/x.png"]),
    ],
)
def test_targets(desk: Path, files: list[str], output: str | None, made: list[str]) -> None:
    assert targets([Path(file) for file in files], output, "edges") == [Path(one) for one in made]


FORMAT_NAMES = ".png, .jpg, .jpeg, .webp, .tif, .tiff, .bmp, .ppm, .pgm"


@pytest.mark.parametrize(
    ("files", "output", "message"),
    [
        (
            ["a/x.jpg", "z.png"],
            None,
            "-o: 2 pictures need a folder\n  fix:      -o folder/, with a slash",
        ),
        (
            ["a/x.jpg", "z.png"],
            "o.png",
            "-o: 2 pictures need a folder\n  fix:      -o folder/, with a slash",
        ),
        (
            ["a/x.jpg"],
            "o.pngg",
            f"o.pngg: no format is called .pngg\n  expected: a name that ends in {FORMAT_NAMES}\n"
            "  fix:      did you mean '.png'?",
        ),
        (
            ["z.png"],
            "z.png",
            "z.png: is a picture that is read\n  fix:      -o another.png, or -o folder/",
        ),
        (
            ["z.png"],
            "link.png",
            "link.png: is a picture that is read\n  fix:      -o another.png, or -o folder/",
        ),
        (
            ["a/y.png", "a/y.jpg"],
            "o/",
            "o/y.png: two pictures would be written here\n  arrives:  a/y.png and a/y.jpg\n"
            "  fix:      one after the other, each with its own -o",
        ),
        (
            ["z.png"],
            "plain",
            f"plain: the name says no format\n  expected: a name that ends in {FORMAT_NAMES}",
        ),
    ],
)
def test_targets_that_are_refused(
    desk: Path, files: list[str], output: str | None, message: str
) -> None:
    Path("link.png").symlink_to("z.png")
    Path("plain").touch()
    with pytest.raises(SpecError) as caught:
        targets([Path(file) for file in files], output, "edges")
    assert str(caught.value) == message


def test_a_sheet_has_a_tile_for_every_filter() -> None:
    filters = [given(name) for name in choose("lines")]
    page, made = sheet(PICTURE, filters, "random")
    assert [one.rule for one in made] == ["signed"] * 4
    wanted = to_levels(apply(filters[0], PICTURE), "signed", 0.01).pixels
    assert np.array_equal(made[0].pixels, wanted)
    tile = np.asarray(page)[64 : 64 + 8 * 20 : 8, 28 : 28 + 8 * 17 : 8]
    assert np.array_equal(tile, wanted)


def test_a_sheet_reduces_a_large_picture_and_takes_one_rule_for_all() -> None:
    large = np.asarray(Image.fromarray(PICTURE).resize((400, 300)))
    filters = [given(name) for name in choose("all")]
    page, made = sheet(large, filters, "random", rule="rescale", side=100)
    assert {one.rule for one in made} == {"rescale"}
    assert {one.pixels.shape for one in made} == {(75, 100, 3)}
    assert page.width == 2 * 28 + 8 * (132 + 18) - 18


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 500, 3), (500, 3, 1)])
def test_a_sheet_of_a_picture_of_any_shape(shape: tuple[int, ...]) -> None:
    page, made = sheet(np.zeros(shape, np.uint8), [given("emboss")], "thin")
    assert len(made) == 1
    assert page.width >= 132
