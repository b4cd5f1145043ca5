"""What only Python can show of the articles: short pieces that print what they find.

`answer` asks the engine that computes every layer by its definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import foveal
from foveal import data
from foveal.data import pictures
from foveal.data.digits import enlarge
from foveal.engines import reference
from foveal.engines.weights import initial
from foveal.net import filters

SQUARE = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
FILTER = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def answer(net: str, x: Any, weights: Mapping[str, Any] | None = None) -> np.ndarray:
    """What a net, given in the notation, makes of one picture (C, H, W)."""
    arriving = np.asarray(x)
    program = foveal.parse(net).bind(arriving.shape)
    given = {path: np.asarray(tensor) for path, tensor in (weights or {}).items()}
    made: np.ndarray = reference.build(program, given).run(arriving[None])[""][0]
    return made


def levels() -> None:
    Image.fromarray(np.array([[0, 255]], np.uint8)).save("two.png")
    drawn = Image.new("L", (2, 1), "black")
    drawn.putpixel((1, 0), 255)
    print("black and white:", np.asarray(drawn).tolist())
    print("read:", pictures.read("two.png", channels=1)[:, :, 0].tolist())


def channels() -> None:
    Image.new("RGB", (4, 2), (255, 128, 0)).save("orange.png")
    picture = pictures.read("orange.png", channels=3)
    for place, name in enumerate(("red", "green", "blue")):
        print(name, picture[:, :, place].tolist())


def depths() -> None:
    ramp = np.array([[0, 257, 32_896, 65_535]], np.uint16)
    Image.fromarray(ramp).save("deep.png")
    print(ramp[0].tolist(), "->", pictures.read("deep.png", channels=1)[0, :, 0].tolist())


def slide() -> None:
    for row in answer("conv 1 3 no bias", [SQUARE], {"conv1.weight": [[FILTER]]})[0]:
        print(*row.astype(int))


def sum_of_products() -> None:
    window = [row[:3] for row in SQUARE[:3]]
    pairs = list(zip(np.ravel(window).tolist(), np.ravel(FILTER).tolist(), strict=True))
    print(" + ".join(f"{x}*{w}" for x, w in pairs), "=", sum(x * w for x, w in pairs))


def sharpened() -> None:
    patch = [[0, 157, 0], [155, 164, 159], [0, 157, 0]]
    print("5*164 - 157 - 155 - 159 - 157 =", 5 * 164 - 157 - 155 - 159 - 157)
    kernel = {"conv1.weight": [[filters.kernel("sharpen")]]}
    print("the layer gives", int(answer("conv 1 3 no bias", [patch], kernel)[0, 0, 0]))


def to_the_right() -> None:
    picks_its_left_pixel = {"conv1.weight": [[[[1, 0, 0]]]]}
    print(answer("conv 1 1x3 no bias", [[[10, 20, 30, 40]]], picks_its_left_pixel)[0, 0].tolist())


def borders() -> None:
    square = answer("pad 1", [np.arange(1, 17).reshape(4, 4)])[0]
    print("4x4 becomes", "x".join(map(str, square.shape)))
    for row in square:
        print(*row.astype(int))
    for net in ("pad 2", "pad 2 fill 9", "pad 2 reflect", "pad 2 replicate", "pad 2:0"):
        print(f"{net}:", *answer(net, [[1, 2, 3, 4]])[0].astype(int))
    weights = {"conv1.weight": [[[1, 10, 100]]]}
    apart = answer("pad 2:0 -> conv 1 3 no bias", [[1, 2, 3, 4]], weights)
    joined = answer("conv 1 3 causal no bias", [[1, 2, 3, 4]], weights)
    print("the same as causal:", np.array_equal(apart, joined))


def impulse() -> None:
    found = answer("conv 1 1x3 no bias", [[[0, 0, 1, 0, 0]]], {"conv1.weight": [[[[1, 2, 3]]]]})
    print("a layer gives", found[0, 0].astype(int).tolist())
    print("true convolution gives", np.convolve([0, 0, 1, 0, 0], [1, 2, 3], "valid").tolist())


def channel_sum() -> None:
    red = np.arange(1, 17).reshape(4, 4)
    maps = answer(
        "conv 1 1 no bias", [red, red + 16, red + 32], {"conv1.weight": np.ones((1, 3, 1, 1))}
    )
    print("3 channels ->", len(maps), "map; first pixel: 1 + 17 + 33 =", int(maps[0, 0, 0]))


def random_start() -> None:
    program = foveal.parse("conv 6 5 -> relu -> flatten -> dense 10").bind((1, 32, 32))
    first, second = (initial(program, seed)["conv1.weight"] for seed in (0, 1))
    print("weights:", first.size, "different ones:", len(np.unique(first)))
    print("another seed gives other weights:", not np.isin(first, second).any())


def filters_learn() -> None:
    model = foveal.train(
        "digits", net="conv 6 5 -> relu -> maxpool 4 -> flatten -> dense 10", epochs=1
    )
    start = initial(model.program, seed=0)["conv1.weight"].reshape(6, -1)
    end = model.weights["conv1.weight"].reshape(6, -1)
    print("filters that changed:", int((np.abs(end - start).max(axis=1) > 1e-3).sum()), "of 6")
    apart = [np.abs(one - other).max() for i, one in enumerate(end) for other in end[:i]]
    print("pairs of filters that differ:", int((np.array(apart) > 1e-3).sum()), "of", len(apart))


def rectify() -> None:
    print(answer("relu", [[[-2.0, -0.5, 0.0, 3.0]]])[0, 0].tolist())


def relu_slope() -> None:
    relu = reference.build(foveal.parse("relu").bind((3,)), {})
    slopes = relu.backward(np.array([[-1.0, 0.0, 1.0]]), {"": np.ones((1, 3))}).input
    print("at -1, 0, 1:", slopes[0].tolist())


def softplus_slope() -> None:
    x, nudge = np.array([[-2.0, 0.0, 3.0]]), 2.0**-10
    softplus = reference.build(foveal.parse("softplus").bind((3,)), {})
    slopes = softplus.backward(x, {"": np.ones((1, 3))}).input[0]
    by_hand = (answer("softplus", x[0] + nudge) - answer("softplus", x[0] - nudge)) / (2 * nudge)
    print("slope of softplus:", slopes.round(6).tolist())
    print("by nudging x:     ", by_hand.round(6).tolist())
    print("sigmoid:          ", answer("sigmoid", x[0]).round(6).tolist())


def one_matrix() -> None:
    for between in ("", "relu -> "):
        net = f"conv 4 3 -> {between}conv 2 3"
        weights = initial(foveal.parse(net).bind((1, 8, 8)), seed=0)
        x, y = np.random.default_rng(0).standard_normal((2, 1, 8, 8))
        whole = answer(net, x + y, weights)
        parts = answer(net, x, weights) + answer(net, y, weights)
        print(net, "is linear:", np.allclose(whole, parts))


def pools() -> None:
    grid = np.arange(1.0, 17.0).reshape(1, 4, 4)
    for net in ("maxpool 2", "avgpool 2", "minpool 2", "sumpool 2", "maxpool 2 stride 1"):
        print(net, answer(net, grid)[0].tolist())


def sum_to_one() -> None:
    found = answer("softmax", [2.0, 1.0, -1.0])
    print([round(float(p), 4) for p in found], "sum", round(float(found.sum()), 12))


def one_or_two() -> None:
    a, b = 1.7, 0.4
    two, one = answer("softmax", [a, b])[0], answer("sigmoid", [a - b])[0]
    print(f"two outputs {two:.6f}, one output {one:.6f}")


def moved() -> None:
    net = "conv 1 3 no bias"
    weights = {"conv1.weight": [[[[1, 2, 0], [0, 1, 0], [0, 0, 3]]]]}
    picture = np.zeros((1, 9, 9))
    picture[0, 2:5, 2:4] = [[5, 1], [7, 2], [3, 9]]
    pushed, turned = np.roll(picture, 2, axis=2), np.rot90(picture, axes=(1, 2))
    here, there = answer(net, picture, weights), answer(net, pushed, weights)
    print("moved picture, same map:", np.array_equal(here, there))
    print("moved picture, moved map:", np.array_equal(here[..., :-2], there[..., 2:]))
    best = f"{net} -> globalmaxpool"
    here, there, tilted = (answer(best, x, weights)[0] for x in (picture, pushed, turned))
    print("largest value of the moved picture:", "the same" if there == here else "another")
    print("largest value of the turned picture:", "the same" if tilted == here else "another")


def first_loss() -> None:
    def see(event: Any) -> None:
        if hasattr(event, "first_loss"):
            first, guess = event.first_loss, event.expected_first_loss
            print(f"first loss {first:.2f}, ln(10) = {guess:.2f}", abs(first / guess - 1) <= 0.2)

    foveal.train("digits", net="lenet5", epochs=1, watch=see)


def before_nets() -> None:
    """By the same pixels, on the same pictures as LeNet-5 is measured on."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    digits = data.open("digits")
    known, others = digits.train.load(), digits.validation.load()
    x, x_others = (part.pictures[:].reshape(len(part), -1) / 255 for part in (known, others))
    for method in (KNeighborsClassifier(3), SVC(C=10)):
        right = method.fit(x, known.labels).score(x_others, others.labels)
        print(f"{type(method).__name__}, at least 97 %: {right >= 0.97} ({right:.1%})")


