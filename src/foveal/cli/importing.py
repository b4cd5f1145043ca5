"""foveal import: the net of an ONNX file, shown, or written as a model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foveal.cli.options import input_size
from foveal.errors import DataError, SpecError

if TYPE_CHECKING:
    from foveal.importing.imported import Imported
    from foveal.importing.onnx.file import File
    from foveal.model import Model
    from foveal.net.layers import Normalise

_NUMBER = re.compile(r"\s*[-+]?([0-9]{1,12}\.?[0-9]{0,12}|\.[0-9]{1,12})\s*")
_LONGEST_LIST = 2**24
"""Bytes of a file with names of classes."""


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The model to be written.")
@click.option("--classes", type=click.Path(path_type=Path), help="Their names, one on each line.")
@click.option("--mean", default=None, help="What was subtracted: 0.485,0.456,0.406.  [default: 0]")
@click.option(
    "--std", default=None, help="What it was divided by: 0.229,0.224,0.225.  [default: 1]"
)
@click.option("--white", default=None, help="What white was before that: 1 or 255.  [default: 1]")
@click.option("--size", default=None, help="Side of the pictures in pixels, or HEIGHTxWIDTH.")
@click.option("--input", "arrives", default=None, help="Sizes the file leaves open: 3x224x224.")
def command(
    file: Path,
    output: Path | None,
    classes: Path | None,
    mean: str | None,
    std: str | None,
    white: str | None,
    size: str | None,
    arrives: str | None,
) -> int:
    """Read the net of an ONNX FILE with its weights, and write it as a model with -o.

    A level x from 0 to 255 comes to the net as (x * white / 255 - mean) / std: say these as the
    net was trained. A net that does not give the same answers as its file is refused.
    """
    from foveal.cli.nets import input_shape
    from foveal.importing.onnx import net_of, own
    from foveal.importing.onnx.file import open_file

    prepared = {"--mean": mean, "--std": std, "--white": white, "--size": size}
    normalise, side = normalisation(mean, std, white), input_size(size)
    if output is not None and output.exists() and output.samefile(file):
        raise SpecError("is the file itself", where=str(output), fix="-o model.safetensors")
    opened = open_file(file)
    if not own.is_ours(opened):
        imported = net_of(opened, None if arrives is None else input_shape(arrives))
    else:
        _refuse_preparation({**prepared, "--input": arrives})
        imported = own.read(opened)
    if output is None:
        return _shown(imported, opened)
    if own.is_ours(opened):
        model = own.model(imported, names(classes) if classes else own.classes(opened))
    else:
        model = imported.model(names(classes) if classes else _numbers(imported), normalise, side)
        if mean is std is white is None:
            click.echo("assumed: pixels come from 0 to 1 (else say --mean, --std, --white)")
    return _written(model, opened, output)


def normalisation(mean: str | None, std: str | None, white: str | None) -> Normalise:
    """What (x * white / 255 - mean) / std is in levels of 0 … 255."""
    from foveal.net.layers import Normalise

    (level,) = _reals("--white", white or "1", 1)
    if level <= 0:
        raise SpecError("must be above 0", where="--white", fix="--white 1, or --white 255")
    levels = 255 / level
    return Normalise(
        mean=tuple(number * levels for number in _reals("--mean", mean or "0", 4)),
        std=tuple(number * levels for number in _reals("--std", std or "1", 4)),
    )


def _reals(option: str, text: str, most: int) -> list[float]:
    parts = text.split(",")
    if len(parts) > most or not all(_NUMBER.fullmatch(part) for part in parts):
        several = f", or {option} 0.485,0.456,0.406" if most > 1 else ""
        raise SpecError(f"cannot read {text!r}", where=option, fix=f"{option} 0.5{several}")
    return [float(part) for part in parts]


def names(path: Path) -> list[str]:
    """Names of classes, one on each line of a text file."""
    from foveal.data.names import printable

    with path.open("rb") as file:
        content = file.read(_LONGEST_LIST + 1)
    try:
        lines = content.decode("utf-8-sig").splitlines() if len(content) <= _LONGEST_LIST else None
    except UnicodeDecodeError:
        lines = None
    if lines is None:
        raise DataError("is no text in UTF-8 of at most 16 MiB", where=printable(str(path)))
    found: dict[str, int] = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if line in found:
            raise DataError(
                f"the name {printable(line)!r} is in line {found[line]} already",
                where=f"{printable(str(path))}, line {number}",
                fix="another name for one of the two",
            )
        if line:
            found[line] = number
    return list(found)


def _numbers(imported: Imported) -> list[str]:
    """As many numbers as the net gives scores, for want of names."""
    shapes = list(imported.program.result_shapes().values())
    return [str(number) for number in range(shapes[0][0])]


def _refuse_preparation(options: dict[str, str | None]) -> None:
    for name, value in options.items():
        if value is not None:
            raise SpecError(
                "is in the file already, which Foveal wrote", where=name, fix="leave it out"
            )


def _shown(imported: Imported, opened: File) -> int:
    from foveal.cli.show import VIEWS
    from foveal.data.names import printable

    click.echo(VIEWS["table"](imported.program))
    click.echo(f"It gives the same answers as {printable(str(opened.path))}.")
    click.echo("To write it as a model: -o model.safetensors --classes FILE --mean … --std …")
    return 0


def _written(model: Model, opened: File, output: Path) -> int:
    from dataclasses import replace
    from hashlib import sha256

    from foveal.data.names import printable

    origin = {
        "file": opened.path.name,
        "sha256": sha256(opened.content).hexdigest(),
        "producer": opened.producer,
    }
    replace(model, about={**model.about, "imported": origin}).save(output)
    count = sum(array.size for array in model.weights.values())
    click.echo(
        f"written {printable(str(output))} ({len(model.classes):,} classes, {count:,} parameters)"
    )
    return 0
