"""What a net is: data, and the arithmetic, notation and binding that follow from it."""

from foveal.net.net import Net

__all__ = ["Net"]
