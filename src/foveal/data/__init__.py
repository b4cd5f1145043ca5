"""Labelled pictures: read, checked, cut into parts, and kept in memory as uint8."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foveal.data.dataset import Dataset as Dataset
    from foveal.data.dataset import Sizes as Sizes
    from foveal.data.findings import Finding as Finding
    from foveal.data.findings import check as check
    from foveal.data.samples import Loaded as Loaded
    from foveal.data.samples import Samples as Samples
    from foveal.data.samples import Skipped as Skipped
    from foveal.data.sources import open as open  # noqa: A004

_PUBLIC = {
    "Dataset": "foveal.data.dataset",
    "Finding": "foveal.data.findings",
    "Loaded": "foveal.data.samples",
    "Samples": "foveal.data.samples",
    "Sizes": "foveal.data.dataset",
    "Skipped": "foveal.data.samples",
    "check": "foveal.data.findings",
    "open": "foveal.data.sources",
}
"""Each public name and where it lives; a prediction needs `foveal.data.pictures` alone."""

__all__ = ["Dataset", "Finding", "Loaded", "Samples", "Sizes", "Skipped", "check", "open"]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'foveal.data' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
