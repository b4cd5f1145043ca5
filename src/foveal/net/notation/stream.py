"""The tokens of a text, taken one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from foveal.errors import NotationError, SpecError
from foveal.net.notation.tokens import Token

_ITEM_ENDS = ("arrow", "newline", "end", "]", ")", "|", "?")


class Stream:
    """Where the parser stands in a text."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.position = 0

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.peek()
        self.position += 1
        return token

    def take_with_numbers(self) -> Token:
        """The next token; of a word with numbers, such as `normal:0.02`, all of it."""
        token = self.take()
        if token.kind == "word" and self.peek().kind == ":":
            self.take()
            token = replace(token, text=f"{token.text}:{self.take().text}")
        return token

    def skip_newlines(self) -> bool:
        begin = self.position
        while self.peek().kind == "newline":
            self.position += 1
        return self.position > begin

    def at_item_end(self) -> bool:
        return self.peek().kind in _ITEM_ENDS

    def expect(self, kind: str, what: str) -> Token:
        token = self.take()
        if token.kind != kind:
            raise self.error(f"{what} is missing", token)
        return token

    def error(self, problem: str, token: Token, fix: str = "") -> NotationError:
        return NotationError(problem, text=self.text, offset=token.offset, fix=fix)

    def unexpected(self, token: Token) -> NotationError:
        if token.kind == "end":
            return self.error("the net ends too early", token)
        if token.kind == "newline":
            return self.error("the line ends too early", token)
        if token.kind == "arrow":
            return self.error("a layer is missing before the arrow", token)
        if token.kind == "(":
            fix = "parentheses belong to add, concat, outputs and each; groups stand in [ ]"
            return self.error("unexpected '('", token, fix=fix)
        return self.error(f"unexpected '{token.text}'", token, fix="-> or a new line joins layers")

    @contextmanager
    def placed(self, token: Token) -> Iterator[None]:
        """Give a SpecError raised inside the place of a token."""
        try:
            yield
        except NotationError:
            raise
        except SpecError as error:
            raise self.error(error.headline(), token, fix=error.fix) from None
