"""The page of a drawing: columns of parts with a heading, and the text of the SVG."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from foveal.net.arithmetic import arithmetic
from foveal.net.drawing.layout import Layout
from foveal.net.drawing.parts import GAP, Card, Part, Point, Wire, below, card, line, text_width
from foveal.net.drawing.svg import MARGIN, Sheet
from foveal.net.kind import Shape, shape_text

if TYPE_CHECKING:
    from foveal.net.net import Net

HEADING, FOOTING = 40, 26
"""Pixels above and below the columns."""
GUTTER = 34
"""Pixels between columns, with room for the line that goes from one to the next."""
MOST_COLUMNS, MOST_WITH_LINKS = 8, 2
"""Where there are references, a line between columns should cross no third."""
PROPORTION = 1.25
"""Width to height that a page should have: a screen's, or half a sheet of paper."""
LEGEND = "In a box: the layer, what follows it at once, the shape it makes · its parameters."


def draw(net: Net, input: Shape, title: str = "") -> str:
    """Draw a net: a box for each layer, frames for what is repeated or named, lines for values.

    Use it for a page, a lecture or a wall. Nothing in it is drawn by hand: boxes, shapes and
    numbers are those of the bound net. Norms and activations stand in the box of the layer before
    them; a chain that is repeated is drawn once, with the shapes of its first and last turn; a
    reference is a dashed line. Where a pointer rests, a layer is told in full. The text can be
    searched, and a screen reader is told the net in its notation.

    Raises:  ShapeError if a layer does not fit what arrives

    >>> from foveal.net import Net
    >>> from foveal.net.layers import Conv, ReLU
    >>> draw(Net.of(Conv(6, 5), ReLU()), (3, 32, 32), "small").count("6x28x28 · 456")
    1
    """
    program = net.bind(input)
    sums = arithmetic(program)
    layout = Layout(program, sums)
    starts = card(Card("input", (shape_text(input),), "#fff", "what arrives", input))
    first, *rest = layout.parts(net.root) or [line()]
    parts = [below([starts, first]), *rest]
    columns, wires = _columns(parts, MOST_WITH_LINKS if layout.links else MOST_COLUMNS)
    heading = title or "A convolutional net"
    figures = f"{sums.parameters:,} parameters · {sums.macs:,} MACs"
    legend = LEGEND + " Dashed: a value, or weights, from elsewhere." * bool(layout.links)
    width = max(x + part.width for (x, _), part in columns) + MARGIN
    wide = max(text_width(f"{heading}   {figures}", 14, bold=True), text_width(legend))
    sheet = Sheet(
        width=max(width, wide + 2 * MARGIN),
        height=max(y + part.height for (_, y), part in columns) + FOOTING + MARGIN,
        heading=heading,
        figures=figures,
        legend=legend,
        notation=net.write(),
    )
    return sheet.written(columns, wires, layout.links)


def _columns(parts: list[Part], most: int) -> tuple[list[tuple[Point, Part]], list[Wire]]:
    """The parts in as many columns as give the page its proportion, each with its place."""
    pages = [_page(parts, count) for count in range(1, min(most, len(parts)) + 1)]
    return min(pages, key=_strain)


def _strain(page: tuple[list[tuple[Point, Part]], list[Wire]]) -> float:
    placed, _ = page
    width = max(x + part.width for (x, _), part in placed)
    height = max(y + part.height for (_, y), part in placed)
    return abs(log(width / height / PROPORTION))


def _page(parts: list[Part], count: int) -> tuple[list[tuple[Point, Part]], list[Wire]]:
    top = MARGIN + HEADING
    x = MARGIN
    placed: list[tuple[Point, Part]] = []
    wires: list[Wire] = []
    for column in map(below, _split(parts, count)):
        if placed and column.reads:
            (left, y), before = placed[-1]
            gutter = x - GUTTER // 2
            down, end = y + before.height + GAP // 2, (x + column.spine, top)
            wires += [
                Wire(
                    (
                        (left + place, y + before.height),
                        (left + place, down),
                        (gutter, down),
                        (gutter, top - GAP),
                        (end[0], top - GAP),
                        end,
                    ),
                    column.solid,
                )
                for place in before.leave
            ]
        placed.append(((x, top), column))
        x += column.width + GUTTER
    return placed, wires


def _split(parts: list[Part], count: int) -> list[list[Part]]:
    """The parts in at most `count` columns, the highest of which is as low as can be."""
    low, high = max(part.height for part in parts), sum(part.height + GAP for part in parts)
    while low < high:
        middle = (low + high) // 2
        if len(_filled(parts, middle)) <= count:
            high = middle
        else:
            low = middle + 1
    return _filled(parts, high)


def _filled(parts: list[Part], height: int) -> list[list[Part]]:
    columns: list[list[Part]] = []
    room = 0
    for part in parts:
        if not columns or room < part.height + GAP:
            columns.append([])
            room = height + GAP
        columns[-1].append(part)
        room -= part.height + GAP
    return columns
