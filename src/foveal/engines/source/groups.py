"""The steps of a program as the tree that their paths say: what may become a module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from foveal.net.program import Step

Path = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Group:
    """Steps that follow each other and whose paths begin alike."""

    path: Path
    owner: Path | None
    """Where its modules lie: its path, or that of the group whose weights it uses again; None if
    no group is the owner of all that it has."""
    steps: tuple[Step, ...]
    is_branch: bool = False
    """Whether it is one of several that a merge joins."""

    @cached_property
    def items(self) -> tuple[Group | Step, ...]:
        """The groups and steps directly inside, in the order they run; a merge comes last."""
        return tuple(_items(self.steps, len(self.path), self.merge is not None))

    @property
    def merge(self) -> Step | None:
        """The step that joins the branches that the other items are."""
        last = self.steps[-1]
        return last if parts(last.path) == self.path else None

    def makes(self, value: int) -> bool:
        return self.steps[0].output <= value <= self.steps[-1].output


def parts(path: str) -> Path:
    return tuple(path.split("."))


def groups(group: Group) -> Iterator[Group]:
    """All groups below one."""
    for item in group.items:
        if isinstance(item, Group):
            yield item
            yield from groups(item)


def _items(steps: tuple[Step, ...], depth: int, merged: bool) -> Iterator[Group | Step]:
    def label(step: Step) -> Path:
        return parts(step.path)[depth : depth + 1]

    for _, run in groupby(steps, label):
        inside = tuple(run)
        path = parts(inside[0].path)
        if len(path) > depth + 1:
            yield Group(path[: depth + 1], _owner(inside, depth + 1), inside, merged)
        else:
            yield from inside


def _owner(steps: tuple[Step, ...], depth: int) -> Path | None:
    """What is left of an owner without what it has in common with the path below the group."""
    for step in steps:
        below, owner = parts(step.path)[depth:], parts(step.owner)
        count = len(owner) - len(below)
        if count > 0 and owner[count:] == below:
            return owner[:count]
    return None
