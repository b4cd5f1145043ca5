"""Which net a command is asked about, and what arrives at it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from foveal.checks import LARGEST
from foveal.errors import SpecError
from foveal.net import Net
from foveal.net.kind import Shape, shape_text
from foveal.net.notation import parse
from foveal.net.notation.file import read_file, refuse_unknown_name

if TYPE_CHECKING:
    from pathlib import Path

    from foveal.zoo import Entry

_SIZES = re.compile(r"(\d{1,10}(?:x\d{1,10}){0,3})(?::([a-z]{2,4}))?")
_LAYOUTS = {"cl": 1, "lc": -1, "chw": 1, "hwc": -1, "cdhw": 1, "dhwc": -1}
_MOST_COLOURS = 4
"""Red, green, blue and perhaps transparency: more channels than that are no picture's."""


def resolve(text: str, input: str | None, settings: Mapping[str, int]) -> tuple[Net, Shape]:
    """The net that a text names or says, with the shape of what arrives.

    The text is a `.net` file, a model file, a name of the zoo, or notation. Zoo nets and model
    files bring an input; `input` replaces it.

    Raises: SpecError if there is no such net or no input; NotationError; ModelFileError
    """
    shape = None if input is None else input_shape(input)
    word = re.fullmatch(r"\S{1,255}", text) is not None
    entry = _zoo().get(text.lower()) if word else None
    if entry is not None:
        _refuse_letters(settings)
        return entry.build(shape or entry.input, entry.num_classes), shape or entry.input
    path = _file(text, word)
    if path is not None and path.suffix.lower() != ".net":
        _refuse_letters(settings)
        net, own = _of_model_file(path)
        return net, shape or own
    if path is not None:
        net = read_file(path, settings)
    else:
        refuse_unknown_name(text, _zoo() if word else ())
        net = parse(text, settings)
    if shape is None:
        raise SpecError(
            "is missing, and the net alone does not say what arrives",
            where="--input",
            fix="--input 3x32x32 (channels x height x width)",
        )
    return net, shape


def model_file(text: str) -> Path | None:
    """The model file that a text names for `resolve`, if it names one."""
    word = re.fullmatch(r"\S{1,255}", text) is not None
    if word and text.lower() in _zoo():
        return None
    path = _file(text, word)
    return path if path is not None and path.suffix.lower() != ".net" else None


def input_shape(text: str) -> Shape:
    """The shape that `--input` says, channels first: `3x32x32`, `1x400`, `784`.

    `:HWC` after it says that the channels come last.

    >>> input_shape("255x255x3:HWC")
    (3, 255, 255)
    """
    found = _SIZES.fullmatch(text.lower().replace("×", "x"))
    sizes = tuple(map(int, found[1].split("x"))) if found else ()
    if not found or not all(0 < size <= LARGEST for size in sizes):
        raise SpecError(
            f"cannot read {text!r}",
            where="--input",
            fix="channels first: 3x32x32 for pictures, 1x400 for series, 784 for flat features",
        )
    layout = found[2]
    if layout is None:
        _ask_about_channels(sizes)
        return sizes
    if len(layout) != len(sizes) or layout not in _LAYOUTS:
        raise SpecError(
            f"{found[1]} is not of the form {layout.upper()}",
            where="--input",
            fix="CHW or HWC for pictures, CL or LC for series, CDHW or DHWC for volumes",
        )
    return sizes if _LAYOUTS[layout] > 0 else (sizes[-1], *sizes[:-1])


def _ask_about_channels(sizes: Shape) -> None:
    """Refuse what is more likely a picture with its channels last."""
    *others, last = sizes
    if len(sizes) < 3 or last > _MOST_COLOURS or others[0] <= _MOST_COLOURS or last >= min(others):
        return
    written, meant = shape_text(sizes), shape_text((last, *others))
    letters = "DHWC"[-len(sizes) :]
    raise SpecError(
        f"{written}: did you mean {meant}? (Foveal writes channels first)",
        where="--input",
        fix=f"to mean channels last write --input {written}:{letters};\n"
        f"{sizes[0]} channels are --input {written}:C{letters[:-1]}",
    )


# What only some nets need is imported where it is needed: a net in quotes is shown in 150 ms.
def _zoo() -> Mapping[str, Entry]:
    from foveal.zoo import ENTRIES

    return ENTRIES


def _file(text: str, word: bool) -> Path | None:
    """A path by its suffix, by the name of a model, or because it is a file."""
    if not word and not text.lower().endswith((".net", ".safetensors")):
        return None
    from pathlib import Path

    from foveal.model import shipped

    path = shipped.find(text) if text in shipped.MODELS else Path(text)
    return path if path.suffix.lower() in (".net", ".safetensors") or path.is_file() else None


def _of_model_file(path: Path) -> tuple[Net, Shape]:
    from foveal.model.container import read_header
    from foveal.model.document import checked, described

    return described(checked(read_header(path).document, path), path)


def _refuse_letters(settings: Mapping[str, int]) -> None:
    if settings:
        raise SpecError("has letters to set only in notation", where="--set", fix="leave it out")
