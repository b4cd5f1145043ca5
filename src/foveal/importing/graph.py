"""From the operations of a net made elsewhere to a Net with its weights.

An importer reads a file or a module into `Node`s, one for each operation, in the order they run:
which of our kinds it is, which values it reads and makes, and its tensors under our names for
them. `assemble` does the rest: it leaves out what does nothing, finds branches and references
(`foveal.importing.tree`), gives every step that owns tensors a name made of theirs, and returns an
`Imported`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from foveal.errors import SpecError
from foveal.importing.imported import Imported
from foveal.importing.node import Node
from foveal.importing.tidying import tidy
from foveal.importing.tree import grow
from foveal.net.kind import Shape, shape_text


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
            raise SpecError(f"has no {tensor.name}", where=node.place(), expected=str(step.kind))
        array = np.ascontiguousarray(node.tensors[tensor.name], np.float32)
        if array.shape != tensor.shape:
            raise SpecError(
                f"has a {tensor.name} of another shape than its layer",
                where=node.place(),
                arrives=shape_text(array.shape),
                expected=shape_text(tensor.shape),
            )
        weights[path] = array
        names[path] = node.called.get(tensor.name, f"{node.name}.{tensor.name}")
    return Imported(net, shape, weights, names)


__all__ = ["Imported", "Node", "assemble"]
