"""A net as the text of a plain PyTorch module."""

from foveal.engines.source.module import write
from foveal.engines.source.rows import ROWS

__all__ = ["ROWS", "write"]
