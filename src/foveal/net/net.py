"""The net: an immutable tree that any interpreter can read."""

from __future__ import annotations

from dataclasses import dataclass

from foveal.errors import SpecError
from foveal.net.bind import bind
from foveal.net.combinators import (
    Body,
    Branch,
    Branches,
    Chain,
    Each,
    Item,
    Named,
    Outputs,
    Repeat,
    chain,
    children,
)
from foveal.net.kind import Kind, Shape
from foveal.net.program import Program


@dataclass(frozen=True)
class Net:
    """A convolutional network as data: layers and how they are put together, without weights.

    Equality is of text: two nets are equal if they are written alike.

    >>> from foveal.net.layers import Conv, Dense, Flatten
    >>> net = Net.of(Conv(6, 5), Flatten(), Dense(10))
    >>> net.bind((1, 28, 28)).result_shapes()
    {'': (10,)}
    """

    root: Chain

    @staticmethod
    def of(*items: Item) -> Net:
        """A net of items one after another."""
        return Net(chain(*items))

    def __post_init__(self) -> None:
        if not isinstance(self.root, Chain):
            raise SpecError(f"a net is made of a chain, not {self.root!r}", fix="Net.of(…)")

    def bind(self, input: Shape) -> Program:
        """The flat list of steps for one input shape; ShapeError if a layer does not fit."""
        return bind(self.root, input)

    def then(self, *items: Item) -> Net:
        """This net with more items after it."""
        return Net(chain(*self.root.items, *items))

    def write(self) -> str:
        """The net in the notation; `parse` gives it back."""
        from foveal.net.notation.writer import write

        return write(self)

    def table(self, input: Shape) -> str:
        """Shape, parameters, MACs, memory and receptive field of every layer, as text."""
        from foveal.net.arithmetic import arithmetic
        from foveal.net.table import table

        return table(arithmetic(self.bind(input)))

    def draw(self, input: Shape, title: str = "") -> str:
        """The net as a picture: the text of an SVG."""
        from foveal.net.drawing import draw

        return draw(self, input, title)

    def with_names(self) -> Net:
        """The same net with the automatic names of all that owns tensors written out.

        Its paths then stay as they are, whatever is put in, taken out or folded.
        """
        return Net(_name_chain(self.root))


def _name_chain(tree: Chain) -> Chain:
    return Chain(
        tuple(
            Named(name, _name(body)) if written or _owns(body) else body
            for (name, body), written in zip(
                tree.labelled(), map(_is_named, tree.items), strict=True
            )
        )
    )


def _is_named(item: Item) -> bool:
    return isinstance(item, Named)


def _owns(item: Item) -> bool:
    if isinstance(item, Kind):
        return type(item).tensors is not Kind.tensors
    return any(map(_owns, children(item)))


def _name(body: Body) -> Body:
    match body:
        case Chain():
            return _name_chain(body)
        case Repeat(inner, times):
            return Repeat(_name_chain(inner), times)
        case Branches(merge, parts):
            return Branches(merge, tuple(map(_name_branch, parts)))
        case Outputs(parts):
            return Outputs(tuple(map(_name_branch, parts)))
        case Each(inner):
            return Each(_name_chain(inner))
    return body


def _name_branch(part: Branch) -> Branch:
    if isinstance(part, Named) and isinstance(part.body, Chain):
        return Named(part.name, _name_chain(part.body))
    return _name_chain(part) if isinstance(part, Chain) else part
