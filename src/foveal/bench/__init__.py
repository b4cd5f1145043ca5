"""How fast this computer is at what Foveal does, beside computers that were measured before."""

from foveal.bench.figure import Figure
from foveal.bench.measures import MEASURES, choose
from foveal.bench.record import Recorded, machines, name_of, processor

__all__ = ["MEASURES", "Figure", "Recorded", "choose", "machines", "name_of", "processor"]
