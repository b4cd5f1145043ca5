"""Models that come with Foveal, and which file is meant where a model is asked for."""

from __future__ import annotations

import os
from pathlib import Path

from foveal.errors import ModelFileError, did_you_mean

FOLDER = Path(__file__).parent.parent / "shipped"
SUFFIX = ".safetensors"

MODELS = {"digit_reader": "quick"}
"""Name of each model, and the net of the zoo that it is made of, perhaps as it was earlier."""
WANTED = "give a .safetensors file, or " + " or ".join(MODELS) + ", which comes with Foveal"


def path_of(name: str) -> Path:
    """The file of a model that comes with Foveal."""
    return FOLDER / f"{name}{SUFFIX}"


def find(model: str | bytes | os.PathLike[str]) -> Path:
    """The file or folder that is meant: a path, or the name of a model that comes with Foveal.

    Use it wherever a model is opened. What lies under that very path goes before a name, so a
    file of the user's is never taken for another.

    Raises: ModelFileError if there is neither

    >>> find("digit_reader").name
    'digit_reader.safetensors'
    """
    path = Path(os.fsdecode(model))
    if _is_there(path):
        return path
    if str(path) in MODELS:
        return path_of(str(path))
    fix = did_you_mean(path.name, [*_beside(path), *MODELS])
    raise ModelFileError(
        "there is no such file",
        where=str(path),
        fix=fix if fix.startswith("did") else WANTED,
    )


def _is_there(path: Path) -> bool:
    """Whether something lies there; what cannot be told is left to its reader to say."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def _beside(path: Path) -> list[str]:
    """The models in the same folder, as far as it can be read."""
    try:
        return [each.name for each in path.parent.iterdir() if each.suffix.lower() == SUFFIX]
    except OSError:
        return []
