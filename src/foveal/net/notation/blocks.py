"""Named blocks of a `.net` file: `block residual(channels): …`, used like a layer.

The body is the rest of the line (brackets may continue it), or the lines below that are indented.
"""

from __future__ import annotations

from dataclasses import dataclass

from foveal.net.notation.stream import Stream
from foveal.net.notation.tokens import Token, indentation


@dataclass(frozen=True)
class Block:
    """A definition: its parameters and the tokens of its body."""

    name: str
    parameters: tuple[str, ...]
    body: tuple[Token, ...]


def read_block(stream: Stream, known: tuple[str, ...]) -> Block:
    """The block whose definition stands next in the stream."""
    keyword = stream.take()
    name = stream.expect("word", "the name of the block")
    if name.text.lower() in known:
        raise stream.error(f"'{name.text}' is already a word", name, fix="choose another name")
    parameters = _parameters(stream)
    stream.expect(":", "the colon after the block's name")
    body = _body(stream, indentation(stream.text, keyword))
    if not body:
        raise stream.error(f"block '{name.text}' is empty", name)
    return Block(name.text, parameters, tuple(body))


def expand(block: Block, use: Token, stream: Stream) -> Stream:
    """The tokens of a block's body with the arguments that follow in the stream put in."""
    values = []
    while stream.peek().kind in ("value", "word") and not stream.at_item_end():
        values.append(stream.take_with_numbers())
    if len(values) != len(block.parameters):
        names = " ".join(block.parameters) or "nothing"
        raise stream.error(f"block '{block.name}' takes {names}, not {len(values)} values", use)
    meaning = dict(zip(block.parameters, values, strict=True))
    body = [
        Token(meaning[token.text].kind, meaning[token.text].text, token.offset)
        if token.kind == "word" and token.text in meaning
        else token
        for token in block.body
    ]
    return Stream(stream.text, [*body, Token("end", "", block.body[-1].offset)])


def _parameters(stream: Stream) -> tuple[str, ...]:
    if stream.peek().kind != "(":
        return ()
    stream.take()
    names: list[str] = []
    while stream.peek().kind == "word":
        token = stream.take()
        if token.text in names:
            raise stream.error(f"parameter '{token.text}' is given twice", token)
        names.append(token.text)
    stream.expect(")", "the closing parenthesis")
    return tuple(names)


def _body(stream: Stream, outer: int) -> list[Token]:
    """The rest of the line, or the deeper indented lines below it."""
    indented = stream.skip_newlines()
    body: list[Token] = []
    open_brackets = 0
    while stream.peek().kind != "end":
        token = stream.peek()
        if token.kind == "newline" and not open_brackets:
            following = _after_newlines(stream)
            if not indented or indentation(stream.text, following) <= outer:
                break
        elif indented and not body and indentation(stream.text, token) <= outer:
            break
        open_brackets += (token.kind in "[(") - (token.kind in "])")
        body.append(stream.take())
    return body


def _after_newlines(stream: Stream) -> Token:
    ahead = 0
    while stream.peek(ahead).kind == "newline":
        ahead += 1
    return stream.peek(ahead)
