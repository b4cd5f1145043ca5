"""A filter is a depthwise layer with one frozen kernel: the tool runs the net, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foveal.checks import Fill, Real
from foveal.engines import portable
from foveal.engines.weights import initial
from foveal.errors import SpecError, did_you_mean
from foveal.net import Net
from foveal.net.filters import FAMILIES, FILTERS, PARAMETERS, kernel
from foveal.net.kernels import Rows, read, sums_to_zero
from foveal.net.layers import Depthwise

ALL = "all"
"""The word for every filter at once."""


@dataclass(frozen=True)
class Filter:
    """A kernel with its name, and the layer that slides it over every colour."""

    name: str
    rows: Rows
    layer: Depthwise

    @property
    def net(self) -> Net:
        return Net.of(self.layer)

    @property
    def rule(self) -> str:
        """How its values become levels if nothing else is said: `signed` for edges, else `clip`."""
        return "signed" if sums_to_zero(self.rows) else "clip"


def choose(name: str) -> list[str]:
    """The filters that a name means: one, a family, or all.

    Raises:  SpecError if it is none of these

    >>> choose("lines")
    ['line_x', 'line_y', 'line_45', 'line_135']
    """
    if name in FILTERS:
        return [name]
    if name in FAMILIES or name == ALL:
        return [each for each, one in FILTERS.items() if name in (one.family, ALL)]
    if Path(name).exists():
        fix = f"the filter comes first: foveal filter sharpen {name}"
    else:
        fix = did_you_mean(name, [*FILTERS, *FAMILIES, ALL]) or "foveal filter --list shows them"
    raise SpecError("is not a filter", where=name, fix=fix)


def given(
    name: str,
    *,
    padding: str = "replicate",
    true: bool = False,
    normalise: bool = False,
    **parameters: float | None,
) -> Filter:
    """A filter by its name; parameters make it to measure, if it is one that can be.

    `padding` is what lies beyond the border: `replicate`, `reflect`, `circular`, a level from 0
    to 255, or `valid`, which leaves the border out. `true` turns the kernel round, for the
    convolution of mathematics; `normalise` divides it by its sum.

    Raises:  SpecError if there is no such filter, parameter or padding, or the sum is 0

    >>> given("sharpen").net.write()
    'depthwise 3 same no bias replicate shared init sharpen frozen'
    """
    rows = kernel(name, **parameters)
    named = all(value is None for value in parameters.values())
    return _filter(name, rows, name if named else _flat(rows), padding, true, normalise)


def own(
    text: str, *, padding: str = "replicate", true: bool = False, normalise: bool = False
) -> Filter:
    """A filter of one's own, written as rows of numbers; options as in `given`.

    Raises:  SpecError if the text is no kernel, and as `given`

    >>> own("1 1 / 1 1", normalise=True, padding="valid").net.write()
    'depthwise 2 no bias shared unit_sum init 1,1,1,1 frozen'
    """
    rows = read(text)
    return _filter("kernel", rows, _flat(rows), padding, true, normalise)


def apply(chosen: Filter, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a filter makes of a picture, before it is brought back to levels.

    Computed by the portable engine, one colour after the other: as the kernel is shared that is
    the same, and needs a third of the memory.

    Shape:   (H, W, C) -> (H', W', C), the same size but with padding `valid`
    Raises:  ShapeError if the picture is too small for the kernel or the padding
    """
    height, width, channels = picture.shape
    program = chosen.net.bind((1, height, width))
    engine = portable.build(program, initial(program, seed=0), optimise=False)
    made = np.empty((*program.result_shapes()[""][1:], channels), np.float32)
    for channel in range(channels):
        made[:, :, channel] = engine.run(picture[None, None, :, :, channel])[""][0, 0]
    return made


def _filter(
    name: str,
    rows: Rows,
    init: str | tuple[float, ...],
    padding: str,
    true: bool,
    normalise: bool,
) -> Filter:
    if normalise and sums_to_zero(rows):
        raise SpecError(
            "cannot be divided by the sum of its numbers, which is 0",
            where=name,
            fix="leave out --normalise: a kernel for edges cannot keep a plain picture",
        )
    size = len(rows), len(rows[0])
    layer = Depthwise(
        size[0] if size[0] == size[1] else size,
        padding="valid" if padding == "valid" else "same",
        fill=_fill(padding),
        bias=False,
        shared=True,
        flip=true,
        weight="unit_sum" if normalise else "free",
        init=init,
        frozen=True,
    )
    return Filter(name, rows, layer)


def _flat(rows: Rows) -> tuple[float, ...]:
    return tuple(number for row in rows for number in row)


def _fill(padding: str) -> float | str:
    """What padding holds; the border of a `valid` layer holds nothing."""
    if padding == "valid":
        return 0.0
    if padding in Fill.words:
        return padding
    level = Real(0, 255)
    try:
        return level.accept(float(padding))
    except ValueError:
        raise SpecError(
            f"cannot be {padding!r}",
            where="padding",
            expected=f"{', '.join(Fill.words)}, valid, or a level from 0 to 255",
            fix="replicate, which repeats the border",
        ) from None


def measurable() -> str:
    """The filters that can be made to measure, for a sentence."""
    *first, last = PARAMETERS
    return f"{', '.join(first)} or {last}"
