"""What a module returns, as results with names."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from foveal.errors import SpecError

FAILURES = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError),
    *(NameError, RuntimeError, TypeError, ValueError),
)
"""What a module raises that is not given what it expects."""


def named_results(made: Any) -> dict[str, Tensor]:
    """What a module returned, by name: a single tensor has none, several have numbers."""
    if isinstance(made, Tensor):
        return {"": made}
    named = made if isinstance(made, dict) else {}
    if isinstance(made, tuple | list):
        named = dict(enumerate(made))
    if not named or not all(isinstance(each, Tensor) for each in named.values()):
        raise SpecError(
            f"is {type(made).__name__}, which is no tensor and holds not only tensors",
            where="what the module returns",
            expected="a tensor, or a tuple or dict of tensors",
        )
    return {str(name): each for name, each in named.items()}


def _several(made: object) -> bool:
    return isinstance(made, tuple | list)
