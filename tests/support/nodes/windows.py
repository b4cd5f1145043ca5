"""Importers of what slides a window, or lays out a picture anew."""

from __future__ import annotations

from functools import partial
from math import prod

import numpy as np
from support.nodes.cases import Array, Node, written
from support.nodes.saying import Importer, Said, sizes, together

AUTO_PAD = {b"NOTSET": "", b"VALID": "valid", b"SAME_UPPER": "same", b"SAME_LOWER": "same_lower"}
FILLS = {b"reflect": "reflect", b"edge": "replicate", b"wrap": "circular"}


def padding(node: Node, axes: int) -> str:
    """Padding in our notation: a word, or before and after each axis."""
    word = AUTO_PAD[node.said.get("auto_pad", b"NOTSET")]
    pads = node.said.get("pads", [0] * 2 * axes)
    return word or "x".join(f"{pads[axis]}:{pads[axes + axis]}" for axis in range(axes))


def window(node: Node, kernel: tuple[int, ...]) -> str:
    """Kernel, stride and dilation, all of them written out."""
    ones = [1] * len(kernel)
    strides, dilations = (node.said.get(name, ones) for name in ("strides", "dilations"))
    return f"{sizes(kernel)} stride {sizes(strides)} dilation {sizes(dilations)}"


def conv(node: Node) -> list[Said]:
    weight = node.read(1)
    groups, kernel = node.said.get("group", 1), weight.shape[2:]
    text = f"conv {len(weight)} {window(node, kernel)} padding {padding(node, len(kernel))}"
    return [learned(node, f"{text} groups {groups}", "conv1")]


def conv_transpose(node: Node) -> list[Said]:
    """Where the size of the output is given, padding follows from it; if below 0, it is added."""
    weight = node.read(1)
    groups, kernel = node.said.get("group", 1), weight.shape[2:]
    more = list(node.said.get("output_padding", [0] * len(kernel)))
    pads = padding(node, len(kernel))
    if "output_shape" in node.said:
        whole = np.array(node.makes[0].shape[2:]) - unpadded(node, kernel)
        cut = [more_ - gap for more_, gap in zip(more, whole, strict=True)]
        pads = "x".join(f"{total - total // 2}:{total // 2}" for total in np.maximum(cut, 0))
        more = [added - min(total, 0) for added, total in zip(more, cut, strict=True)]
    text = f"convtranspose {weight.shape[1] * groups} {window(node, kernel)} padding {pads}"
    text += f" output_padding {sizes(more)} groups {groups}"
    return [learned(node, text, "convtranspose1")]


def unpadded(node: Node, kernel: tuple[int, ...]) -> Array:
    """How large a transposed convolution makes each axis before anything is cut off or added."""
    ones = [1] * len(kernel)
    strides, dilations = (node.said.get(name, ones) for name in ("strides", "dilations"))
    spans = np.multiply(dilations, np.subtract(kernel, 1)) + 1
    made: Array = np.multiply(strides, np.subtract(node.x.shape[2:], 1)) + spans
    return made


def learned(node: Node, text: str, path: str) -> Said:
    """A layer with a weight, and a bias if the node has one."""
    weights = {f"{path}.weight": node.read(1)}
    if node.has(2):
        return Said(text, node.x, node.makes[0], weights | {f"{path}.bias": node.read(2)})
    return Said(f"{text} no bias", node.x, node.makes[0], weights)


def pool(node: Node, word: str) -> list[Said]:
    kernel = tuple(node.said["kernel_shape"])
    text = f"{word} {window(node, kernel)} padding {padding(node, len(kernel))}"
    text += " ceil" * node.said.get("ceil_mode", 0)
    text += " count_include_pad" * node.said.get("count_include_pad", 0)
    if word == "lppool":
        text += f" p {node.said.get('p', 2)}"
    values = Said(text, node.x, node.makes[0])
    return [values, places(node, text)] if len(node.makes) > 1 else [values]


