"""Which recipe fits which data."""

from foveal.recipe import Recipe


def choose(*args): return Recipe()
