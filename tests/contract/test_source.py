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
from foveal.engines.weights import initial
from foveal.net.kind import Shape
from foveal.net.layers import KINDS
from foveal.net.notation import parse
from foveal.net.program import Program
from foveal.zoo import ENTRIES

FLOAT32 = 1e-5
SEEDS = range(0, 500, 9)
EXAMPLES = range(len(ALL_EXAMPLES))
PYRAMID = """
c3: conv 8 3 same -> c4: [conv 8 3 same -> maxpool 2] -> c5: [conv 8 3 same -> maxpool 2]
p5: [@c5 -> conv 4 1]
p4: add( @c4 -> conv 4 1 | @p5 -> upsample 2 )
p3: add( @c3 -> conv 4 1 | @p4 -> upsample 2 )
outputs( l3: [@p3 -> conv 4 3 same] | l4: [@p4 -> conv 4 3 same] | l5: [@p5 -> conv 4 3 same] )
head: each( outputs( a: [[conv 4 3 same -> relu]*2 -> conv 5 3 same] | b: [conv 2 3 same] ) )
"""
ZOO: dict[str, Shape] = {
    "lenet5_1998": (1, 32, 32),
    "resnet18": (3, 32, 32),
    "mobilenet_v2_035": (3, 32, 32),
    "densenet121": (3, 32, 32),
    "googlenet": (3, 32, 32),
}
MANY = " | ".join(f"one_of_many_with_a_long_name_{number}: [conv 2 1]" for number in range(9))
NETS: list[tuple[str, Shape]] = [
    (PYRAMID, (3, 16, 16)),
    # The same weights on other sizes: padding is not that of the module then.
    ("c4: conv 4 3 same -> relu -> again c4", (4, 8, 8)),
    ("c4: conv 4 3 same stride 2 -> relu -> again c4 -> again c4", (4, 9, 14)),
    ("n: [bn -> relu] -> maxpool 2 -> again n", (3, 8, 8)),
    ("b: bn -> globalavgpool -> again b", (3, 8, 8)),
    ("b: layernorm -> globalavgpool -> again b -> dense 3", (5, 8, 8)),
    ("outputs( a: [maxpool 2] | b: [relu] ) -> each( conv 4 3 same stride 2 )", (3, 9, 9)),
    ("outputs( a: [conv 4 3] | b: [conv 4 1] ) -> each( r: [conv 4 1 -> relu]*2 )", (4, 8, 8)),
    ("g: [h: [relu -> conv 4 1] -> again h -> add( @h | identity )] -> again g", (4, 6, 6)),
    ("a: [conv 4 3 same -> relu] -> g: [conv 4 1 -> again a] -> again a", (4, 4, 4)),
    ("a: [relu -> maxpool 2] -> g: [conv 4 1 -> again a]", (4, 8, 8)),
    ("m: maxpool 2 -> d: dropout 0.2 -> g: [conv 4 1 -> again d -> again m]", (4, 8, 8)),
    ("x: conv 4 1 -> g: [x: again x]", (4, 4, 4)),
    # Values that are read later, or never.
    ("i: conv 4 3 -> a: relu -> conv 6 3 -> @i -> conv 2 1", (3, 8, 8)),
    ("i: conv 4 3 -> conv 4 1 -> g: add( @i | conv 4 1 ) -> relu -> concat( @g | @i )", (3, 8, 8)),
    ("i: identity -> [conv 3 3 same -> add( @i | identity )]*3", (3, 6, 6)),
    ("b: relu -> maxpool 2 -> conv 3 1 -> maxunpool 2( identity | @b ) -> conv 2 3", (3, 6, 6)),
    ("add( identity | identity ) -> relu", (3, 4)),
    ("identity", (3,)),
    ("[identity]*3 -> expect 3", (3,)),
    ("outputs( a: [conv 2 1] )", (3, 4, 4)),
    ("outputs( a: [tanh] | b: [relu] ) -> each( outputs( c: [relu] | d: [conv 2 1] ) )", (3, 4)),
    # Branches with names, and more than fit on a line.
    ("add( short: [conv 4 1] | conv 4 3 same -> relu -> conv 4 1 ) -> relu", (3, 8, 8)),
    (f"add( {MANY} )", (3, 4, 4)),
    (f"concat( {MANY} ) -> relu", (3, 4, 4)),
    # What is written around something else, in parentheses where it must.
    ("n: conv 3 1 -> add( @n | relu ) -> tanh slope 0.3 -> multiply( @n | sigmoid )", (3, 4, 4)),
    ("n: conv 3 1 -> m: conv 3 1 -> add( @n | @m ) -> tanh slope 0.3", (3, 4, 4)),
    ("maxpool 3 stride 1 padding 2 -> avgpool 3 padding 2 -> minpool 2 padding 1", (3, 6, 6)),
    ("n: minpool 3 stride 1 padding 1 -> conv 3 1 -> add( @n | identity ) -> gain -2", (3, 4, 4)),
    ("[conv 3 3 same -> p: droppath 0.3 ramp -> relu]*5", (3, 6, 6)),
    # Names of a file's own.
    ("x: conv 4 1 -> F: conv 4 1 -> nn: bn -> torch: conv 4 1 -> add( @x | @F | @nn )", (3, 4, 4)),
    ("math: [conv 4 1 -> lppool 2 p 3] -> chain: bn -> Add: add( identity | relu )", (3, 4, 4)),
]  # fmt: skip


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


def said(number: int) -> Case:
    text, shape = NETS[number]
    program = parse(text).bind(shape)
    return case(program, random_weights(program, number), random_input(program, number))


def published(name: str) -> Case:
    shape = ZOO[name]
    program = ENTRIES[name].build(shape, 10).bind(shape)
    x = np.random.default_rng(0).standard_normal((2, *shape), np.float32)
    weights = initial(program, 0)
    truth = engines.build("portable", program, weights).run(x)
    return Case(program, source.write(program), weights, x, truth)


def drawn(seed: int) -> Case:
    net, shape = random_net(seed)
    program = net.bind(shape)
    return case(program, random_weights(program, seed), random_input(program, seed))


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    made = {f"example{number}": example(number) for number in EXAMPLES}
    made |= {f"said{number}": said(number) for number in range(len(NETS))}
    made |= {name: published(name) for name in ZOO}
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


@pytest.mark.parametrize("number", range(len(NETS)), ids=lambda n: NETS[n][0].strip()[:60])
def test_a_net_in_words_gives_the_same_without_foveal(
    number: int, cases: dict[str, Case], ran: dict[str, Ran]
) -> None:
    check(cases[f"said{number}"], ran[f"said{number}"])


@pytest.mark.parametrize("name", ZOO)
def test_a_published_net_gives_the_same_without_foveal(
    name: str, cases: dict[str, Case], ran: dict[str, Ran]
) -> None:
    check(cases[name], ran[name])


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
