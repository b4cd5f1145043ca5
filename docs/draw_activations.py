"""Draw every activation and its derivative: python docs/draw_activations.py

Values and slopes are those that the reference engine computes for a net of one layer. Where the
slope jumps, its curve is broken, and a dot shows the value that is taken there.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import inf
from pathlib import Path

import numpy as np

from foveal.engines import reference
from foveal.net.notation import parse

PICTURE = Path(__file__).parent / "pictures" / "activations.svg"
NETS: dict[str, tuple[float, ...]] = {
    "relu": (0,),
    "relu max 2": (0, 2),
    "leakyrelu 0.2": (0,),
    "elu": (),
    "gelu": (),
    "silu": (),
    "hardswish": (-3, 3),
    "softplus": (),
    "tanh": (),
    "hardtanh": (-1, 1),
    "sigmoid": (),
    "hardsigmoid": (-3, 3),
}
"""Each net with the places where its slope jumps."""
LEFT, RIGHT, LOW, HIGH = -4, 4, -1.5, 3.5
STEP = 1 / 16
UNIT = 26
"""Pixels of a 1 along both axes."""
WIDTH, HEIGHT, COLUMNS = 236, 164, 4
COLOURS = {"value": "#0072b2", "slope": "#d55e00", "axis": "#b0bec5", "note": "#546e7a"}
"""Told apart with any kind of colour vision (Okabe & Ito 2008); the slope is dashed, too."""


def draw() -> str:
    """The picture as SVG, the same text each time."""
    rows = -(-len(NETS) // COLUMNS)
    size = COLUMNS * WIDTH + 10, rows * HEIGHT + 34
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}"'
        f' viewBox="0 0 {size[0]} {size[1]}" font-family="sans-serif" font-size="13" role="img">',
        f"<title>{len(NETS)} activations from {LEFT} to {RIGHT}, and their slopes</title>",
        f'<rect width="{size[0]}" height="{size[1]}" fill="#fff"/>',
    ]
    for number, (text, jumps) in enumerate(NETS.items()):
        row, column = divmod(number, COLUMNS)
        lines.append(f'<g transform="translate({column * WIDTH + 16} {row * HEIGHT + 12})">')
        lines += panel(text, jumps)
        lines.append("</g>")
    lines += legend(16, rows * HEIGHT + 20)
    return "\n".join([*lines, "</svg>\n"])


def computed(text: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and slopes of a net that reads one number."""
    engine = reference.build(parse(text).bind((1,)), {})
    batch = x[:, None]
    slopes = engine.backward(batch, {"": np.ones_like(batch)}).input
    return engine.run(batch)[""][:, 0], slopes[:, 0]


def panel(text: str, jumps: tuple[float, ...]) -> Iterator[str]:
    """One activation with axes, its curves, and its text as the notation has it."""
    right, bottom = place(RIGHT, LOW)
    middle, base = place(0, 0)
    axes = f"M0 {base}H{right}M{middle} 0V{bottom}"
    marks = [f"M{place(x, 0)[0]} {base}v4" for x in range(LEFT, RIGHT + 1) if x]
    marks += [f"M{middle} {place(0, y)[1]}h-4" for y in range(-1, 4) if y]
    yield f'<path d="{axes}{"".join(marks)}" fill="none" stroke="{COLOURS["axis"]}"/>'
    yield note(place(1, 0)[0], base + 16, "middle", "1")
    yield note(middle - 7, place(0, 1)[1] + 4, "end", "1")
    yield f'<text x="0" y="11" font-weight="bold">{text}</text>'

    x = np.arange(LEFT, RIGHT + STEP, STEP)
    values, slopes = computed(text, x)
    yield curve(x, values, "value", 'stroke-width="2.5"')
    for begin, end in pairwise((-inf, *jumps, inf)):
        within = (x > begin) & (x < end)
        yield curve(x[within], slopes[within], "slope", 'stroke-width="2" stroke-dasharray="5 3"')
    for jump in jumps:
        across, down = place(jump, slopes[x == jump].item())
        yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" fill="{COLOURS["slope"]}"/>'


def place(x: float, y: float) -> tuple[float, float]:
    """Where a point lies in its panel, in pixels to the right and down."""
    return (x - LEFT) * UNIT, (HIGH - y) * UNIT


def curve(x: np.ndarray, y: np.ndarray, what: str, style: str) -> str:
    """What of a line lies within the panel."""
    inside = (y >= LOW) & (y <= HIGH)
    pixels = (place(*point) for point in zip(x[inside], y[inside], strict=True))
    points = " ".join(f"{across:.1f},{down:.1f}" for across, down in pixels)
    return f'<polyline points="{points}" fill="none" stroke="{COLOURS[what]}" {style}/>'


def note(across: float, down: float, anchor: str, text: str) -> str:
    return (
        f'<text x="{across:g}" y="{down:g}" text-anchor="{anchor}" font-size="11"'
        f' fill="{COLOURS["note"]}">{text}</text>'
    )


def legend(left: float, top: float) -> Iterator[str]:
    words = {"value": "value", "slope": "slope, with a dot where it jumps"}
    for number, (what, text) in enumerate(words.items()):
        x = left + number * 110
        dashes = "" if what == "value" else ' stroke-dasharray="5 3"'
        yield (
            f'<path d="M{x:g} {top - 4:g}h28" stroke="{COLOURS[what]}" stroke-width="2.5"{dashes}/>'
        )
        yield f'<text x="{x + 36:g}" y="{top:g}">{text}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
