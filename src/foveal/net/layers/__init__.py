"""Every layer kind there is: one dataclass each, a family per file."""

from foveal.net.kind import Kind, Merge
from foveal.net.layers.activation import ReLU, Sigmoid, Softmax, Tanh
from foveal.net.layers.convolution import Conv
from foveal.net.layers.dense import Dense, Flatten
from foveal.net.layers.entrance import Crop, Expect, Identity, Input, Normalise, Resize
from foveal.net.layers.merge import Add, Concat
from foveal.net.layers.normalisation import BatchNorm
from foveal.net.layers.pooling import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from foveal.net.layers.regularisation import Dropout

KINDS: tuple[type[Kind], ...] = (
    Input,
    Resize,
    Crop,
    Normalise,
    Expect,
    Identity,
    Conv,
    MaxPool,
    AvgPool,
    GlobalMaxPool,
    GlobalAvgPool,
    BatchNorm,
    ReLU,
    Tanh,
    Sigmoid,
    Softmax,
    Dropout,
    Flatten,
    Dense,
    Add,
    Concat,
)
"""The closed list; every engine has exactly one row for each."""

MERGES: tuple[type[Merge], ...] = (Add, Concat)

ACTIVATIONS: tuple[type[Kind], ...] = (ReLU, Tanh, Sigmoid, Softmax)
"""Kinds that may stand directly behind a layer: `conv 32 3 relu`."""

WORDS: dict[str, type[Kind]] = {word: kind for kind in KINDS for word in (kind.word, *kind.aliases)}
"""What the notation calls them, documented abbreviations included."""

__all__ = [
    "ACTIVATIONS",
    "KINDS",
    "MERGES",
    "WORDS",
    "Add",
    "AvgPool",
    "BatchNorm",
    "Concat",
    "Conv",
    "Crop",
    "Dense",
    "Dropout",
    "Expect",
    "Flatten",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "Identity",
    "Input",
    "MaxPool",
    "Normalise",
    "ReLU",
    "Resize",
    "Sigmoid",
    "Softmax",
    "Tanh",
]
