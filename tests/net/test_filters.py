"""Given filters: their numbers, their directions, and what is refused."""

from __future__ import annotations

import math

import pytest

from foveal.errors import ShapeError, SpecError
from foveal.net.filters import FAMILIES, FILTERS, PARAMETERS, kernel
from foveal.net.initialisers import NUMBERS
from foveal.net.kernels import CONSTRAINTS, LARGEST_SIZE, Rows, drawn, gaussian, read, sums_to_zero
from foveal.net.notation import parse

BRIGHTENS = {"_x": (0, 1), "_y": (1, 0), "_45": (1, 1), "_135": (1, -1)}
"""Rows and columns one goes to where it gets brighter."""
GRADIENTS = [name for name, one in FILTERS.items() if one.family in ("gradients", "reliefs")]
KEEP = {"plain", "sharpeners", "blurs", "reliefs"}
"""Families that keep brightness; of the rows some do."""


def size(rows: Rows) -> tuple[int, int]:
    return len(rows), len(rows[0])


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_can_be_said_in_the_notation_and_starts_as_its_numbers(name: str) -> None:
    rows = kernel(name)
    height, width = size(rows)
    text = f"conv 1 {height}x{width} init {name} frozen"
    net = parse(text)
    assert parse(net.write()) == net
    start = net.bind((1, 16, 16)).tensors()["conv1.weight"].init
    assert start == tuple(number for row in rows for number in row)


def test_names_are_no_words_of_initialisers_nor_families() -> None:
    assert not set(FILTERS) & (set(NUMBERS) | set(FAMILIES) | {"all"})
    assert all(name.isidentifier() and name.islower() for name in FILTERS)


def test_every_family_has_members_that_stand_together() -> None:
    families = [one.family for one in FILTERS.values()]
    assert list(dict.fromkeys(families)) == list(FAMILIES)
    assert families == sorted(families, key=list(FAMILIES).index)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_says_what_it_does_and_where_it_is_from(name: str) -> None:
    one = FILTERS[name]
    assert one.about
    assert not one.about.endswith(".")
    assert one.source


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_keeps_brightness_or_gives_0_on_a_plain_picture(name: str) -> None:
    rows = kernel(name)
    keeps = FILTERS[name].family in KEEP or name in ("smooth", "motion")
    assert sums_to_zero(rows) is not keeps
    assert math.fsum(map(math.fsum, rows)) == pytest.approx(1 if keeps else 0, abs=1e-6)


def correlation_with_a_ramp(rows: Rows, down: int, right: int) -> float:
    """What a filter gives where brightness grows by one a step in that direction."""
    return sum(
        number * (down * y + right * x)
        for y, row in enumerate(rows)
        for x, number in enumerate(row)
    )


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_gradient_answers_most_where_it_gets_brighter_as_its_name_says(name: str) -> None:
    ending = "_" + name.rpartition("_")[2] if "_" in name else "_45"
    answers = {}
    for word, (down, right) in BRIGHTENS.items():
        length = math.hypot(down, right)
        answers[word] = correlation_with_a_ramp(kernel(name), down, right) / length
    assert max(answers, key=answers.__getitem__) == ending


@pytest.mark.parametrize("family", ["sobel", "prewitt", "scharr", "line"])
def test_directions_of_a_family_are_one_kernel_turned(family: str) -> None:
    across, down, forward, backward = (kernel(f"{family}_{end}") for end in ("x", "y", "45", "135"))
    assert down == tuple(zip(*across, strict=True))
    assert backward == tuple(row[::-1] for row in forward)
    ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    turned = [across[y][x] for y, x in ring[-1:] + ring[:-1]]
    assert [forward[y][x] for y, x in ring] == turned


@pytest.mark.parametrize(("family", "middle"), [("curve", 3), ("corner", 2)])
def test_four_orientations_are_mirror_images(family: str, middle: int) -> None:
    upper_left = kernel(f"{family}_nw")
    assert kernel(f"{family}_ne") == tuple(row[::-1] for row in upper_left)
    assert kernel(f"{family}_sw") == upper_left[::-1]
    assert kernel(f"{family}_se") == tuple(row[::-1] for row in upper_left[::-1])
    assert size(upper_left) == (2 * middle + 1,) * 2
    assert upper_left == tuple(zip(*upper_left, strict=True))