def places(node: Node, text: str) -> Said:
    """Where the largest values are: those which, a little larger, make the output larger."""
    x = node.x
    planes = np.eye(prod(x.shape[2:]), dtype=x.dtype).reshape(-1, 1, 1, *x.shape[2:])
    little = np.diff(np.unique(x)).min() / 2
    batch = np.concatenate([x[None], x + little * planes])
    numbers = numbered(x.shape, columns_first=bool(node.said.get("storage_order", 0)))

    def read(made: Array) -> Array:
        before, *after = made.reshape(len(batch), *x.shape[:2], *made.shape[2:])
        moved = np.array(after) > before
        assert (moved.sum(0) == 1).all(), "one place each makes the output larger"
        at = moved.argmax(0).reshape(*x.shape[:2], -1)
        found: Array = np.take_along_axis(numbers, at, axis=2)
        return found.reshape(after[0].shape)

    return Said(text, batch.reshape(-1, *x.shape[1:]), node.makes[1], read=read)


def numbered(shape: tuple[int, ...], columns_first: bool) -> Array:
    """The number of each value of an array, (N, C, positions)."""
    planes, sizes = shape[:2], shape[2:]
    numbers = np.arange(prod(shape)).reshape(*planes, *(sizes[::-1] if columns_first else sizes))
    if columns_first:
        numbers = numbers.transpose(0, 1, *range(len(shape) - 1, 1, -1))
    return numbers.reshape(*planes, -1)


def unpool(node: Node) -> list[Said]:
    """A picture whose largest values are where the indices say: 1 there, 0 elsewhere."""
    values, indices = node.read(0), node.read(1)
    kernel = node.said["kernel_shape"]
    strides, pads = node.said.get("strides", [1] * len(kernel)), node.said.get("pads")
    assert pads is None
    counted = (np.subtract(values.shape[2:], 1) * strides + kernel).tolist()
    sized = [*values.shape[:2], *counted]
    before = np.zeros(node.makes[0].shape)
    before[np.unravel_index(indices, sized)] = 1
    x, (put, seen) = together(values, before)
    text = f"maxunpool {sizes(kernel)} stride {sizes(strides)}( {put} | {seen} )"
    return [Said(text, x, node.makes[0])]


def global_pool(node: Node, word: str) -> list[Said]:
    return [Said(f"{word} keep", node.x, node.makes[0])]


def pad(node: Node) -> list[Said]:
    x, pads = node.x, node.read(1).reshape(2, -1)
    axes = node.read(3) if node.has(3) else np.arange(x.ndim)
    sides = np.zeros((x.ndim, 2), int)
    sides[axes] = pads.T
    assert (sides[:2] == 0).all(), "neither samples nor channels are padded"
    mode = node.said.get("mode", b"constant")
    value = float(node.read(2)) if node.has(2) else 0.0
    fill = f"fill {FILLS.get(mode, written(value))}"
    explicit = "x".join(f"{before}:{after}" for before, after in sides[2:])
    return [Said(f"pad {explicit} {fill}", x, node.makes[0])]


def resize(node: Node) -> list[Said]:
    """By a whole factor; what else a Resize may say is out of scope by name."""
    x, y = node.x, node.makes[0]
    factors = np.divide(y.shape[2:], x.shape[2:])
    assert (factors == factors.round()).all(), "not by a whole factor"
    mode = node.said.get("mode", b"nearest").decode()
    where = node.said.get("coordinate_transformation_mode", b"half_pixel")
    assert where in (b"half_pixel", b"align_corners")
    text = f"upsample {sizes(map(int, factors))} {mode}"
    return [Said(text + " align_corners" * (where == b"align_corners"), x, y)]


WINDOWS: dict[str, Importer] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": partial(pool, word="maxpool"),
    "AveragePool": partial(pool, word="avgpool"),
    "LpPool": partial(pool, word="lppool"),
    "MaxUnpool": unpool,
    "GlobalAveragePool": partial(global_pool, word="globalavgpool"),
    "GlobalMaxPool": partial(global_pool, word="globalmaxpool"),
    "Pad": pad,
    "Resize": resize,
    "Upsample": resize,
}
