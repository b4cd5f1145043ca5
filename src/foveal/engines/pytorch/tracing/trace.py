"""Following a module while it runs: every function that it calls becomes a node of a net."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from foveal.engines.pytorch.tracing.call import Call
from foveal.engines.pytorch.tracing.value import Row, Told, Value
from foveal.errors import SpecError
from foveal.importing.node import Node
from foveal.net.kind import Shape, shape_text

_TORCH = Path(torch.__file__).parent
_OWN = Path(__file__).parent
_LONGEST_LINE = 100
"""Characters of someone's code that are shown in an error."""


class Trace(TorchFunctionMode):
    """Runs along with a module and writes down what is done to tensors that come from the input.

    What is computed from weights alone is a constant. What no row tells may be computed, as long
    as no result depends on it; a question about values is refused, because its answer may decide
    what happens next.
    """

    def __init__(
        self, module: nn.Module, rows: Mapping[Any, Row], queries: set[Any], questions: set[Any]
    ) -> None:
        super().__init__()
        self.rows, self.queries, self.questions = rows, queries, questions
        self.nodes: list[Node] = []
        self.made: dict[str, Node] = {}
        """The node that makes each value."""
        self.shapes: dict[str, Shape] = {}
        """Of each value, without the batch."""
        self.tracked: dict[int, tuple[Tensor, Value | SpecError, int]] = {}
        """Tensors that come from the input, by identity: the value that each is, or why it is none,
        and how often it had been changed in place."""
        self.modules: dict[int, tuple[str, nn.Module]] = {
            id(each): (name, each) for name, each in module.named_modules()
        }
        self.inside = [module]
        """The modules that are running, the innermost last."""
        held = chain(module.named_parameters(), module.named_buffers())
        self.names = {id(tensor): name for name, tensor in held}
        self.owners: dict[str, Node] = {}
        """The node that owns each parameter, by the parameter's name."""

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        arriving = [each for each in tensors((args, named)) if id(each) in self.tracked]
        if not arriving or func in self.queries:
            return func(*args, **named)
        if func in self.questions:
            raise self.placed(_question(), arriving)
        call = Call(self, func, arriving)
        problem = call.problem()
        made = call.run(args, named)
        told = problem or call.told(args, named)
        if isinstance(told, SpecError):
            told = self.placed(told, arriving)
            if next(tensors(made), None) is None:
                raise told
        self.track(made, told)
        return made

    def track(self, made: Any, told: Told | SpecError) -> None:
        """Say what one tensor is from now on, or each of several."""
        held = list(tensors(made))
        values = told if isinstance(told, tuple) else [told] * len(held)
        for tensor, value in zip(held, values, strict=True):
            self.tracked[id(tensor)] = (tensor, value, tensor._version)

    def add(self, node: Node) -> None:
        """Write down a node; ShapeError if its layer does not fit what it reads."""
        ins = tuple(self.shapes[value] for value in node.inputs)
        self.shapes[node.output] = node.kind.output(ins)
        self.nodes.append(node)
        self.made[node.output] = node

    def refused(self, made: Any) -> SpecError | None:
        """Why one of these tensors is nothing that can be said, if one is not."""
        known = (self.tracked.get(id(tensor)) for tensor in tensors(made))
        return next(
            (told for _, told, _ in filter(None, known) if not isinstance(told, Value)), None
        )

    def value(self, tensor: Tensor) -> Value:
        """What a tensor is; SpecError if it is nothing that can be said."""
        known = self.tracked.get(id(tensor))
        if known is None:
            raise SpecError(
                "is not made of the input by functions of torch in Python",
                expected="every result made of the input",
                fix="compute it with functions of torch, not in torch.jit or NumPy",
            )
        _, value, version = known
        if isinstance(value, SpecError):
            raise value
        if version != tensor._version:
            raise SpecError(
                "reads what was changed in place through another tensor",
                fix="leave out inplace=True, or do not change a part or view of it",
            )
        return value

    def placed(self, error: SpecError, arriving: list[Tensor]) -> SpecError:
        """The same error, with the module and line where it was."""
        if error.where and error.arrives:
            return error  # of an earlier place
        shapes = " and ".join(shape_text(tuple(each.shape)) or "a number" for each in arriving)
        line = _line()
        return type(error)(
            error.headline(),
            where=self.place(),
            arrives=f"{shapes}, in {line}" if line else shapes,
            expected=error.expected,
            fix=error.fix,
        )

    def place(self) -> str:
        """The innermost module that is running: `layer1.0.relu (ReLU)`."""
        name, module = self.modules[id(self.inside[-1])]
        return f"{name or 'module'} ({type(module).__name__})"

    def called(self, tensor: Tensor) -> str:
        """The name of a parameter or buffer, or of the one that this is a view of."""
        for held in (tensor, tensor._base):
            if held is not None and id(held) in self.names:
                return self.names[id(held)]
        return ""


def _question() -> SpecError:
    return SpecError(
        "looks at the values that arrive, and what it does next may depend on them",
        expected="the same steps for every picture",
        fix="leave the question out, or read the parts on both sides of it",
    )


def tensors(held: Any) -> Iterator[Tensor]:
    """All tensors among some arguments."""
    if isinstance(held, Tensor):
        yield held
    elif isinstance(held, dict):
        yield from tensors(tuple(held.values()))
    elif isinstance(held, list | tuple):
        for each in held:
            yield from tensors(each)


def _line() -> str:
    """The line of the module's own code that is running; empty if all of it is PyTorch's."""
    frame = sys._getframe()
    left = False
    while frame.f_back is not None:
        path = Path(frame.f_code.co_filename)
        own = path.is_relative_to(_OWN)
        if own and left:
            return ""
        if not own and not path.is_relative_to(_TORCH):
            break
        left = left or not own
        frame = frame.f_back
    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    text = text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"
    return f"{path.name}, line {frame.f_lineno}" + (f": {text}" if text else "")