def few_iterations() -> None:
    whole = data.open("digits", validation=0).train.load()
    known, few = whole.labels < 5, np.zeros(len(whole), bool)
    for digit in range(5, 10):
        few[np.flatnonzero(whole.labels == digit)[:10]] = True
    for name, part in (("known", known), ("few", few), ("others", ~known & ~few)):
        np.savez(f"{name}.npz", x=whole.pictures[part], y=whole.labels[part])
    foveal.train("known.npz", epochs=5).save("known.safetensors")
    right = []
    for begins in (None, "known.safetensors"):
        model = foveal.train("few.npz", go_on=begins, epochs=1)
        right.append(model.evaluate("others.npz").accuracy)
    print(f"from nothing {right[0]:.0%}, from other digits {right[1]:.0%}")
    print("at least 10 points more:", right[1] >= right[0] + 0.1)


def slope_by_hand() -> None:
    program = foveal.parse("conv 3 3 -> tanh -> flatten -> dense 2").bind((1, 6, 6))
    weights = initial(program, seed=0)
    path, place, nudge = "conv1.weight", (0, 0, 1, 1), 2.0**-10
    x = np.random.default_rng(0).standard_normal((1, 1, 6, 6))
    first = {"": np.array([[1.0, 0.0]])}
    backward = reference.build(program, weights).backward(x, first).weights[path][place]
    scores = []
    for by in (nudge, -nudge):
        moved_weight = weights[path].astype(np.float64)
        moved_weight[place] += by
        moved_net = reference.build(program, {**weights, path: moved_weight})
        scores.append(moved_net.run(x)[""][0, 0])
    by_hand = (scores[0] - scores[1]) / (2 * nudge)
    print("backpropagation = nudging the weight:", bool(abs(backward / by_hand - 1) < 1e-4))


