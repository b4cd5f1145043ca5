"""What each function of PyTorch is in a net: one row for each name."""

from __future__ import annotations

from collections.abc import Iterator
from types import GetSetDescriptorType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from foveal.engines.pytorch.tracing import activation, arithmetic, layers, layout, windows
from foveal.engines.pytorch.tracing.value import Row

NAMES: dict[str, Row] = {
    **layers.ROWS,
    **windows.ROWS,
    **activation.ROWS,
    **arithmetic.ROWS,
    **layout.ROWS,
}
"""Rows by name; the same for a function, a method, an operator and what changes in place."""

FORM = (
    *("shape", "size", "dim", "ndim", "numel", "nelement", "dtype", "device", "layout", "stride"),
    *("__len__", "is_contiguous", "is_floating_point", "is_complex", "is_cuda", "is_cpu"),
    *("is_leaf", "is_nested", "is_sparse", "is_quantized", "is_meta", "requires_grad", "grad_fn"),
    *("element_size", "itemsize", "is_tensor", "is_mps", "is_mkldnn", "is_xla", "_version"),
    *("__repr__", "__str__", "__format__"),
)
"""Questions about the form of a tensor, the same for every sample, and what only prints it."""
VALUES = (
    *("__bool__", "__float__", "__int__", "__index__", "__complex__", "__contains__"),
    *("item", "tolist", "numpy", "__array__", "nonzero", "equal", "allclose", "is_nonzero"),
)
"""Questions about what is in it."""


def _functions(name: str) -> Iterator[Any]:
    """All that PyTorch calls by a name."""
    for form in (name, f"{name}_", f"__{name}__", f"__i{name}__"):
        for space in (torch, functional, Tensor):
            found = getattr(space, form, None)
            if callable(found):
                yield found
            elif isinstance(found, GetSetDescriptorType):
                yield found.__get__


ROWS: dict[Any, Row] = {
    function: row for name, row in NAMES.items() for function in _functions(name)
}
QUESTIONS: set[Any] = {function for name in VALUES for function in _functions(name)}
QUERIES: set[Any] = {function for name in FORM for function in _functions(name)}
