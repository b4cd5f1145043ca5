"""ONNX files that Foveal wrote: the net is in them as text, and the weights by their paths."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from foveal.engines.rewrites import fold_batch_norm, plain_weights
from foveal.engines.weights import initial
from foveal.errors import FovealError, ModelFileError
from foveal.importing.graph import Node, assemble
from foveal.importing.imported import Imported
from foveal.importing.onnx.arriving import TWO_SAMPLES
from foveal.importing.onnx.checking import check, refuse_too_large
from foveal.importing.onnx.file import File
from foveal.model import Model
from foveal.net import Net
from foveal.net.combinators import Named
from foveal.net.kind import Shape
from foveal.net.layers import Crop, Resize
from foveal.net.notation import parse
from foveal.net.program import Program

OTHER_WEIGHTS = "has weights that are not those of its net"
MOST_FOLDED = 5
"""Numbers of a net for one that is left of them: a batch norm has four for each channel."""


def is_ours(opened: File) -> bool:
    return opened.metadata.get("foveal") == "model" and "net" in opened.metadata


def classes(opened: File) -> tuple[str, ...]:
    """Names of classes that a file tells; none if it tells none."""
    try:
        found = json.loads(opened.metadata.get("classes", "[]"))
    except (ValueError, RecursionError):
        return ()
    fits = isinstance(found, list) and all(isinstance(name, str) for name in found)
    return tuple(found) if fits else ()


def model(imported: Imported, names: Sequence[str]) -> Model:
    """The model that a file was exported from, but for batch norms that were folded."""
    return Model(imported.net, imported.input, imported.weights, tuple(names))


def read(opened: File) -> Imported:
    """The net of a file of ours, from bytes to probabilities, once it answers as the file does.

    Raises: ModelFileError if its text and its weights do not belong together
    """
    try:
        net = parse(opened.metadata["net"])
        program = net.bind(_input(opened, net))
    except ModelFileError:
        raise
    except FovealError as error:
        raise ModelFileError(
            "has a net that cannot be read", where=str(opened.path), arrives=error.headline()
        ) from error
    if len(program.results) != len(opened.outputs):
        raise _unfit(opened, "has other results than its net")
    made = _with_weights(opened, net, program)
    refuse_too_large(made.program, TWO_SAMPLES)
    channels, *size = program.input
    x = np.random.default_rng(0).integers(0, 256, (TWO_SAMPLES, *size, channels), np.uint8)
    check(opened, made, x, x, dict.fromkeys(opened.outputs))
    return made


def _input(opened: File, net: Net) -> Shape:
    """What a picture is resized to first, where the file leaves its size open."""
    shapes = [each.shape for each in opened.inputs]
    _, height, width, channels = shapes[0] if list(map(len, shapes)) == [4] else ("?",) * 4
    for item in net.root.items:
        kind = item.body if isinstance(item, Named) else item
        if isinstance(height, int) and isinstance(width, int):
            break
        if isinstance(kind, Resize | Crop):
            height, width = kind.size if isinstance(kind.size, tuple) else (kind.size,) * 2
    if not (isinstance(height, int) and isinstance(width, int) and isinstance(channels, int)):
        raise _unfit(opened, "does not say how large the pictures are that arrive")
    return channels, height, width


def _with_weights(opened: File, net: Net, program: Program) -> Imported:
    """The net as it was written; if batch norms were folded into it, without them."""
    weights = {name: array for name, array in opened.arrays.items() if "/" not in name}
    if _fits(program, weights):
        return Imported(net, program.input, weights, {path: path for path in weights})
    wanted = sum(prod(tensor.shape) for tensor in program.tensors().values())
    if wanted > MOST_FOLDED * sum(array.size for array in weights.values()):
        raise _unfit(opened, OTHER_WEIGHTS)
    plain, random = plain_weights(program, initial(program, 0))
    folded, _ = fold_batch_norm(plain, random)
    if not _fits(folded, weights):
        raise _unfit(opened, OTHER_WEIGHTS)
    nodes = [
        Node(
            step.path,
            step.kind,
            tuple(map(str, step.inputs)),
            str(step.output),
            {name: weights[path] for name, path in step.tensor_paths().items()},
            "" if step.owner == step.path else str(_maker(folded, step.owner)),
        )
        for step in folded.steps
    ]
    ends = {name: str(value) for name, value in folded.results}
    return assemble(nodes, "0", ends, program.input)


def _unfit(opened: File, problem: str) -> ModelFileError:
    return ModelFileError(problem, where=str(opened.path), fix="export the model once more")


def _maker(program: Program, path: str) -> int:
    return next(step.output for step in program.steps if step.path == path)


def _fits(program: Program, weights: Mapping[str, np.ndarray]) -> bool:
    needed = {path: tensor.shape for path, tensor in program.tensors().items()}
    return needed == {path: array.shape for path, array in weights.items()}
