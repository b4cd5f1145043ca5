"""The arithmetic of a net as a table for people, in the words they know."""

from __future__ import annotations

import re
from itertools import pairwise
from math import prod
from textwrap import wrap

from foveal.net.arithmetic import BYTES, Arithmetic, Row
from foveal.net.kind import Shape, shape_text

WIDTH = 100
NARROWEST_NAME = 16
_GAP = "   "
_HEADINGS = ("Layer", "Output shape", "Param #", "MACs", "Receptive field", "Memory")
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def table(arithmetic: Arithmetic, *, width: int = WIDTH, bold: bool = False) -> str:
    """A line for every step, then the totals and what else should be known.

    Use `bold` only where a terminal shows it. Where `width` is too small, the memory of each step
    is left out, and then the middle of long paths.

    >>> from foveal.net import Net
    >>> from foveal.net.layers import Conv, Dense, Flatten
    >>> print(Net.of(Conv(6, 5), Flatten(), Dense(10)).table((3, 32, 32)))
    Layer      Output shape   Param #      MACs   Receptive field     Memory
    ────────────────────────────────────────────────────────────────────────
    input           3x32x32                                         12.0 KiB
    conv1           6x28x28       456   352,800               5x5   18.4 KiB
    flatten1           4704         0         0     whole picture   18.4 KiB
    dense1               10    47,050    47,040     whole picture   40 bytes
    ────────────────────────────────────────────────────────────────────────
    Total params                           47,506
    Trainable params                       47,506
    MACs                                  399,840
    Memory of activations (one picture)  36.8 KiB
    Memory needed at once to predict     36.8 KiB
    <BLANKLINE>
    Maps shrink from 32x32 to 28x28 while depth grows from 3 to 6.
    """
    lines = [_HEADINGS, *_input(arithmetic), *map(_cells, arithmetic.rows)]
    columns = [*zip(*lines, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    if _across(widths) > width:
        del columns[-1], widths[-1]
    widths[0] = min(widths[0], max(NARROWEST_NAME, widths[0] + width - _across(widths)))
    heading, *body = (_line(cells, widths) for cells in zip(*columns, strict=True))
    rule = "─" * _across(widths)
    head = f"\033[1m{heading}\033[0m" if bold else heading
    remarks = [line for remark in _remarks(arithmetic) for line in _wrapped(remark, width)]
    return "\n".join([head, rule, *body, rule, *_totals(arithmetic), *remarks])


def explained(arithmetic: Arithmetic) -> str:
    """Where every number of the table comes from: its arithmetic, step by step.

    >>> from foveal.net import Net
    >>> from foveal.net.arithmetic import arithmetic
    >>> from foveal.net.layers import Conv
    >>> print(explained(arithmetic(Net.of(Conv(6, 5)).bind((3, 32, 32)))))
    conv1: 3x32x32 -> 6x28x28
      output           floor((32 - 5) / 1) + 1 = 28
      parameters       6*3*5*5 + 6 = 456
      MACs             6*28*28 outputs * 3*5*5 = 352,800
      memory           6*28*28 * 4 bytes = 18,816 bytes
      receptive field  1 + (5 - 1) * 1 = 5
      sparsity         each output reads 3*5*5 = 75 of 3,072 values
      sharing          456 instead of 3,072 * 4,704 + 4,704 = 14,455,392 if fully connected
                       (31,700 times)
    """
    return "\n\n".join(map(_explained, arithmetic.rows))


def _explained(row: Row) -> str:
    arrives = " | ".join(map(shape_text, row.ins))
    lines = [f"{_name(row)}: {arrives} -> {shape_text(row.output)}"]
    for quantity, formula in row.formulas.items():
        first, *rest = wrap(formula, WIDTH - 25)
        lines.append(f"  {quantity:<15}  {first}")
        lines += [" " * 19 + line for line in rest]
    return "\n".join(lines)


def memory_text(size: int) -> str:
    """A number of bytes as people read it: 40 bytes, 18.4 KiB."""
    power = min((size.bit_length() - 1) // 10, len(_UNITS) - 1)
    return f"{size / 1024**power:,.1f} {_UNITS[power]}" if power > 0 else f"{size} bytes"


def _across(widths: list[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers = cells
    padded = [number.rjust(size) for number, size in zip(numbers, widths[1:], strict=True)]
    return _GAP.join([_shortened(name, widths[0]).ljust(widths[0]), *padded]).rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, max(width, 40), subsequent_indent="  ", break_long_words=False) or [""]


def _shortened(name: str, width: int) -> str:
    """A path without its middle: both ends say more."""
    if len(name) <= width:
        return name
    first, *rest = name.split(".")
    ends = [f"{first}…{'.'.join(rest[start:])}" for start in range(1, len(rest))]
    fitting = [end for end in ends if len(end) <= width]
    return fitting[0] if fitting else f"{name[: width - 1]}…"


def _input(arithmetic: Arithmetic) -> list[tuple[str, ...]]:
    """What arrives, unless the net begins with a step that says so."""
    if arithmetic.rows and arithmetic.rows[0].kind == "Input":
        return []
    memory = memory_text(BYTES * prod(arithmetic.input))
    return [("input", shape_text(arithmetic.input), "", "", "", memory)]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        _name(row),
        shape_text(row.output),
        f"{row.parameters:,}",
        f"{row.macs:,}",
        _field(row),
        memory_text(row.memory),
    )


def _name(row: Row) -> str:
    """The path, and the kind where the path does not say it: `conv1`, but `c4 (Conv)`."""
    last = row.name.rpartition(".")[2]
    automatic = re.fullmatch(rf"{row.kind}\d+", last, re.IGNORECASE)
    return row.name if automatic else f"{row.name} ({row.kind})"


def _field(row: Row) -> str:
    if row.whole_picture:
        return "whole picture"
    if row.receptive_field is None:
        return "varies"
    return shape_text(row.receptive_field) or "-"


def _totals(arithmetic: Arithmetic) -> list[str]:
    figures = {
        "Total params": f"{arithmetic.parameters:,}",
        "Trainable params": f"{arithmetic.trainable:,}",
        "Statistics, not trained": f"{arithmetic.statistics:,}",
        "MACs": f"{arithmetic.macs:,}",
        "Memory of activations (one picture)": memory_text(arithmetic.memory),
        "Memory needed at once to predict": memory_text(arithmetic.peak_memory),
    }
    if not arithmetic.statistics:
        del figures["Statistics, not trained"]
    names, values = max(map(len, figures)), max(map(len, figures.values()))
    return [f"{name:<{names}}{_GAP}{figure:>{values}}" for name, figure in figures.items()]


def _remarks(arithmetic: Arithmetic) -> list[str]:
    """What is true of this net as a whole, then the notes of its steps, each once."""
    rows, results = arithmetic.rows, arithmetic.results
    said = []
    if len(results) > 1:
        said.append("Results: " + ", ".join(f"{name} {shape_text(s)}" for name, s in results))
    origin = rows[-1].origin if rows else ""
    picture = next((row.output for row in rows if row.name == origin), arithmetic.input)
    said += _trend([row for row in rows if row.origin == origin], picture)
    if picture != arithmetic.input:
        said.append(f"Receptive fields are counted in the picture after {origin}.")
    steps: dict[str, list[str]] = {}
    for row in rows:
        if row.note:
            steps.setdefault(row.note, []).append(row.name)
    said += [f"{_several(names)}: {note}" for note, names in steps.items()]
    return ["", *said] if said else []


def _several(names: list[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 3 else ""
    return ", ".join(names[:2] if more else names) + more


def _trend(rows: list[Row], picture: Shape) -> list[str]:
    """The usual way of maps, said only where it is true at every step."""
    maps = [picture, *(row.output for row in rows if not row.whole_picture)]
    last = maps[-1]
    if len({len(shape) for shape in maps}) > 1:
        return []
    shrink = all(
        new <= old
        for before, after in pairwise(maps)
        for old, new in zip(before[1:], after[1:], strict=True)
    )
    smaller = all(new < old for old, new in zip(picture[1:], last[1:], strict=True))
    if len(picture) < 2 or not shrink or not smaller or last[0] <= picture[0]:
        return []
    sizes = f"{shape_text(picture[1:])} to {shape_text(last[1:])}"
    return [f"Maps shrink from {sizes} while depth grows from {picture[0]} to {last[0]}."]
