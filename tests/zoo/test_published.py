"""Published weights find their places: the same answers as nets written from the papers."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from support.published import NAMES, NETS, Tensors, build, named, randomise
from support.published.googlenet import googlenet
from support.published.inception import inception_v3

from foveal import engines
from foveal.errors import ModelFileError
from foveal.model.pretrained import Pretrained, read
from foveal.net.arithmetic import arithmetic
from foveal.zoo import ENTRIES
from foveal.zoo.naming import names_table

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
    ("vgg11", "timm"),
    ("googlenet", "torchvision"),
    ("inception_v3", "torchvision"),
    ("resnet18", "torchvision"),
    ("resnet50", "torchvision"),
    ("densenet121", "once"),
    ("mobilenet_v2_050", "timm"),
    ("mobilenet_v2_035", "torchvision"),
    ("mobilenet_v2_035", "keras"),
    ("convnext_tiny", "torchvision"),
    ("convnext_tiny", "timm"),
]
"""One of each family and of each way to name it; the others take the same way, but longer."""
CLASSES = 7
TOLERANCE = 1e-5
"""Of the largest output."""
MANY = 50_000_000
"""Parameters from which on the portable engine would write a graph of hundreds of megabytes."""


def meta(name: str, num_classes: int = 1000, by: str = "torchvision") -> torch.nn.Module:
    """A net without numbers, only shapes."""
    with torch.device("meta"):
        return build(name, num_classes, by)


def sides(name: str) -> tuple[int, int]:
    """Height and width of small pictures that leave more than a pixel of the last map."""
    return (107, 91) if name == "inception_v3" else (70, 64)


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
    """The smallest net, for what is done to its file."""
    return randomise(build("mobilenet_v2_035", CLASSES), 64)


@pytest.fixture
def tensors(net: torch.nn.Module) -> Tensors:
    return named(net, "mobilenet_v2_035")


@pytest.mark.parametrize("name", PARAMETERS)
def test_references_have_the_parameters_that_torchvision_states(name: str) -> None:
    assert sum(tensor.numel() for tensor in meta(name).parameters()) == PARAMETERS[name]


def test_references_with_auxiliary_heads_have_the_parameters_that_torchvision_states() -> None:
    with torch.device("meta"):
        nets = [googlenet(auxiliary=True), inception_v3(auxiliary=True)]
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
    theirs = {key: tensor.shape for key, tensor in named(meta(name, by=by), name, by).items()}
    tables = [names_table(ENTRIES[name], published) for published in ENTRIES[name].published]
    fitting = [table for table in tables if {key for _, key, _ in table} == theirs.keys()]
    assert len(fitting) == 1
    assert len(fitting[0]) == len(theirs)
    for ours, key, shape in fitting[0]:
        assert prod(shape) == prod(theirs[key]), (ours, key)
        assert shape[0] == theirs[key][0], (ours, key)


def test_every_published_form_has_a_reference() -> None:
    forms = {name: sum(of == name for of, _ in FORMS) for name in PUBLISHED}
    assert forms == {name: len(e.published) for name, e in ENTRIES.items() if e.published}


@pytest.mark.parametrize(
    ("name", "by"),
    [pytest.param(*form, marks=() if form in QUICK else pytest.mark.long) for form in FORMS],
)
def test_answers_are_those_of_the_reference(name: str, by: str, file: Path) -> None:
    net = randomise(build(name, CLASSES, by), min(sides(name)))
    save_file(named(net, name, by), file)
    found = read(file)
    assert (found.name, found.num_classes, found.unused) == (name, CLASSES, ())
    theirs = answers(net, name)
    assert 0.1 < np.abs(theirs).max() < 100
    assert difference(our_answers(found), theirs) <= TOLERANCE