def flipped_kernel() -> None:
    """The filter is 1 at its upper right corner only: it shows where it looks."""
    corner = [[[[0, 0, 1], [0, 0, 0], [0, 0, 0]]]]
    impulse = np.zeros((1, 5, 5))
    impulse[0, 2, 2] = 1
    for words in ("", " flip"):
        made = answer(f"conv 1 3 no bias{words}", impulse, {"conv1.weight": corner})[0]
        row, column = np.argwhere(made)[0]
        print(f"conv{words}: the impulse comes out at row {row}, column {column}")


def divided_kernel() -> None:
    flat, ramp = np.full((1, 4, 4), 9.0), np.arange(16.0).reshape(1, 4, 4)
    blur = {"conv1.weight": [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]}
    net = "conv 1 3 no bias unit_sum"
    print("a constant picture of 9:", *answer(net, flat, blur).ravel())
    print("a ramp keeps its values:", *answer(net, ramp, blur).ravel())
    try:
        answer(net, flat, {"conv1.weight": [[[[1, 0, -1]] * 3]]})
    except foveal.FovealError as error:
        print(error)


def figure_two() -> None:
    red = np.arange(1.0, 17).reshape(4, 4)
    picture = np.stack([red, red + 16, red + 32])
    net = "depthwise 3 no bias shared unit_sum"
    made = answer(net, picture, {"depthwise1.weight": [[[[1, 0, 0], [0, 0, 0], [0, 0, 1]]]]})
    print(f"a map for each channel: {made.shape[0]}")
    print("red: rcc1 =", made[0, 0, 0], "rcc2 =", made[0, 0, 1])
    print("green:", made[1, 0, 0], "blue:", made[2, 0, 0])


