"""Two engines compared: agreement is measured, disagreement is refused with its figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from support.nets import random_input, random_weights

from foveal import engines
from foveal.engines import Engine, agreement
from foveal.engines.agreement import Agreement, compare
from foveal.errors import DisagreementError
from foveal.net import Net
from foveal.net.combinators import Named, Outputs, chain
from foveal.net.layers import Conv, Dense, GlobalAvgPool, ReLU, Softmax
from foveal.net.program import Program

PROGRAM = Net.of(ReLU()).bind((3,))


@dataclass(frozen=True)
class Fixed:
    """An engine that gives always the same answers."""

    answers: np.ndarray

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        return {"": self.answers}


def compare_fixed(
    monkeypatch: pytest.MonkeyPatch, first: list[list[float]], second: list[list[float]]
) -> Agreement:
    made = {"a": Fixed(np.array(first)), "b": Fixed(np.array(second))}

    def build(name: str, program: Program, weights: Mapping[str, np.ndarray]) -> Engine:
        return made[name]

    monkeypatch.setattr(agreement, "build", build)
    return compare(PROGRAM, {}, np.zeros((len(first), 3)), engines=("a", "b"))


@pytest.mark.parametrize("name", sorted(engines.ENGINES))
def test_every_engine_agrees_with_the_reference(name: str) -> None:
    heads = Outputs((Named("a", chain(Softmax())), Named("b", chain(Conv(1, 1)))))
    program = Net.of(Conv(4, 3), heads).bind((2, 6, 6))
    x = random_input(program, 0, batch=5)
    found = compare(program, random_weights(program, 0), x, engines=(name, "reference"))
    assert found.difference < 1e-6
    assert found.engines == (name, "reference")
    # Result a has an answer at each of 4x4 positions of 5 inputs, b has only one channel.
    assert (found.num_inputs, found.num_answers) == (5, 80)
    assert found.num_same + found.num_ties >= 80


def test_wrong_weights_are_noticed() -> None:
    program = Net.of(Conv(2, 3), GlobalAvgPool(), Dense(3)).bind((1, 5, 5))
    weights, x = random_weights(program, 0), random_input(program, 0)
    found = compare(program, weights, x)
    assert found.num_same == found.num_answers == 2

    def off(name: str, program: Program, weights: Mapping[str, np.ndarray]) -> Engine:
        if name == "portable":
            weights = {**weights, "dense1.bias": weights["dense1.bias"] + 0.01}
        return engines.build(name, program, weights)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agreement, "build", off)
        with pytest.raises(DisagreementError, match="portable and reference differ by "):
            compare(program, weights, x)


def test_the_difference_is_relative_to_the_largest_output(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compare_fixed(monkeypatch, [[0, 50.0001, 100]], [[0, 50, 100]])
    assert found.difference == pytest.approx(1e-6)
    assert (found.num_answers, found.num_same, found.num_ties) == (1, 1, 0)


def test_ties_may_go_either_way_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compare_fixed(monkeypatch, [[1, 0.999999, 0], [1, 0, 0]], [[0.999999, 1, 0], [1, 0, 0]])
    assert (found.num_answers, found.num_same, found.num_ties) == (2, 1, 1)


def test_only_zeros_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compare_fixed(monkeypatch, [[0, 0]], [[0, 0]]).difference == 0


def test_disagreement_names_the_engines_and_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DisagreementError) as error:
        compare_fixed(monkeypatch, [[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [1, 0, 0]])
    assert str(error.value) == (
        "2 inputs: a and b differ by 1.0e+00 of the largest output\n"
        "  arrives:  1 of 2 answers the same, 0 ties\n"
        "  expected: at most 1e-05, and the same answers but for ties\n"
        "  fix:      do not use this net elsewhere, and please report it"
    )
    assert error.value.exit_code == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([[np.nan, 1]], [[0, 1]]),
        ([[0, 1]], [[np.nan, 1]]),
        ([[np.nan, 1]], [[np.nan, 1]]),
        ([[np.inf, 1]], [[np.inf, 1]]),
        ([[1e-9, 0]], [[0, 0]]),
    ],
)
def test_what_cannot_be_compared_does_not_agree(
    monkeypatch: pytest.MonkeyPatch, first: list[list[float]], second: list[list[float]]
) -> None:
    with pytest.raises(DisagreementError, match="differ by inf of the largest output"):
        compare_fixed(monkeypatch, first, second)


def test_another_answer_that_is_no_tie_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = [[1 + 4e-6, 1 + 8e-6, 0]], [[1 + 1.2e-5, 1, 0]]
    with pytest.raises(
        DisagreementError, match=r"differ by 8.0e-06(.|\n)*0 of 1 answers the same, 0 ties"
    ):
        compare_fixed(monkeypatch, first, second)