def test_well_known_numbers() -> None:
    assert kernel("sharpen") == ((0, -1, 0), (-1, 5, -1), (0, -1, 0))
    assert kernel("edges") == ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1))
    assert kernel("sobel_x") == ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
    assert kernel("box") == ((1 / 9,) * 3,) * 3
    assert kernel("gaussian")[1] == (1 / 8, 1 / 4, 1 / 8)
    assert kernel("unsharp")[2] == (-6 / 256, -24 / 256, 476 / 256, -24 / 256, -6 / 256)


def test_unsharp_is_twice_the_picture_less_its_blur() -> None:
    blur = kernel("gaussian_5")
    for y, row in enumerate(kernel("unsharp")):
        for x, number in enumerate(row):
            assert number == 2 * (y == x == 2) - blur[y][x]


def test_a_gaussian_is_its_formula() -> None:
    made = kernel("gaussian", size=7, sigma=1.5)
    bell = {
        (y, x): math.exp(-(x * x + y * y) / (2 * 1.5**2))
        for x in range(-3, 4)
        for y in range(-3, 4)
    }
    total = sum(bell.values())
    for (y, x), value in bell.items():
        assert made[y + 3][x + 3] == pytest.approx(value / total, rel=1e-6)


def test_size_and_sigma_follow_from_each_other() -> None:
    assert size(kernel("gaussian", sigma=2.0)) == (13, 13)
    assert kernel("gaussian", size=5) == gaussian(5, 1.0)
    assert size(kernel("gaussian", sigma=42.0)) == (LARGEST_SIZE - 2,) * 2
    assert kernel("gaussian", size=1) == ((1.0,),)


def test_a_gabor_is_its_formula() -> None:
    angle, wavelength, sigma, phase = math.radians(30), 6.0, 2.0, math.radians(60)
    made = kernel("gabor", size=11, sigma=sigma, wavelength=wavelength, angle=30.0, phase=60.0)
    bell, wave = {}, {}
    for y in range(-5, 6):
        for x in range(-5, 6):
            along = x * math.cos(angle) + y * math.sin(angle)
            bell[y, x] = math.exp(-(x * x + y * y) / (2 * sigma**2))
            wave[y, x] = math.cos(2 * math.pi * along / wavelength + phase)
    mean = sum(bell[p] * wave[p] for p in bell) / sum(bell.values())
    wanted = {p: bell[p] * (wave[p] - mean) for p in bell}
    positive = sum(value for value in wanted.values() if value > 0)
    for (y, x), value in wanted.items():
        assert made[y + 5][x + 5] == pytest.approx(value / positive, rel=1e-5, abs=1e-8)


def test_stripes_of_a_gabor_turn_with_its_angle() -> None:
    assert kernel("gabor_90") == tuple(zip(*kernel("gabor"), strict=True))
    assert kernel("gabor_135") == tuple(row[::-1] for row in kernel("gabor_45"))
    rising = kernel("gabor_45")
    assert rising[8][6] == pytest.approx(rising[6][8])
    assert rising[8][6] > 0 > rising[9][9]


@pytest.mark.parametrize("phase", [0.0, 30.0, 90.0])
@pytest.mark.parametrize("sigma", [1.0, 2.5])
def test_a_gabor_gives_0_on_a_plain_picture(phase: float, sigma: float) -> None:
    assert sums_to_zero(kernel("gabor", phase=phase, sigma=sigma, angle=20.0))


def test_parameters_that_are_not_given_leave_the_filter_as_it_is() -> None:
    assert kernel("sharpen", size=None, sigma=None) == kernel("sharpen")
    assert kernel("box", size=5) == kernel("box_5")


def test_a_drawing_is_a_mean_less_a_mean() -> None:
    assert drawn("##. ...") == ((0.5, 0.5, -0.25), (-0.25, -0.25, -0.25))


@pytest.mark.parametrize(
    "text", ["1 2/3 4", " 1, 2 / 3, 4 ", "1 2\n3 4\n", "1 2;3 4;", "+1 2e0 / 3.0 4"]
)
def test_a_kernel_is_read_as_it_is_written(text: str) -> None:
    assert read(text) == ((1, 2), (3, 4))


