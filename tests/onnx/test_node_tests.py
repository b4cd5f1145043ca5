"""The node tests of the `onnx` package: what the standard demands of every operator we have."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from support.nodes.cases import Node, nodes
from support.nodes.running import IMPORTERS, failures, wrong
from support.nodes.scope import OPERATORS, TESTS, why_not

NEVER_LEFT_OUT = (
    *("Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool", "MaxUnpool", "Pad"),
    *("BatchNormalization", "InstanceNormalization", "LRN", "GlobalAveragePool", "GlobalMaxPool"),
)


@pytest.mark.parametrize("operator", sorted(IMPORTERS))
def test_all_engines_make_what_the_standard_demands(operator: str) -> None:
    names = {node.name for node in nodes() if node.op == operator}
    made = {name: problems for name, problems in failures().items() if name in names}
    assert made, "no test of it is in scope"
    assert {name: problems for name, problems in made.items() if problems} == {}


def test_every_node_test_is_run_or_left_out_for_one_reason() -> None:
    run, left_out = failures().keys(), [node for node in nodes() if why_not(node)]
    assert len(run) + len(left_out) == len(nodes()) == len({node.name for node in nodes()})
    assert len(run) > 200, "so few would show that importing broke"


def test_reasons_name_what_there_is_once() -> None:
    operators = [op for ops in OPERATORS.values() for op in ops.split()]
    assert set(operators) | set(IMPORTERS) == {node.op for node in nodes()}
    assert Counter(operators + list(IMPORTERS)).most_common(1)[0][1] == 1
    named = [name for names in TESTS.values() for name in names.split()]
    by_name = {node.name: node for node in nodes()}
    assert len(set(named)) == len(named)
    assert {by_name[name].op for name in named} <= set(IMPORTERS)


@pytest.mark.parametrize("operator", NEVER_LEFT_OUT)
def test_no_test_of_windows_and_statistics_is_left_out(operator: str) -> None:
    found = [node for node in nodes() if node.op == operator]
    assert found
    assert [node.name for node in found if why_not(node)] == []


def changed(name: str, **changes: object) -> Node:
    """A test of the package with something else in it."""
    node = next(node for node in nodes() if node.name == name)
    return Node(**(vars(node) | changes))


def test_a_wrong_value_is_seen_in_every_engine() -> None:
    node = next(node for node in nodes() if node.name == "basic_conv_with_padding")
    other = node.makes[0].copy()
    other[0, 0, 2, 2] += 0.01
    found = list(wrong(changed(node.name, makes=(other,))))
    assert [problem.split(",")[0] for problem in found] == ["reference", "pytorch", "portable"]


def test_a_wrong_place_of_the_largest_value_is_seen() -> None:
    name = "maxpool_with_argmax_2d_precomputed_strides"
    node = next(node for node in nodes() if node.name == name)
    assert list(wrong(node)) == []
    rows_first = {key: value for key, value in node.said.items() if key != "storage_order"}
    assert len(list(wrong(changed(name, said=rows_first)))) == 3


def test_a_wrong_statistic_is_seen() -> None:
    name = "batchnorm_example_training_mode"
    y, mean, var = next(node for node in nodes() if node.name == name).makes
    found = list(wrong(changed(name, makes=(y, mean, var * np.float32(1.01)))))
    assert [problem.split(" ")[0] for problem in found] == ["reference", "pytorch"]


def test_an_output_that_no_net_makes_is_seen() -> None:
    node = next(node for node in nodes() if node.name == "dropout_default_mask")
    assert list(wrong(node)) == ["1 of 2 outputs are made"]


def test_a_new_operator_has_to_be_imported_or_left_out() -> None:
    node = changed("relu", op="Relu7")
    assert list(wrong(node)) == ["no importer for Relu7, and no reason to leave it out"]
