"""Names for steps, from those they had elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from foveal.net.combinators import Again, Each, Outputs, Repeat
from foveal.net.kind import Kind
from foveal.net.layers import KINDS

_AUTOMATIC = re.compile(r"([A-Za-z]+)[0-9]+")
_WORDS = {kind.word for kind in KINDS} | {Repeat.word, Outputs.word, Each.word, Again.word}


class Names:
    """Gives out names that the notation allows, each only once.

    >>> names = Names()
    >>> names.give("layer1.0.conv1", "conv"), names.give("layer1.0.conv1", "conv")
    ('layer1_0_conv1', 'layer1_0_conv1_2')
    >>> names.give("0", "conv"), names.give("1.norm", "batchnorm"), names.give("conv1", "dense")
    ('conv_0', '_1_norm', 'conv1_')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)
        self.numbers: Counter[str] = Counter()
        """The last one behind each name."""

    def give(self, name: str, word: str) -> str:
        """The nearest free name for a step of a kind with this word, which has always a name."""
        made = base = legal(name, word)
        while made in self.taken:
            self.numbers[base] += 1
            made = f"{base}_{self.numbers[base] + 1}"
        self.taken.add(made)
        return made


def legal(name: str, word: str) -> str:
    """A name with letters, digits and underscores only, which is no automatic one of another kind.

    Unnamed steps are called by their kind and a number; one of the same kind cannot meet it where
    all of that kind have names.
    """
    made = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or word
    if made[0].isdigit():
        made = f"_{made}" if any(map(str.isalpha, made)) else f"{word}_{made}"
    automatic = _AUTOMATIC.fullmatch(made)
    if automatic and automatic[1].lower() in _WORDS - {word}:
        return made + "_"
    return made


def owns(kind: Kind) -> bool:
    """Whether steps of this kind have names of their own, because they may have tensors."""
    return type(kind).tensors is not Kind.tensors
