"""The default net fits every picture and grows with it."""

from __future__ import annotations

import pytest

from foveal.net.layers import Softmax
from foveal.zoo.quick import quick


@pytest.mark.parametrize("side", [1, 5, 8, 16, 28, 32, 48, 49, 64, 96, 128, 224])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_side_gives_scores_of_each_class(channels: int, side: int) -> None:
    for shape in ((channels, side, side), (channels, side, 2 * side)):
        program = quick(shape, 7).bind(shape)
        assert program.result_shapes() == {"": (7,)}
        assert not any(isinstance(step.kind, Softmax) for step in program.steps)


def test_parameters_are_those_of_the_documentation() -> None:
    for shape, classes, count in (((1, 28, 28), 10, 30_218), ((3, 64, 64), 5, 165_469)):
        tensors = quick(shape, classes).bind(shape).tensors().values()
        assert sum(tensor.size for tensor in tensors if tensor.trained) == count


@pytest.mark.parametrize("side", [8, 11, 12, 28, 48, 49, 64])
def test_the_patches_of_small_pictures_are_whitened(side: int) -> None:
    starts = [
        tensor.init for tensor in quick((3, side, side), 2).bind((3, side, side)).tensors().values()
    ]
    assert ("whitening" in starts) is (12 <= side <= 48)


def test_the_last_map_stays_small() -> None:
    for side in range(16, 225):
        shape = (3, side, side)
        maps = [step.shape for step in quick(shape, 2).bind(shape).steps if len(step.shape) == 3]
        assert 2 <= maps[-1][1] <= 5
