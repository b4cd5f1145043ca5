"""A PyTorch module as a Net with its weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from foveal.engines.pytorch.tracing.comparison import check_same
from foveal.engines.pytorch.tracing.results import FAILURES, named_results
from foveal.engines.pytorch.tracing.rows import QUERIES, QUESTIONS, ROWS
from foveal.engines.pytorch.tracing.trace import Trace
from foveal.engines.pytorch.tracing.value import Value
from foveal.errors import FovealError, SpecError
from foveal.importing.graph import assemble
from foveal.importing.imported import Imported
from foveal.net.kind import shape_text

START = "input"


def from_torch(module: nn.Module, example: Tensor) -> Imported:
    """Read a PyTorch module as a net, with its weights.

    Use it to see, explain, deploy or train with Foveal what was built or trained elsewhere. The
    module runs once, on `example`, a batch as it takes them, while every function that it calls is
    written down as a layer; then module and net are compared on the example and on random numbers,
    in a batch of another size. The module stays as it was.

    Shape:   example (N, C, H, W), or what else the module takes: (N, C, L), (N, F), numbers (N, L)
    Params:  all that the results need, as copies in float32
    Raises:  SpecError if the module does what no layer of Foveal does, with the name of the place,
             if what it does depends on the values that arrive, or if it cannot be run on the
             example; DisagreementError if net and module differ by more than 1e-5 of the largest
             result
    Source:  none

    >>> from torch import nn
    >>> module = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
    >>> imported = from_torch(module, torch.zeros(1, 1, 8, 8))
    >>> print(imported.net.write())
    conv_0: conv 8 3
    relu -> flatten
    dense_3: dense 10
    """
    _check(module, example)
    with _predicting(module), torch.inference_mode(False), torch.no_grad():
        imported = _follow(module, example.detach().clone())
        check_same(module, imported, example.detach().clone())
    return imported


def _follow(module: nn.Module, example: Tensor) -> Imported:
    trace = Trace(module, ROWS, QUERIES, QUESTIONS)
    shape = tuple(example.shape[1:])
    trace.shapes[START] = shape
    trace.track(example, Value(START, tuple(range(example.dim()))))
    with _places(module, trace):
        try:
            with trace:
                made = module(example)
        except FovealError:
            raise
        except FAILURES as error:
            raise SpecError(
                f"cannot be run on the example: {str(error).splitlines()[0]}",
                where=trace.place(),
                arrives=f"an example of {shape_text(tuple(example.shape))}",
                fix="an example as the module takes it, with the batch as its first axis",
            ) from error
    if refused := trace.refused(made):
        raise refused
    results = {}
    for name, tensor in named_results(made).items():
        where = f"result '{name}'" if name else "result"
        try:
            value = trace.value(tensor)
        except SpecError as error:
            error.where = error.where or where
            raise
        if value.axes != tuple(range(tensor.dim())):
            raise SpecError(
                "has its channels at another place than behind the batch",
                where=where,
                expected="(N, C, ...)",
                fix="permute back before it is returned",
            )
        results[name] = value.name
    return assemble(trace.nodes, START, results, shape)


def _check(module: nn.Module, example: Tensor) -> None:
    """What can be said before anything runs."""
    parts = module.modules() if isinstance(module, nn.Module) else [module]
    for part in parts:
        compiled = isinstance(part, torch.jit.ScriptModule) or hasattr(part, "_orig_mod")
        if compiled or not isinstance(part, nn.Module):
            raise SpecError(
                f"{'holds' if part is not module else 'is'} {type(part).__name__}",
                where="module",
                expected="a torch.nn.Module in Python",
                fix="give the module as it was before torch.compile or torch.jit",
            )
    if not isinstance(example, Tensor) or example.dim() < 2 or not example.numel():
        found = shape_text(tuple(example.shape)) if isinstance(example, Tensor) else repr(example)
        raise SpecError(
            "is no batch",
            where="example",
            arrives=found,
            expected="a tensor whose first axis is the batch, such as torch.zeros(1, 3, 224, 224)",
        )
    if example.is_floating_point() and not example.isfinite().all():
        raise SpecError("has numbers that are not finite", where="example", fix="torch.randn(…)")
    for name, tensor in module.named_parameters():
        if isinstance(tensor, nn.UninitializedParameter):
            raise SpecError(
                "has no shape yet", where=name, fix="run the module once before it is read"
            )
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            raise SpecError(
                f"is {str(tensor.dtype).removeprefix('torch.')}",
                where=name,
                expected="float32",
                fix="module.float()",
            )


@contextmanager
def _predicting(module: nn.Module) -> Iterator[None]:
    """The module in eval mode, and every part afterwards in the mode that it was in."""
    modes = [(each, each.training) for each in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for each, training in modes:
            each.training = training


@contextmanager
def _places(module: nn.Module, trace: Trace) -> Iterator[None]:
    """The trace knows which part of the module is running."""

    def enter(part: nn.Module, args: Any) -> None:
        trace.inside.append(part)

    def leave(part: nn.Module, args: Any, made: Any) -> None:
        trace.inside.pop()

    handles = []
    for part in module.modules():
        handles += [part.register_forward_pre_hook(enter), part.register_forward_hook(leave)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


__all__ = ["from_torch"]
