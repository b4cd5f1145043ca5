"""Text to net: a recursive descent over the tokens."""

from __future__ import annotations

from collections.abc import Mapping

from foveal.errors import NotationError, SpecError, did_you_mean
from foveal.net.combinators import (
    MOST_DEPTH,
    Again,
    Branch,
    Branches,
    Chain,
    Each,
    Item,
    Outputs,
    Reference,
    Repeat,
    branch,
    chain,
    named,
)
from foveal.net.kind import Kind, Merge
from foveal.net.layers import ACTIVATIONS, WORDS
from foveal.net.net import Net
from foveal.net.notation.arguments import arguments
from foveal.net.notation.blocks import Block, expand, read_block
from foveal.net.notation.pattern import Settings
from foveal.net.notation.stream import Stream
from foveal.net.notation.tokens import Token, tokens

_ENDS = ("end", "]", ")", "|")
_GROUPS = ("outputs", "each", "again")
_BRANCHED = {
    "each": "each( conv 8 3 same )",
    "combine": "combine( conv 8 3 same | globalavgpool -> dense 8 )",
    "maxunpool": "maxunpool 2( identity | @before )",
}
"""How a word with branches may be written, where not any two branches will do."""


def parse(text: str, settings: Mapping[str, int] | None = None, *, num_classes: int = 10) -> Net:
    """The net that a text says.

    A text that begins with `INPUT ->` may be the articles' pattern: `settings` gives numbers
    for its letters (`N`, `M`, `K`, …), `num_classes` the answers of its last `FC`.

    Raises: NotationError, with line, column and a suggestion

    >>> parse("conv 6 5 -> relu -> flatten -> dense 10").bind((1, 28, 28)).result_shapes()
    {'': (10,)}
    >>> parse("conv 6 5 -> rellu")
    Traceback (most recent call last):
    ...
    foveal.errors.NotationError: line 1, column 13: unknown word 'rellu'
      conv 6 5 -> rellu
                  ^
      fix:      did you mean 'relu'?
    """
    stream = Stream(text, tokens(text))
    return Net(_Parser(stream, _pattern(stream, settings or {}, num_classes)).net())


def _pattern(stream: Stream, given: Mapping[str, int], num_classes: int) -> Settings | None:
    """The settings, if the text begins with a bare INPUT followed by something."""
    stream.skip_newlines()
    first, second = stream.peek(), stream.peek(1)
    if first.text.lower() == "input" and second.kind in ("arrow", "newline"):
        return Settings({"CLASSES": num_classes, **given})
    if given:
        raise SpecError(
            "has letters to set only if the net begins with INPUT ->",
            where="--set",
            fix="write the numbers into the net",
        )
    return None


