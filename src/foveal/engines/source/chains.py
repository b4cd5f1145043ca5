"""A program as chains of layers: which groups of its steps become modules, and which stay open."""

from __future__ import annotations

from collections import defaultdict
from math import inf

from foveal.engines.source.code import (
    Call,
    Chain,
    Entry,
    Expression,
    Number,
    Origin,
    Piece,
    Repeated,
)
from foveal.engines.source.groups import Group, Path, groups, parts
from foveal.engines.source.merge import PARALLEL
from foveal.engines.source.names import attribute, unused
from foveal.engines.source.rows import pieces
from foveal.net.layers import ACTIVATIONS, BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from foveal.net.program import Program, Step

FOLLOWING = (*ACTIVATIONS, BatchNorm, GroupNorm, InstanceNorm, LayerNorm)
"""Kinds that are written around the call before them: `F.relu(self.batchnorm1(self.conv1(x)))`."""
IDENTITY = Call("nn.Identity")


def chain_of(program: Program) -> Chain:
    """All layers of a program, what belongs together in chains of its own.

    Raises:  SpecError if a kind has no row
    """
    return _Builder(program).main


class _Builder:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.same = {0: 0}
        """Each value, as the first that is the same: some steps do nothing."""
        self.last: dict[int, float] = {}
        """The last step that reads a value."""
        self.pieces: dict[int, tuple[Piece, ...]] = {}
        self.shared = _shared(program)
        for step in program.steps:
            made = pieces(step, step.owner in self.shared)
            self.pieces[step.output] = made
            self.same[step.output] = step.output if made else self.same[step.inputs[0]]
        for step in program.steps:
            if self.pieces[step.output]:
                for value in map(self.same.__getitem__, step.inputs):
                    self.last[value] = max(step.output, self.last.get(value, 0))
        for _, value in program.results:
            self.last[self.same[value]] = inf
        self.expressions: dict[Path, Expression | None] = {}
        root = Group((), (), program.steps)
        self.peers: dict[Path, list[Group]] = defaultdict(list)
        for group in groups(root):
            if group.owner is not None:
                self.peers[group.owner].append(group)
        self.main = self.chain(root, 0)

    def expression(self, group: Group) -> Expression | None:
        """A group as a module of its own; None if it must stay open.

        Groups that use the same weights are the same module, or all stay open.
        """
        made = self.alone(group)
        if made is None or group.owner is None:
            return None
        same = all(self.alone(peer) == made for peer in self.peers[group.owner])
        return made if same else None

    def alone(self, group: Group) -> Expression | None:
        if group.path not in self.expressions:
            self.expressions[group.path] = self.closed(group)
        return self.expressions[group.path]

    def closed(self, group: Group) -> Expression | None:
        """A module, if the group reads one value, makes one, and owns all it has."""
        arrives = self.arriving(group)
        if len(arrives) > 1 or not self.is_self_contained(group):
            return None
        value = min(arrives, default=0)
        if group.merge is not None:
            return self.parallel(group, group.merge, value)
        made = self.chain(group, value)
        is_repeat = any(isinstance(item, Group) and item.path[-1].isdigit() for item in group.items)
        return _repeated(made) if is_repeat and made.entries else made

    def arriving(self, group: Group) -> set[int]:
        """Values from outside that the steps of a group read."""
        read = {
            self.same[value]
            for step in group.steps
            if self.pieces[step.output]
            for value in step.inputs
        }
        return {value for value in read if not group.makes(value)}

    def is_self_contained(self, group: Group) -> bool:
        """Whether only the last value is read outside, and no tensor belongs to another group."""
        if group.owner is None:
            return False
        end = group.steps[-1].output
        for step in group.steps:
            if step.tensors and parts(step.owner)[: len(group.owner)] != group.owner:
                return False
            value = step.output
            if value != self.same[end] and self.last.get(value, 0) > end:
                return False
        return True

    def parallel(self, group: Group, merge: Step, value: int) -> Expression | None:
        """Branches that all read the same, in the helper that holds them."""
        name = PARALLEL.get(type(merge.kind), "")
        inside = {item.path[-1]: item for item in group.items if isinstance(item, Group)}
        numbers = [str(number) for number in range(len(merge.inputs))]
        if not name or not inside.keys() <= set(numbers):
            return None
        branches: list[tuple[str, Expression]] = []
        for number, read in zip(numbers, merge.inputs, strict=True):
            branch = inside.get(number)
            made = IDENTITY if branch is None else self.expression(branch)
            if branch is None and self.same[read] != value:
                return None
            if made is None or (branch and branch.owner != (*(group.owner or ()), number)):
                return None
            branches.append(("", made))
        return Call(name, tuple(branches), origin=self.origin(group, value))

    def chain(self, group: Group, value: int) -> Chain:
        """The items of a group one after another; those that stay open among them."""
        work = _Chain(self, group, value)
        work.add(group)
        if group.path:
            results: tuple[tuple[str, int], ...] = (("", self.same[group.steps[-1].output]),)
        else:
            results = tuple((name, self.same[made]) for name, made in self.program.results)
        numbered = tuple((name, work.numbers.get(made, 0)) for name, made in results)
        origin = self.origin(group, value) if group.path else None
        return Chain(tuple(work.entries), numbered, origin)

    def origin(self, group: Group, value: int) -> Origin:
        leaving = self.program.shape_of(self.same[group.steps[-1].output])
        return Origin(group.path, group.is_branch, self.program.shape_of(value), leaving)


