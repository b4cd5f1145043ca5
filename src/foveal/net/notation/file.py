"""Nets in `.net` files, and what to say of a word that names nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from foveal.errors import NotationError, SpecError, did_you_mean
from foveal.net.layers import WORDS
from foveal.net.net import Net
from foveal.net.notation.parser import parse

if TYPE_CHECKING:
    from pathlib import Path


def read_file(
    path: Path, settings: Mapping[str, int] | None = None, *, num_classes: int = 10
) -> Net:
    """The net in a `.net` file; `settings` and `num_classes` as for `parse`.

    Raises: SpecError if the file cannot be read; NotationError with file, line and column
    """
    try:
        return parse(path.read_text(encoding="utf-8"), settings, num_classes=num_classes)
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise SpecError("is not text in UTF-8", where=str(path)) from error
    except NotationError as error:
        error.where = f"{path}, {error.where}"
        raise


def refuse_unknown_name(text: str, zoo: Iterable[str]) -> None:
    """SpecError if a text is one word that could name a net or a layer, and names none."""
    names = list(zoo)
    if re.fullmatch(r"[\w.-]{1,255}", text) and text.lower() not in {*WORDS, *names}:
        raise SpecError(
            "is no net of the zoo, no .net file and no layer",
            where=text,
            fix=did_you_mean(text, [*names, *WORDS]) or f"the zoo has {', '.join(names)}",
        )
