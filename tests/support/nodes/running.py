"""Every node test that is in scope, run in the three engines."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from support.nodes.arrays import ARRAYS
from support.nodes.cases import Array, Node, nodes
from support.nodes.saying import Importer, Said
from support.nodes.scope import why_not
from support.nodes.values import VALUES
from support.nodes.windows import WINDOWS

from foveal.engines import portable, pytorch, reference
from foveal.net.notation import parse

IMPORTERS: dict[str, Importer] = {**WINDOWS, **VALUES, **ARRAYS}
TOLERANCE = 1e-5
"""Of the largest output; beside the tolerance that the package gives each of its tests."""
FOUR_DIGITS = ("averagepool_2d_ceil_last_window_starts_on_pad",)
"""Tests whose outputs the package states with four digits only."""


@lru_cache(maxsize=1)
def failures() -> dict[str, list[str]]:
    """Of every test in scope, by name, what does not come out as it should."""
    return {node.name: list(wrong(node)) for node in nodes() if why_not(node) is None}


def wrong(node: Node) -> Iterator[str]:
    """What does not come out as it should, of a node test."""
    if node.op not in IMPORTERS:
        yield f"no importer for {node.op}, and no reason to leave it out"
        return
    outputs = IMPORTERS[node.op](node)
    kept = sum(len(said.kept) for said in outputs)
    if len(outputs) + kept != len(node.makes):
        yield f"{len(outputs)} of {len(node.makes)} outputs are made"
    for said in outputs:
        for where, made, wanted in _made(said):
            problem = _differs(made, wanted, node)
            if problem:
                yield f"{where}, {said.text[:200]}: {problem}"


def _differs(made: Array, wanted: Array, node: Node) -> str:
    if made.shape != wanted.shape:
        return f"{made.shape} instead of {wanted.shape}"
    wanted = wanted.astype(float)
    gap = np.abs(made - wanted)
    if not (gap <= node.atol + node.rtol * np.abs(wanted)).all():
        return f"differs by {gap.max():.1e}, more than the package allows"
    if node.name not in FOUR_DIGITS and gap.max() > TOLERANCE * np.abs(wanted).max():
        return f"differs by {gap.max() / np.abs(wanted).max():.1e} of the largest"
    return ""


def _made(said: Said) -> Iterator[tuple[str, Array, Array]]:
    """What each engine makes, beside what it should make."""
    program = parse(said.text).bind(said.x.shape[1:])
    x = said.x.astype(np.float32)
    assert (x == said.x).all(), "numbers that float32 holds"
    weights = {path: np.asarray(array, np.float32) for path, array in said.weights.items()}
    deployed = {path: np.asarray(array, np.float32) for path, array in said.deployed.items()}

    ours = reference.build(program, weights)
    training = reference.Training(0, 0) if said.training else None
    yield "reference", said.read(ours.run(x, training)[""]), said.y

    module = pytorch.module(program, weights).train(said.training)
    with torch.no_grad():
        learned = module(torch.from_numpy(x))[""].numpy()
    yield "pytorch", said.read(learned), said.y

    predicted = portable.build(program, weights | deployed).run(x)[""]
    yield "portable", said.read(predicted), said.y

    if said.kept:
        by_formula = ours.statistics(x, reference.Training(0, 0))
        by_torch = pytorch.weights(module)
        for path, wanted in said.kept.items():
            yield f"reference {path}", by_formula[path], wanted
            yield f"pytorch {path}", by_torch[path], wanted
