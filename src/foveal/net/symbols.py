"""The arithmetic in the symbols of the articles, with the numbers put in.

For layer l: n[l] is the height and width of its maps (n_h and n_w where they differ), n_c[l] their
number, f its filter, p its padding, s its stride; layer 0 is the picture. A dilated filter spans
d(f - 1) + 1, and with g groups a filter sees n_c / g maps. Maps of a transposed convolution have
p_more positions added at their end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from foveal.net.kind import Kind, Shape
from foveal.net.layers import (
    AvgPool,
    Concat,
    Conv,
    ConvTranspose,
    Dense,
    Depthwise,
    Flatten,
    LocallyConnected,
    LpPool,
    MaxPool,
    MinPool,
    StochasticPool,
    SumPool,
)
from foveal.net.layers.transposed import Axis
from foveal.net.layers.window import Window
from foveal.net.program import Program, Step

_AXES = ((), ("",), ("_h", "_w"), ("_d", "_h", "_w"))


class _Labels:
    """For every value: the layer l whose size it has, and its channels in symbols and numbers."""

    def __init__(self, program: Program) -> None:
        self.layers = 0
        self.begun = False
        """Whether a step has changed what is layer 0."""
        self.sizes = {0: "0"}
        self.channels = {0: ("n_c[0]", str(program.input[0]))}

    def number(self, step: Step) -> str:
        """The number of a step that is a layer."""
        self.layers += 1
        self.begun = True
        self.sizes[step.output] = str(self.layers)
        self.channels[step.output] = (f"n_c[{self.layers}]", str(step.shape[0]))
        return str(self.layers)

    def pass_on(self, step: Step) -> None:
        """A step that is no layer has size and channels of what it reads.

        Of several values it reads: those of one that is like what is made, or that has as many.
        """
        read = sorted(zip(step.inputs, step.ins, strict=True), key=lambda v: v[1] != step.shape)
        axes = [value for value, shape in read if shape[1:] == step.shape[1:]]
        channels = [value for value, shape in read if shape[0] == step.shape[0]]
        self.sizes[step.output] = self.sizes[[*axes, step.inputs[0]][0]]
        self.channels[step.output] = self.channels[[*channels, step.inputs[0]][0]]

    def name(self, step: Step) -> list[str]:
        """What a step has changed that is no layer, called by its path; lines that say it."""
        lines = []
        if all(step.shape[1:] != shape[1:] for shape in step.ins):
            self.sizes[step.output] = step.path
            lines += _sizes(step.shape[1:], step.path)
        laid_out = len(step.ins[0]) == 1 < len(step.shape)
        if laid_out or all(step.shape[0] != shape[0] for shape in step.ins):
            self.channels[step.output] = f"n_c[{step.path}]", str(step.shape[0])
            lines.append(f"n_c[{step.path}] = {step.shape[0]}")
        self.begun = self.begun or bool(lines)
        return lines


def symbols(program: Program) -> str:
    """Every convolution, pooling and dense layer in the symbols of the articles.

    Use it to read a net beside a paper or a lecture: the equation, the same with the numbers of
    this net, the result.
    """
    labels = _Labels(program)
    blocks = [_picture(program)]
    for step in program.steps:
        lines = STEPS.get(type(step.kind), _other)(step, labels)
        if lines:
            blocks.append("\n".join(lines))
    total = sum(tensor.size for tensor in program.tensors().values() if tensor.trained)
    return "\n\n".join([*blocks, f"learnable params in all = {total}"])


def _picture(program: Program) -> str:
    """Layer 0: the input, or what is left of it when it has been cut to size."""
    picture = program.input
    for step in program.steps:
        if type(step.kind) in STEPS or (step.shape != step.ins[0] and not step.kind.geometric):
            break
        picture = step.shape
    return ", ".join([*_sizes(picture[1:], "0"), f"n_c[0] = {picture[0]}"])


def _sizes(sizes: Shape, layer: str) -> list[str]:
    if len(set(sizes)) == 1:
        return [f"n[{layer}] = {sizes[0]}"]
    return [f"n{axis}[{layer}] = {n}" for axis, n in zip(_AXES[len(sizes)], sizes, strict=True)]


def _conv(step: Step, labels: _Labels) -> list[str]:
    before = labels.sizes[step.inputs[0]]
    channels = _seen(step, labels)
    layer = labels.number(step)
    made = step.kind.windows(step.ins)
    names, sizes = _kernel([axis.kernel_size for axis in made], layer)
    return [
        _title(layer, step),
        *_windows(made, before, layer),
        f"n_c[{layer}] = {step.shape[0]}",
        _one_kernel_for_all(layer, step, labels, names, sizes)
        if isinstance(step.kind, Depthwise) and step.kind.shared
        else _params(layer, step, [*names, *channels[0]], [*sizes, *channels[1]]),
    ]


def _local(step: Step, labels: _Labels) -> list[str]:
    """A convolution whose filters are others at every position of the map."""
    *lines, params = _conv(step, labels)
    layer, positions = labels.sizes[step.output], " x ".join(map(str, step.shape[1:]))
    total = sum(tensor.size for tensor in step.tensors)
    shared = params.rpartition(" = ")[0].partition(" = ")[2]
    in_symbols, _, in_numbers = shared.partition(" = ")
    sizes = _size_names(step.shape[1:], layer)
    return [
        *lines,
        f"learnable params l[{layer}] = {in_symbols} x {' x '.join(sizes)}"
        f" = {in_numbers} x {positions} = {total}{_shared(step)}",
    ]


def _transposed(step: Step, labels: _Labels) -> list[str]:
    before = labels.sizes[step.inputs[0]]
    channels = _seen(step, labels)
    layer = labels.number(step)
    axes = cast(ConvTranspose, step.kind).axes(step.ins)
    names, sizes = _kernel([axis.kernel_size for axis in axes], layer)
    named = zip(axes, _AXES[len(axes)] if len(set(axes)) > 1 else ("",), strict=False)
    return [
        _title(layer, step),
        *(_laid_down(axis, name, before, layer) for axis, name in named),
        f"n_c[{layer}] = {step.shape[0]}",
        _params(layer, step, [*names, *channels[0]], [*sizes, *channels[1]]),
    ]


def _laid_down(axis: Axis, name: str, before: str, layer: str) -> str:
    """The size that kernels laid down `stride` apart make, less what is cut off."""
    span = "d(f - 1) + 1" if axis.dilation > 1 else "f"
    cut = "2p" if axis.before == axis.after else "p_before - p_after"
    more = " + p_more" if axis.more else ""
    in_symbols = f"s(n{name}[{before}] - 1) + {span} - {cut}{more}"
    return f"n{name}[{layer}] = {in_symbols} = {axis.formula()}"


def _seen(step: Step, labels: _Labels) -> tuple[list[str], list[str]]:
    """How many maps a filter has weights for, in symbols and numbers; nothing for one."""
    name, count = labels.channels[step.inputs[0]]
    match step.kind:
        case Depthwise() | Conv(shared=True):
            return [], []
        case Conv(groups=groups) | ConvTranspose(groups=groups) if groups > 1:
            return [f"{name}/{groups}"], [f"{count}/{groups}"]
    return [name], [count]


def _kernel(sizes: list[int], layer: str) -> tuple[list[str], list[str]]:
    alike = len(set(sizes)) == 1
    names = [f"f{'' if alike else axis}[{layer}]" for axis in _AXES[len(sizes)]]
    return names, [str(size) for size in sizes]


def _pool(step: Step, labels: _Labels) -> list[str]:
    before = labels.sizes[step.inputs[0]]
    channels, _ = labels.channels[step.inputs[0]]
    layer = labels.number(step)
    return [
        _title(layer, step),
        *_windows(step.kind.windows(step.ins), before, layer),
        f"n_c[{layer}] = {channels} = {step.shape[0]}",
        f"learnable params l[{layer}] = 0",
    ]


def _dense(step: Step, labels: _Labels) -> list[str]:
    features, count = labels.channels[step.inputs[0]]
    layer = labels.number(step)
    return [
        _title(layer, step),
        f"n_c[{layer}] = {step.shape[0]}",
        _params(layer, step, [features], [count]),
    ]


def _size_names(sizes: Shape, layer: str) -> list[str]:
    return [f"n{'' if len(set(sizes)) == 1 else axis}[{layer}]" for axis in _AXES[len(sizes)]]


def _flatten(step: Step, labels: _Labels) -> list[str]:
    """Flat features are as many as a map has positions, times the maps."""
    before = labels.sizes[step.inputs[0]]
    channels, count = labels.channels[step.inputs[0]]
    labels.pass_on(step)
    names = _size_names(step.ins[0][1:], before)
    numbers = [str(n) for n in step.ins[0][1:]]
    labels.channels[step.output] = " x ".join([*names, channels]), " x ".join([*numbers, count])
    return []


def _concat(step: Step, labels: _Labels) -> list[str]:
    labels.pass_on(step)
    if len(step.inputs) > 1:
        names, counts = zip(*(labels.channels[value] for value in step.inputs), strict=True)
        labels.channels[step.output] = f"({' + '.join(names)})", f"({' + '.join(counts)})"
    return []


def _other(step: Step, labels: _Labels) -> list[str]:
    """No layer of its own; where it changes the maps, it gives their size and number its name."""
    labels.pass_on(step)
    lines = labels.name(step) if labels.begun or not step.kind.geometric else []
    trained = [tensor for tensor in step.tensors if tensor.trained]
    if trained:
        sizes = " + ".join(" x ".join(map(str, tensor.shape)) for tensor in trained)
        total = sum(tensor.size for tensor in trained)
        lines.append(f"learnable params {step.path} = {sizes} = {total}{_shared(step)}")
    return lines


STEPS: dict[type[Kind], Callable[[Step, _Labels], list[str]]] = {
    Conv: _conv,
    Depthwise: _conv,
    LocallyConnected: _local,
    ConvTranspose: _transposed,
    **dict.fromkeys((MaxPool, MinPool, AvgPool, SumPool, LpPool, StochasticPool), _pool),
    Dense: _dense,
    Flatten: _flatten,
    Concat: _concat,
}
"""Kinds that are a layer l, or change what the next layer reads."""


def _title(layer: str, step: Step) -> str:
    return f"l = {layer}: {step.path} ({type(step.kind).__name__})"


def _windows(made: tuple[Window, ...], before: str, layer: str) -> list[str]:
    """One equation if all axes are alike, otherwise one for each."""
    if len(set(made)) == 1:
        return [_window(made[0], "", before, layer)]
    named = zip(made, _AXES[len(made)], strict=True)
    return [_window(axis, name, before, layer) for axis, name in named]


def _window(axis: Window, name: str, before: str, layer: str) -> str:
    even = axis.before == axis.after
    padding = "2p" if even else "p_before + p_after"
    padded = str(2 * axis.before) if even else f"{axis.before} + {axis.after}"
    kernel, span = "f", str(axis.kernel_size)
    if axis.dilation > 1:
        kernel, span = "d(f - 1) - 1", f"{axis.dilation}({axis.kernel_size} - 1) - 1"
    down, up = "⌈⌉" if axis.beyond else "⌊⌋"
    return (
        f"n{name}[{layer}] = {down}(n{name}[{before}] + {padding} - {kernel})/s + 1{up}"
        f" = {down}({axis.n} + {padded} - {span})/{axis.stride} + 1{up} = {axis.output}"
    )


def _params(layer: str, step: Step, names: list[str], numbers: list[str]) -> str:
    """(f x f x n_c + 1) x n_c: the weights of a filter and its bias, times the filters."""
    more = [" + 1" for tensor in step.tensors[1:]]
    in_symbols, in_numbers = (
        f"({' x '.join(factors)}{''.join(more)})" if more else " x ".join(factors)
        for factors in (names, numbers)
    )
    total = sum(tensor.size for tensor in step.tensors)
    return (
        f"learnable params l[{layer}] = {in_symbols} x n_c[{layer}]"
        f" = {in_numbers} x {step.shape[0]} = {total}{_shared(step)}"
    )


def _one_kernel_for_all(
    layer: str, step: Step, labels: _Labels, names: list[str], numbers: list[str]
) -> str:
    """Of a depthwise layer that has no more kernels than it makes maps of one channel."""
    channels, count = labels.channels[step.inputs[0]]
    total = sum(tensor.size for tensor in step.tensors)
    in_symbols = _kernels_and_more(step, names, f"n_c[{layer}]", channels)
    in_numbers = _kernels_and_more(step, numbers, str(step.shape[0]), count)
    return f"learnable params l[{layer}] = {in_symbols} = {in_numbers} = {total}{_shared(step)}"


def _kernels_and_more(step: Step, kernel: list[str], maps: str, channels: str) -> str:
    """A kernel and a length (`gain`) for each map of one channel, a bias for each map of all."""
    each = f"{maps}/{channels}"
    more = [each if tensor.name == "gain" else maps for tensor in step.tensors[1:]]
    return " + ".join([" x ".join([*kernel, each]), *more])


def _shared(step: Step) -> str:
    return "" if step.owner == step.path else f" (shared with {step.owner})"
