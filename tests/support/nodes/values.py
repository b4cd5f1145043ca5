"""Importers of what computes value by value, or normalises."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from support.nodes.cases import Array, Node, written
from support.nodes.saying import Importer, Said, around_axis, from_axis, rows


def pointwise(text: str | Callable[[Node], str]) -> Importer:
    """A layer that changes every value alone."""

    def said(node: Node) -> list[Said]:
        words = text if isinstance(text, str) else text(node)
        return [Said(words, rows(node.x), rows(node.makes[0]))]

    return said


def gelu(node: Node) -> str:
    return f"gelu approximate {node.said.get('approximate', b'none').decode()}"


def hard_sigmoid(node: Node) -> list[Said]:
    """max(0, min(1, alpha x + beta)); our `hardsigmoid` is the one with 1/6 and 1/2."""
    x = rows(node.x)
    factors = {"weight": node.said.get("alpha", 0.2), "bias": node.said.get("beta", 0.5)}
    weights = {f"scale1.{name}": np.full(x.shape[1], value) for name, value in factors.items()}
    return [Said("scale bias -> hardtanh 0 1", x, rows(node.makes[0]), weights)]


def clip(node: Node) -> str:
    """Bounds that are left out are the largest numbers of their type."""
    kind = node.x.dtype
    widest = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
    low, high = (
        float(node.read(index)) if node.has(index) else float(limit)
        for index, limit in ((1, widest.min), (2, widest.max))
    )
    return f"hardtanh {written(low)} {written(high)}"


def over_axis(node: Node, word: str) -> list[Said]:
    """A softmax over any axis, as one over the channels."""
    axis = node.axis(-1)
    return [Said(word, around_axis(node.x, axis), around_axis(node.makes[0], axis))]


def dropout(node: Node) -> list[Said]:
    """Nothing is dropped: the net predicts, or the ratio is 0."""
    ratio = float(node.read(1)) if node.has(1) else node.said.get("ratio", 0.5)
    training = node.has(2) and bool(node.read(2))
    x, y = rows(node.x), rows(node.makes[0])
    return [Said(f"dropout {written(ratio)}", x, y, training=training)]


def affine(path: str, weight: Array, bias: Array) -> dict[str, Array]:
    return {f"{path}.weight": weight, f"{path}.bias": bias}


def batch_norm(node: Node) -> list[Said]:
    """ONNX counts the share of the old statistics as momentum, we that of the new ones."""
    x, old = node.x, dict(zip(("mean", "var"), map(node.read, (3, 4)), strict=True))
    share = node.said.get("momentum", 0.9)
    text = f"batchnorm eps {node.number('epsilon', 1e-5)} momentum {written(1 - share)}"
    weights = affine("batchnorm1", node.read(1), node.read(2))
    weights |= {f"batchnorm1.running_{name}": value for name, value in old.items()}
    if not node.said.get("training_mode", 0):
        return [Said(text, x, node.makes[0], weights)]
    axes, count = (0, *range(2, x.ndim)), x.size // x.shape[1]
    # We keep the unbiased variance of the batch, as PyTorch does, and ONNX the biased one.
    mean, var = node.makes[1], node.makes[2]
    var = share * old["var"] + (var - share * old["var"]) * count / (count - 1)
    return [
        Said(
            text,
            x,
            node.makes[0],
            weights,
            training=True,
            kept={"batchnorm1.running_mean": mean, "batchnorm1.running_var": var},
            deployed={
                "batchnorm1.running_mean": x.mean(axes),
                "batchnorm1.running_var": x.var(axes),
            },
        )
    ]


def instance_norm(node: Node) -> list[Said]:
    text = f"instancenorm eps {node.number('epsilon', 1e-5)}"
    weights = affine("instancenorm1", node.read(1), node.read(2))
    return [Said(text, node.x, node.makes[0], weights)]


def group_norm(node: Node) -> list[Said]:
    text = f"groupnorm {node.said['num_groups']} eps {node.number('epsilon', 1e-5)}"
    weights = affine("groupnorm1", node.read(1), node.read(2))
    return [Said(text, node.x, node.makes[0], weights)]


def layer_norm(node: Node) -> list[Said]:
    """Over the last axes: those before them are the batch."""
    axis = node.axis(-1)
    x, y = (from_axis(array, axis) for array in (node.x, node.makes[0]))
    text = f"layernorm {'all ' * (x.ndim > 2)}eps {node.number('epsilon', 1e-5)}"
    weights = affine("layernorm1", node.read(1), node.read(2))
    plain = f"{text} no affine"
    mean, inverse = (array.reshape(-1) for array in node.makes[1:])
    return [
        Said(text, x, y, weights),
        Said(plain, x, mean, read=lambda made: -np.divide(*reversed(line(x, made)))),
        Said(plain, x, inverse, read=lambda made: line(x, made)[0]),
    ]


def line(x: Array, y: Array) -> Array:
    """Slope and start of the line y = slope x + start on which the values of each sample lie."""
    pairs = zip(x.reshape(len(x), -1), y.reshape(len(y), -1), strict=True)
    return np.array([np.polyfit(a.astype(float), b, 1) for a, b in pairs]).T


def response_norm(node: Node) -> list[Said]:
    factors = {"alpha": 1e-4, "beta": 0.75, "bias": 1.0}
    alpha, beta, k = (node.number(name, value) for name, value in factors.items())
    text = f"lrn {node.said['size']} alpha {alpha} beta {beta} k {k}"
    return [Said(text, node.x, node.makes[0])]


VALUES: dict[str, Importer] = {
    "Identity": pointwise("identity"),
    "Relu": pointwise("relu"),
    "LeakyRelu": pointwise(lambda node: f"leakyrelu {node.number('alpha', 0.01)}"),
    "Elu": pointwise(lambda node: f"elu {node.number('alpha', 1.0)}"),
    "Gelu": pointwise(gelu),
    "Swish": pointwise("silu"),
    "HardSwish": pointwise("hardswish"),
    "HardSigmoid": hard_sigmoid,
    "Softplus": pointwise("softplus"),
    "Sigmoid": pointwise("sigmoid"),
    "Tanh": pointwise("tanh"),
    "Clip": pointwise(clip),
    "Softmax": partial(over_axis, word="softmax"),
    "LogSoftmax": partial(over_axis, word="logsoftmax"),
    "Dropout": dropout,
    "BatchNormalization": batch_norm,
    "InstanceNormalization": instance_norm,
    "GroupNormalization": group_norm,
    "LayerNormalization": layer_norm,
    "LRN": response_norm,
}
