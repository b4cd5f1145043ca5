"""The drawing of a net: boxes and lines computed from the net alone, as SVG."""

from foveal.net.drawing.page import draw

__all__ = ["draw"]
