"""Accuracy by the number of pictures, as a drawing that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log

from foveal.report.svg import ticks
from foveal.report.words import text

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 58, 540, 56, 286
COLOURS = ("#1f69ad", "#d66018", "#5a7d2a", "#7a4f9a")
LINE, GRID = "#546e7a", "#dedad0"

Place = tuple[float, float]
Placing = Callable[[float, float], Place]
"""From a number of pictures and a share to a place on the drawing."""


@dataclass(frozen=True)
class Measured:
    """A value at a number of pictures, and between which bounds it may be."""

    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Band:
    """One curve with its band, and how it would go on."""

    name: str
    points: tuple[Measured, ...]
    beyond: tuple[tuple[int, float], ...] = ()


def draw_bands(title: str, bands: Sequence[Band], across: str = "pictures per class") -> str:
    """Curves of shares over numbers of pictures, each step of which is a multiplication, as SVG.

    Use it for learning curves: their bands are the uncertainty, dashed is what was not measured.
    The same text each time; a description is in it for those who cannot see it.

    Raises:  nothing, for at least one curve of at least one point

    >>> band = Band("head", (Measured(5, 0.6, 0.5, 0.7), Measured(10, 0.7, 0.65, 0.75)))
    >>> drawn = draw_bands("Curve", [band])
    >>> drawn.count("<polyline"), drawn.count("<polygon"), drawn.count("<circle")
    (1, 1, 2)
    """
    numbers = {p.n for band in bands for p in band.points} | {
        n for band in bands for n, _ in band.beyond
    }
    bounds = [share for band in bands for p in band.points for share in (p.low, p.high)]
    bounds += [share for band in bands for _, share in band.beyond]
    rows = ticks(100 * min(bounds), 100 * min(max(bounds), 1), smallest=1)
    first, last = log(min(numbers)), log(max(numbers))

    def place(n: float, share: float) -> Place:
        along = (log(n) - first) / (last - first) if last > first else 0.5
        up = (100 * share - rows[0]) / (rows[-1] - rows[0])
        return LEFT + along * (RIGHT - LEFT), BOTTOM - up * (BOTTOM - TOP)

    parts = [*_frame(title, bands), *_grid(rows, sorted(numbers), place)]
    for band, colour in zip(bands, COLOURS, strict=False):
        parts += _band(band, colour, place)
    parts += _legend(bands)
    parts.append(_text((LEFT + RIGHT) / 2, HEIGHT - 12, across, "middle"))
    return "\n".join([*parts, "</svg>", ""])


def _frame(title: str, bands: Sequence[Band]) -> Iterator[str]:
    said = "; ".join(
        f"{band.name}: "
        + ", ".join(f"{100 * point.value:.1f} % with {point.n}" for point in band.points)
        for band in bands
    )
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" role="img">'
    )
    yield f"<title>{text(title)}</title>"
    yield f"<desc>{text(said)}</desc>"
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    yield _text(LEFT, 20, title, "start", "#1d1f24")


def _grid(rows: Sequence[float], numbers: Sequence[int], place: Placing) -> Iterator[str]:
    for row in rows:
        _, down = place(numbers[0], row / 100)
        yield f'<path d="M{LEFT} {down:.1f}H{RIGHT}" stroke="{GRID}"/>'
        yield _text(LEFT - 8, down + 4, f"{row:.0f} %", "end")
    written = -100.0
    for n in numbers:
        along, _ = place(n, 0)
        if along - written > 30:  # or the numbers would run into each other
            yield _text(along, BOTTOM + 18, f"{n:,}", "middle")
            written = along


def _band(band: Band, colour: str, place: Placing) -> Iterator[str]:
    edge = [place(p.n, p.high) for p in band.points]
    edge += [place(p.n, p.low) for p in reversed(band.points)]
    middle = [place(p.n, p.value) for p in band.points]
    yield f'<polygon points="{_joined(edge)}" fill="{colour}" fill-opacity="0.18"/>'
    yield f'<polyline points="{_joined(middle)}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
    if band.beyond:
        ahead = [middle[-1], *(place(n, share) for n, share in band.beyond)]
        yield (
            f'<polyline points="{_joined(ahead)}" fill="none" stroke="{colour}"'
            ' stroke-width="2" stroke-dasharray="2 5"/>'
        )
    for (along, down), point in zip(middle, band.points, strict=True):
        hint = text(f"{band.name}, {point.n:,}: {100 * point.value:.1f} %")
        yield (
            f'<circle cx="{along:.1f}" cy="{down:.1f}" r="3.5" fill="{colour}">'
            f"<title>{hint}</title></circle>"
        )


def _legend(bands: Sequence[Band]) -> Iterator[str]:
    along = LEFT
    for band, colour in zip(bands, COLOURS, strict=False):
        yield f'<path d="M{along} 38h20" stroke="{colour}" stroke-width="2.5"/>'
        yield _text(along + 26, 42, band.name, "start")
        along += 50 + 7 * len(band.name)


def _joined(places: Sequence[Place]) -> str:
    return " ".join(f"{along:.1f},{down:.1f}" for along, down in places)


def _text(along: float, down: float, words: str, anchor: str, colour: str = LINE) -> str:
    place = f'x="{along:.1f}" y="{down:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{text(words)}</text>'
