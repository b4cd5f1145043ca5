"""A net from elsewhere as a Foveal model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foveal
from foveal.engines.weights import initial
from foveal.importing.imported import Imported
from foveal.net.layers import Normalise
from foveal.net.notation import parse

PICTURE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3


def imported(text: str, input: tuple[int, ...] = (3, 4, 6)) -> Imported:
    net = parse(text)
    return Imported(net, input, initial(net.bind(input), 0), {})


def test_a_model_prepares_pictures_and_ends_in_probabilities() -> None:
    model = imported("conv 4 3 -> add( identity | conv 4 1 ) -> globalavgpool -> dense 2").model(
        "ab"
    )
    assert model.net.write().split("\n")[:2] == [
        "input uint8 -> resize 4x6 -> normalise mean 0 std 255",
        "conv1: conv 4 3",
    ]
    assert model.input == (3, 4, 6)
    assert model.classes == ("a", "b")


@pytest.mark.parametrize("end", ["", " -> softmax", " -> logsoftmax", " -> last: softmax"])
def test_its_probabilities_are_the_softmax_of_the_scores(end: str) -> None:
    """Of pictures with numbers from 0 to 1, unless something else is said; done once only."""
    scores = imported("flatten -> dense 2")
    ending = Imported(parse(f"flatten -> dense 2{end}"), scores.input, scores.weights, {})
    model = ending.model(["cat", "dog"])
    x = (PICTURE / 255).transpose(2, 0, 1)[None].astype(np.float32)
    exponents = np.exp(scores.run(x)[""][0])
    said = model.predict(PICTURE)
    assert said.probability == pytest.approx(exponents.max() / exponents.sum(), rel=1e-4)


def test_its_pictures_are_normalised_as_said() -> None:
    made = imported("globalavgpool -> dense 2")
    model = made.model("ab", Normalise(mean=(123.675, 116.28, 103.53), std=(58.4, 57.1, 57.4)))
    assert "normalise mean 123.675,116.28,103.53 std 58.4,57.1,57.4" in model.net.write()


@pytest.mark.parametrize(
    ("size", "steps"), [(8, "resize 8 -> crop 8"), ((8, 5), "resize 8x5"), (None, "resize 4x6")]
)
def test_its_pictures_have_the_size_that_is_asked(size: Any, steps: str) -> None:
    model = imported("conv 4 3 -> globalavgpool -> dense 2").model("ab", size=size)
    assert f"input uint8 -> {steps} -> normalise" in model.net.write()
    assert 0 <= model.predict(PICTURE).probability <= 1


def test_it_is_saved_and_loaded(tmp_path: Path) -> None:
    model = imported("conv 4 3 -> globalavgpool -> dense 2").model(["cat", "dog"])
    model.save(tmp_path / "model.safetensors")
    loaded = foveal.load(tmp_path / "model.safetensors")
    assert loaded.predict(PICTURE) == model.predict(PICTURE)


@pytest.mark.parametrize(
    ("text", "input", "said"),
    [
        (
            "flatten -> dense 2 -> sigmoid",
            (3, 4, 6),
            "net: answers yes or no for each class, and not which one it is\n"
            "  arrives:  sigmoid as its last step\n"
            "  expected: scores, softmax or logsoftmax\n"
            "  fix:      run it as it is: imported.run(x)",
        ),
        (
            "flatten -> dense 3",
            (3, 4, 6),
            "net: does not end in one score for each class\n"
            "  arrives:  3\n"
            "  expected: 2 classes\n"
            "  fix:      as many names of classes as scores",
        ),
        (
            "flatten -> outputs( a: [dense 2] | b: [dense 2] )",
            (3, 4, 6),
            "net: does not end in one score for each class\n"
            "  arrives:  a 2 and b 2\n"
            "  expected: 2 classes\n"
            "  fix:      as many names of classes as scores",
        ),
        (
            "flatten -> dense 2",
            (3, 4, 6),
            "net: does not end in one score for each class\n"
            "  arrives:  2\n"
            "  expected: 1 class\n"
            "  fix:      as many names of classes as scores",
        ),
        ("dense 2", (7,), "net: does not read pictures\n  arrives:  7"),
    ],
)
def test_what_is_no_classifier_of_pictures(text: str, input: tuple[int, ...], said: str) -> None:
    with pytest.raises(foveal.FovealError) as caught:
        imported(text, input).model("a" if "1 class" in said else "ab")
    assert str(caught.value) == said


def test_a_size_that_does_not_fit_the_weights() -> None:
    with pytest.raises(foveal.FovealError) as caught:
        imported("flatten -> dense 2").model("ab", size=8)
    assert str(caught.value) == (
        "weights 'dense1.weight': has another shape than its step\n"
        "  arrives:  2x72\n"
        "  expected: 2x192\n"
        "  fix:      weights of the same net"
    )
