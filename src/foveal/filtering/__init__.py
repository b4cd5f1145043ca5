"""Given filters on pictures: the layer that is run, its values as levels, files, and a sheet."""

from foveal.filtering.layer import ALL, Filter, apply, choose, given, measurable, own
from foveal.filtering.levels import RULES, Levels, to_levels
from foveal.filtering.sheet import as_image, sheet
from foveal.filtering.targets import encode, is_folder, targets

__all__ = [
    "ALL",
    "RULES",
    "Filter",
    "Levels",
    "apply",
    "as_image",
    "choose",
    "encode",
    "given",
    "is_folder",
    "measurable",
    "own",
    "sheet",
    "targets",
    "to_levels",
]
