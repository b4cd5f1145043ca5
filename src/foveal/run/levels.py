"""Mean and deviation of the levels of pictures, from one look at each."""

from __future__ import annotations

import numpy as np

from foveal.net.layers import Normalise


class Levels:
    """Sums over the levels of each channel.

    They are whole numbers below 2^53, so that they are exact, in whatever order pictures come.
    """

    def __init__(self, channels: int) -> None:
        self.count = 0
        self.sum, self.squares = np.zeros(channels), np.zeros(channels)

    def see(self, pictures: np.ndarray) -> None:
        """Take in one picture or several, (..., C)."""
        channels = pictures.reshape(-1, pictures.shape[-1]).T.astype(np.float64, order="C")
        self.count += channels.shape[1]
        self.sum += channels.sum(axis=1)
        self.squares += np.square(channels, out=channels).sum(axis=1)

    def normalise(self) -> Normalise:
        """The step that takes them to mean 0 and deviation 1, to four digits."""
        mean = self.sum / self.count
        std = np.sqrt(np.maximum(self.squares / self.count - mean**2, 1.0))
        return Normalise(
            mean=tuple(float(f"{value:.4g}") for value in mean),
            std=tuple(float(f"{value:.4g}") for value in std),
        )
