"""Which net of the zoo a file of weights is for, and which of its tensors goes where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import prod

from foveal.errors import ModelFileError, SpecError, did_you_mean
from foveal.net import Net
from foveal.net.kind import Shape, shape_text
from foveal.zoo import ENTRIES
from foveal.zoo.entry import Entry, Published
from foveal.zoo.naming import module_of, their_names

Shapes = Mapping[str, Shape]
FEW = 5
"""How many tensors of one fault an error lists."""
LONGEST = 100
"""Characters of a tensor's name that are shown."""
COUNTED = ".num_batches_tracked"
"""How PyTorch ends the name of a counter that no prediction needs."""
DEEPEST = 3
"""So many words at most are taken off the beginning of all names."""
ALIKE = 0.5
"""Share of common names from which on a net is worth being named as the nearest."""


@dataclass(frozen=True)
class Match:
    """How the tensors of a file lie in a net of the zoo."""

    name: str
    published: Published
    num_classes: int
    net: Net
    places: Mapping[str, tuple[str, Shape]]
    """By their name our path, and our shape."""
    unused: tuple[str, ...]
    """Tensors of heads that only helped to train."""
    faults: Mapping[str, Sequence[str]]
    """What is wrong, in words, and the tensors it is wrong with."""
    prefix: str = ""
    """What the name of every tensor began with, and was taken off to find its place."""

    def num_faults(self) -> int:
        return sum(map(len, self.faults.values()))


def match(shapes: Shapes, where: str, name: str | None = None) -> Match:
    """The net that the tensors of a file are for: the one called `name`, or one of the zoo.

    Every tensor has its place, or none is taken. What may be missing is the last layer as a
    whole; what may be left over are auxiliary heads and counters of batches. A prefix of all names
    (`module.`, `model.`, `_orig_mod.`: what the net lay in when it was saved) is taken off.

    Raises: ModelFileError that lists what is missing, left over or of another shape; SpecError if
            no weights of that name are published
    """
    shapes = {key: shape for key, shape in shapes.items() if not key.endswith(COUNTED)}
    entries = _entries(name)
    found: list[Match] = []
    for prefix in _prefixes(shapes):
        found.append(_nearest(entries, shapes, prefix))
        if not found[-1].num_faults():
            return found[-1]
    best = min(found, key=Match.num_faults)
    theirs = {module_of(tensor.removeprefix(best.prefix)) for tensor in shapes}
    names = set(best.published.names())
    if name is None and len(theirs & names) < ALIKE * len(theirs | names):
        raise _stranger(shapes, where)
    raise _misfit(best, where, asked=name is not None)


def _prefixes(shapes: Shapes) -> Iterator[str]:
    """What could be taken off all names: nothing first, then the words that they begin with."""
    yield ""
    words = module_of(next(iter(shapes), "")).split(".")[:DEEPEST]
    for prefix in accumulate(f"{word}." for word in words):
        if len(shapes) < 2 or not all(key.startswith(prefix) for key in shapes):
            return
        yield prefix


def _nearest(entries: Mapping[str, Entry], shapes: Shapes, prefix: str) -> Match:
    """The net among these that the tensors fit best, their names without the prefix."""
    bare = {key.removeprefix(prefix): shape for key, shape in shapes.items()}
    modules = {module_of(tensor) for tensor in bare}
    candidates = [
        (len(modules ^ set(published.names())), key, published)
        for key, entry in entries.items()
        for published in entry.published
    ]
    closest = min(distance for distance, _, _ in candidates)
    matches = [
        _matched(key, published, bare)
        for distance, key, published in candidates
        if distance == closest
    ]
    best = min(matches, key=Match.num_faults)
    return replace(
        best,
        places={prefix + theirs: place for theirs, place in best.places.items()},
        unused=tuple(prefix + theirs for theirs in best.unused),
        prefix=prefix,
    )


def fits(theirs: Shape, ours: Shape) -> bool:
    """Whether both shapes hold the same numbers in the same order.

    Axes of one entry may come and go. A row of a matrix may be all of a kernel: a dense layer on
    flattened maps is a convolution as large as the map.
    """
    if [axis for axis in theirs if axis != 1] == [axis for axis in ours if axis != 1]:
        return True
    dense = 2 in (len(theirs), len(ours)) and min(len(theirs), len(ours)) == 2
    return dense and theirs[0] == ours[0] and prod(theirs) == prod(ours)


def _entries(name: str | None) -> Mapping[str, Entry]:
    if name is None:
        return ENTRIES
    if name not in ENTRIES:
        raise SpecError("is not in the zoo", where=name, fix=did_you_mean(name, ENTRIES))
    if not ENTRIES[name].published:
        raise SpecError(
            "has no published weights, so no names to know them by",
            where=name,
            fix="leave the name out: a file says by its names what it is for",
        )
    return {name: ENTRIES[name]}


def _matched(name: str, published: Published, shapes: Shapes) -> Match:
    entry = ENTRIES[name]
    *_, head = published.names()
    scores = shapes.get(f"{head}.weight", ())
    num_classes = scores[0] if scores and 0 not in scores else entry.num_classes
    net = published.build(entry.input, num_classes)
    named = list(their_names(net.bind(entry.input), published))
    needed = {theirs: tensor.shape for _, theirs, tensor in named}
    missing = [key for key in needed if key not in shapes]
    if not any(module_of(key) == head for key in shapes):
        missing = [key for key in missing if module_of(key) != head]
    others = [key for key in shapes if key not in needed]
    return Match(
        name,
        published,
        num_classes,
        net,
        places={theirs: (ours, tensor.shape) for ours, theirs, tensor in named if theirs in shapes},
        unused=tuple(key for key in others if key.startswith(published.auxiliary)),
        faults={
            "missing": missing,
            "left over": [key for key in others if not key.startswith(published.auxiliary)],
            "of another shape": [
                f"{key} is {_text(shapes[key])}, not {_text(shape)}"
                for key, shape in needed.items()
                if key in shapes and not fits(shapes[key], shape)
            ],
        },
    )


def _misfit(found: Match, where: str, asked: bool) -> ModelFileError:
    """The error that lists every kind of fault."""
    faults = {what: tensors for what, tensors in found.faults.items() if tensors}
    counts = ", ".join(f"{len(tensors):,} {what}" for what, tensors in faults.items())
    begin = "does not fit" if asked else "fits no net of the zoo; the nearest is"
    lines = [f"{what}: {_few(tensors)}" for what, tensors in faults.items()]
    if found.prefix:
        lines.append(f"{found.prefix[:LONGEST]!r} is taken off all names")
    return ModelFileError(
        f"{begin} {found.name}: {counts}",
        where=where,
        arrives="\n".join(lines),
        expected=f"the tensors of {found.name} as {found.published.by} names them",
        fix=f"foveal zoo {found.name} --names lists them",
    )


def _stranger(shapes: Shapes, where: str) -> ModelFileError:
    return ModelFileError(
        "fits no net of the zoo",
        where=where,
        arrives=f"{len(shapes):,} tensors: {_few(list(shapes))}" if shapes else "only counters",
        expected="a net of foveal zoo, as torchvision, timm or Keras names its tensors",
        fix="bring the net along: foveal import NET.onnx",
    )


def _few(tensors: Sequence[str]) -> str:
    shown = [text[:LONGEST] for text in tensors[:FEW]] + ["…"] * (len(tensors) > FEW)
    return ("; " if any("," in text for text in shown) else ", ").join(shown)


def _text(shape: Shape) -> str:
    return shape_text(shape) or "a single number"
