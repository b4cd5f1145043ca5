"""What others call the tensors of our nets: a name for each, and the one that stands in its place.

That the tensors under these names do the same is shown in `test_published.py`, by outputs.
"""

from __future__ import annotations

from functools import cache

import pytest

from foveal.model.matching import fits
from foveal.net.arithmetic import arithmetic
from foveal.net.heads import head
from foveal.net.kind import Shape
from foveal.net.layers import BatchNorm, Scale
from foveal.net.program import Program
from foveal.zoo import ENTRIES
from foveal.zoo.entry import Entry, Published
from foveal.zoo.mobilenet import mobilenet_v2
from foveal.zoo.naming import module_of, names_table

FORMS = [
    pytest.param(entry, published, id=f"{name}-{published.by}-{number}")
    for name, entry in ENTRIES.items()
    for number, published in enumerate(entry.published)
]
WITHOUT = {"quick", "airbench94", "lenet5", "lenet5_1998", "alexnet_2012"}


@cache
def bound(entry: Entry, published: Published) -> Program:
    return published.build(entry.input, entry.num_classes).bind(entry.input)


def test_all_nets_have_published_weights_but_those_that_cannot() -> None:
    assert {name for name, entry in ENTRIES.items() if not entry.published} == WITHOUT


@pytest.mark.parametrize(("entry", "published"), FORMS)
def test_every_tensor_has_a_name_of_its_own(entry: Entry, published: Published) -> None:
    table = names_table(entry, published)
    tensors = bound(entry, published).tensors()
    assert [ours for ours, _, _ in table] == list(tensors)
    assert len({theirs for _, theirs, _ in table}) == len(table)
    assert {module_of(theirs) for _, theirs, _ in table} == set(published.names())


@pytest.mark.parametrize(("entry", "published"), FORMS)
def test_the_last_name_is_that_of_the_layer_with_the_scores(
    entry: Entry, published: Published
) -> None:
    scores = head(bound(entry, published))
    *_, last = names_table(entry, published)
    *_, name = published.names()
    assert last[:2] == (f"{scores.owner}.bias", f"{name}.bias")


@pytest.mark.parametrize(("entry", "published"), FORMS)
def test_only_a_scale_has_no_module_around_its_tensor(entry: Entry, published: Published) -> None:
    owners = [step for step in bound(entry, published).steps if step.tensors]
    for step, name in zip(owners, published.names(), strict=True):
        assert (module_of(name) == name) == isinstance(step.kind, Scale)


def test_a_tensor_knows_its_module() -> None:
    assert module_of("stages.0.blocks.0.gamma") == "stages.0.blocks.0.gamma"
    assert module_of("stages.0.blocks.0.norm.weight") == "stages.0.blocks.0.norm"


@pytest.mark.parametrize(
    ("net", "by", "ours", "theirs"),
    [
        ("alexnet", "torchvision", "dense2.weight", "classifier.4.weight"),
        ("vgg16", "timm", "dense1.weight", "pre_logits.fc1.weight"),
        ("vgg16", "torchvision", "conv13.bias", "features.28.bias"),
        ("vgg11_bn", "torchvision", "batchnorm8.running_var", "features.26.running_var"),
        (
            "googlenet",
            "torchvision",
            "inception3a.3.conv1.weight",
            "inception3a.branch4.1.conv.weight",
        ),
        (
            "inception_v3",
            "torchvision",
            "mixed7c.1.concat1.1.conv1.weight",
            "Mixed_7c.branch3x3_2b.conv.weight",
        ),
        ("resnet18", "torchvision", "layer2.add1.0.conv1.weight", "layer2.0.downsample.0.weight"),
        (
            "resnet50",
            "torchvision",
            "layer1.repeat1.1.add1.1.conv3.weight",
            "layer1.2.conv3.weight",
        ),
        (
            "densenet121",
            "torchvision",
            "block4.15.concat1.1.conv2.weight",
            "features.denseblock4.denselayer16.conv2.weight",
        ),
        ("mobilenet_v2", "torchvision", "add10.1.depthwise1.weight", "features.16.conv.1.0.weight"),
        ("mobilenet_v2", "timm", "add10.1.depthwise1.weight", "blocks.5.2.conv_dw.weight"),
        ("mobilenet_v2", "keras", "add10.1.depthwise1.weight", "block_15_depthwise.weight"),
        ("convnext_tiny", "timm", "stage3.8.add1.1.scale1.weight", "stages.2.blocks.8.gamma"),
        (
            "convnext_tiny",
            "torchvision",
            "stage3.8.add1.1.scale1.weight",
            "features.5.8.layer_scale",
        ),
    ],
)
def test_names_as_their_authors_have_them(net: str, by: str, ours: str, theirs: str) -> None:
    published = next(form for form in ENTRIES[net].published if form.by == by)
    found = {path: name for path, name, _ in names_table(ENTRIES[net], published)}
    assert found[ours] == theirs


def test_repositories_are_those_of_timm_and_come_first() -> None:
    found = {}
    for name, entry in ENTRIES.items():
        for number, published in enumerate(entry.published):
            if published.repository:
                assert number == 0
                found[name] = published.repository
    assert all(repository.startswith("timm/") for repository in found.values())
    assert len(set(found.values())) == len(found) == 22
    assert {"alexnet", "googlenet", "mobilenet_v2_035"}.isdisjoint(found)


def test_keras_pads_behind_and_has_an_eps_of_its_own() -> None:
    program = mobilenet_v2(form="keras").bind((3, 224, 224))
    assert arithmetic(program).parameters == ENTRIES["mobilenet_v2"].parameters
    steps = program.steps
    assert steps[0].pads == ((0, 1), (0, 1))
    assert {step.kind.eps for step in steps if isinstance(step.kind, BatchNorm)} == {1e-3}
    assert mobilenet_v2().bind((3, 224, 224)).steps[0].pads == ((1, 1), (1, 1))


@pytest.mark.parametrize(("entry", "published"), FORMS)
def test_weights_fit_pictures_of_other_sizes(entry: Entry, published: Published) -> None:
    program = published.build(entry.input, entry.num_classes).bind((3, 128, 100))
    assert program.tensors() == bound(entry, published).tensors()


def test_what_is_done_to_levels_is_what_the_weights_were_trained_with() -> None:
    for name, entry in ENTRIES.items():
        for published in entry.published:
            if published.by == "keras" or name in ("googlenet", "inception_v3"):
                mean, std = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
            else:
                mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
            assert published.mean == pytest.approx([255 * each for each in mean])
            assert published.std == pytest.approx([255 * each for each in std])


@pytest.mark.parametrize(
    ("theirs", "ours", "whether"),
    [
        ((64, 3, 7, 7), (64, 3, 7, 7), True),
        ((384, 96), (384, 96, 1, 1), True),
        ((96, 1, 1), (96,), True),
        ((4096, 512, 7, 7), (4096, 25088), True),
        ((10, 48), (10, 3, 4, 4), True),
        ((), (1,), True),
        ((64, 7, 7, 3), (64, 3, 7, 7), False),
        ((512, 4096, 7, 7), (4096, 25088), False),
        ((25088, 4096), (4096, 25088), False),
        ((64, 9, 16), (64, 12, 12), False),
        ((64,), (8, 8), False),
        ((), (64,), False),
    ],
)
def test_a_tensor_fits_where_its_numbers_lie_in_the_same_order(
    theirs: Shape, ours: Shape, whether: bool
) -> None:
    assert fits(theirs, ours) == fits(ours, theirs) == whether