class _Chain:
    """The entries of one chain while they are gathered."""

    def __init__(self, builder: _Builder, base: Group, value: int) -> None:
        self.builder, self.base = builder, base
        self.entries: list[Entry] = []
        self.numbers = {value: 0}
        """Each value of the program as the chain counts them."""

    def add(self, group: Group) -> None:
        for item in group.items:
            if isinstance(item, Step):
                self.step(item)
                continue
            module = self.builder.expression(item)
            # A branch without tensors is a call in `forward`, where its merge stays open.
            is_function = item.is_branch and not any(step.tensors for step in item.steps)
            if module is None or is_function:
                self.add(item)
            elif not isinstance(module, Chain) or module.entries:
                self.group(item, module)

    def group(self, group: Group, module: Expression) -> None:
        (value,) = self.builder.arriving(group)
        end = self.builder.same[group.steps[-1].output]
        shape = self.builder.program.shape_of(end)
        reads = (self.numbers[value],)
        place = self.place(group.owner) or (self.own_name(group.path),)
        closes = not isinstance(module, Call)
        name = _variable(group.path)
        self.entries.append(Entry(place, module, "", reads, shape, name, closes=closes))
        self.numbers[end] = len(self.entries)

    def step(self, step: Step) -> None:
        made = self.builder.pieces[step.output]
        same = self.builder.same
        reads = tuple(self.numbers[same[value]] for value in step.inputs) if made else ()
        own = self.own_name(parts(step.path))
        for number, piece in enumerate(made):
            place = self.place(parts(step.owner)) if step.tensors and not piece.suffix else ()
            name = f"{own}_{piece.suffix}" if piece.suffix else own
            follows = isinstance(step.kind, FOLLOWING) and step.shape == step.ins[0]
            self.entries.append(
                Entry(
                    place or (unused(name, {entry.place[0] for entry in self.entries}),),
                    piece.module,
                    piece.function,
                    reads,
                    step.shape,
                    _variable(parts(step.path)),
                    follows or number > 0,
                    isinstance(step.kind, ACTIVATIONS),
                )
            )
            reads = (len(self.entries),)
        if made:
            self.numbers[step.output] = len(self.entries)

    def place(self, owner: Path | None) -> Path:
        """Where the modules of an owner lie, seen from the chain; nowhere if not below it."""
        base = self.base.owner or ()
        if owner is None or owner[: len(base)] != base:
            return ()
        return tuple(map(attribute, owner[len(base) :]))

    def own_name(self, path: Path) -> str:
        """A name for what has no tensors, so that no file asks where it lies."""
        return "_".join(map(attribute, path[len(self.base.path) :]))


def _variable(path: Path) -> str:
    """The last name of a path that is no number."""
    return next((part for part in reversed(path) if not part.isdigit()), path[-1])


def _shared(program: Program) -> set[str]:
    """Owners of tensors that steps use on what has other sizes or axes."""
    uses: dict[str, set[object]] = defaultdict(set)
    for step in program.steps:
        if step.tensors:
            uses[step.owner].add((step.pads, len(step.shape)))
    return {owner for owner, forms in uses.items() if len(forms) > 1}


def _repeated(chain: Chain) -> Expression | None:
    """The elements of a repeat in a row, if each is a module and reads the one before it."""
    numbers = [str(number) for number in range(len(chain.entries))]
    if not chain.is_straight or [entry.place[0] for entry in chain.entries] != numbers:
        return None
    first = chain.entries[0].module
    if first is not None and all(entry.module == first for entry in chain.entries):
        return Repeated(first, Number(len(numbers), "blocks"))
    return chain
