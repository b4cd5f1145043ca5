"""Dropout and stochastic depth: what is dropped together, how often, and when."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from foveal.engines import portable, pytorch, reference
from foveal.engines.masks import mask
from foveal.engines.reference import Training
from foveal.errors import SpecError
from foveal.net.layers import Dropout, DropPath
from foveal.net.notation import parse, write

MOMENT = Training(seed=4, step=11)


def learned(text: str, x: np.ndarray, moment: Training = MOMENT) -> np.ndarray:
    """What a net makes in one step of a training, in both engines that can learn."""
    program = parse(text).bind(x.shape[1:])
    expected = reference.build(program, {}).run(x, moment)[""]
    learns = pytorch.module(program, {}).double().train()
    learns.at(moment.seed, moment.step)
    made = learns(torch.from_numpy(x))[""].numpy()
    assert np.array_equal(made, expected)
    return expected


@pytest.mark.parametrize(
    ("text", "name", "drawn"),
    [
        ("dropout 0.5", "dropout1", (6, 4, 3, 2)),
        ("dropout 0.5 spatial", "dropout1", (6, 4, 1, 1)),
        ("droppath 0.5", "droppath1", (6, 1, 1, 1)),
    ],
)
def test_what_is_dropped_together(text: str, name: str, drawn: tuple[int, ...]) -> None:
    x = np.ones((6, 4, 3, 2))
    kept = mask(MOMENT.seed, MOMENT.step, name, drawn, 0.5)
    assert 0 < kept.sum() < kept.size
    assert np.array_equal(learned(text, x), 2 * np.broadcast_to(kept, x.shape))


@pytest.mark.parametrize("text", ["dropout 0.3", "dropout 0.3 spatial", "droppath 0.3"])
def test_the_share_is_dropped_and_the_mean_stays(text: str) -> None:
    y = learned(text, np.ones((4000, 2, 1, 1)))
    assert abs((y == 0).mean() - 0.3) < 0.03
    assert y.mean() == pytest.approx(1, abs=0.04)
    assert set(np.unique(y)) == {0, 1 / 0.7}


@pytest.mark.parametrize("text", ["dropout 0.5 spatial", "droppath 0.5"])
def test_masks_follow_seed_step_and_path(text: str) -> None:
    x = np.ones((64, 1, 2))
    first, *others = [
        learned(text, x, moment) for moment in (MOMENT, Training(4, 12), Training(5, 11))
    ]
    assert np.array_equal(learned(text, x), first)
    others.append(learned(f"other: {text}", x))
    assert not any(np.array_equal(first, other) for other in others)


def test_flat_features_are_channels() -> None:
    x = np.ones((8, 5))
    kept = mask(MOMENT.seed, MOMENT.step, "dropout1", (8, 5), 0.5)
    assert np.array_equal(learned("dropout 0.5 spatial", x), 2 * kept)
    kept = mask(MOMENT.seed, MOMENT.step, "droppath1", (8, 1), 0.5)
    assert np.array_equal(learned("droppath 0.5", x), np.broadcast_to(2 * kept, x.shape))


def shares(text: str) -> list[float]:
    """The p of every droppath of a net in its order, none of which has a ramp any more."""
    kinds = [step.kind for step in parse(text).bind((2, 4, 4)).steps]
    assert not any(isinstance(kind, DropPath) and kind.ramp for kind in kinds)
    return [kind.p for kind in kinds if isinstance(kind, DropPath)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[add( identity | conv 2 3 same -> droppath 0.1 ramp )]*3", [0, 0.05, 0.1]),
        ("droppath 0.3 ramp", [0.3]),
        ("droppath 0.3", [0.3]),
        ("[droppath 0.2]*3", [0.2] * 3),
        ("droppath 0.5 -> [droppath 0.2 ramp]*2 -> droppath 0.5", [0.5, 0, 0.2, 0.5]),
        ("[droppath 0.1 ramp]*2 -> [droppath 0.4 ramp]*3", [0, 0.025, 0.2, 0.3, 0.4]),
        ("d: droppath 0.2 ramp -> again d -> again d", [0, 0.1, 0.2]),
    ],
)
def test_a_ramp_begins_at_nothing_and_ends_with_p(text: str, expected: list[float]) -> None:
    assert shares(text) == pytest.approx(expected)


def test_the_ramp_stays_in_the_text() -> None:
    assert write(parse("droppath ramp 0.2")) == "droppath 0.2 ramp"
    assert write(parse("dropout spatial")) == "dropout spatial"
    assert DropPath(0.2).ramped(1, 2) == DropPath(0.2)


def test_steps_of_one_net_drop_by_their_own_share() -> None:
    """The first of a ramp drops nothing, the last every second sample."""
    program = parse("[droppath 0.5 ramp]*2").bind((1,))
    values = reference.build(program, {}).values(np.ones((2000, 1)), MOMENT)
    first, last = values.values()
    assert (first == 1).all()
    assert abs((last == 0).mean() - 0.5) < 0.04


@pytest.mark.parametrize("text", ["dropout 0.9 spatial", "droppath 0.9", "droppath 0.9 ramp"])
def test_nothing_is_left_of_them_in_prediction(text: str) -> None:
    program = parse(f"{text} -> relu").bind((2, 3))
    x = np.random.default_rng(0).uniform(1, 2, (3, 2, 3)).astype(np.float32)
    for engine in (reference, pytorch, portable):
        assert np.array_equal(engine.build(program, {}).run(x)[""], x)
    graph = onnx.load_from_string(portable.write(program, {})).graph
    assert [node.op_type for node in graph.node] == ["Relu", "Identity"]


def test_not_everything_can_be_dropped() -> None:
    for kind, word in ((Dropout, "dropout"), (DropPath, "droppath")):
        with pytest.raises(SpecError) as caught:
            kind(1)
        assert str(caught.value) == f"{word} p: must be a number from 0 to below 1, not 1"
