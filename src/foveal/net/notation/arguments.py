"""The words and values after a kind's word: its fields."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields

from foveal.checks import LARGEST, Constraint, Flag
from foveal.errors import NotationError, did_you_mean
from foveal.net.kind import Kind
from foveal.net.layers import ACTIVATIONS, WORDS
from foveal.net.notation.stream import Stream
from foveal.net.notation.tokens import Token


def arguments(kind: type[Kind], token: Token, stream: Stream) -> Kind:
    """The layer of a kind with the fields that follow in the stream."""
    given: dict[str, object] = {}
    while not stream.at_item_end():
        following = stream.peek()
        if following.kind == "value":
            _put(given, _next_positional(kind, given, stream), stream, kind)
        elif following.kind == "word":
            if WORDS.get(following.text.lower()) in ACTIVATIONS:
                break
            _word(kind, given, stream)
        else:
            break
    missing = [name for name in required(kind) if name not in given]
    if missing:
        raise stream.error(
            f"{kind.word} needs {' and '.join(missing)}", token, fix=f"such as: {example(kind)}"
        )
    with stream.placed(token):
        return kind(**given)


def required(kind: type[Kind]) -> list[str]:
    """The fields of a kind that have no default."""
    return [f.name for f in fields(kind) if f.default is MISSING]


def example(kind: type[Kind]) -> str:
    """The shortest text of a kind, with plausible numbers."""
    plausible = {
        "out_channels": "32",
        "kernel_size": "3",
        "out_features": "10",
        "shape": "3x32x32",
        "pieces": "2",
        "groups": "8",
        "padding": "1",
        "channels": "0,1,2",
        "factor": "2",
        "num_embeddings": "5000",
    }
    return " ".join([kind.word, *(plausible.get(name, "64") for name in required(kind))])


def _next_positional(kind: type[Kind], given: dict[str, object], stream: Stream) -> str:
    for name in kind.positional:
        if name not in given:
            return name
    places = " ".join(kind.positional) or "no numbers"
    raise stream.error(f"{kind.word} takes {places}; this is one more", stream.peek())


def _word(kind: type[Kind], given: dict[str, object], stream: Stream) -> None:
    """A field's name with its value, a flag, `no` and a flag, or a closed word."""
    token = stream.peek()
    word = token.text.lower()
    constraint = kind.constraints.get(word)
    if word == "no":
        stream.take()
        flag = stream.take()
        name = flag.text.lower()
        if not isinstance(kind.constraints.get(name), Flag):
            flags = [name for name, known in kind.constraints.items() if isinstance(known, Flag)]
            raise stream.error(
                f"after 'no' {kind.word} knows: {', '.join(flags) or 'nothing'}", flag
            )
        _set(given, name, False, flag, stream)
    elif isinstance(constraint, Flag):
        _set(given, word, True, stream.take(), stream)
    elif constraint is not None:
        stream.take()
        _put(given, word, stream, kind)
    else:
        owners = [name for name, owner in kind.constraints.items() if word in owner.words]
        if not owners:
            raise _unknown(kind, token, stream)
        _set(given, owners[0], word, stream.take(), stream)


def _put(given: dict[str, object], name: str, stream: Stream, kind: type[Kind]) -> None:
    """Read the value that stands next into a field."""
    token = stream.take_with_numbers()
    constraint = kind.constraints[name]
    _set(given, name, _read(constraint, kind, name, token, stream), token, stream)


def _read(
    constraint: Constraint, kind: type[Kind], name: str, token: Token, stream: Stream
) -> object:
    try:
        return constraint.read(token.text.lower())
    except (ValueError, TypeError, OverflowError):
        pass
    got = repr(token.text) if token.text.strip() else "nothing"
    problem = f"{kind.word} {name} must be {constraint.sentence()}, not {got}"
    raise stream.error(problem, token, _hint(constraint, token.text.lower()))


def _hint(constraint: Constraint, text: str) -> str:
    """What may have been meant by a value that cannot be."""
    if any(int(digits) > LARGEST for digits in re.findall(r"(?<![\d.-])\d{10,99}(?![\d.])", text)):
        return f"whole numbers go up to {LARGEST}"
    near = did_you_mean(text, constraint.vocabulary())
    return near if near.startswith("did") else ""


def _set(given: dict[str, object], name: str, value: object, token: Token, stream: Stream) -> None:
    if name in given:
        raise stream.error(f"{name} is given twice", token)
    given[name] = value


def _unknown(kind: type[Kind], token: Token, stream: Stream) -> NotationError:
    words = {word for constraint in kind.constraints.values() for word in constraint.words}
    if token.text.lower() in WORDS:
        problem = f"'{token.text}' is a layer of its own"
        return stream.error(problem, token, fix=f"join them: {kind.word} … -> {token.text}")
    return stream.error(
        f"{kind.word} has no '{token.text}'",
        token,
        fix=did_you_mean(token.text, {*kind.constraints, *words}),
    )
