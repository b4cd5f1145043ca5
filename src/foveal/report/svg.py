"""Drawings for the report as SVG text: curves over epochs, a scale of shares, a map of counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor, isfinite, log10

from foveal.report.words import text

WIDTH, HEIGHT = 480, 290
LEFT, RIGHT, TOP, BOTTOM = 54, 466, 44, 246
MARKED = 30
"""Up to so many points each gets a dot."""
SHADES = 8


@dataclass(frozen=True)
class Series:
    """One curve: a name, the style's class for it, and a value (or none) at each x."""

    name: str
    style: str
    points: tuple[tuple[int, float | None], ...]

    def drawn(self) -> list[tuple[int, float]]:
        return [(x, y) for x, y in self.points if y is not None and isfinite(y)]

    def runs(self) -> Iterator[list[tuple[int, float]]]:
        """The stretches without a gap; a value that is missing or not finite is a gap."""
        for whole, run in groupby(self.points, lambda p: p[1] is not None and isfinite(p[1])):
            if whole:
                yield [(x, y) for x, y in run if y is not None]


def ticks(low: float, high: float, about: int = 5, smallest: float = 0.001) -> list[float]:
    """Round numbers that span low to high, in steps of 1, 2 or 5 times a power of ten.

    `smallest` is such a step, and none is finer.

    Example:
        >>> ticks(0, 2.3), ticks(1, 20, smallest=1)
        ([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], [0.0, 5.0, 10.0, 15.0, 20.0])
    """
    rough = max((high - low) / about, smallest)
    power = 10.0 ** floor(log10(rough))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [i * step for i in range(first, max(last, first + 1) + 1)]


def line_chart(
    key: str,
    title: str,
    series: Sequence[Series],
    show: Callable[[float], str],
    unit: str = "",
    within: tuple[float, float] | None = None,
) -> str:
    """Curves over epochs with axes, a legend and a description for those who cannot see them.

    `key` is unique on the page; `show` writes a value in a sentence, `unit` follows the numbers
    of the vertical axis. `within` has a bound that axis may not pass below and the one it ends at.
    """
    filled = [one for one in series if one.drawn()]
    values = [y for one in filled for _, y in one.drawn()]
    epochs = [x for one in filled for x, _ in one.points]
    if not values:
        return f'<p class="none">{text(title)}: nothing was measured.</p>'
    rows = ticks(*_span(values, within))
    first, last = min(epochs), max(epochs)
    columns = sorted({first, *(x for x in ticks(first, last, smallest=1) if first <= x <= last)})

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - first) / (last - first) if last > first else 0.5
        up = (y - rows[0]) / (rows[-1] - rows[0])
        return LEFT + across * (RIGHT - LEFT), BOTTOM - up * (BOTTOM - TOP)

    style = f".{max(0, -floor(log10(rows[1] - rows[0]) + 1e-9))}f" if rows[-1] < 1e5 else ".1e"
    parts = [_grid_row(place(first, y)[1], f"{y:{style}}{unit}") for y in rows]
    parts += [_grid_column(place(x, rows[0])[0], f"{x:.0f}") for x in columns]
    parts.append(_label(RIGHT, HEIGHT - 8, "end", "epoch"))
    parts += [_curve(one, place, show) for one in filled]
    parts.append(_legend(filled))
    said = "; ".join(_in_words(one, show) for one in filled)
    return _figure(key, WIDTH, HEIGHT, title, said, "".join(parts), "chart")


def share_scale(
    key: str, share: float, interval: tuple[float, float], baseline: float, said: str
) -> str:
    """A line from nothing to everything with the result, its interval, and the baseline."""
    left, right, middle = 10, 590, 46

    def at(value: float) -> float:
        return round(left + value * (right - left), 1)

    low, high = at(interval[0]), at(interval[1])
    parts = [f'<path class="rail" d="M{left} {middle}H{right}"/>']
    parts += [f'<path class="rail" d="M{at(i / 4)} {middle - 4}v8"/>' for i in range(5)]
    parts.append(f'<path class="filled" d="M{left} {middle}H{at(share)}"/>')
    parts.append(f'<path class="interval" d="M{low} {middle}H{max(high, low + 1)}"/>')
    parts.append(f'<path class="base" d="M{at(baseline)} {middle - 13}v26"/>')
    end = "start" if baseline < 0.5 else "end"
    parts.append(_label(at(baseline), 24, end, "always the same answer"))
    parts.append(f'<circle class="dot" cx="{at(share)}" cy="{middle}" r="7"/>')
    for value in range(0, 101, 25):
        anchor = {0: "start", 100: "end"}.get(value, "middle")
        place = {0: 2, 100: 598}.get(value, at(value / 100))
        parts.append(_label(place, 80, anchor, f"{value}%"))
    title = "The result on a line from 0 to 100 %"
    return _figure(key, 600, 88, title, said, "".join(parts), "scale")