class _Parser:
    def __init__(self, stream: Stream, settings: Settings | None) -> None:
        self.stream = stream
        self.settings = settings
        self.blocks: dict[str, Block] = {}
        self.depth = 0

    def net(self) -> Chain:
        self.stream.skip_newlines()
        if self.stream.peek().kind == "end":
            raise self.stream.error(
                "there is no layer", self.stream.peek(), fix="such as: conv 32 3 -> relu"
            )
        root = self.chain(("end",))
        if self.stream.peek().kind != "end":
            raise self.stream.unexpected(self.stream.peek())
        return self.settings.finish(root) if self.settings else root

    def chain(self, closing: tuple[str, ...]) -> Chain:
        """Items up to, and without, one of the closing tokens."""
        begin = self.stream.peek()
        items: list[Item] = []
        self.stream.skip_newlines()
        while self.stream.peek().kind not in closing:
            if self.at_block():
                self.define_block()
            else:
                items += self.item()
            if not self.separator(closing):
                break
        with self.stream.placed(begin):
            return chain(*items)

    def separator(self, closing: tuple[str, ...]) -> bool:
        """Pass over what joins two items; False where the chain ends."""
        stream = self.stream
        newline = stream.skip_newlines()
        if stream.peek().kind == "arrow":
            arrow = stream.take()
            stream.skip_newlines()
            if stream.peek().kind in (*closing, "arrow"):
                raise stream.error("a layer is missing after the arrow", arrow)
            return True
        if stream.peek().kind in (*closing, *_ENDS):
            return False
        if not newline:
            raise stream.unexpected(stream.peek())
        return True

    def item(self) -> tuple[Item, ...]:
        """One item; a step with an activation behind it is two; an option left out is none."""
        stream = self.stream
        begin = stream.peek()
        name = None
        if begin.kind == "word" and stream.peek(1).kind == ":":
            name = stream.take().text
            stream.take()
            stream.skip_newlines()
            if stream.peek(1).kind == ":":
                raise stream.error(f"the step is already called '{name}'", stream.peek())
        made = self.body()
        if name is None:
            return made
        if not made:
            raise stream.error("an option cannot have a name", begin)
        with stream.placed(begin):
            return (named(name, *made),)

    def body(self) -> tuple[Item, ...]:
        stream = self.stream
        token = stream.peek()
        if token.kind == "[":
            return self.group()
        if token.kind == "@":
            stream.take()
            return (Reference(stream.expect("word", "the name of an earlier step").text),)
        if token.kind != "word":
            raise stream.unexpected(token)
        word = token.text.lower()
        if word in self.blocks:
            return self.block()
        if word in _GROUPS:
            return (self.combinator(word),)
        if word not in WORDS:
            raise self.unknown(token)
        if issubclass(WORDS[word], Merge):
            return (self.merge(WORDS[word]),)
        return self.layer(WORDS[word])

    def layer(self, kind: type[Kind]) -> tuple[Item, ...]:
        token = self.stream.take()
        default = self.settings.bare(kind) if self.settings and self.stream.at_item_end() else None
        layer = default or arguments(kind, token, self.stream)
        if self.stream.peek().kind == "?":
            return (layer,) if self.option(token) else ()
        following = self.stream.peek()
        behind = WORDS.get(following.text.lower()) if following.kind == "word" else None
        if behind in ACTIVATIONS and kind not in ACTIVATIONS:
            return (layer, *self.layer(behind))
        return (layer,)

    def option(self, token: Token) -> bool:
        mark = self.stream.take()
        number = self.settings.number(token.text) if self.settings else None
        if number is None:
            raise self.stream.error(
                f"{token.text}? is an option that nothing can set", mark, fix="leave the ? out"
            )
        return number != 0

    def group(self) -> tuple[Item, ...]:
        begin = self.open("[")
        body = self.chain(("]",))
        self.close("]", begin)
        if self.stream.peek().kind != "*":
            return (body,)
        self.stream.take()
        with self.stream.placed(begin):
            return (Repeat(body, self.times()),)

    def times(self) -> int:
        token = self.stream.take()
        number = self.settings.number(token.text) if self.settings else None
        if token.kind == "word" and number is not None:
            return number
        if token.kind != "value" or not token.text.isdigit() or len(token.text) > 9:
            raise self.stream.error(
                f"a repeat needs a whole number, not {token.text.strip() or 'nothing'}",
                token,
                fix="[conv 8 3]*2",
            )
        return int(token.text)

    def combinator(self, word: str) -> Item:
        token = self.stream.take()
        if word == "again":
            return Again(self.stream.expect("word", "the name of an earlier step").text)
        parts = self.branches(word)
        with self.stream.placed(token):
            if word == "outputs":
                return Outputs(parts)
            if len(parts) != 1:
                raise self.stream.error("each has one body for all results", token)
            return Each(chain(parts[0]))

    def merge(self, kind: type[Kind]) -> Item:
        token = self.stream.take()
        merge = arguments(kind, token, self.stream) if kind.constraints else kind()
        parts = self.branches(kind.word)
        with self.stream.placed(token):
            if not isinstance(merge, Merge):
                raise SpecError("does not join branches", where=kind.word)
            return Branches(merge, parts)

    def branches(self, word: str) -> tuple[Branch, ...]:
        if self.stream.peek().kind != "(":
            raise self.stream.error(
                f"{word} needs its branches in parentheses",
                self.stream.peek(),
                fix=_BRANCHED.get(word, f"{word}( identity | conv 8 3 same )"),
            )
        begin = self.open("(")
        parts = [self.branch()]
        while self.stream.peek().kind == "|":
            self.stream.take()
            parts.append(self.branch())
        self.close(")", begin)
        return tuple(parts)

    def branch(self) -> Branch:
        token = self.stream.peek()
        body = self.chain(("|", ")"))
        with self.stream.placed(token):
            return branch(body)

    def block(self) -> tuple[Item, ...]:
        token = self.stream.take()
        inside = _Parser(expand(self.blocks[token.text.lower()], token, self.stream), self.settings)
        inside.blocks = self.blocks
        inside.depth = self.depth + 1
        inside.check_depth(token)
        return (inside.chain(("end",)),)

    def at_block(self) -> bool:
        first, second = self.stream.peek(), self.stream.peek(1)
        return first.kind == "word" and first.text.lower() == "block" and second.kind == "word"

    def define_block(self) -> None:
        block = read_block(self.stream, known=(*WORDS, *_GROUPS, *self.blocks))
        self.blocks = self.blocks | {block.name.lower(): block}

    def open(self, sign: str) -> Token:
        token = self.stream.take()
        self.depth += 1
        self.check_depth(token)
        return token

    def check_depth(self, token: Token) -> None:
        if self.depth > MOST_DEPTH:
            raise self.stream.error(f"is nested more than {MOST_DEPTH} deep", token)

    def close(self, sign: str, begin: Token) -> None:
        if self.stream.peek().kind != sign:
            raise self.stream.error(f"'{begin.text}' is never closed with '{sign}'", begin)
        self.stream.take()
        self.depth -= 1

    def unknown(self, token: Token) -> NotationError:
        known = (*WORDS, *_GROUPS, *self.blocks)
        return self.stream.error(
            f"unknown word '{token.text}'", token, fix=did_you_mean(token.text, known)
        )
