"""The built-in data set: 1,797 real handwritten digits.

Alpaydin and Kaynak 1998, doi:10.24432/C50P49, CC BY 4.0; as scikit-learn ships them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foveal.data.arrays import sizes_of
from foveal.data.colours import Pixels
from foveal.data.dataset import Cut, Dataset, assemble, fingerprint
from foveal.data.samples import Content, Stack
from foveal.errors import MissingExtra

NAME = "digits"
SIDE = 32
_LARGEST = 16  # of scikit-learn's load_digits


def open_digits(cut: Cut) -> Dataset:
    """scikit-learn's 8x8 digits, enlarged to 32x32.

    Raises: MissingExtra if scikit-learn is not installed
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtra("the built-in set of digits", extra="train") from None
    digits = load_digits()
    array = enlarge(digits.images, SIDE)
    labels = digits.target.astype(np.int64)
    return assemble(
        NAME,
        tuple(str(name) for name in digits.target_names),
        (Content(tuple(map(str, range(len(labels)))), labels, Stack(array)), None, None),
        cut,
        channels=1,
        sizes=sizes_of(array.shape),
        fingerprint=fingerprint([array, labels]),
    )


def enlarge(images: NDArray[np.float64], side: int) -> Pixels:
    """Values 0-16 as uint8 0-255, enlarged by linear interpolation along both axes.

    A pixel is a point at its centre; beyond the outermost centres the border value goes on. One
    rounding at the end.

    Shape:   (N, h, w) -> (N, side, side, 1)
    """
    rows, columns = (_weights(length, side) for length in images.shape[1:])
    scaled = rows @ (images * (255 / _LARGEST)) @ columns.T
    pixels: Pixels = np.rint(scaled).astype(np.uint8)
    return pixels[:, :, :, None]


def _weights(old: int, new: int) -> NDArray[np.float64]:
    """The matrix that takes `old` values to `new` ones."""
    centres = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    weights: NDArray[np.float64] = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(old)))
    return weights
