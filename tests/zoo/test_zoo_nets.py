"""The published nets have the figures that their papers and torchvision state."""

from __future__ import annotations

import pytest

from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Shape
from foveal.zoo import ENTRIES

# Billions of multiply-accumulates as torchvision 0.22 states them in its weights' metadata.
TORCHVISION_GMACS = {"resnet18": 1.814, "vgg11": 7.609}
# Sums of the paper's layers by hand: C1 + C3 (all maps) + C5 + F6 + output.
LENET_MACS = 117_600 + 240_000 + 48_000 + 10_080 + 840


@pytest.mark.parametrize("name", ENTRIES)
def test_parameters_and_answers_are_as_stated(name: str) -> None:
    entry = ENTRIES[name]
    program = entry.build(entry.input, entry.num_classes).bind(entry.input)
    assert arithmetic(program).parameters == entry.parameters
    assert program.result_shapes() == {"": (entry.num_classes,)}


@pytest.mark.parametrize("name", TORCHVISION_GMACS)
def test_work_is_what_torchvision_states(name: str) -> None:
    entry = ENTRIES[name]
    macs = arithmetic(entry.build(entry.input, 1000).bind(entry.input)).macs
    assert round(macs / 1e9, 3) == TORCHVISION_GMACS[name]


def test_work_of_lenet5_is_the_sum_of_its_layers() -> None:
    entry = ENTRIES["lenet5"]
    assert arithmetic(entry.build(entry.input, 10).bind(entry.input)).macs == LENET_MACS


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 64, 64), (3, 48, 96)])
def test_nets_take_other_sizes_channels_and_classes(name: str, shape: Shape) -> None:
    program = ENTRIES[name].build(shape, 2).bind(shape)
    assert program.result_shapes() == {"": (2,)}


def test_small_pictures_get_the_small_stem() -> None:
    words = [
        [step.kind.word for step in ENTRIES["resnet18"].build((3, n, n), 10).bind((3, n, n)).steps]
        for n in (32, 64)
    ]
    assert ["maxpool" in kinds for kinds in words] == [False, True]
