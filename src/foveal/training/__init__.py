"""How a net learns: a loop that yields what happens, and the recipes it follows."""

from foveal.training.events import Epoch, Event, Finished, Fitted, Saved, Started, Step
from foveal.training.job import Job
from foveal.training.loop import train
from foveal.training.recipes import balanced, choose, choose_transfer, plain
from foveal.training.transfer import Features, can_fit, refit, transfer

__all__ = [
    "Epoch",
    "Event",
    "Features",
    "Finished",
    "Fitted",
    "Job",
    "Saved",
    "Started",
    "Step",
    "balanced",
    "can_fit",
    "choose",
    "choose_transfer",
    "plain",
    "refit",
    "train",
    "transfer",
]
