"""From nodes to a net: branches, references, names and weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.engines.weights import initial
from foveal.errors import FovealError
from foveal.importing import tree
from foveal.importing.graph import Node, assemble
from foveal.net.kind import Kind
from foveal.net.layers import (
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Flatten,
    Gain,
    GlobalAvgPool,
    HardSigmoid,
    Identity,
    Multiply,
    ReLU,
    Scale,
    Sigmoid,
    Take,
)
from foveal.net.notation import parse

SHAPE = (4, 8, 8)
CONV = Conv(4, 3, padding=1, bias=False)
KERNEL = {"weight": np.ones((4, 4, 3, 3), np.float32)}

Line = tuple[str, Kind, str] | tuple[str, Kind, str, str]


def nodes(*lines: Line) -> list[Node]:
    """Lines of what is made, by which kind, of which values, and whose weights it shares."""
    return [
        Node(made, kind, tuple(read.split()), made, KERNEL, *shares)
        for made, kind, read, *shares in lines
    ]


def written(*lines: Line, results: Mapping[str, str] | None = None) -> str:
    made = nodes(*lines)
    net = assemble(made, "x", results or {"": made[-1].output}, SHAPE).net
    text = net.write()
    assert parse(text) == net
    return text


def test_one_after_another_is_a_chain() -> None:
    text = written(("a", CONV, "x"), ("b", ReLU(), "a"), ("c", Gain(2), "b"))
    assert text == "a: conv 4 3 padding 1 no bias -> relu -> gain 2"


def test_nothing_is_identity() -> None:
    assert assemble([], "x", {"": "x"}, SHAPE).net.write() == "identity"


def test_what_does_nothing_and_what_nobody_reads_is_left_out() -> None:
    lines = [("a", Identity(), "x"), ("dead", CONV, "a"), ("b", Concat(), "a"), ("c", ReLU(), "b")]
    assert written(*lines) == "relu"


def test_a_merge_has_the_way_from_the_fork_as_branches() -> None:
    lines = [("a", CONV, "x"), ("b", ReLU(), "a"), ("c", Add(), "b a"), ("d", ReLU(), "c")]
    assert written(*lines) == "a: conv 4 3 padding 1 no bias -> add( relu | identity ) -> relu"


def test_branches_lie_in_branches() -> None:
    inner = [("a", ReLU(), "x"), ("b", Gain(2), "a"), ("c", Multiply(), "a b")]
    text = written(*inner, ("d", Add(), "c x"))
    assert text == "add( relu -> multiply( identity | gain 2 ) | identity )"


def test_a_value_may_be_joined_with_itself() -> None:
    assert written(("a", Add(), "x x x")) == "add( identity | identity | identity )"


def test_the_order_of_branches_is_kept() -> None:
    lines = [("a", ReLU(), "x"), ("b", Gain(2), "x"), ("c", Concat(), "b a")]
    assert written(*lines) == "concat( gain 2 | relu )"


def test_concatenations_that_grow_are_blocks() -> None:
    """As DenseNet has them: each layer reads all that came before it, in one concatenation."""
    text = written(
        ("start", Concat(), "x"),
        ("a", Take((0,)), "start"),
        ("xa", Concat(), "x a"),
        ("b", Take((1,)), "xa"),
        ("xab", Concat(), "x a b"),
    )
    assert text == "concat( identity | take 0 ) -> concat( identity | take 1 )"


def test_equal_concatenations_stay_two() -> None:
    lines = [("a", Concat(), "x x"), ("b", Concat(), "x x"), ("c", Multiply(), "a b")]
    both = "concat( identity | identity )"
    assert written(*lines) == f"multiply( {both} | {both} )"


def test_what_two_branches_need_is_named_before_them() -> None:
    text = written(
        ("a", ReLU(), "x"),
        ("b", Gain(2), "x"),
        ("sum", Add(), "a b"),
        ("product", Multiply(), "a b"),
        ("c", Concat(), "sum product"),
    )
    assert text == (
        "start: identity\n"
        "a: relu\n"
        "@start\n"
        "gain 2\n"
        "concat( add( @a | identity ) | multiply( @a | identity ) )"
    )


def test_a_pyramid_reads_what_stands_before() -> None:
    text = written(
        ("c3", Gain(3), "x"),
        ("c4", Gain(4), "c3"),
        ("c5", Gain(5), "c4"),
        ("l4", Gain(4.5), "c4"),
        ("p4", Add(), "l4 c5"),
        ("l3", Gain(3.5), "c3"),
        ("p3", Add(), "l3 p4"),
        results={"p3": "p3", "p4": "p4", "p5": "c5"},
    )
    assert text == (
        "c3: gain 3\n"
        "c4: gain 4\n"
        "l4: gain 4.5\n"
        "@c4\n"
        "c5: gain 5\n"
        "p4: add( @l4 | identity )\n"
        "outputs( p3: [@c3 -> gain 3.5 -> add( identity | @p4 )] | p4: [identity] | p5: [@c5] )"
    )


def test_results_without_names_are_numbered() -> None:
    lines = [("a", ReLU(), "x"), ("b", Gain(2), "x")]
    text = written(*lines, results={"0": "a", "1": "b"})
    assert text == "outputs( relu | gain 2 )"


def test_weights_that_are_used_twice_are_used_again() -> None:
    text = written(("a", CONV, "x"), ("b", ReLU(), "a"), ("c", CONV, "b", "a"))
    assert text == "a: conv 4 3 padding 1 no bias -> relu -> again a"


def test_weights_shared_by_branches_stand_before_them() -> None:
    lines = [("a", CONV, "x"), ("r", ReLU(), "x"), ("b", CONV, "r", "a"), ("c", Add(), "a b")]
    assert written(*lines) == (
        "start: identity\n"
        "a: conv 4 3 padding 1 no bias\n"
        "add( identity | @start -> relu -> again a )"
    )


def test_weights_inside_a_branch_are_found_from_outside() -> None:
    lines = [("a", CONV, "x"), ("b", Add(), "x a"), ("r", ReLU(), "b"), ("c", CONV, "r", "a")]
    assert written(*lines) == (
        "start: identity\na: conv 4 3 padding 1 no bias\nadd( @start | identity )\nrelu\nagain a"
    )


def test_the_first_use_that_is_left_owns_the_weights() -> None:
    made = nodes(("a", CONV, "x"), ("b", CONV, "x", "a"), ("c", CONV, "b", "a"))
    imported = assemble(made, "x", {"": "c"}, SHAPE)
    assert imported.net.write() == "b: conv 4 3 padding 1 no bias -> again b"
    assert imported.names == {"b.weight": "b.weight"}


def test_very_deep_nests_are_said_by_references() -> None:
    """A net may be nested 64 deep; each value is added to what comes after all later ones."""
    down = [(f"d{n}", Gain(2), f"d{n - 1}" if n else "x") for n in range(100)]
    up = [(f"u{n}", Add(), f"d{n} {f'u{n + 1}' if n < 98 else 'd99'}") for n in range(98, -1, -1)]
    made = nodes(*down, *up)
    imported = assemble(made, "x", {"": "u0"}, (1,))
    assert imported.run(np.ones((1, 1), np.float32))[""] == sum(2.0**n for n in range(1, 101))


def test_woven_graphs_are_said_by_references(monkeypatch: pytest.MonkeyPatch) -> None:
    """In search of branches each node is looked at so often only, and then no more."""
    lines = [("a", ReLU(), "x"), ("b", Gain(2), "a"), ("c", Add(), "b a"), ("d", Add(), "c b")]
    monkeypatch.setattr(tree, "SOME_LOOKS", 0)
    monkeypatch.setattr(tree, "LOOKS_FOR_EACH", 0)
    assert written(*lines) == ("a: relu\nb: gain 2\nadd( identity | @a )\nadd( identity | @b )")


def test_what_is_multiplied_by_its_own_sigmoid_is_one_layer() -> None:
    lines = [("a", Sigmoid(), "x"), ("b", Multiply(), "x a")]
    assert written(*lines) == "silu"
    lines = [("a", HardSigmoid(), "x"), ("b", Multiply(), "a x")]
    assert written(*lines) == "hardswish"
    lines = [("a", Sigmoid(), "x"), ("b", Multiply(), "x a"), ("c", Add(), "a b")]
    assert written(*lines) == "add( sigmoid | silu )"


def test_a_long_chain_is_no_deep_one() -> None:
    made = nodes(*((f"n{n}", ReLU(), f"n{n - 1}" if n else "x") for n in range(5000)))
    assert len(assemble(made, "x", {"": "n4999"}, (1,)).program.steps) == 5000


def test_a_global_pool_and_flatten_are_one_layer_unless_others_read_it() -> None:
    pool = ("a", GlobalAvgPool(keep=True), "x")
    assert written(pool, ("b", Flatten(), "a")) == "globalavgpool"
    lines = [pool, ("b", Flatten(), "a")]
    text = written(*lines, results={"0": "a", "1": "b"})
    assert text == "globalavgpool keep -> outputs( identity | flatten )"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("layer1.0.conv1", "layer1_0_conv1"),
        ("/layer1/layer1.0/conv/Conv", "layer1_layer1_0_conv_Conv"),
        ("0", "conv_0"),
        ("1.0", "conv_1_0"),
        ("1.norm", "_1_norm"),
        ("conv1", "conv1"),
        ("relu1", "relu1_"),
        ("add2", "add2_"),
        ("", "conv"),
        ("größe", "gr_e"),
        ("outputs", "outputs"),
        ("add", "add"),
        ("no", "no"),
    ],
)
def test_names_are_theirs_where_the_notation_allows(theirs: str, ours: str) -> None:
    node = Node(theirs, CONV, ("x",), "y", KERNEL)
    net = assemble([node, Node("", ReLU(), ("y",), "z")], "x", {"": "z"}, SHAPE).net
    assert net.write() == f"{ours}: conv 4 3 padding 1 no bias -> relu"
    assert parse(net.write()) == net


def test_equal_names_get_a_number() -> None:
    made = [Node("c", CONV, ("x",), "y", KERNEL), Node("c", CONV, ("y",), "z", KERNEL)]
    net = assemble(made, "x", {"": "z"}, SHAPE).net
    assert net.write() == "c: conv 4 3 padding 1 no bias\nc_2: conv 4 3 padding 1 no bias"


def test_weights_come_with_their_paths_and_names() -> None:
    kernel = np.arange(4, dtype=np.float64)
    node = Node("bn", Scale(), ("x",), "y", {"weight": kernel}, "", {"weight": "bn.gamma"})
    imported = assemble([node, Node("", Add(), ("x", "y"), "z")], "x", {"": "z"}, SHAPE)
    assert imported.names == {"add1.1.bn.weight": "bn.gamma"}
    assert imported.weights["add1.1.bn.weight"].dtype == np.float32
    assert imported.weights["add1.1.bn.weight"].tolist() == kernel.tolist()


@pytest.mark.parametrize(
    ("tensors", "text"),
    [
        (
            {"weight": np.zeros((4, 4, 5, 5))},
            "first.conv (Conv): has a weight of another shape than its layer\n"
            "  arrives:  4x4x5x5\n"
            "  expected: 4x4x3x3",
        ),
        ({}, "first.conv (Conv): has no weight\n  expected: Conv(4, 3, padding=1, bias=False)"),
    ],
)
def test_tensors_that_are_not_those_of_the_layer(tensors: dict[str, np.ndarray], text: str) -> None:
    with pytest.raises(FovealError) as caught:
        assemble([Node("first.conv", CONV, ("x",), "y", tensors)], "x", {"": "y"}, SHAPE)
    assert str(caught.value) == text


def test_a_layer_that_does_not_fit_is_named() -> None:
    with pytest.raises(FovealError) as caught:
        assemble([Node("head", Dense(10), ("x",), "y")], "x", {"": "y"}, SHAPE)
    assert str(caught.value) == (
        "layer 1 'head' (Dense): dense reads flat features, but a picture arrives\n"
        "  arrives:  4x8x8 from the input\n"
        "  fix:      put flatten or globalavgpool before it"
    )


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Node], dict[str, str]]:
    """Nodes on two channels, each reading any of the values before it, some sharing weights."""
    made: list[Node] = []
    values, owners = ["x"], [""]
    for number in range(draw(st.integers(1, 14))):
        word = draw(st.sampled_from(["scale", "gain", "add", "multiply", "concat"]))
        read = tuple(draw(st.lists(st.sampled_from(values), min_size=1, max_size=3)))
        name, tensors, shares = f"n{number}", {}, ""
        if word == "scale":
            shares = draw(st.sampled_from(owners))
            weight = np.array([0.5 + number / 8, 1 - number / 8])
            first = next((node for node in made if node.output == shares), None)
            tensors = first.tensors if first else {"weight": weight}
            owners += [] if shares else [name]
            node = Node(name, Scale(), read[:1], name, tensors, shares)
        elif word == "gain":
            node = Node(name, Gain(1 - number / 16), read[:1], name)
        elif word == "concat":
            made.append(Node(f"c{number}", Concat(), read, f"c{number}"))
            channels = (2 * len(read) - 1, 0)
            node = Node(name, Take(channels), (f"c{number}",), name)
        else:
            node = Node(name, Add() if word == "add" else Multiply(), read, name)
        made.append(node)
        values.append(name)
    count = draw(st.integers(1, 3))
    chosen = draw(st.lists(st.sampled_from(values), min_size=count, max_size=count))
    return made, {str(number): value for number, value in enumerate(chosen)}


def computed(made: list[Node], results: dict[str, str], x: np.ndarray) -> list[np.ndarray]:
    """The results, straight from the nodes."""
    values = {"x": x}
    for node in made:
        read = [values[value] for value in node.inputs]
        match node.kind:
            case Scale():
                value = read[0] * node.tensors["weight"].astype(np.float32)
            case Gain(factor):
                value = read[0] * factor
            case Add():
                value = np.sum(read, axis=0)
            case Multiply():
                value = np.prod(read, axis=0)
            case Concat():
                value = np.concatenate(read, axis=1)
            case Take(channels):
                value = read[0][:, list(channels)]
        values[node.output] = value
    return [values[value] for value in results.values()]


@given(graphs())
def test_any_graph_becomes_a_net_that_computes_the_same(
    graph: tuple[list[Node], dict[str, str]],
) -> None:
    made, results = graph
    imported = assemble(made, "x", results, (2,))
    assert parse(imported.net.write()) == imported.net
    x = np.array([[1.0, -0.5], [0.25, 2.0]])
    found = imported.engine("reference").run(x)
    for ours, theirs in zip(found.values(), computed(made, results, x), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    owned = {node.shares or node.output for node in made if node.kind == Scale()}
    assert len(imported.weights) <= len(owned)


def test_statistics_are_weights_too() -> None:
    tensors = initial(assemble([], "x", {"": "x"}, (2,)).net.then(BatchNorm()).bind((2,)), 0)
    node = Node("bn", BatchNorm(), ("x",), "y", {k.split(".")[1]: v for k, v in tensors.items()})
    assert len(assemble([node], "x", {"": "y"}, (2,)).weights) == 4
