"""The published nets have the figures that their papers and torchvision state."""

from __future__ import annotations

from collections import Counter

import pytest

from foveal.net.arithmetic import arithmetic
from foveal.net.kind import Shape
from foveal.net.layers import RBF, Add, AvgPool, Conv, Dense, Depthwise, SumPool
from foveal.net.program import Program
from foveal.zoo import ENTRIES, pattern
from foveal.zoo.googlenet import googlenet
from foveal.zoo.inception import inception_v3
from foveal.zoo.mobilenet import mobilenet_v2

# Billions of multiply-accumulates as torchvision 0.22 states them in its weights' metadata.
TORCHVISION_GMACS = {
    "alexnet": 0.714,
    "vgg11": 7.609,
    "vgg16": 15.470,
    "vgg19": 19.632,
    "googlenet": 1.498,
    "resnet18": 1.814,
    "resnet50": 4.089,
    "densenet121": 2.834,
    "densenet161": 7.728,
    "mobilenet_v2": 0.301,
    "convnext_tiny": 4.456,
}
# Sums of the paper's layers by hand: C1 + C3 (all maps) + C5 + F6 + output.
LENET_MACS = 117_600 + 240_000 + 48_000 + 10_080 + 840
SHAPES = [(1, 32, 32), (3, 64, 64), (3, 48, 96), (3, 80, 75)]


def bound(name: str) -> Program:
    entry = ENTRIES[name]
    return entry.build(entry.input, entry.num_classes).bind(entry.input)


@pytest.mark.parametrize("name", ENTRIES)
def test_parameters_and_answers_are_as_stated(name: str) -> None:
    program = bound(name)
    assert arithmetic(program).parameters == ENTRIES[name].parameters
    assert program.result_shapes() == {"": (ENTRIES[name].num_classes,)}


@pytest.mark.parametrize("name", TORCHVISION_GMACS)
def test_work_of_convolutions_and_dense_layers_is_what_torchvision_states(name: str) -> None:
    steps = bound(name).steps
    counted = [step for step in steps if isinstance(step.kind, Conv | Depthwise | Dense)]
    macs = sum(step.kind.macs(step.ins) for step in counted)
    assert round(macs / 1e9, 3) == TORCHVISION_GMACS[name]


def test_inception_v3_and_its_auxiliary_head() -> None:
    plain = inception_v3().bind((3, 299, 299))
    both = inception_v3(auxiliary=True).bind((3, 299, 299))
    assert arithmetic(both).parameters == 27_161_264
    assert both.result_shapes() == {"main": (1000,), "aux": (1000,)}
    # torchvision states 5.713, which counts the auxiliary head that its weights have.
    macs = [arithmetic(program).macs / 1e9 for program in (plain, both)]
    assert [round(each, 3) for each in macs] == [5.713, 5.719]


def test_googlenet_and_its_auxiliary_heads() -> None:
    program = googlenet(auxiliary=True).bind((3, 224, 224))
    assert arithmetic(program).parameters == 13_004_888
    assert program.result_shapes() == dict.fromkeys(("main", "aux1", "aux2"), (1000,))


def test_work_of_lenet5_is_the_sum_of_its_layers() -> None:
    assert arithmetic(bound("lenet5")).macs == LENET_MACS


def test_lenet5_of_1998_has_the_connections_of_its_paper() -> None:
    """A connection is a weight or a bias, at each place where it is used: 340,908 in the paper."""
    program = bound("lenet5_1998")
    found: dict[str, int] = {}
    for step in program.steps:
        places = step.shape[1] * step.shape[2] if len(step.shape) > 1 else 1
        of = step.path.split(".")[0]
        match step.kind:
            case Conv() | Dense():
                weights = sum(tensor.size for tensor in step.tensors)
                found[of] = found.get(of, 0) + weights * places
            case SumPool():
                # Four values and a bias for every unit of the paper's subsampling.
                found[of] = step.shape[0] * places * 5
            case RBF():
                found["output"] = step.tensors[0].size
    assert found == {
        "c1": 122_304,
        "s2": 5_880,
        "c3": 151_600,
        "s4": 2_000,
        "c5": 48_120,
        "f6": 10_164,
        "output": 840,
    }
    assert sum(found.values()) == 340_908
    assert arithmetic(program).trainable == 60_000


@pytest.mark.parametrize("name", ENTRIES)
def test_nets_take_other_sizes_channels_and_classes(name: str) -> None:
    fitting = [shape for shape in SHAPES if min(shape[1:]) >= ENTRIES[name].smallest]
    assert fitting
    for shape in fitting:
        program = ENTRIES[name].build(shape, 2).bind(shape)
        assert program.result_shapes() == {"": (2,)}


@pytest.mark.parametrize("name", ENTRIES)
def test_nets_fit_the_smallest_picture_they_name(name: str) -> None:
    side = ENTRIES[name].smallest
    shape: Shape = (ENTRIES[name].input[0], side, side)
    assert ENTRIES[name].build(shape, 2).bind(shape).result_shapes() == {"": (2,)}


def test_small_pictures_get_the_small_stem() -> None:
    words = [
        [step.kind.word for step in ENTRIES["resnet18"].build((3, n, n), 10).bind((3, n, n)).steps]
        for n in (32, 64)
    ]
    assert ["maxpool" in kinds for kinds in words] == [False, True]


def test_wider_and_narrower_mobilenets_have_multiples_of_eight_channels() -> None:
    for width in (0.1, 0.35, 0.75, 1.3):
        steps = mobilenet_v2(width=width).bind((3, 64, 64)).steps
        assert all(step.shape[0] % 8 == 0 for step in steps if isinstance(step.kind, Conv))
        assert any(isinstance(step.kind, Add) for step in steps)


def test_means_of_inception_count_their_padding() -> None:
    means = [step.kind for step in bound("inception_v3").steps if isinstance(step.kind, AvgPool)]
    assert len(means) == 9
    assert all(kind.count_include_pad for kind in means)


def test_depth_of_the_ramp_grows_through_convnext() -> None:
    shares = [s.kind.p for s in bound("convnext_tiny").steps if s.kind.word == "droppath"]  # type: ignore[attr-defined]
    assert (len(shares), shares[0], round(shares[-1], 6)) == (18, 0, 0.1)
    assert shares == sorted(shares)


@pytest.mark.parametrize(("n", "m", "k", "layers"), [(0, 0, 0, 1), (1, 2, 1, 4), (3, 2, 2, 9)])
def test_the_general_pattern(n: int, m: int, k: int, layers: int) -> None:
    steps = pattern(n, m, k, num_classes=5).bind((3, 32, 32)).steps
    assert sum(isinstance(step.kind, Conv | Dense) for step in steps) == layers
    assert steps[-1].shape == (5,)


def test_every_map_of_s2_is_read_by_ten_maps_of_c3() -> None:
    """So in table I of the paper, where no two rows are alike."""
    taken = [step.kind.channels for step in bound("lenet5_1998").steps if step.kind.word == "take"]  # type: ignore[attr-defined]
    assert len(set(taken)) == 16
    assert Counter(channel for channels in taken for channel in channels) == dict.fromkeys(
        range(6), 10
    )
