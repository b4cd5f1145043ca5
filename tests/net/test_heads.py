"""The layer that makes the scores, and another in its place."""

from __future__ import annotations

import pytest

from foveal.errors import SpecError
from foveal.net.heads import head, with_head
from foveal.net.notation import parse

FIX = (
    "\n  fix:      a net whose scores come from a dense layer (or a convolution) of its main chain"
)
INPUT = (3, 9, 9)


@pytest.mark.parametrize(
    ("net", "changed", "path"),
    [
        ("flatten -> dense 5", "flatten -> dense 2", "dense1"),
        (
            "flatten -> dense 5 no bias -> softmax",
            "flatten -> dense 2 no bias -> softmax",
            "dense1",
        ),
        (
            "flatten -> dense 8 -> relu -> dense 5",
            "flatten -> dense 8 -> relu -> dense 2",
            "dense2",
        ),
        (
            "conv 5 1 -> relu -> globalavgpool -> gain 0.5",
            "conv 2 1 -> relu -> globalavgpool -> gain 0.5",
            "conv1",
        ),
        (
            "globalavgpool -> top: [dropout -> scores: dense 5]",
            "globalavgpool -> top: [dropout -> scores: dense 2]",
            "top.scores",
        ),
        (
            "add( conv 4 3 same | conv 4 1 ) -> globalavgpool -> head: dense 5",
            "add( conv 4 3 same | conv 4 1 ) -> globalavgpool -> head: dense 2",
            "head",
        ),
    ],
)
def test_the_last_layer_with_weights_is_replaced(net: str, changed: str, path: str) -> None:
    made, found = with_head(parse(net), INPUT, 2)
    assert (made.write(), found) == (parse(changed).write(), path)
    assert made.bind(INPUT).result_shapes() == {"": (2,)}


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (
            "conv 5 3",
            "net: does not give one score for each class\n  arrives:  5x7x7",
        ),
        (
            "flatten -> outputs( a: [dense 5] | b: [dense 2] )",
            "net: does not give one score for each class\n  arrives:  a 5, b 2",
        ),
        ("globalavgpool -> softmax", f"net: has no layer with weights{FIX}"),
        (
            "flatten -> rbf 5",
            "layer 2 'rbf1' (RBF): makes the scores, and is neither dense nor a convolution" + FIX,
        ),
        (
            "flatten -> dense 5 -> batchnorm",
            "layer 3 'batchnorm1' (BatchNorm): makes the scores, and is neither dense nor a"
            f" convolution{FIX}",
        ),
        (
            "flatten -> add( dense 5 | dense 5 )",
            f"layer 4 'add1' (Add): joins several values into the scores{FIX}",
        ),
        (
            "flatten -> dense 5 -> last: dense 5 -> relu -> again last",
            "layer 5 'again1' (Dense): makes the scores with weights that another layer uses too"
            + FIX,
        ),
        (
            "flatten -> [dense 5]*2",
            f"layer 3 'repeat1.1.dense1' (Dense): stands inside a repeat or a branch{FIX}",
        ),
        (
            "conv 5 3 stride 4 -> flatten",
            f"layer 1 'conv1' (Conv): would make 8 scores of 2{FIX}",
        ),
    ],
)
def test_nets_without_one_last_layer_are_refused(net: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        with_head(parse(net), INPUT, 2)
    assert str(caught.value) == message


def test_the_head_is_asked_of_a_program() -> None:
    program = parse("conv 5 3 -> globalavgpool -> dense 7 -> softmax").bind(INPUT)
    assert head(program).path == "dense1"
