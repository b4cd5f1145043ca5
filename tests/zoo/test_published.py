"""Published weights find their places: the same answers as nets written from the papers."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from support.published import NAMES, NETS, Tensors, build, named, randomise

from foveal import engines
from foveal.errors import ModelFileError
from foveal.model.pretrained import Pretrained, read
from foveal.net.arithmetic import arithmetic
from foveal.zoo import ENTRIES
from foveal.zoo.entry import Published
from foveal.zoo.googlenet import googlenet
from foveal.zoo.inception import inception_v3
from foveal.zoo.naming import names_table, their_names

# As torchvision states them for 1,000 classes.
PARAMETERS = {
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "googlenet": 6_624_904,
    "inception_v3": 23_834_568,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "densenet121": 7_978_856,
    "densenet161": 28_681_000,
    "densenet169": 14_149_480,
    "densenet201": 20_013_928,
    "mobilenet_v2": 3_504_872,
    "convnext_tiny": 28_589_128,
    "squeezenet1_1": 1_235_496,
}
PUBLISHED = [name for name in NETS if name in ENTRIES]
FORMS = [*((name, "torchvision") for name in PUBLISHED), *NAMES]
"""Each net as torchvision names its tensors, and as others do where they name them otherwise."""
QUICK = [
    ("alexnet", "torchvision"),
    ("googlenet", "torchvision"),
    ("inception_v3", "torchvision"),
    ("resnet18", "torchvision"),
    ("resnet50", "torchvision"),
    ("densenet121", "once"),
    ("mobilenet_v2_050", "timm"),
    ("mobilenet_v2_035", "torchvision"),
    ("mobilenet_v2_035", "keras"),
    ("convnext_tiny", "torchvision"),
]
"""One of each family and form. VGG is a chain of half a gigabyte: its order is checked below, and
its dense layers take the way of AlexNet's."""
HEADS = {
    "googlenet": [
        f"{head}.{layer}"
        for head in ("aux1", "aux2")
        for layer in ("conv.conv", "conv.bn", "fc1", "fc2")
    ],
    "inception_v3": [
        f"AuxLogits.{layer}" for layer in ("conv0.conv", "conv0.bn", "conv1.conv", "conv1.bn", "fc")
    ],
}
"""What torchvision calls the layers of auxiliary heads, in their order."""
ZOO = {"googlenet": googlenet, "inception_v3": inception_v3}
SMALL = "mobilenet_v2_035"
"""The smallest net, for what is done to its file."""
CLASSES = 7
TOLERANCE = 1e-5
"""Of the largest output."""
MANY = 50_000_000
"""Parameters from which on the portable engine would write a graph of hundreds of megabytes."""


def meta(name: str, by: str = "torchvision", auxiliary: bool = False) -> torch.nn.Module:
    """A net without numbers, only shapes."""
    with torch.device("meta"):
        return build(name, by=by, auxiliary=auxiliary)


def sides(name: str) -> tuple[int, int]:
    """Height and width of small pictures, such that maps of odd and even sizes are halved."""
    return {"inception_v3": (107, 91), "googlenet": (80, 70)}.get(name, (70, 64))


def pictures(name: str) -> torch.Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.randn(2, 3, *sides(name), generator=random)


@torch.no_grad()
def answers(net: torch.nn.Module, name: str) -> np.ndarray:
    return net(pictures(name)).numpy()


