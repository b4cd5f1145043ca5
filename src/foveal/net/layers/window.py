"""The geometry that convolution and pooling share: where windows lie and what they miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

from foveal import checks
from foveal.errors import ShapeError
from foveal.net.kind import Kind, Pads, Shape, per_axis, shape_text, spatial
from foveal.net.reach import Reach
from foveal.net.reach import window as window_reach

PADDINGS = ("valid", "same", "same_lower", "preserve", "causal")
"""The words for padding where it may hold anything; pooling knows those that lose no window."""
_AXES = ((), ("positions",), ("rows", "columns"), ("slices", "rows", "columns"))
"""What positions along each axis are called, by the number of axes."""


@dataclass(frozen=True)
class Window:
    """A sliding window along one axis: n positions arrive, padding included at both ends."""

    n: int
    kernel_size: int
    stride: int
    dilation: int
    before: int
    after: int
    beyond: int = 0
    """Positions that only `ceil` reads, after picture and padding; they hold nothing."""

    @property
    def span(self) -> int:
        """Positions from the first tap to the last."""
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def slack(self) -> int:
        """How far the window can slide; negative if it does not fit."""
        return self.n + self.before + self.after + self.beyond - self.span

    @property
    def output(self) -> int:
        """floor((n + before + after - span) / stride) + 1 (arXiv:1603.07285)."""
        return self.slack // self.stride + 1

    @property
    def rest(self) -> int:
        """What remains when the stride does not divide the way: (n + 2p - f) mod s."""
        return self.slack % self.stride

    @property
    def unseen(self) -> int:
        """Positions of the picture after the last window, which no output ever reads."""
        return max(0, self.rest - self.after)

    @property
    def residues(self) -> int:
        """How many of every `stride` positions some window reads; fewer than all leave gaps."""
        return min(self.kernel_size, self.stride // gcd(self.stride, self.dilation))

    def fitting(self) -> tuple[int, int]:
        """The nearest padding with which the last window ends with the last position."""
        lack = -self.slack % self.stride
        if self.before == self.after:
            if self.rest % 2 == 0 and self.rest <= min(lack, 2 * self.before):
                return (self.before - self.rest // 2,) * 2
            if lack % 2 == 0:
                return (self.before + lack // 2,) * 2
        return self.before, self.after + lack

    def way(self) -> str:
        """How far the window can slide, with the numbers put in: `39 + 2*1 - 3`."""
        if self.before == self.after:
            padding = f" + 2*{self.before}" if self.before else ""
        else:
            padding = f" + {self.before} + {self.after}"
        beyond = f" + {self.beyond} beyond" if self.beyond else ""
        return f"{self.n}{padding}{beyond} - {self.span}"

    def division(self) -> str:
        return f"({self.way()}) mod {self.stride} = {self.rest}"

    def formula(self) -> str:
        return f"floor(({self.way()}) / {self.stride}) + 1 = {self.output}"


class Windowed(Kind):
    """A kind whose outputs each read a window, as its fields of these names say."""

    kernel_size: int | tuple[int, ...]
    stride: Any
    """As the kernel where it is None."""
    padding: str | int | tuple[int | tuple[int, int], ...]
    dilation: int | tuple[int, ...]
    fill: float | str = 0.0
    ceil: bool = False

    def windows(self, ins: tuple[Shape, ...]) -> tuple[Window, ...]:
        return _windows(self, ins[0])

    def pads(self, ins: tuple[Shape, ...]) -> Pads:
        return tuple((axis.before, axis.after) for axis in self.windows(ins))

    def reach(self, ins: tuple[Shape, ...], axis: int) -> Reach | None:
        made = self.windows(ins)[axis]
        return window_reach(made.kernel_size, made.stride, made.dilation, made.before)

    def note(self, ins: tuple[Shape, ...]) -> str:
        made = self.windows(ins)
        notes = [_idle(self.fill, self.padding), *_padding_notes(made, self.padding)]
        return "; ".join(filter(None, [*notes, remainder(made)]))

    def formula(self, ins: tuple[Shape, ...]) -> str:
        """The output size with numbers put in: once if all axes are alike."""
        lines = [axis.formula() for axis in self.windows(ins)]
        return lines[0] if len(set(lines)) == 1 else ", ".join(lines)


def _windows(kind: Windowed, arriving: Shape) -> tuple[Window, ...]:
    """The window of a kind along each arriving axis; ShapeError if it does not fit."""
    sizes = spatial(kind, arriving)
    axes = len(sizes)
    kernels = per_axis(kind, "kernel_size", kind.kernel_size, axes)
    strides = kernels if kind.stride is None else per_axis(kind, "stride", kind.stride, axes)
    dilations = per_axis(kind, "dilation", kind.dilation, axes)
    made = []
    for axis, (n, k, s, d) in enumerate(zip(sizes, kernels, strides, dilations, strict=True)):
        before, after = _pads(kind, axis, axes, n, (k - 1) * d + 1, s)
        one = Window(n, k, s, d, before, after)
        made.append(replace(one, beyond=_beyond(one)) if kind.ceil else one)
    if any(axis.slack < 0 for axis in made):
        raise _does_not_fit(kind, arriving, made)
    check_fill(kind.fill, tuple((axis.before, axis.after) for axis in made), arriving)
    return tuple(made)


def check_fill(fill: float | str, pads: Pads, arriving: Shape) -> None:
    """ShapeError if padding that repeats the picture needs more than there is of it."""
    spare = {"reflect": 1, "circular": 0}.get(fill) if isinstance(fill, str) else None
    if spare is None:
        return
    for (before, after), n in zip(pads, arriving[1:], strict=True):
        if max(before, after) > n - spare:
            raise ShapeError(
                f"{fill} padding of {before}:{after} needs more than {n} positions",
                arrives=shape_text(arriving),
                fix=f"padding of at most {n - spare}, or replicate",
            )


def outputs(made: tuple[Window, ...]) -> Shape:
    return tuple(axis.output for axis in made)


def _pads(kind: Windowed, axis: int, axes: int, n: int, span: int, stride: int) -> tuple[int, int]:
    """Padding before and after, by its word or as given."""
    padding = kind.padding
    if isinstance(padding, str):
        if padding == "causal" and axes > 1:
            raise ShapeError(
                f"causal padding is for one axis, but {axes} arrive",
                fix=f"say it for each axis, before:after, such as {span - 1}:0x{span // 2}",
            )
        return _WORDS[padding](n, span, stride)
    side = per_axis(kind, "padding", padding, axes)[axis]
    return side if isinstance(side, tuple) else (side, side)


def _same(n: int, span: int, stride: int) -> tuple[int, int]:
    """As few as give ceil(n / stride) outputs; of an odd total the extra position after."""
    total = max((-(-n // stride) - 1) * stride + span - n, 0)
    return total // 2, total - total // 2


def _preserve(n: int, span: int, stride: int) -> tuple[int, int]:
    """p = (n (s - 1) + f - s) / 2 at either side, for n outputs; a half position goes after."""
    total = n * (stride - 1) + span - stride
    return total // 2, total - total // 2


_WORDS: dict[str, Callable[[int, int, int], tuple[int, int]]] = {
    "valid": lambda n, span, stride: (0, 0),
    "same": _same,
    "same_lower": lambda n, span, stride: _same(n, span, stride)[::-1],
    "preserve": _preserve,
    "causal": lambda n, span, stride: (span - 1, 0),
}
"""Each word for padding, by positions that arrive, span of the kernel and stride."""


def _beyond(axis: Window) -> int:
    """How far `ceil` lets the last window look; it must begin within picture and padding before."""
    if axis.slack < 0 or not axis.rest:
        return 0
    begins = axis.output * axis.stride
    return axis.stride - axis.rest if begins < axis.n + axis.before else 0


def _does_not_fit(kind: Kind, arriving: Shape, made: list[Window]) -> ShapeError:
    kernel = shape_text(tuple(axis.kernel_size for axis in made))
    dilated = shape_text(tuple(axis.span for axis in made))
    across = f" (dilated over {dilated})" if dilated != kernel else ""
    bare = shape_text(tuple(axis.n for axis in made))
    room = shape_text(tuple(axis.n + axis.before + axis.after for axis in made))
    padded = f" ({bare} and its padding)" if room != bare else ""
    smaller = "a smaller kernel" if kernel == dilated else "a smaller kernel or dilation"
    return ShapeError(
        f"kernel {kernel}{across} does not fit into {room}{padded}",
        arrives=shape_text(arriving),
        fix=f"padding same, {smaller}, or one pooling layer fewer",
    )


def _idle(fill: float | str, padding: object) -> str:
    """What was likely forgotten where padding is to hold something and there is none."""
    held = fill if isinstance(fill, str) else f"fill {checks.Fill().write(fill)}"
    return f"{held} has no padding to fill" if fill and padding in ("valid", 0) else ""


def _padding_notes(made: tuple[Window, ...], padding: object) -> Iterator[str]:
    """What a word for padding comes to where it is not the same at both ends, or is very much."""
    axes = dict.fromkeys(made)
    if padding == "preserve":
        for axis in axes:
            total, stride = axis.before + axis.after, axis.stride
            half = f"{total // 2}{'½' * (total % 2)}"
            yield f"preserve: p = ½[{axis.n}({stride} - 1) + {axis.span} - {stride}] = {half}"
        if any(axis.before >= axis.span for axis in made):
            yield "some windows lie wholly in padding, as p >= f"
    uneven = dict.fromkeys((axis.before, axis.after) for axis in axes if axis.before != axis.after)
    if isinstance(padding, str) and padding != "causal" and uneven:
        even = all(axis.span % 2 == 0 for axis in made if axis.before != axis.after)
        why = "as an even kernel has no middle: " if even else ""
        sides = " and ".join(f"{before} before, {after} after" for before, after in uneven)
        yield f"{padding} pads unevenly, {why}{sides}"


def remainder(made: tuple[Window, ...]) -> str:
    """What of the picture no window reads, between windows or after the last; empty if all is read.

    Where the stride does not divide, also the nearest padding with which it does.
    """
    skipping, missing = [], []
    for axis, name in zip(made, _AXES[len(made)], strict=True):
        if axis.residues < axis.stride:
            skipping.append((f"{axis.residues} of every {axis.stride}", name))
        elif axis.unseen:
            count = f"the last {axis.unseen}" if axis.unseen > 1 else "the last"
            missing.append((count, name if axis.unseen > 1 else name[:-1]))
    said = [f"reads only {_listed(skipping)}"] if skipping else []
    if missing:
        rests = dict.fromkeys(axis.division() for axis in made if axis.unseen)
        said.append(
            f"never sees {_listed(missing)}: {', '.join(rests)}; {_fitting(made)} would fit"
        )
    return "; ".join(said)


def _listed(counted: list[tuple[str, str]]) -> str:
    """`2 rows and columns` where the counts are alike, else `2 rows and 1 column`."""
    if len({count for count, _ in counted}) == 1:
        *names, last = (name for _, name in counted)
        return f"{counted[0][0]} " + (f"{', '.join(names)} and {last}" if names else last)
    return " and ".join(f"{count} {name}" for count, name in counted)


def _fitting(made: tuple[Window, ...]) -> str:
    """The padding of all axes, as the notation writes it, with which nothing is missed."""
    sides = [axis.fitting() if axis.unseen else (axis.before, axis.after) for axis in made]
    alike = len(set(sides)) == 1 and sides[0][0] == sides[0][1]
    return "padding " + checks.Padding().write(
        sides[0][0] if alike else tuple(a if a == b else (a, b) for a, b in sides)
    )
