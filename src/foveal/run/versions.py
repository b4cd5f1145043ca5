"""Which libraries are installed, for whoever writes down a result."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("foveal", "torch", "numpy", "pillow", "onnxruntime", "safetensors")


def versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Of Python and of the libraries that a result depends on."""
    found = {"python": platform.python_version()}
    for name in libraries:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
