"""Labelled pictures: read, checked, cut into parts, and kept in memory as uint8."""

from foveal.data.dataset import Dataset, Sizes
from foveal.data.findings import Finding, check
from foveal.data.samples import Loaded, Samples, Skipped
from foveal.data.sources import open  # noqa: A004

__all__ = ["Dataset", "Finding", "Loaded", "Samples", "Sizes", "Skipped", "check", "open"]
