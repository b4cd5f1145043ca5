"""What others call the tensors of a net of the zoo."""

from __future__ import annotations

from collections.abc import Iterator

from foveal.net.kind import Shape, Tensor
from foveal.net.program import Program, Step
from foveal.zoo.entry import Entry, Published

BARE = frozenset({"layer_scale", "gamma"})
"""Last words of names that are tensors themselves; any other is a module's, around `weight`, `bias`
and the rest."""


def module_of(tensor: str) -> str:
    """The part of a tensor's name that `Published.names` gives."""
    before, _, last = tensor.rpartition(".")
    return tensor if last in BARE else before


def their_names(program: Program, published: Published) -> Iterator[tuple[str, str, Tensor]]:
    """For each tensor of a bound net its path, what they call it, and what it is."""
    owners: dict[str, Step] = {}
    for step, _, _ in program.owned():
        owners.setdefault(step.owner, step)
    for (owner, step), name in zip(owners.items(), published.names(), strict=True):
        for tensor in step.tensors:
            theirs = name if module_of(name) == name else f"{name}.{tensor.name}"
            yield f"{owner}.{tensor.name}", theirs, tensor


def names_table(entry: Entry, published: Published) -> list[tuple[str, str, Shape]]:
    """For each tensor of a net of the zoo our path, their name, and our shape.

    >>> from foveal.zoo import ENTRIES
    >>> alexnet = ENTRIES["alexnet"]
    >>> names_table(alexnet, alexnet.published[0])[0]
    ('conv1.weight', 'features.0.weight', (64, 3, 11, 11))
    """
    program = published.build(entry.input, entry.num_classes).bind(entry.input)
    return [
        (ours, theirs, tensor.shape) for ours, theirs, tensor in their_names(program, published)
    ]
