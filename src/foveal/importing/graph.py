"""From the operations of a net made elsewhere to a Net with its weights.

An importer reads a file or a module into `Node`s, one for each operation, in the order they run:
which of our kinds it is, which values it reads and makes, and its tensors under our names for
them. `assemble` does the rest: it leaves out what does nothing, finds branches and references
(`foveal.importing.tree`), gives every step that owns tensors a name made of theirs, and returns an
`Imported`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from foveal.errors import SpecError
from foveal.importing.imported import Imported
from foveal.importing.tidying import tidy
from foveal.importing.tree import grow
from foveal.net.kind import Kind, Shape, shape_text


@dataclass(frozen=True, eq=False)
class Node:
    """One operation: a layer, or a merge of several values."""

    name: str
    """What it is called elsewhere, such as `layer1.0.conv1`: for errors, and for our step's name."""
    kind: Kind
    inputs: tuple[str, ...]
    """Names of the values it reads; several of a Merge, in their order."""
    output: str
    """Name of the value it makes; no other node makes it."""
    tensors: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Its weights and statistics by our names (`weight`, `running_mean`), in our layout."""
    shares: str = ""
    """The output of an earlier node of the same kind whose tensors it uses once more."""
    called: Mapping[str, str] = field(default_factory=dict)
    """What its tensors are called elsewhere, where that is not name, dot and our name."""


def assemble(
    nodes: Sequence[Node], start: str, results: Mapping[str, str], shape: Shape
) -> Imported:
    """The net of some operations, with its weights.

    `start` is the value that arrives, of this shape without the batch. `results` has the value of
    each result by its name; the name of a single one is not used, numbers become no names.

    Raises: ShapeError if a layer does not fit what arrives; SpecError if the tensors of a node are
            not those of its kind
    """
    tidied, ends = tidy(nodes, start, results)
    net, steps = grow(tidied, start, ends)
    program = net.bind(shape)
    weights: dict[str, np.ndarray] = {}
    names: dict[str, str] = {}
    for step, path, tensor in program.owned():
        node = steps[step.owner.rpartition(".")[2]]
        if tensor.name not in node.tensors:
            raise SpecError(f"has no {tensor.name}", where=place(node), expected=str(step.kind))
        array = np.ascontiguousarray(node.tensors[tensor.name], np.float32)
        if array.shape != tensor.shape:
            raise SpecError(
                f"has a {tensor.name} of another shape than its layer",
                where=place(node),
                arrives=shape_text(array.shape),
                expected=shape_text(tensor.shape),
            )
        weights[path] = array
        names[path] = node.called.get(tensor.name, f"{node.name}.{tensor.name}")
    return Imported(net, shape, weights, names)


def place(node: Node) -> str:
    """Where a node is, for errors."""
    return f"{node.name} ({type(node.kind).__name__})"
