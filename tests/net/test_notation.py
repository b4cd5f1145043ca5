"""The notation: what is read, what is written, and that the two are inverse."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.nets import random_net

from foveal.net import Net
from foveal.net.combinators import (
    Again,
    Branches,
    Each,
    Outputs,
    Reference,
    Repeat,
    branch,
    branch_labels,
    branches,
    chain,
    named,
    repeat,
)
from foveal.net.layers import (
    KINDS,
    WORDS,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Expect,
    Flatten,
    GlobalAvgPool,
    Identity,
    Input,
    MaxPool,
    Normalise,
    ReLU,
    Resize,
)
from foveal.net.notation import parse, write
from foveal.zoo import ENTRIES


@pytest.mark.parametrize(
    ("text", "net"),
    [
        ("conv 32 3", Net.of(Conv(32, 3))),
        ("CONV 32 3 -> ReLU", Net.of(Conv(32, 3), ReLU())),
        ("conv 32 3\nrelu", Net.of(Conv(32, 3), ReLU())),
        ("conv 32 3 # a comment -> relu\n\n\nrelu", Net.of(Conv(32, 3), ReLU())),
        ("conv 32 3 →\n  relu", Net.of(Conv(32, 3), ReLU())),
        ("conv 32 3 relu", Net.of(Conv(32, 3), ReLU())),
        ("c1: conv 32 3 relu", Net.of(named("c1", Conv(32, 3), ReLU()))),
        ("conv 8 3x5 same no bias", Net.of(Conv(8, (3, 5), padding="same", bias=False))),
        ("conv 8 3×5", Net.of(Conv(8, (3, 5)))),
        ("conv kernel_size 3 out_channels 8", Net.of(Conv(8, 3))),
        ("conv 8 3 bias", Net.of(Conv(8, 3))),
        ("conv 8 3 padding 1:2x0", Net.of(Conv(8, 3, padding=((1, 2), 0)))),
        ("conv 8 3 padding 1:2", Net.of(Conv(8, 3, padding=((1, 2),)))),
        ("conv 8 3 stride 2x1 dilation 2 groups 4", Net.of(Conv(8, 3, (2, 1), "valid", 2, 4))),
        ("pool 2", Net.of(MaxPool(2))),
        ("maxpool 3 stride 2", Net.of(MaxPool(3, stride=2))),
        ("globalavgpool keep", Net.of(GlobalAvgPool(keep=True))),
        ("bn eps 1e-3", Net.of(BatchNorm(eps=1e-3))),
        ("dropout", Net.of(Dropout(0.5))),
        ("dropout 0.25", Net.of(Dropout(0.25))),
        ("fc 10", Net.of(Dense(10))),
        ("input uint8", Net.of(Input("uint8"))),
        ("resize 224x224", Net.of(Resize((224, 224)))),
        ("normalize mean 0.5,0.4,0.3 std 2", Net.of(Normalise((0.5, 0.4, 0.3), (2.0,)))),
        ("expect 3x4x5x6", Net.of(Expect((3, 4, 5, 6)))),
        ("[conv 8 3 -> relu]*2", Net.of(repeat(2, Conv(8, 3), ReLU()))),
        ("[conv 8 3]*0 -> relu", Net.of(repeat(0, Conv(8, 3)), ReLU())),
        ("[conv 8 3]*1", Net.of(repeat(1, Conv(8, 3)))),
        ("[conv 8 3 -> [relu]]", Net.of(Conv(8, 3), ReLU())),
        ("c4: [conv 8 3]", Net.of(named("c4", chain(Conv(8, 3))))),
        ("a: [b: relu]", Net.of(named("a", chain(named("b", ReLU()))))),
        ("add( identity | relu )", Net.of(branches(Add(), Identity(), ReLU()))),
        ("concat(relu|a: [relu])", Net.of(branches(Concat(), ReLU(), named("a", chain(ReLU()))))),
        ("a: relu -> @a", Net.of(named("a", ReLU()), Reference("a"))),
        ("a: relu -> again a", Net.of(named("a", ReLU()), Again("a"))),
        (
            "outputs( x: [relu] | relu ) -> each( relu )",
            Net.of(Outputs((named("x", chain(ReLU())), chain(ReLU()))), Each(chain(ReLU()))),
        ),
    ],
)
def test_text_means_net(text: str, net: Net) -> None:
    assert parse(text) == net
    assert parse(write(net)) == net


def test_a_name_binds_one_step_and_not_its_line() -> None:
    assert parse("c4: conv 8 3 -> maxpool 2") == Net.of(named("c4", Conv(8, 3)), MaxPool(2))


@pytest.mark.parametrize("seed", range(300))
def test_random_nets_survive_writing_and_reading(seed: int) -> None:
    net, _ = random_net(seed)
    assert parse(write(net)) == net
    bound = net.with_names()
    assert parse(write(bound)) == bound


@pytest.mark.parametrize("name", ENTRIES)
def test_zoo_nets_survive_writing_and_reading(name: str) -> None:
    entry = ENTRIES[name]
    net = entry.build(entry.input, entry.num_classes)
    assert parse(write(net)) == net


_NAMES = st.from_regex(r"[A-Z][a-z_]{0,3}", fullmatch=True)
_KINDS = st.one_of(
    st.builds(
        Conv,
        st.integers(1, 512),
        st.integers(1, 9) | st.tuples(st.integers(1, 9), st.integers(1, 9)),
        stride=st.integers(1, 3),
        padding=st.sampled_from(["valid", "same", 0, 2, (1, (0, 2)), ((1, 2),), (3,)]),
        bias=st.booleans(),
    ),
    st.builds(MaxPool, st.integers(1, 4), stride=st.none() | st.integers(1, 4)),
    st.builds(Dropout, st.floats(0, 0.99)),
    st.builds(BatchNorm, eps=st.floats(1e-12, 10), momentum=st.floats(0, 1)),
    st.builds(
        Normalise,
        mean=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=3).map(tuple),
        std=st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(Expect, st.integers(1, 9) | st.lists(st.integers(1, 9), min_size=1, max_size=4)),
    st.sampled_from([ReLU(), Identity(), Flatten(), GlobalAvgPool(), Input(), Dense(10)]),
)


def _combined(inner: st.SearchStrategy) -> st.SearchStrategy:
    chains = st.lists(inner, min_size=1, max_size=3).map(_distinct)
    parts = st.lists(chains, min_size=1, max_size=3).filter(_named_apart)
    return st.one_of(
        chains,
        st.builds(Repeat, chains, st.integers(0, 4)),
        st.builds(lambda merge, p: branches(merge, *p), st.sampled_from([Add(), Concat()]), parts),
        st.builds(lambda p: Outputs(tuple(p)), parts),
        st.builds(Each, chains),
        st.builds(named, _NAMES, inner),
    )


def _named_apart(parts: list) -> bool:
    return len({name for name, _ in branch_labels(tuple(map(branch, parts)))}) == len(parts)


def _distinct(items: list) -> object:
    """A chain of items, names that stand twice left out."""
    seen: set[str] = set()
    kept = []
    for item in items:
        name = getattr(item, "name", None)
        if name not in seen:
            kept.append(item)
        seen |= {name} - {None}
    return chain(*kept) if not _clash(kept) else chain(ReLU())


def _clash(items: list) -> bool:
    flat = [x for item in items for x in getattr(item, "items", (item,))]
    names = [x.name for x in flat if hasattr(x, "name")]
    return len(names) != len(set(names))


@settings(max_examples=400, deadline=None)
@given(st.recursive(_KINDS, _combined, max_leaves=12))
def test_parse_is_the_inverse_of_write(item: object) -> None:
    net = Net.of(item)
    assert parse(write(net)) == net


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="conv 3relu[]()*|:@->#\n?xyz0.5,block", max_size=60))
def test_any_text_is_a_net_or_a_notation_error(text: str) -> None:
    from foveal.errors import NotationError

    try:
        net = parse(text)
    except NotationError:
        return
    assert parse(write(net)) == net


def test_every_word_stands_for_one_kind() -> None:
    words = [word for kind in KINDS for word in (kind.word, *kind.aliases)]
    assert len(words) == len(set(words)) == len(WORDS)
    assert not [word for word in words if word[-1].isdigit()], "automatic names end in digits"


def test_closed_words_belong_to_one_field() -> None:
    for kind in KINDS:
        words = [word for constraint in kind.constraints.values() for word in constraint.words]
        assert len(words) == len(set(words)), kind
        assert not set(words) & set(kind.constraints), kind


PATTERN = "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC"


def test_the_articles_pattern_is_read_as_written() -> None:
    net = parse(PATTERN, {"N": 2, "M": 3, "K": 1})
    assert write(net) == (
        "input -> [[conv 32 3 same -> relu]*2 -> maxpool 2]*3 -> flatten"
        " -> [dense 128 -> relu]*1 -> dense 10"
    )
    assert parse(write(net)) == net
    assert net.bind((3, 32, 32)).result_shapes() == {"": (10,)}


@pytest.mark.parametrize("counts", [{"N": 0}, {"M": 0}, {"K": 0}, {"N": 0, "M": 0, "K": 0}])
def test_the_articles_pattern_may_repeat_nothing(counts: dict[str, int]) -> None:
    assert parse(PATTERN, counts).bind((3, 32, 32)).result_shapes() == {"": (10,)}


def test_the_articles_pattern_takes_sizes_and_the_option() -> None:
    net = parse(PATTERN, {"POOL": 0, "CONV": 8, "FC": 64, "CLASSES": 2})
    assert write(net) == (
        "input -> [[conv 8 3 same -> relu]*2]*2 -> flatten -> [dense 64 -> relu]*1 -> dense 2"
    )


RESNET = """
# a ResNet on half a page
block residual(channels):
    add( identity | conv channels 3 same no bias -> bn -> relu
                  -> conv channels 3 same no bias -> bn )
    relu
