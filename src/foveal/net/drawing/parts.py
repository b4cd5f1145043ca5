"""The pieces of a drawing, and how they are put below and beside one another.

A piece knows its size and where values arrive and leave; where it lies, whoever holds it knows.
Everything is in whole pixels, so that a drawing is the same text everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foveal.net.kind import Shape

Point = tuple[int, int]

GAP = 20
"""Pixels between one piece and the next below it."""
APART = 14
"""Pixels between pieces side by side."""
FORK = 26
"""Pixels in which lines part above branches, or meet below them."""
PAD = 12
"""Pixels between a frame and what it holds."""
TITLE = 24
"""Pixels of a frame's title."""
LINE_WIDTH = 20
"""Pixels that a bare line may claim for itself."""
SIZE = 11
"""Pixels of a letter's height."""
LEADING = 15
"""Pixels from one line of text to the next."""
SMALL = LEADING + 10
"""Pixels of the height of a box with one line, such as a reference: not much of a branch."""
GLYPH = 42
"""Pixels that the sketch of a map takes."""
_NARROW, _WIDE = frozenset(" .,:;|()[]ijlftrI'·"), frozenset("mwMW@…%—")


@dataclass(frozen=True)
class Card:
    """A box for a layer and what directly follows it."""

    title: str
    """Its word and numbers, perhaps after a name."""
    lines: tuple[str, ...]
    """Smaller lines below."""
    fill: str
    """Its colour; without one it is a word on a line."""
    tip: str
    """What a pointer that rests on it is told: every step in full."""
    shape: Shape = ()
    """The shape it makes, for the sketch; empty for none."""
    dashed: bool = False
    """It stands for something elsewhere."""


@dataclass(frozen=True)
class Frame:
    """A border around what belongs together."""

    title: str
    remark: str


