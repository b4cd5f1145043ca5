"""A net for one size made into one that slides: the same numbers at every window."""

from __future__ import annotations

import numpy as np
import pytest
from support.nets import random_weights

from foveal import engines
from foveal.errors import SpecError
from foveal.net.notation import parse
from foveal.net.sliding import slid

NETS = [
    "conv 4 3 -> relu -> flatten -> dense 5 -> relu -> dropout -> dense 3",
    "input -> crop 8 -> conv 4 3 -> bn -> maxpool 2 -> flatten -> dense 3 no bias -> softmax",
    "conv 4 3 -> globalavgpool -> dense 3 weight_norm",
    "c1: conv 4 3 -> globalmaxpool keep -> [conv 3 1 -> relu]*2",
    "flatten -> dense 3",
]


@pytest.mark.parametrize("text", NETS)
def test_every_answer_is_that_of_its_window(text: str) -> None:
    net = parse(text)
    program = net.with_names().bind((2, 8, 8))
    weights = random_weights(program, 0)
    wide = slid(net, (2, 8, 8)).bind((2, 10, 14))
    assert set(wide.tensors()) == set(program.tensors())
    shaped = {path: weights[path].reshape(t.shape) for path, t in wide.tensors().items()}
    x = np.random.default_rng(0).standard_normal((1, 2, 10, 14))
    made = engines.build("reference", wide, shaped).run(x)[""]
    single = engines.build("reference", program, weights)
    stride = 2 if "maxpool 2" in text else 1
    for row, column in np.ndindex(made.shape[2:]):
        top, left = row * stride, column * stride
        window = x[:, :, top : top + 8, left : left + 8]
        answer = single.run(window)[""].reshape(1, -1)
        assert np.allclose(made[:, :, row, column], answer, rtol=1e-12, atol=1e-12)


def test_what_sees_everything_within_a_group_cannot_slide() -> None:
    with pytest.raises(SpecError) as caught:
        slid(parse("head: [conv 4 3 -> flatten -> dense 3]"), (1, 8, 8))
    assert str(caught.value) == (
        "head: flatten stands inside a group or a branch, where it cannot slide\n"
        "  fix:      put what sees the whole picture in the main line of the net"
    )
