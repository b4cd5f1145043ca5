"""Starting values of one tensor, by what its kind says of them."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from foveal.errors import SpecError
from foveal.net import initialisers
from foveal.net.kind import Shape, Tensor

Random = np.random.Generator


def start(tensor: Tensor, random: Random) -> np.ndarray:
    """The values with which a tensor starts, float64.

    Shape:   that of the tensor
    Raises:  SpecError if its start is a word without a row here
    Source:  xavier: Glorot & Bengio 2010; kaiming: He et al. 2015, arXiv:1502.01852; orthogonal:
             Saxe et al. 2013, arXiv:1312.6120; dirac: Zagoruyko & Komodakis 2017, arXiv:1706.00388;
             partial_dirac: Jordan 2024, arXiv:2404.00498, section 3.2

    >>> start(Tensor("weight", (2, 2), init="dirac"), np.random.default_rng(0)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if isinstance(tensor.init, tuple):
        return _given(tensor.init, tensor.shape)
    word, values = initialisers.start(str(tensor.init))
    if word not in STARTS:
        raise SpecError(f"no engine knows how to start with {word}", where=tensor.name)
    return STARTS[word](tensor, random, *values)


def _given(numbers: tuple[float, ...], shape: Shape) -> np.ndarray:
    """The numbers of a kernel, a filter or all weights, row by row, in every place of the shape."""
    places = len(shape)
    while prod(shape[places:]) < len(numbers):
        places -= 1
    return np.broadcast_to(np.reshape(numbers, shape[places:]), shape).copy()


def _normal(tensor: Tensor, random: Random, deviation: float) -> np.ndarray:
    return random.standard_normal(tensor.shape) * deviation


def _uniform(tensor: Tensor, random: Random, low: float, high: float) -> np.ndarray:
    return random.uniform(low, high, tensor.shape)


def _orthogonal(tensor: Tensor, random: Random) -> np.ndarray:
    """Rows (of filters: all their weights in a row) of length 1 at right angles, or columns."""
    rows, columns = tensor.shape[0], prod(tensor.shape[1:])
    square = random.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(square)
    q *= np.where(np.diag(r) < 0, -1, 1)
    return (q if rows >= columns else q.T).reshape(tensor.shape)


def _dirac(tensor: Tensor, random: Random) -> np.ndarray:
    """Filter o passes on channel o: 1 at the middle of its kernel, for as many as there are."""
    made = np.zeros(tensor.shape)
    middle = tuple(size // 2 for size in tensor.shape[2:])
    filters, channels = tensor.shape[:2]
    for number in range(filters):
        if number < channels or channels == 1:
            made[(number, number % channels, *middle)] = 1
    return made


def _partial_dirac(tensor: Tensor, random: Random) -> np.ndarray:
    """Dirac, where filters that have no channel of their own are drawn: |w| <= 1 / sqrt(fan_in)."""
    made = _dirac(tensor, random)
    channels = tensor.shape[1]
    drawn = _spread(tensor, random, tensor.fans[0] ** -0.5)
    made[channels:] = drawn[channels:]
    return made


STARTS: dict[str, Callable[..., np.ndarray]] = {
    "zero": lambda tensor, random: np.zeros(tensor.shape),
    "one": lambda tensor, random: np.ones(tensor.shape),
    "constant": lambda tensor, random, value: np.full(tensor.shape, value),
    "uniform": _uniform,
    "normal": _normal,
    "xavier": lambda tensor, random: _normal(tensor, random, (2 / sum(tensor.fans)) ** 0.5),
    "xavier_uniform": lambda tensor, random: _spread(tensor, random, (6 / sum(tensor.fans)) ** 0.5),
    "kaiming": lambda tensor, random: _normal(tensor, random, (2 / tensor.fans[0]) ** 0.5),
    "kaiming_uniform": lambda tensor, random: _spread(tensor, random, (6 / tensor.fans[0]) ** 0.5),
    "orthogonal": _orthogonal,
    "dirac": _dirac,
    "partial_dirac": _partial_dirac,
    "sign": lambda tensor, random: random.choice([-1.0, 1.0], tensor.shape),
    "whitening": _orthogonal,
}
"""What each word of `initialisers.NUMBERS` draws; whitening is found when training has pictures."""


def _spread(tensor: Tensor, random: Random, bound: float) -> np.ndarray:
    return _uniform(tensor, random, -bound, bound)
