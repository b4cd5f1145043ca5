"""Whether a net that was read gives the same results as the module."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from foveal.engines import build
from foveal.engines.agreement import TOLERANCE, distance
from foveal.engines.pytorch.tracing.results import FAILURES, named_results
from foveal.errors import DisagreementError, SpecError
from foveal.importing.imported import Imported
from foveal.net.kind import shape_text


def check_same(module: nn.Module, imported: Imported, example: Tensor) -> None:
    """Compare on the example, and on random numbers in a larger batch.

    Raises: DisagreementError if a result differs by more than the tolerance, relative to the
            largest number of the module's
    """
    engine = build("pytorch", imported.program, imported.weights)
    for batch in (example, _another(example)):
        ours, theirs = engine.run(batch.cpu().numpy()), named_results(_called(module, batch))
        for read, (name, made) in zip(ours.values(), theirs.items(), strict=True):
            if problem := _problem(read, made.detach().cpu().numpy()):
                said, fix = problem
                result = f"the result '{name}'" if name else "the result"
                raise DisagreementError(
                    f"{result} of the net that was read {said}",
                    where=type(module).__name__,
                    arrives=f"a batch of {shape_text(tuple(batch.shape))}",
                    expected=f"the same to {TOLERANCE:.0e} of the largest",
                    fix=fix,
                )


def _problem(ours: np.ndarray, theirs: np.ndarray) -> tuple[str, str] | None:
    """How two results differ, and what may be the reason."""
    if ours.shape != theirs.shape:
        shapes = f"{shape_text(ours.shape)}, and the module's {shape_text(theirs.shape)}"
        return f"is {shapes}", "a module that takes any batch: x.flatten(1), x.view(x.size(0), -1)"
    gap = distance(ours, theirs)
    if gap <= TOLERANCE:
        return None
    fix = "a module that neither draws at random nor remembers; if it does not, please report it"
    return f"differs from the module's by {gap:.1e} of the largest", fix


def _called(module: nn.Module, batch: Tensor) -> Any:
    """What the module makes of a copy of a batch."""
    try:
        return module(batch.clone())
    except FAILURES as error:
        raise SpecError(
            f"cannot be run on a batch of {len(batch)}: {str(error).splitlines()[0]}",
            where=type(module).__name__,
            fix="a module that takes any batch: x.flatten(1), x.view(x.size(0), -1)",
        ) from error


def _another(example: Tensor) -> Tensor:
    """Random numbers as large as those of the example, in a batch of one sample more."""
    random = np.random.default_rng(0)
    shape = (len(example) + 1, *example.shape[1:])
    if example.is_floating_point():
        size = float(example.std(correction=0)) or 1.0
        return torch.from_numpy(random.standard_normal(shape) * size).to(example)
    return torch.from_numpy(random.integers(0, int(example.max()) + 1, shape)).to(example)
