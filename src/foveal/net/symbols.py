"""The arithmetic in the symbols of the articles, with the numbers put in.

For layer l: n[l] is the height and width of its maps (n_h and n_w where they differ), n_c[l] their
number, f its filter, p its padding, s its stride; layer 0 is the picture. A dilated filter spans
d(f - 1) + 1, and with g groups a filter sees n_c / g maps.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from foveal.net.kind import Kind
from foveal.net.layers import AvgPool, Concat, Conv, Dense, MaxPool
from foveal.net.layers.window import Window
from foveal.net.program import Program, Step

_AXES = (("",), ("",), ("_h", "_w"), ("_d", "_h", "_w"))


class _Labels:
    """Which layer l a value has its size and its channels from, in symbols."""

    def __init__(self) -> None:
        self.layers = 0
        self.sizes = {0: "0"}
        self.channels = {0: "n_c[0]"}

    def number(self, step: Step) -> str:
        self.layers += 1
        self.sizes[step.output] = str(self.layers)
        self.channels[step.output] = f"n_c[{self.layers}]"
        return str(self.layers)

    def pass_on(self, step: Step) -> None:
        """A step that is no layer: cut to size it is the picture, else it is what it reads."""
        first = step.inputs[0]
        self.sizes[step.output] = "0" if step.kind.geometric else self.sizes[first]
        joined = isinstance(step.kind, Concat) and len(step.inputs) > 1
        self.channels[step.output] = (
            f"({' + '.join(self.channels[value] for value in step.inputs)})"
            if joined
            else self.channels[first]
        )


def symbols(program: Program) -> str:
    """Every convolution, pooling and dense layer in the symbols of the articles.

    Use it to read a net beside a paper or a lecture: the equation, the same with the numbers of
    this net, the result.
    """
    labels = _Labels()
    blocks = [_picture(program)]
    for step in program.steps:
        lines = _lines(step, labels)
        if lines:
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _picture(program: Program) -> str:
    if len(program.input) == 1:
        return f"n_c[0] = {program.input[0]}"
    first = next((s.shape for s in reversed(program.steps) if s.kind.geometric), program.input)
    return f"{_sizes(first[1:], '0')}, n_c[0] = {first[0]}"


def _sizes(sizes: tuple[int, ...], layer: str) -> str:
    if len(set(sizes)) == 1:
        return f"n[{layer}] = {sizes[0]}"
    return ", ".join(
        f"n{axis}[{layer}] = {n}" for axis, n in zip(_AXES[len(sizes)], sizes, strict=True)
    )


def _lines(step: Step, labels: _Labels) -> list[str]:
    describe = LAYERS.get(type(step.kind))
    if describe is not None:
        return describe(step, labels)
    labels.pass_on(step)
    return _other_params(step)


def _conv(step: Step, labels: _Labels) -> list[str]:
    source = step.inputs[0]
    before, channels = labels.sizes[source], labels.channels[source]
    layer = labels.number(step)
    made = step.kind.windows(step.ins)
    weight = step.tensors[0].shape
    alike = len({axis.kernel_size for axis in made}) == 1
    names = [f"f[{layer}]" if alike else f"f{a}[{layer}]" for a in _AXES[len(made)]]
    groups = step.ins[0][0] // weight[1]
    share = f"{channels}/{groups}" if groups > 1 else channels
    count = f"{step.ins[0][0]}/{groups}" if groups > 1 else str(weight[1])
    return [
        _title(layer, step),
        *_windows(made, before, layer),
        f"n_c[{layer}] = {step.shape[0]}",
        *_params(
            layer,
            " x ".join([*names, share]),
            " x ".join([*(str(axis.kernel_size) for axis in made), count]),
            step,
        ),
    ]


def _pool(step: Step, labels: _Labels) -> list[str]:
    source = step.inputs[0]
    before, channels = labels.sizes[source], labels.channels[source]
    layer = labels.number(step)
    return [
        _title(layer, step),
        *_windows(step.kind.windows(step.ins), before, layer),
        f"n_c[{layer}] = {channels} = {step.shape[0]}",
        f"learnable params l[{layer}] = 0",
    ]


def _dense(step: Step, labels: _Labels) -> list[str]:
    features = str(step.ins[0][0])
    layer = labels.number(step)
    return [
        _title(layer, step),
        f"n_c[{layer}] = {step.shape[0]}",
        *_params(layer, f"inputs[{layer}]", features, step),
    ]


LAYERS: dict[type[Kind], Callable[[Step, _Labels], list[str]]] = {
    Conv: _conv,
    MaxPool: _pool,
    AvgPool: _pool,
    Dense: _dense,
}
"""What counts as a layer l; every other kind only passes on what it reads."""


def _title(layer: str, step: Step) -> str:
    return f"l = {layer}: {step.path} ({type(step.kind).__name__})"


def _windows(made: tuple[Window, ...], before: str, layer: str) -> list[str]:
    """One equation if all axes are alike, otherwise one for each."""
    if len(set(made)) == 1:
        return [_window(made[0], "", before, layer)]
    return [
        _window(axis, name, before, layer)
        for axis, name in zip(made, _AXES[len(made)], strict=True)
    ]


def _window(axis: Window, name: str, before: str, layer: str) -> str:
    even = axis.before == axis.after
    padding = "2p" if even else "p_before + p_after"
    padded = str(2 * axis.before) if even else f"{axis.before} + {axis.after}"
    kernel = "f" if axis.dilation == 1 else "d(f - 1) - 1"
    span = str(axis.kernel_size)
    if axis.dilation > 1:
        span = f"{axis.dilation}({axis.kernel_size} - 1) - 1"
    return (
        f"n{name}[{layer}] = ⌊(n{name}[{before}] + {padding} - {kernel})/s + 1⌋"
        f" = ⌊({axis.n} + {padded} - {span})/{axis.stride} + 1⌋ = {axis.output}"
    )


def _params(layer: str, in_symbols: str, in_numbers: str, step: Step) -> list[str]:
    """(f x f x n_c + 1) x n_c: the weights of a filter, its bias, times the filters."""
    bias = len(step.tensors) > 1
    total = sum(tensor.size for tensor in step.tensors)
    return [
        f"learnable params l[{layer}] = {_filter(in_symbols, bias)} x n_c[{layer}]"
        f" = {_filter(in_numbers, bias)} x {step.shape[0]} = {total}"
        + ("" if step.owner == step.path else f" (those of {step.owner})")
    ]


def _filter(product: str, bias: bool) -> str:
    return f"({product} + 1)" if bias else product


def _other_params(step: Step) -> list[str]:
    trained = [tensor for tensor in step.tensors if tensor.trained]
    if not trained:
        return []
    sizes = " + ".join(" x ".join(map(str, tensor.shape)) for tensor in trained)
    total = sum(prod(tensor.shape) for tensor in trained)
    return [f"learnable params {step.path} = {sizes} = {total}"]
