"""The module of a net, for programs that have a training loop of their own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foveal.engines.pytorch import modules
from foveal.engines.pytorch.modules import Module
from foveal.errors import SpecError
from foveal.importing.imported import Imported
from foveal.model import Model
from foveal.net import Net
from foveal.net.kind import Shape


def module(
    net: Net | Model | Imported,
    input: Shape | None = None,
    weights: Mapping[str, np.ndarray] | int | None = None,
) -> Module:
    """The PyTorch module of a net, a model or a net that was read from elsewhere.

    Use it to train in a loop of your own, to hang hooks into, or as a part of other PyTorch code.
    Called with a batch it gives every result by its name; a single one has the empty name:
    `module(x)[""]`. The names of its `state_dict` are the paths of the net, and `load_state_dict`
    takes them. `foveal.engines.pytorch.weights(module)` gives its weights back by path, for
    `dataclasses.replace(model, weights=…)` or another module.

    Shape:   (N, C, H, W) float, or (N, H, W, C) uint8 for a model, which prepares pictures itself
             -> each result by its name
    Params:  those of the net; weights by path, or the seed that they start from. Unless given, they
             are those of the model, for a net those of seed 0
    Raises:  SpecError if the shape that arrives is missing for a net, or weights do not fit it
    Source:  none

    >>> from foveal.net.notation import parse
    >>> made = module(parse("conv 8 3 -> relu -> globalavgpool -> dense 10"), (1, 28, 28))
    >>> list(made.state_dict())
    ['conv1.weight', 'conv1.bias', 'dense1.weight', 'dense1.bias']
    """
    if isinstance(net, Net):
        if input is None:
            raise SpecError(
                "is missing for a net, which does not know what arrives",
                where="input",
                fix="its shape without the batch: module(net, (3, 32, 32))",
            )
        return modules.module(net.bind(input), 0 if weights is None else weights)
    program = net.net.bind(input or net.input)
    return modules.module(program, net.weights if weights is None else weights)