def one_kernel() -> None:
    for words in ("", " shared"):
        step = foveal.parse(f"conv 1 3 no bias{words}").bind((3, 8, 8)).steps[0]
        print(f"conv 1 3{words}: {step.tensors[0].size} weights for 3 channels")
    picture = np.stack([np.full((3, 3), value) for value in (1.0, 10.0, 100.0)])
    made = answer("conv 1 3 no bias shared", picture, {"conv1.weight": [[np.eye(3)]]})
    print("the same kernel on red, green and blue, summed:", made.item())


def strip() -> None:
    """Read ten digits at once with the net that learned single ones."""
    from sklearn.datasets import load_digits

    picture = np.concatenate([*enlarge(load_digits().images[:10], side=32)], axis=1)
    model = foveal.load(next(Path("runs").rglob("model.safetensors")))
    made = model.slide(picture).probabilities[0]
    print(f"made for {model.input}, shown {picture.shape}: {made.shape[0]} answers")
    print("every eighth:", "".join(model.classes[i] for i in made[::8].argmax(1)))


def tables_and_chairs() -> None:
    random = Random(0)
    for name in ("table", "chair"):
        for number in range(40):
            path = Path("photos", name, f"{number}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            _furniture(name == "chair", random).save(path)


def _furniture(is_chair: bool, random: Random) -> Image.Image:
    """A line drawing: four legs and a top; a chair is narrower and has a back."""
    picture = Image.new("L", (48, 48), random.randint(190, 255))
    pen = ImageDraw.Draw(picture)
    width = random.randint(14, 20) if is_chair else random.randint(26, 36)
    left, top = random.randint(3, 44 - width), random.randint(20, 26)
    floor, ink = random.randint(38, 45), random.randint(0, 90)
    right = left + width
    pen.line([(left, top), (right, top)], ink, width=3)
    for x in (left, left + width // 4, right - width // 4, right):
        pen.line([(x, top), (x, floor)], ink, width=1)
    if is_chair:
        pen.rectangle([left, top - random.randint(12, 17), left + 2, top], ink)
    return picture


SHOWN: dict[str, Callable[[], None]] = {
    shown.__name__: shown
    for shown in (
        levels,
        channels,
        depths,
        slide,
        sum_of_products,
        sharpened,
        to_the_right,
        borders,
        impulse,
        channel_sum,
        random_start,
        filters_learn,
        rectify,
        relu_slope,
        softplus_slope,
        one_matrix,
        pools,
        sum_to_one,
        one_or_two,
        moved,
        first_loss,
        before_nets,
        few_iterations,
        slope_by_hand,
        flipped_kernel,
        divided_kernel,
        figure_two,
        one_kernel,
        strip,
    )
}
"""What a statement may name as its `python`."""

FOLDERS: dict[str, Callable[[], None]] = {"tables_and_chairs": tables_and_chairs}
"""What a statement may name as its `folder`."""
