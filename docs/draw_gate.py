"""Draw squeeze-and-excitation as boxes with shapes: python docs/draw_gate.py

Nothing is drawn by hand: boxes, arrows and numbers are the steps of a bound net.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from foveal.net.kind import shape_text
from foveal.net.notation import parse
from foveal.net.notation.writer import write_kind
from foveal.net.program import Step

PICTURE = Path(__file__).parent / "pictures" / "gate.svg"
NET = "multiply( identity | globalavgpool keep -> conv 4 1 -> relu -> conv 64 1 -> sigmoid )"
INPUT = (64, 8, 8)
WIDTH, HEIGHT, GAP, MARGIN = 140, 58, 24, 14
"""Pixels of a box, between two of them, and around all."""
TOPS = (MARGIN, MARGIN + HEIGHT + 34)
"""Where the boxes of the direct way and those of the gate begin."""
COLOURS = {"value": "#eceff1", "gate": "#cfe6f5", "merge": "#fbdcc4"}
LINE = "#546e7a"


def draw() -> str:
    """The picture as SVG, the same text each time."""
    program = parse(NET).bind(INPUT)
    direct, *gate, merge = program.steps
    last = len(gate) + 1
    size = right(last) + MARGIN, TOPS[1] + HEIGHT + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}"'
        f' viewBox="0 0 {size[0]} {size[1]}" font-family="sans-serif" font-size="12" role="img">',
        "<title>Squeeze-and-excitation: a small gate weighs the channels of what arrives</title>",
        f'<rect width="{size[0]}" height="{size[1]}" fill="#fff"/>',
        *box(0, 0, "what arrives", shape_text(program.input), "value"),
        *box(last, 0, merge.kind.word, shape_text(merge.shape), "merge"),
        arrow((right(0), middle(0)), (left(last), middle(0))),
        text((right(0) + left(last)) // 2, middle(0) - 7, f"{direct.kind.word}, {said(direct)}"),
        arrow((centre(0), TOPS[0] + HEIGHT), (centre(0), middle(1)), (left(1), middle(1))),
        arrow(
            (right(len(gate)), middle(1)),
            (centre(last), middle(1)),
            (centre(last), TOPS[0] + HEIGHT),
        ),
    ]
    for column, step in enumerate(gate, start=1):
        lines += box(column, 1, write_kind(step.kind), said(step), "gate")
        if column > 1:
            lines.append(arrow((right(column - 1), middle(1)), (left(column), middle(1))))
    return "\n".join([*lines, "</svg>\n"])


def said(step: Step) -> str:
    """The shape that a step makes, and how many weights it has for that."""
    weights = sum(tensor.size for tensor in step.tensors)
    made = shape_text(step.shape)
    return f"{made}, {weights} weights" if weights else made


def left(column: int) -> int:
    return MARGIN + column * (WIDTH + GAP)


def right(column: int) -> int:
    return left(column) + WIDTH


def centre(column: int) -> int:
    return left(column) + WIDTH // 2


def middle(row: int) -> int:
    return TOPS[row] + HEIGHT // 2


def box(column: int, row: int, title: str, below: str, kind: str) -> Iterator[str]:
    yield (
        f'<rect x="{left(column)}" y="{TOPS[row]}" width="{WIDTH}" height="{HEIGHT}" rx="4"'
        f' fill="{COLOURS[kind]}" stroke="{LINE}"/>'
    )
    yield text(centre(column), middle(row) - 4, title, bold=True)
    yield text(centre(column), middle(row) + 15, below)


def text(x: int, y: int, words: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" text-anchor="middle"{weight}>{words}</text>'


def arrow(*corners: tuple[int, int]) -> str:
    """A line with a head at its end, which points right or up."""
    *_, (before, _), (x, y) = corners
    tips = [(x - 8, y - 4), (x - 8, y + 4)] if before < x else [(x - 4, y + 8), (x + 4, y + 8)]
    way = " ".join(f"{a},{b}" for a, b in corners)
    head = " ".join(f"{a},{b}" for a, b in [(x, y), *tips])
    return (
        f'<polyline points="{way}" fill="none" stroke="{LINE}" stroke-width="1.5"/>'
        f'<polygon points="{head}" fill="{LINE}"/>'
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
