"""The notation: a net as text, both ways. `parse(write(net)) == net`."""

from foveal.net.notation.parser import parse
from foveal.net.notation.writer import write

__all__ = ["parse", "write"]