@pytest.mark.parametrize(
    ("text", "problem", "arrives"),
    [
        ("", "is not a kernel: its rows must be equally long", "rows of 0 numbers"),
        ("1 2/3", "is not a kernel: its rows must be equally long", "rows of 2, 1 numbers"),
        ("1//2", "is not a kernel: its rows must be equally long", "rows of 1, 0, 1 numbers"),
        ("1 two 3", "is not a kernel", "'two'"),
        ("1 nan", "is not a kernel", "'nan'"),
        ("1 -1e7", "is not a kernel", "'-1e7'"),
        ("1 " * 256, "is too large", "1x256"),
    ],
)
def test_what_is_no_kernel_is_refused(text: str, problem: str, arrives: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(text)
    assert str(caught.value) == (
        f"kernel: {problem}\n  arrives:  {arrives}\n"
        "  expected: numbers up to a million row by row, at most 255x255\n"
        "  fix:      such as 0 -1 0 / -1 5 -1 / 0 -1 0"
    )


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("sobel", {}, "sobel: is not a filter\n  fix:      did you mean 'sobel_y'?"),
        (
            "sharpen",
            {"size": 5},
            "sharpen: has no size\n  fix:      box has size; gaussian has size, sigma; "
            "gabor has size, sigma, wavelength, angle, phase",
        ),
        ("box", {"size": 4}, "box size: must be an odd whole number from 1 to 255, not 4"),
        ("gaussian", {"sigma": 0}, "gaussian sigma: must be a number from 0.1 to 42, not 0"),
        ("gabor", {"wavelength": 1}, "gabor wavelength: must be a number from 2 to 75, not 1"),
        ("gabor", {"angle": math.nan}, "gabor angle: must be a finite number, not nan"),
        (
            "gabor",
            {"sigma": 0.1, "wavelength": 75},
            "gabor: no wave is left: the bell is narrow, the wave long\n"
            "  arrives:  size 3, sigma 0.1, wavelength 75\n"
            "  fix:      a larger sigma and size, or a shorter wavelength",
        ),
    ],
)
def test_what_cannot_be_made_is_refused(
    name: str, parameters: dict[str, float], message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        kernel(name, **parameters)
    assert str(caught.value) == message


@pytest.mark.parametrize(("name", "words"), PARAMETERS.items())
def test_bad_values_of_parameters_are_refused(name: str, words: tuple[str, ...]) -> None:
    for word in words:
        for value in CONSTRAINTS[word].bad_values():
            if value is not None:
                with pytest.raises(SpecError):
                    kernel(name, **{word: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("conv 1 3 init difference", (1, 9)),
        ("conv 1 1x3 init difference", (1, 5, 9)),
        ("conv 1 1x1x3 init difference", (1, 4, 5, 9)),
        ("conv 1 1x3x3 init sobel_x", (1, 4, 5, 9)),
    ],
)
def test_filters_fit_series_and_volumes(text: str, shape: tuple[int, ...]) -> None:
    net = parse(text)
    name = text.split()[-1]
    start = net.bind(shape).tensors()["conv1.weight"].init
    assert start == tuple(number for row in kernel(name) for number in row)


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        (
            "conv 1 5 init sobel_x",
            (1, 9, 9),
            "layer 1 'conv1' (Conv): filter sobel_x is 3x3, the kernel is 5x5\n"
            "  fix:      kernel_size 3x3",
        ),
        (
            "conv 1 3 init sobel_x",
            (1, 9),
            "layer 1 'conv1' (Conv): filter sobel_x is 3x3, the kernel is 3\n"
            "  fix:      a filter of one row, such as difference",
        ),
        (
            "conv 1 5 init smooth",
            (1, 9),
            "layer 1 'conv1' (Conv): filter smooth is 1x3, the kernel is 5\n"
            "  fix:      kernel_size 3",
        ),
        (
            "conv 1 3 init sobel_x",
            (1, 9, 9, 9),
            "layer 1 'conv1' (Conv): filter sobel_x is 3x3, the kernel is 3x3x3\n"
            "  fix:      kernel_size 1x3x3",
        ),
        (
            "dense 4 init sharpen",
            (9,),
            "layer 1 'dense1' (Dense): filter sharpen is 3x3, and there is no kernel here\n"
            "  fix:      a word or numbers after init, or a layer that slides",
        ),
    ],
)
def test_a_filter_of_another_size_is_refused(
    text: str, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        parse(text).bind(shape)
    assert str(caught.value) == message