def our_answers(found: Pretrained) -> np.ndarray:
    x = pictures(found.name).numpy()
    program = found.net.bind(x.shape[1:])
    many = sum(weights.size for weights in found.weights.values()) > MANY
    engine = engines.build("pytorch" if many else "portable", program, found.weights)
    return engine.run(x)[""]


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Where tensors are saved; hundreds of megabytes do not stay."""
    path = tmp_path / "weights.safetensors"
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def net() -> torch.nn.Module:
    return randomise(build(SMALL, CLASSES), 64)


@pytest.fixture
def tensors(net: torch.nn.Module) -> Tensors:
    return named(net, SMALL)


@pytest.mark.parametrize("name", PARAMETERS)
def test_references_have_the_parameters_that_torchvision_states(name: str) -> None:
    assert sum(tensor.numel() for tensor in meta(name).parameters()) == PARAMETERS[name]


def test_references_with_auxiliary_heads_have_the_parameters_that_torchvision_states() -> None:
    nets = [meta(name, auxiliary=True) for name in ("googlenet", "inception_v3")]
    counts = [sum(tensor.numel() for tensor in net.parameters()) for net in nets]
    assert counts == [13_004_888, 27_161_264]


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_of_the_zoo_are_those_of_the_references(name: str) -> None:
    entry = ENTRIES[name]
    counted = arithmetic(entry.build(entry.input, 1000).bind(entry.input)).parameters
    assert counted == sum(tensor.numel() for tensor in meta(name).parameters())


@pytest.mark.parametrize(("name", "by"), FORMS)
def test_names_and_shapes_are_those_of_the_references(name: str, by: str) -> None:
    """One table of the zoo has just these names, each for a tensor of as many numbers."""
    theirs = {key: tensor.shape for key, tensor in named(meta(name, by), name, by).items()}
    tables = [names_table(ENTRIES[name], published) for published in ENTRIES[name].published]
    fitting = [table for table in tables if {key for _, key, _ in table} == theirs.keys()]
    assert len(fitting) == 1
    assert len(fitting[0]) == len(theirs)
    for ours, key, shape in fitting[0]:
        assert prod(shape) == prod(theirs[key]), (ours, key)
        assert shape[0] == theirs[key][0], (ours, key)


@pytest.mark.parametrize("name", [name for name in PUBLISHED if name.startswith(("alex", "vgg"))])
def test_in_a_chain_the_order_of_names_is_that_of_the_reference(name: str) -> None:
    """So tensors of equal shape have not changed places, whatever the numbers."""
    steps = list(dict.fromkeys(key.rpartition(".")[0] for key in named(meta(name), name)))
    assert steps in [list(published.names()) for published in ENTRIES[name].published]


def test_every_published_form_has_a_reference() -> None:
    forms = {name: sum(of == name for of, _ in FORMS) for name in PUBLISHED}
    assert forms == {name: len(e.published) for name, e in ENTRIES.items() if e.published}


@pytest.mark.parametrize(
    ("name", "by"),
    [pytest.param(*form, marks=() if form in QUICK else pytest.mark.long) for form in FORMS],
)
def test_answers_are_those_of_the_reference(name: str, by: str, file: Path) -> None:
    """With the auxiliary heads in the file that torchvision's have: they may be left over."""
    net = randomise(build(name, CLASSES, by, auxiliary=name in HEADS), min(sides(name)))
    save_file(named(net, name, by), file)
    found = read(file)
    assert (found.name, found.num_classes) == (name, CLASSES)
    assert {key.rpartition(".")[0] for key in found.unused} == set(HEADS.get(name, ()))
    theirs = answers(net, name)
    assert 0.1 < np.abs(theirs).max() < 100
    assert difference(our_answers(found), theirs) <= TOLERANCE


@pytest.mark.parametrize(("name", "side"), [("googlenet", 64), ("inception_v3", 299)])
def test_auxiliary_heads_of_the_zoo_answer_as_those_of_the_reference(name: str, side: int) -> None:
    net = randomise(build(name, CLASSES, auxiliary=True), min(sides(name)))
    modules = (*ENTRIES[name].published[0].names(), *HEADS[name])
    whole = Published("torchvision", lambda: modules, partial(ZOO[name], auxiliary=True))
    program = whole.build((3, side, side), CLASSES).bind((3, side, side))
    tensors = named(net, name)
    weights = {ours: tensors[key].numpy() for ours, key, _ in their_names(program, whole)}
    x = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        theirs = list(net.results(x).values())
    ours = list(engines.build("portable", program, weights).run(x.numpy()).values())
    assert len(ours) == len(theirs) >= 2
    for our, their in zip(ours, theirs, strict=True):
        assert difference(our, their.numpy()) <= TOLERANCE


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_read_as_their_numbers(
    net: torch.nn.Module, dtype: torch.dtype, file: Path
) -> None:
    rounded = deepcopy(net).to(dtype)
    save_file(named(rounded, SMALL), file)
    assert difference(our_answers(read(file)), answers(rounded.float(), SMALL)) <= TOLERANCE


def test_a_trunk_without_its_last_layer_is_read(tensors: Tensors, file: Path) -> None:
    save_file({key: t for key, t in tensors.items() if not key.startswith("classifier")}, file)
    found = read(file)
    assert found.num_classes == 1000
    missing = found.net.bind(found.input).tensors().keys() - found.weights.keys()
    assert missing == {"dense1.weight", "dense1.bias"}


def test_one_wrong_key_is_refused(tensors: Tensors, file: Path) -> None:
    tensors["features.3.conv.1.0.wieght"] = tensors.pop("features.3.conv.1.0.weight")
    save_file(tensors, file)
    with pytest.raises(ModelFileError) as error:
        read(file)
    assert str(error.value) == (
        f"{file}: fits no net of the zoo; the nearest is mobilenet_v2_035: 1 missing, 1 left over\n"
        "  arrives:  missing: features.3.conv.1.0.weight\n"
        "            left over: features.3.conv.1.0.wieght\n"
        "  expected: the tensors of mobilenet_v2_035 as torchvision names them\n"
        "  fix:      foveal zoo mobilenet_v2_035 --names lists them"
    )


def test_equal_shapes_that_changed_places_change_the_answers(
    net: torch.nn.Module, tensors: Tensors, file: Path
) -> None:
    """Names decide, not shapes; and these comparisons can see it."""
    theirs = answers(net, SMALL)
    alike: dict[tuple[object, ...], list[str]] = {}
    for key, tensor in tensors.items():
        alike.setdefault((key.rpartition(".")[2], *tensor.shape), []).append(key)
    pairs = {(what, len(shape)): keys[:2] for (what, *shape), keys in alike.items() if keys[1:]}
    assert len(pairs) == 5  # kernels, and the four of batch norm
    for one, other in pairs.values():
        save_file({**tensors, one: tensors[other], other: tensors[one]}, file)
        assert difference(our_answers(read(file)), theirs) > 100 * TOLERANCE, (one, other)
