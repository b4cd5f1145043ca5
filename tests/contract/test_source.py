"""Written as plain PyTorch, every kind and every net gives the same numbers without Foveal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.kinds import ALL_EXAMPLES, draw_arriving, draw_weight
from support.nets import differs, is_tossed, random_input, random_net, random_weights
from support.steps import example_step
from support.written import Case, Ran, run

from foveal import engines
from foveal.engines import source
from foveal.net.layers import KINDS
from foveal.net.program import Program

FLOAT32 = 1e-5
SEEDS = range(0, 500, 7)
EXAMPLES = range(len(ALL_EXAMPLES))


def case(program: Program, weights: dict[str, np.ndarray], x: np.ndarray) -> Case:
    truth = engines.build("reference", program, weights).run(x)
    return Case(program, source.write(program), weights, x, truth)


def example(number: int) -> Case:
    kind, ins, _ = ALL_EXAMPLES[number]
    drawn, random = example_step(kind, ins), np.random.default_rng(number)
    program = drawn.program
    weights = {
        path: draw_weight(random, step.kind, tensor).astype(np.float32)
        for step, path, tensor in program.owned()
    }
    x = draw_arriving(random, program.steps[0].kind, 2, program.input)
    return case(program, weights, x.astype(np.float32) if x.dtype.kind == "f" else x)


def drawn(seed: int) -> Case:
    net, shape = random_net(seed)
    program = net.bind(shape)
    return case(program, random_weights(program, seed), random_input(program, seed))


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    made = {f"example{number}": example(number) for number in EXAMPLES}
    return made | {f"net{seed}": drawn(seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def ran(cases: dict[str, Case], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    folder = tmp_path_factory.mktemp("written") / "nets"
    folder.mkdir()
    return run(cases, folder)


def test_every_kind_has_a_row_and_no_row_is_left_over() -> None:
    assert set(source.ROWS) == set(KINDS)


@pytest.mark.parametrize("number", EXAMPLES, ids=lambda n: f"{n}-{ALL_EXAMPLES[n][0]!r}")
def test_a_layer_gives_the_same_without_foveal(
    number: int, cases: dict[str, Case], ran: dict[str, Ran]
) -> None:
    check(cases[f"example{number}"], ran[f"example{number}"])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_net_gives_the_same_without_foveal(
    seed: int, cases: dict[str, Case], ran: dict[str, Ran]
) -> None:
    made, found = cases[f"net{seed}"], ran[f"net{seed}"]
    if not is_tossed(made.program, dict(made.weights), seed):
        check(made, found)


def check(made: Case, found: Ran) -> None:
    assert found.error == "", f"{found.error}\n{made.source}"
    assert found.results.keys() == made.truth.keys()
    for name, truth in made.truth.items():
        assert differs(found.results[name], truth) <= FLOAT32, f"{name}\n{made.source}"
    tensors = made.program.tensors().items()
    assert found.learned == {path for path, t in tensors if t.trained and not t.frozen}


def test_what_is_written_is_in_order(cases: dict[str, Case], tmp_path: Path) -> None:
    for name, made in cases.items():
        (tmp_path / f"{name}.py").write_text(made.source, encoding="utf-8")
    config = ["--config", str(Path(__file__).parents[2] / "pyproject.toml")]
    for command in (["check", "--quiet"], ["format", "--check", "--quiet"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *config, "--no-cache", str(tmp_path)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
