"""The text of a drawing: SVG without scripts, styles or anything fetched."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from foveal.net.drawing.parts import GLYPH, LEADING, SIZE, TITLE, Card, Frame, Part, Point, Wire
from foveal.net.kind import Shape

MARGIN = 16
LINE, INK, MUTED, BORDER = "#546e7a", "#1c2b33", "#52646e", "#9fb0b9"
FAR = "#8e44ad"
"""Of what comes from elsewhere."""
_WORD = f' fill="{MUTED}" text-anchor="middle"'
FRAMES = ("#f5f8fa", "#fff")
"""Frames within frames take turns."""


@dataclass(frozen=True)
class Sheet:
    """A page, before anything is on it."""

    width: int
    height: int
    heading: str
    figures: str
    legend: str
    notation: str

    def written(
        self,
        columns: Sequence[tuple[Point, Part]],
        wires: Sequence[Wire],
        links: Sequence[tuple[Part, Part]],
    ) -> str:
        """The page with everything on it: frames below, then lines, then boxes."""
        places: dict[Part, Point] = {}
        frames: list[str] = []
        boxes: list[str] = []
        lines = [_wire(wire, (0, 0)) for wire in wires]
        for place, part, depth in _walk(columns):
            places[part] = place
            lines += [_wire(wire, place) for wire in part.wires]
            match part.face:
                case Frame() as face:
                    frames += _frame(face, part, place, depth)
                case Card() as face:
                    boxes.append(_card(face, part, place))
        dashed = [_link(*link, places) for link in links]
        size = f'width="{self.width}" height="{self.height}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size}'
                f' viewBox="0 0 {self.width} {self.height}" role="img"'
                f' font-family="Helvetica, Arial, sans-serif" font-size="{SIZE}" fill="{INK}">',
                f"<title>{escape(self.heading)}</title>",
                f"<desc>{escape(self.figures)}. In the notation:\n{escape(self.notation)}</desc>",
                "<!-- Written by Foveal -->",
                f'<rect {size} rx="8" fill="#fff"/>',
                *frames,
                f'<g fill="none" stroke="{LINE}" stroke-width="1.3">',
                *dashed,
                *lines,
                "</g>",
                *boxes,
                f'<text x="{MARGIN}" y="{MARGIN + 12}" font-size="14" font-weight="bold">'
                f'{escape(self.heading)}<tspan dx="12" font-weight="normal" fill="{MUTED}">'
                f"{self.figures}</tspan></text>",
                _text(MARGIN, self.height - MARGIN, self.legend, f' fill="{MUTED}"'),
                "</svg>\n",
            ]
        )


def _walk(placed: Sequence[tuple[Point, Part]]) -> Iterator[tuple[Point, Part, int]]:
    """Every part where it lies, from the outside in, with the number of frames around it."""
    waiting = [(place, part, 0) for place, part in reversed(placed)]
    while waiting:
        (x, y), part, depth = waiting.pop()
        yield (x, y), part, depth
        deeper = depth + isinstance(part.face, Frame)
        waiting += [
            ((x + left, y + top), inner, deeper) for (left, top), inner in reversed(part.inside)
        ]


def _frame(face: Frame, part: Part, place: Point, depth: int) -> Iterator[str]:
    x, y = place
    yield (
        f'<rect x="{x}" y="{y}" width="{part.width}" height="{part.height}" rx="6"'
        f' fill="{FRAMES[depth % 2]}" stroke="{BORDER}"/>'
    )
    yield _text(x + 8, y + TITLE - 8, face.title, ' font-weight="bold"')
    if face.remark:
        yield _text(x + part.spine + 8, y + TITLE - 8, face.remark, f' fill="{MUTED}"')


def _card(face: Card, part: Part, place: Point) -> str:
    x, y = place
    tip = f"<title>{escape(face.tip)}</title>"
    if not face.fill:
        words = _text(x + part.spine, y + LEADING + 1, face.lines[0], _WORD)
        return f"<g>{tip}{words}</g>"
    border = f'"{FAR}" stroke-dasharray="4 3"' if face.dashed else f'"{LINE}"'
    left = x + 8 + (GLYPH if face.shape else 0)
    lines = [_text(left, y + LEADING + 1, face.title, ' font-weight="bold"')]
    for number, line in enumerate(face.lines, start=1):
        lines.append(_text(left, y + (number + 1) * LEADING + 1, line, f' fill="{MUTED}"'))
    return (
        f'<g>{tip}<rect x="{x}" y="{y}" width="{part.width}" height="{part.height}" rx="4"'
        f' fill="{face.fill}" stroke={border}/>'
        f"{_sketch(face.shape, x + 5, y + part.height // 2)}{''.join(lines)}</g>"
    )


def _sketch(shape: Shape, x: int, middle: int) -> str:
    """A block as a map is thought of: as wide and high as its sides, as deep as its channels.

    Roots of them, or the first maps of a net would leave no room for the last.
    """
    if not shape:
        return ""
    channels, *axes = shape
    high, wide = _FRONT[len(axes)](channels, axes)
    deep = min(14, round(math.pow(channels, 0.35))) if axes else 2
    left, top = x + (GLYPH - wide - deep) // 2, middle - (high - deep) // 2
    front = f"M{left} {top}h{wide}v{high}h{-wide}z"
    edges = f"m0 0l{deep} {-deep}h{wide}v{high}l{-deep} {deep}m{deep} {-deep - high}l{-deep} {deep}"
    look = f'fill="#fff" fill-opacity=".6" stroke="{LINE}" stroke-width=".8"'
    return f'<path d="{front}{edges}" {look}/>'


def _side(size: int) -> int:
    return min(24, 1 + round(2 * math.pow(size, 0.45)))


_FRONT: dict[int, Callable[[int, list[int]], tuple[int, int]]] = {
    0: lambda channels, _: (min(28, 3 + round(1.6 * math.pow(channels, 0.35))), 4),
    1: lambda _, axes: (4, _side(axes[0])),
    2: lambda _, axes: (_side(axes[0]), _side(axes[1])),
    3: lambda _, axes: (_side(axes[1]), _side(axes[2])),
}
"""Height and width of a sketch, by the number of axes."""


def _text(x: int, y: int, words: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}"{more}>{escape(words)}</text>'


def _wire(wire: Wire, place: Point) -> str:
    points = [(place[0] + x, place[1] + y) for x, y in wire.points]
    way = " ".join(f"{x},{y}" for x, y in points)
    drawn = f'<polyline points="{way}"/>'
    if wire.arrow:
        x, y = points[-1]
        drawn += f'<path d="M{x} {y}l-4 -7h8z" fill="{LINE}" stroke="none"/>'
    return drawn


def _link(source: Part, target: Part, places: dict[Part, Point]) -> str:
    """A dashed curve from the side of what is referred to, to the side of where it is read."""
    if source not in places:
        return ""
    (x, y), (to_x, to_y) = places[source], places[target]
    y, to_y = y + source.height // 2, to_y + target.height // 2
    right, end = x + source.width, to_x + target.width
    if right <= to_x:
        bend = max(20, (to_x - right) // 2)
        way = f"M{right} {y}C{right + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    elif end < x + source.width // 2:
        far = max(0, min(x, to_x) - 20 - abs(to_y - y) // 12)
        way = f"M{x} {y}C{far} {y} {far} {to_y} {to_x} {to_y}"
    else:
        far = max(right, end) + 20 + abs(to_y - y) // 12
        way = f"M{right} {y}C{far} {y} {far} {to_y} {end} {to_y}"
    return f'<path d="{way}" stroke="{FAR}" stroke-dasharray="5 4"/>'
