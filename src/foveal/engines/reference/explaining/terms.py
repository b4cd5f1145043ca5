"""What an explanation is made of: numbers, where they lie, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass

Index = tuple[int, ...]

INPUT = "input"
"""What the input of the net is called where a step reads it."""


@dataclass(frozen=True)
class Place:
    """Where one number lies: in the value of a step, in a tensor, or in the input.

    >>> str(Place("conv1", (0, 3, 5, 5)))
    'conv1[0, 3, 5, 5]'
    """

    path: str
    """Of the step or tensor. A number of a step can be explained in its turn."""
    index: Index
    """In an array of values the sample comes first."""

    def __str__(self) -> str:
        return f"{self.path}[{', '.join(map(str, self.index))}]"


@dataclass(frozen=True)
class Number:
    """A number on the way, such as the mean of a normalisation."""

    name: str
    value: float
    at: Place | None = None
    """Which number that was read it is made of, if it is one alone."""


@dataclass(frozen=True)
class Term:
    """One of the numbers that add up."""

    value: float
    """What was read."""
    weight: float | None
    """What it is multiplied by; None where the kind does something else with it."""
    product: float
    """What it adds to the sum."""
    at: Place | None
    """Where the value lies; None in padding with a constant."""
    weight_at: Place | None = None
    """Where the weight lies; None if it is no tensor's, but follows from the kind."""
    note: str = ""
    """What is done with the value instead of multiplying it; empty for a product."""


@dataclass(frozen=True)
class Explanation:
    """Where one number of a net comes from."""

    place: Place
    kind: str
    """The word of its kind."""
    formula: str
    terms: tuple[Term, ...]
    bias: float
    """What is added to the terms."""
    bias_at: Place | None
    """Where it lies, if it is a weight."""
    numbers: tuple[Number, ...]
    """What the weights of the terms or the bias are made of."""
    total: float
    """The sum of the terms, and the bias."""
    computed: float
    """The number that the net made."""

    def text(self) -> str:
        """A line for the number, one for each number on the way, and one for each term.

        >>> term = Term(3.0, 2.0, 6.0, Place(INPUT, (0, 0)), Place("dense1.weight", (0, 0)))
        >>> one = Place("dense1", (0, 0))
        >>> print(Explanation(one, "dense", "Σ value · weight", (term,), 0, None, (), 6, 6).text())
        dense1[0, 0] = 6, dense: Σ value · weight
          3 · 2 = 6   input[0, 0]   dense1.weight[0, 0]
        """
        rows = [_row(t.value, t.weight, t.product, t.at, t.weight_at, t.note) for t in self.terms]
        if self.bias or self.bias_at:
            where = str(self.bias_at) if self.bias_at else ""
            rows.append(("", "", "", "+", f"{self.bias:g}", where, "", ""))
        head = f"{self.place} = {self.total:g}, {self.kind}: {self.formula}"
        return "\n".join([head, *_named(self.numbers), *_aligned(rows)])


@dataclass(frozen=True)
class GradientTerm:
    """What one use of a weight says of it."""

    upstream: float
    """How much the sum over the results changes with what was made with the weight."""
    value: float
    """How much that changes with the weight: in a sum of products, what was multiplied by it."""
    product: float
    at_output: Place
    """What was made; of the length of a filter, the weight that it lengthens."""
    at_input: Place | None
    """Where the value was read; None in padding with a constant, and where it was not read."""


@dataclass(frozen=True)
class GradientExplanation:
    """Where the gradient of one weight comes from."""

    place: Place
    formula: str
    terms: tuple[GradientTerm, ...]
    numbers: tuple[Number, ...]
    """What comes after the sum, if the weight is worked on before it is used: the chain rule."""
    total: float
    """The sum of the terms; after the chain rule, if there is one."""
    computed: float
    """The gradient that the whole backward pass gives."""

    def text(self) -> str:
        """A line for the gradient, and one for each term and each number after the sum.

        >>> term = GradientTerm(0.5, 3.0, 1.5, Place("dense1", (0, 0)), Place(INPUT, (0, 0)))
        >>> weight = Place("dense1.weight", (0, 0))
        >>> print(GradientExplanation(weight, "Σ upstream · value", (term,), (), 1.5, 1.5).text())
        gradient of dense1.weight[0, 0] = 1.5: Σ upstream · value
          0.5 · 3 = 1.5   dense1[0, 0]   input[0, 0]
        """
        rows = [
            _row(t.upstream, t.value, t.product, t.at_output, t.at_input, "") for t in self.terms
        ]
        head = f"gradient of {self.place} = {self.total:g}: {self.formula}"
        return "\n".join([head, *_aligned(rows), *_named(self.numbers)])


_Row = tuple[str, ...]


def _row(
    left: float,
    right: float | None,
    product: float,
    at: Place | None,
    with_: Place | None,
    note: str,
) -> _Row:
    factors = (f"{left:g}", "", "")
    if right is not None:
        factors = (f"{left:g}", "," if note else "·", f"{right:g}")
    places = (str(at or "padding"), str(with_ or ""))
    return (*factors, "→" if note else "=", f"{product:g}", *places, note)


def _aligned(rows: list[_Row]) -> list[str]:
    """Numbers to the right, places to the left, columns that are empty everywhere left out."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        numbers = [cell.rjust(width) for cell, width in zip(row[:5], widths, strict=False) if width]
        places = [
            cell.ljust(width) for cell, width in zip(row[5:], widths[5:], strict=True) if width
        ]
        lines.append("   ".join(["  " + " ".join(numbers), *places]).rstrip())
    return lines


def _named(numbers: tuple[Number, ...]) -> list[str]:
    return [
        f"  {number.name}: {number.value:g}" + (f"   {number.at}" if number.at else "")
        for number in numbers
    ]
