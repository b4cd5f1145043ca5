"""What the PyTorch layers share: their tensors, and the padding of what arrives."""

from __future__ import annotations

from functools import cache
from typing import Any, Generic, TypeAlias, TypeVar, cast

import torch
from torch import Tensor, nn

from foveal.net.kind import Kind, Pads, Shape
from foveal.net.program import Step

K = TypeVar("K", bound=Kind)


class Layer(nn.Module, Generic[K]):
    """One step as a named module; its tensors are empty until weights are loaded.

    A layer with tensors serves every step that shares them, so what depends on the arriving
    size is found when it arrives.
    """

    kind: K

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.kind = cast(K, step.kind)
        self.path = step.path
        for tensor in step.tensors:
            empty = torch.empty(tensor.shape, dtype=torch.float32)
            if tensor.trained:
                parameter = nn.Parameter(empty, requires_grad=not tensor.frozen)
                self.register_parameter(tensor.name, parameter)
            else:
                self.register_buffer(tensor.name, empty)

    def extra_repr(self) -> str:
        return repr(self.kind)


class Chance(Layer[K]):
    """A layer that leaves something to chance in training.

    What chance decides is a function of seed, step of training and path: the same after a resume.
    """

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.seed, self.step = 0, 0


AnyLayer: TypeAlias = Layer[Any]
Rows: TypeAlias = dict[type[Kind], type[AnyLayer]]
"""The layer of each kind of a family."""


def shape_of(x: Tensor) -> Shape:
    """The shape of one sample of a batch."""
    return tuple(x.shape[1:])


@cache
def pads_of(kind: Kind, shape: Shape) -> Pads:
    """The padding of a kind for one arriving shape."""
    return kind.pads((shape,))
