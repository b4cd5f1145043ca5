"""The engine that is deployed: a program and its weights as an ONNX graph, without tracing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foveal.engines.portable import (
    activation,
    adaptive,
    convolution,
    dense,
    embedding,
    entrance,
    global_pooling,
    merge,
    normalisation,
    pooling,
    regularisation,
    scaling,
    shape,
    transposed,
    unpooling,
    unshared,
    upsampling,
    wire,
)
from foveal.engines.portable.arriving import arriving
from foveal.engines.portable.graph import Graph, Nodes, Row
from foveal.engines.portable.session import Portable
from foveal.engines.rewrites import fold_batch_norm, plain_weights
from foveal.engines.weights import check
from foveal.errors import SpecError, did_you_mean
from foveal.net.kind import Kind
from foveal.net.program import Program

ROWS: dict[type[Kind], Row] = {
    **entrance.ROWS,
    **convolution.ROWS,
    **transposed.ROWS,
    **unshared.ROWS,
    **pooling.ROWS,
    **adaptive.ROWS,
    **global_pooling.ROWS,
    **upsampling.ROWS,
    **unpooling.ROWS,
    **normalisation.ROWS,
    **activation.ROWS,
    **regularisation.ROWS,
    **dense.ROWS,
    **embedding.ROWS,
    **shape.ROWS,
    **scaling.ROWS,
    **merge.ROWS,
}
"""How each kind is written in ONNX."""


def build(
    program: Program,
    weights: Mapping[str, np.ndarray],
    *,
    optimise: bool = True,
    one_thread: bool = False,
) -> Portable:
    """The program in onnxruntime, which reads the weights where they lie: do not change them.

    `optimise` folds batch norms and lets onnxruntime rearrange the graph before it runs. Without
    it a session opens faster, which is worth more for a few pictures. With `one_thread` it computes
    in the thread that calls it, for callers that call from several.

    Raises: SpecError if weights are missing, left over or of another shape
    """
    program, weights = plain_weights(program, _checked(program, weights))
    if optimise:
        program, weights = fold_batch_norm(program, weights)
    names = [f"/{number}" for number in range(len(program.results))]
    model = _model(program, weights, names, {}, outside=True)
    return Portable(program, model.join(), weights, optimise=optimise, one_thread=one_thread)


def write(
    program: Program,
    weights: Mapping[str, np.ndarray],
    *,
    metadata: Mapping[str, str] | None = None,
    result_names: Mapping[str, str] | None = None,
    fold: bool = True,
) -> bytes:
    """The content of an ONNX file: the same bytes for the same program, weights and names.

    Use it to run a net wherever there is an ONNX runtime. Batch norms are folded into the layers
    before them unless `fold` says no. `result_names` gives results other names than their own;
    a single result, which has none, is called `y`.

    Shape:  reads `x` (N, C, H, W) float32, or `picture` (N, H, W, C) uint8 after `input uint8`,
            of any H and W if the net begins with resize or crop -> (N, ...) float32
    Params: float32, as they are used (a shared kernel is written for every channel); those of batch
            norms that are folded are gone
    Raises: SpecError if weights are missing, left over or of another shape, a name is taken, or
            the file would be larger than protobuf allows
    Source: onnx.ai/onnx/repo-docs/IR.html, IR version 8, operator set 18
    """
    program, weights = plain_weights(program, _checked(program, weights))
    if fold:
        program, weights = fold_batch_norm(program, weights)
    model = _model(program, weights, _result_names(program, result_names or {}), metadata or {})
    if model.size > wire.LARGEST_MESSAGE:
        raise SpecError(
            f"would have {model.size:,} bytes, more than an ONNX file can hold",
            where="net",
            expected=f"at most {wire.LARGEST_MESSAGE:,}",
            fix="fewer channels or features",
        )
    return model.join()


def _model(
    program: Program,
    weights: Mapping[str, np.ndarray],
    result_names: list[str],
    metadata: Mapping[str, str],
    *,
    outside: bool = False,
) -> wire.Message:
    """The graph of a program; its weights are in it, or `outside` for the session to bring."""
    graph, reads = Graph(), arriving(program)
    names = {0: reads.name}
    for step in program.steps:
        row = ROWS[type(step.kind)]
        names[step.output] = row(Nodes(graph, step), *(names[value] for value in step.inputs))
    results = []
    for (_, value), name in zip(program.results, result_names, strict=True):
        graph.nodes.append(wire.node(name, "Identity", [names[value]], name, {}))
        results.append(wire.value_info(name, np.float32, ("N", *program.shape_of(value))))
    arrays = [wire.tensor(path, array, outside=outside) for path, array in weights.items()]
    arrays += [wire.tensor(name, array) for name, array in graph.numbers.items()]
    arrives = wire.value_info(reads.name, reads.dtype, reads.shape)
    return wire.model(wire.graph(graph.nodes, arrays, [arrives], results), metadata)


def _result_names(program: Program, wanted: Mapping[str, str]) -> list[str]:
    """What the graph calls the results: each name once, and none that it needs for itself."""
    own = [name for name, _ in program.results]
    for name in wanted:
        if name not in own:
            raise SpecError("is not a result", where=f"'{name}'", fix=did_you_mean(name, own))
    names = [wanted.get(name, name or "y") for name in own]
    taken = {"", arriving(program).name, *program.tensors()}
    for name in names:
        if name in taken or "/" in name:
            raise SpecError(
                "cannot be the name of a result",
                where=f"'{name}'",
                expected="a name without slash that neither input nor tensor nor other result has",
                fix="another one in result_names",
            )
        taken.add(name)
    return names


def _checked(program: Program, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights of a program as float32, all there and of the right shape."""
    check(program, weights)
    return {path: np.ascontiguousarray(weights[path], np.float32) for path in weights}


__all__ = ["ROWS", "Portable", "build", "write"]