def count_map(key: str, counts: Sequence[Sequence[int]], said: str) -> str:
    """A square per pair of truth (down) and answer (across), darker with its share of the row."""
    size = len(counts)
    squares: dict[str, list[str]] = {}
    for y, row in enumerate(counts):
        for x, n in enumerate(row):
            if n:
                shade = ceil(SHADES * n / sum(row))
                style = f"{'right' if x == y else 'wrong'} shade{shade}"
                squares.setdefault(style, []).append(f"M{x} {y}h1v1h-1z")
    frame = f'<path class="frame" d="M0 0h{size}v{size}h-{size}z"/>'
    body = "".join(f'<path class="{s}" d="{"".join(d)}"/>' for s, d in sorted(squares.items()))
    return _figure(key, size, size, "Truth and answer of every picture", said, frame + body, "map")


def _figure(key: str, width: int, height: int, title: str, said: str, body: str, style: str) -> str:
    return (
        f'<svg class="{style}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{key}-title {key}-said"><title id="{key}-title">{text(title)}</title>'
        f'<desc id="{key}-said">{text(said)}</desc>{body}</svg>'
    )


def _span(values: Sequence[float], within: tuple[float, float] | None) -> tuple[float, float]:
    """From 0 where that costs less than half of the height, else from just under the lowest."""
    low, high = min(values), max(values)
    low = min(low, 0.0) if low < high / 2 else low - 0.1 * (high - low)
    if within is None:
        return low, high
    return max(low, within[0]), within[1]


def _curve(
    one: Series, place: Callable[[float, float], tuple[float, float]], show: Callable[[float], str]
) -> str:
    parts = []
    for run in one.runs():
        points = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in run)
        parts.append(f'<polyline class="{one.style}" points="{points}"/>')
    drawn = one.drawn()
    for x, y in drawn if len(drawn) <= MARKED else drawn[-1:]:
        across, down = place(x, y)
        hint = text(f"{one.name}, epoch {x}: {show(y)}")
        parts.append(
            f'<circle class="{one.style}" cx="{across:.1f}" cy="{down:.1f}" r="3.5">'
            f"<title>{hint}</title></circle>"
        )
    return "".join(parts)


def _legend(series: Sequence[Series]) -> str:
    parts, across = [], LEFT
    for one in series:
        parts.append(
            f'<path class="{one.style}" d="M{across} 16h22"/>'
            f'<text x="{across + 28}" y="21">{text(one.name)}</text>'
        )
        across += 48 + 8 * len(one.name)
    return "".join(parts)


def _grid_row(down: float, label: str) -> str:
    line = f'<path class="grid" d="M{LEFT} {down:.1f}H{RIGHT}"/>'
    return line + _label(LEFT - 8, down + 5, "end", label)


def _grid_column(across: float, label: str) -> str:
    line = f'<path class="grid" d="M{across:.1f} {BOTTOM}v5"/>'
    return line + _label(across, BOTTOM + 20, "middle", label)


def _label(across: float, down: float, anchor: str, label: str) -> str:
    place = f'x="{across:.1f}" y="{down:.1f}" text-anchor="{anchor}"'
    return f'<text class="axis" {place}>{text(label)}</text>'


def _in_words(one: Series, show: Callable[[float], str]) -> str:
    (first, start), (last, end) = one.drawn()[0], one.drawn()[-1]
    if first == last:
        return f"{one.name}: {show(start)} at epoch {first}"
    return f"{one.name}: from {show(start)} at epoch {first} to {show(end)} at epoch {last}"
