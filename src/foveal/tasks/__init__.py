"""What a net is asked: a file per task with its answers, its measures and its words."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from foveal.errors import SpecError, did_you_mean

TASKS: dict[str, str] = {
    "classify": "foveal.tasks.classify",
}
"""The name of a task, as `--task` takes it, and the module that is that task."""


def find_task(name: str) -> ModuleType:
    """The module of a task, loaded when it is first asked for.

    Raises:  SpecError if there is no task of that name
    Example:
        >>> find_task("classify").NAME
        'classify'
    """
    if name not in TASKS:
        raise SpecError(f"there is no task '{name}'", where="task", fix=did_you_mean(name, TASKS))
    return import_module(TASKS[name])


__all__ = ["TASKS", "find_task"]
