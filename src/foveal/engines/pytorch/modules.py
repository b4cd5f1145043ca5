"""A program as a PyTorch module: one flat loop over its steps."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile

import numpy as np
import torch
from torch import Tensor, nn

from foveal.engines.pytorch import (
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
)
from foveal.engines.pytorch.layer import AnyLayer, Chance, Rows, shape_of
from foveal.engines.weights import check, initial
from foveal.errors import ShapeError, SpecError
from foveal.net.kind import shape_text
from foveal.net.program import Program, Step

ROWS: Rows = {
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
"""The layer of each kind."""


class Module(nn.Module):
    """A net that learns: the steps of a program as layers, called one after another.

    Use it to train, to look inside with hooks, or as a part of other PyTorch code. Its
    `state_dict` has the paths of `Program.tensors()`; layers lie in a tree of the same paths, a
    layer that several steps share under the path of the first.

    Shape:   (N, C, H, W) float, or (N, H, W, C) uint8 where the program begins with
             `input uint8` -> every result by its name; a single one has the empty name
    Params:  those of the program
    Raises:  SpecError if a kind has no row here; ShapeError, when called, if what reaches the
             net after resizing and cropping is not what it was bound to
    Source:  none
    """

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program
        owned: dict[str, AnyLayer] = {}
        calls = []
        for step in program.steps:
            layer = owned.get(step.owner) if step.tensors else None
            if layer is None:
                layer = _layer(step)
                if step.tensors:
                    owned[step.owner] = layer
                _place(self, (step.owner if step.tensors else step.path).split("."), layer)
            calls.append((step, layer))
        self.calls = tuple(calls)
        last = program.last_use
        self.drops = tuple(
            tuple(v for v in set(step.inputs) if last.get(v) == index)
            for index, step in enumerate(program.steps)
        )
        self.entrance = sum(1 for _ in takewhile(lambda step: step.kind.geometric, program.steps))
        """How many steps cut the picture to size, before the net looks at it."""

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        values = {0: x}
        for index, (step, layer) in enumerate(self.calls):
            if index == self.entrance:
                _check_arriving(values[step.inputs[0]], step)
            values[step.output] = layer(*(values[number] for number in step.inputs))
            for number in self.drops[index]:
                del values[number]
        return {name: values[number] for name, number in self.program.results}

    def at(self, seed: int, step: int) -> None:
        """Say which step of training comes next: random masks are a function of it."""
        for _, layer in self.calls:
            if isinstance(layer, Chance):
                layer.seed, layer.step = seed, step


def module(program: Program, weights: Mapping[str, np.ndarray] | int) -> Module:
    """A module with weights by path, or with the starting weights of a seed.

    Raises:  SpecError if weights are missing, left over or of another shape
    """
    made = Module(program)
    load(made, initial(program, weights) if isinstance(weights, int) else weights)
    return made


def load(module: Module, weights: Mapping[str, np.ndarray]) -> None:
    """Copy weights and statistics by path into a module.

    Raises:  SpecError if weights are missing, left over or of another shape
    """
    check(module.program, weights)
    with torch.no_grad():
        for path, held in module.state_dict().items():
            held.copy_(torch.tensor(weights[path]))


def weights(module: nn.Module) -> dict[str, np.ndarray]:
    """Weights and statistics of a module by path, as float32 copies."""
    return {
        path: held.detach().to("cpu", torch.float32, copy=True).contiguous().numpy()
        for path, held in module.state_dict().items()
    }


def _layer(step: Step) -> AnyLayer:
    if type(step.kind) not in ROWS:
        raise SpecError(
            f"the PyTorch engine has no row for {type(step.kind).__name__}", where=step.path
        )
    return ROWS[type(step.kind)](step)


def _place(root: nn.Module, names: list[str], layer: AnyLayer) -> None:
    """Hang a layer into the tree, with containers on the way.

    A merging step lies above its branches, which came before it: it takes the place of their
    container. The dictionary is written directly, because `add_module` refuses names such as
    `type` that are also methods.
    """
    *groups, name = names
    at = root
    for group in groups:
        at = at._modules.setdefault(group, nn.Module())  # type: ignore[assignment]
    container = at._modules.get(name)
    if container is not None:
        layer._modules.update(container._modules)
    at._modules[name] = layer


def _check_arriving(x: Tensor, step: Step) -> None:
    if shape_of(x) != step.ins[0]:
        raise ShapeError(
            "another shape arrives than the net was bound to",
            where=f"'{step.path}'",
            arrives=shape_text(shape_of(x)),
            expected=shape_text(step.ins[0]),
            fix="bind the net to the shape that arrives",
        )