@dataclass(frozen=True)
class Wire:
    """A line from where a value is made to where it is read."""

    points: tuple[Point, ...]
    arrow: bool


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of the drawing."""

    width: int
    height: int
    spine: int
    """Where along its upper edge a value arrives."""
    leave: tuple[int, ...]
    """Where along its lower edge values go on."""
    reads: bool = True
    """Whether it reads what arrives; a reference does not."""
    solid: bool = False
    """Whether a line into it ends at its upper edge."""
    face: Card | Frame | None = None
    inside: tuple[tuple[Point, Part], ...] = ()
    wires: tuple[Wire, ...] = ()


def text_width(text: str, size: int = SIZE, *, bold: bool = False) -> int:
    """Pixels that a text takes at most in the usual fonts without serifs."""
    ems = sum(0.4 if c in _NARROW else 0.98 if c in _WIDE else 0.64 for c in text)
    return round(ems * size * (1.1 if bold else 1)) + 1


def line() -> Part:
    """A value that goes on as it is."""
    return Part(LINE_WIDTH, 0, LINE_WIDTH // 2, (LINE_WIDTH // 2,))


def card(face: Card, *, reads: bool = True) -> Part:
    """A box as large as its text."""
    texts = [text_width(face.title, bold=True), *map(text_width, face.lines)]
    width = 2 * ((max(texts) + 16 + (GLYPH if face.shape else 0) + 1) // 2)
    height = LEADING * (bool(face.title) + len(face.lines)) + 10
    spine = width // 2
    return Part(width, height, spine, (spine,), reads, solid=bool(face.fill), face=face)


def below(parts: Sequence[Part]) -> Part:
    """Parts one under the other, with their lines in one vertical."""
    if not parts:
        return line()
    spine = max(part.spine for part in parts)
    width = spine + max(part.width - part.spine for part in parts)
    inside: list[tuple[Point, Part]] = []
    wires: list[Wire] = []
    y = 0
    for part in parts:
        if inside:
            top = y + (GAP if part.height else 0)
            wires += joined(inside[-1], part, (spine, top))
            y = top
        inside.append(((spine - part.spine, y), part))
        y += part.height
    (x, _), last = inside[-1]
    leave = tuple(x + place for place in last.leave)
    first = parts[0]
    return Part(
        width, y, spine, leave, first.reads, first.solid, inside=tuple(inside), wires=tuple(wires)
    )


def joined(before: tuple[Point, Part], part: Part, to: Point) -> list[Wire]:
    """The lines from what lies above to the next, if that reads it."""
    (x, y), above = before
    if not part.reads:
        return []
    return [elbow((x + place, y + above.height), to, part.solid) for place in above.leave]


def elbow(start: Point, end: Point, arrow: bool, turn: int | None = None) -> Wire:
    """A line that goes down, to the side, and down again."""
    if start[0] == end[0]:
        return Wire((start, end), arrow)
    middle = (start[1] + end[1]) // 2 if turn is None else turn
    return Wire((start, (start[0], middle), (end[0], middle), end), arrow)


def beside(parts: Sequence[Part], merge: Part | None, ends: Sequence[Part] = ()) -> Part:
    """Branches of one value, and what joins them, or a piece at the end of each."""
    columns = [max(part.width, *(end.width for end in ends[n : n + 1]), 0) if ends else part.width
               for n, part in enumerate(parts)]  # fmt: skip
    lefts = [sum(columns[:n]) + APART * n for n in range(len(parts))]
    width = sum(columns) + APART * (len(parts) - 1)
    lefts = [
        left + (column - part.width) // 2
        for left, column, part in zip(lefts, columns, parts, strict=True)
    ]
    high = [
        left + part.spine for left, part in zip(lefts, parts, strict=True) if part.height > SMALL
    ]
    spine = high[0] if len(high) == 1 else width // 2
    if merge is not None:
        shift = max(0, merge.width // 2 - spine)
        lefts = [left + shift for left in lefts]
        spine += shift
        width = max(width + shift, spine + merge.width // 2)
    forks = any(part.reads for part in parts)
    top = FORK if forks else 0
    bottom = top + max(part.height for part in parts)
    inside = [((left, top), part) for left, part in zip(lefts, parts, strict=True)]
    wires = [
        elbow((spine, 0), (x + part.spine, y), part.solid, FORK // 2)
        for (x, y), part in inside
        if part.reads
    ]
    leave: list[int] = []
    if merge is not None:
        leave = [spine]
        end = bottom + FORK
        wires += [
            elbow((x + place, y + part.height), (spine, end), True, bottom + FORK // 2 - 3)
            for (x, y), part in inside
            for place in part.leave
        ]
        inside.append(((spine - merge.spine, end), merge))
        bottom = end + merge.height
    for (left, part), last in zip(inside[: len(ends)], ends, strict=True):
        x = left[0] + part.leave[0]
        wires += joined((left, part), last, (x, bottom + GAP))
        inside.append(((x - last.spine, bottom + GAP), last))
        leave.append(x)
    if ends:
        bottom += GAP + ends[0].height
    return Part(width, bottom, spine, tuple(leave), forks, inside=tuple(inside), wires=tuple(wires))


def framed(title: str, remark: str, part: Part) -> Part:
    """A border around a part; its title left of the line into it, a remark to the right."""
    face = Frame(title, remark)
    left = max(PAD, text_width(title, bold=True) + 14 - part.spine)
    needed = text_width(remark) + 14 if remark else 0
    width = left + max(part.width + PAD, part.spine + needed)
    height = TITLE + part.height + PAD
    spine = left + part.spine
    wires = [Wire(((spine, 0), (spine, TITLE)), part.solid)] if part.reads else []
    leave = tuple(left + place for place in part.leave)
    wires += [Wire(((x, height - PAD), (x, height)), arrow=False) for x in leave]
    return Part(
        width,
        height,
        spine,
        leave,
        part.reads,
        face=face,
        inside=(((left, TITLE), part),),
        wires=tuple(wires),
    )
