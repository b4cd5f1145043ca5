"""Weights that are there already, by whomever: what a training may begin with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foveal import files
from foveal.errors import ModelFileError
from foveal.model import tensors_file
from foveal.model.header import DAMAGED, cut
from foveal.model.matching import match
from foveal.model.saved import load
from foveal.model.shipped import find
from foveal.net import Net
from foveal.net.combinators import Item, Named
from foveal.net.heads import with_head
from foveal.net.kind import Shape
from foveal.net.layers import Normalise, Softmax
from foveal.zoo import ENTRIES

SUFFIX = ".safetensors"
USUAL = "model.safetensors"
"""What the file is called in a repository of huggingface.co."""
PICKLES = (".bin", ".pth", ".pt", ".ckpt")
"""How files of PyTorch end."""
PART = re.compile(r"-\d{5}-of-\d{5}\.\w+")
"""How the name of a part of large weights ends."""
LEVELS = Normalise((0.0,), (1.0,))
"""What leaves levels as they are: for a model that normalises nothing."""


@dataclass(frozen=True, eq=False)
class Pretrained:
    """A net that has learned something, from a normalised picture to the scores of its classes."""

    name: str
    """What the zoo calls it; of a Foveal model the file's name."""
    net: Net
    """Without input, geometry, normalise and softmax; what owns tensors has its name written."""
    weights: Mapping[str, np.ndarray]
    """By path, float32; those of the last layer are missing if the file had none."""
    input: Shape
    """What it was trained on."""
    num_classes: int
    normalise: Normalise
    """What it wants of the levels of a picture."""
    origin: str
    """Where it comes from, for the user."""
    digest: str
    """SHA-256 of the file."""
    classes: tuple[str, ...] = ()
    """Their names, which only a Foveal model knows."""
    unused: tuple[str, ...] = ()
    """Tensors of the file that have no place: heads that only helped to train."""
    prefix: str = ""
    """What was taken off the names of all tensors to find their places."""

    def with_head(self, num_classes: int) -> tuple[Net, dict[str, np.ndarray]]:
        """The net with a new last layer for so many classes, and the weights of all others.

        Use it to teach the net something else: what is missing in the weights starts at random.

        Raises: SpecError, which names the layer, if the scores do not come from one dense layer
                or convolution
        """
        net, path = with_head(self.net, self.input, num_classes)
        head = f"{path}."
        kept = {key: value for key, value in self.weights.items() if not key.startswith(head)}
        return net, kept


def read(path: str | bytes | Path, name: str | None = None) -> Pretrained:
    """Read weights to begin with: a safetensors file, a folder with one, or a Foveal model.

    Use it for what timm, torchvision or Keras published. Which net of the zoo a file is for is
    seen from the names and shapes of its tensors, or said by `name`. Every tensor finds its place,
    or nothing is read; nothing in a file is ever executed.

    Raises: ModelFileError if the file is something else or damaged, or fits no net, with a list of
            what is missing, left over or of another shape; SpecError if no net has that name;
            MachineError if the memory is too small
    """
    where = file_in(find(path))
    with tensors_file.opened(where) as file:
        if "foveal" in file.metadata:
            return _own(where)
        shapes = {key: entry.shape for key, entry in file.tensors.items()}
        found = match(shapes, str(where), name)
        arrays, digest = file.load({key: shape for key, (_, shape) in found.places.items()})
    _refuse_negative_variances(arrays, str(where))
    return Pretrained(
        found.name,
        found.net.with_names(),
        {found.places[key][0]: array for key, array in arrays.items()},
        ENTRIES[found.name].input,
        found.num_classes,
        Normalise(found.published.mean, found.published.std),
        str(where),
        digest,
        unused=found.unused,
        prefix=found.prefix,
    )


def _refuse_negative_variances(arrays: Mapping[str, np.ndarray], where: str) -> None:
    """Their root is taken: one below zero would make every answer NaN."""
    for name, array in arrays.items():
        count = int((array < 0).sum()) if name.endswith(".running_var") else 0
        if count:
            raise ModelFileError(
                f"tensor {cut(name)} holds variances below zero",
                where=where,
                arrives=f"{count:,} of {array.size:,}, the lowest {array.min():.3g}",
                fix=DAMAGED,
            )


def _own(where: Path) -> Pretrained:
    """A Foveal model as a net to go on with."""
    model = load(where)
    _, *items = model.split.rest.root.items  # without `input uint8`
    if not isinstance(_body(items.pop()), Softmax):
        raise ModelFileError(
            "ends in a group, whose softmax cannot be taken off",
            where=str(where),
            fix="write the net with softmax as a step of its own",
        )
    normalise = LEVELS
    if items and isinstance(first := _body(items[0]), Normalise):
        normalise = first
        items.pop(0)
    return Pretrained(
        where.name,
        Net.of(*items),
        model.weights,
        model.split.shape,
        len(model.classes),
        normalise,
        str(where),
        files.sha256(where),
        model.classes,
    )


def _body(item: Item) -> Item:
    return item.body if isinstance(item, Named) else item


def file_in(path: Path) -> Path:
    """The file itself, or the one safetensors file in a folder; ModelFileError if there is none."""
    if not path.is_dir():
        return path
    inside = sorted(each for each in path.iterdir() if each.is_file())
    found = [each for each in inside if each.suffix.lower() == SUFFIX]
    usual = [each for each in found if each.name == USUAL]
    if len(usual or found) == 1:
        return (usual or found)[0]
    raise _several(path, found) if found else _without(path, inside)


def _several(folder: Path, found: Sequence[Path]) -> ModelFileError:
    in_parts = all(PART.search(each.name) for each in found)
    return ModelFileError(
        f"holds its weights in {len(found):,} parts"
        if in_parts
        else f"holds {len(found):,} safetensors files",
        where=str(folder),
        arrives=", ".join(each.name for each in found[:5]) + ", …" * (len(found) > 5),
        expected=f"one, or one called {USUAL}",
        fix="put them together: read each with safetensors.numpy.load_file,\n"
        f"write all their tensors with save_file as {USUAL}"
        if in_parts
        else "give the file itself",
    )


def _without(folder: Path, inside: Sequence[Path]) -> ModelFileError:
    pickles = [each for each in inside if each.suffix.lower() in PICKLES]
    if not pickles:
        return ModelFileError(
            "holds no safetensors file", where=str(folder), fix=tensors_file.WANTED
        )
    return ModelFileError(
        f"holds no safetensors file, but {pickles[0].name}",
        where=str(folder),
        fix=f"foveal zoo convert {pickles[0]}",
    )