block stem: conv 8 3 same -> relu

stem
[residual 8]*2      # used like a layer
last: residual 8
globalavgpool -> dense 10
"""


def test_blocks_are_used_like_layers() -> None:
    steps = parse(RESNET).bind((3, 16, 16)).steps
    paths = [step.path for step in steps if isinstance(step.kind, Add)]
    assert paths == ["repeat1.0.add1", "repeat1.1.add1", "last.add1"]


def test_a_start_with_numbers_can_be_given_to_a_block() -> None:
    text = "block c(width start): conv width 3 init start frozen -> relu\n"
    used = "c 4 uniform:-0.1,0.1 -> c 8 Sobel_X -> c 2 1,0,-1"
    assert parse(text + used) == parse(
        "conv 4 3 init uniform:-0.1,0.1 frozen -> relu -> conv 8 3 init sobel_x frozen -> relu"
        " -> conv 2 3 init 1,0,-1 frozen -> relu"
    )


def test_a_block_may_use_an_earlier_block() -> None:
    text = "block a(n): conv n 3\nblock b: a 8 -> relu\nb -> b"
    assert parse(text) == Net.of(Conv(8, 3), ReLU(), Conv(8, 3), ReLU())


@pytest.mark.parametrize("times", [2, 64])
def test_blocks_that_double_are_counted_before_they_are_unrolled(times: int) -> None:
    from foveal.errors import NotationError

    lines = ["block b0: relu"] + [
        f"block b{n}: b{n - 1} -> b{n - 1}".replace("b", "z") for n in range(1, times + 1)
    ]
    text = "\n".join(lines).replace("block", "BLOCK").replace("zlock", "block").lower()
    text = text.replace("b0", "z0").replace("blocz", "block") + f"\nz{times}"
    if times == 2:
        assert len(parse(text).root.items) == 4
    else:
        with pytest.raises(NotationError):
            parse(text)


def test_with_names_keeps_every_path() -> None:
    for name, entry in ENTRIES.items():
        net = entry.build(entry.input, entry.num_classes)
        plain, bound = net.bind(entry.input), net.with_names().bind(entry.input)
        assert list(plain.tensors()) == list(bound.tensors()), name


def test_branches_without_parentheses_are_not_layers() -> None:
    assert isinstance(parse("add( relu | relu )").root.items[0], Branches)
