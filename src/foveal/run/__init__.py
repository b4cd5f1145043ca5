"""From a data set to a trained, measured, saved model: the whole way once."""

from foveal.run.execute import Done, execute
from foveal.run.plan import Plan, plan
from foveal.run.train import train

__all__ = ["Done", "Plan", "execute", "plan", "train"]
