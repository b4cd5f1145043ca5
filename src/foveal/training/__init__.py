"""How a net learns: a loop that yields what happens, and the recipes it follows."""

from foveal.training.events import Epoch, Event, Finished, Saved, Started, Step
from foveal.training.job import Job
from foveal.training.loop import train
from foveal.training.recipes import choose

__all__ = [
    "Epoch",
    "Event",
    "Finished",
    "Job",
    "Saved",
    "Started",
    "Step",
    "choose",
    "train",
]
