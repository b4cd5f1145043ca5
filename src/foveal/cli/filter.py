"""foveal filter: given filters on pictures, by the layer that a net has."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from foveal.errors import DataError, FovealError, ShapeError, SpecError

if TYPE_CHECKING:
    from foveal.filtering import Filter

PARAMETERS = ("size", "sigma", "wavelength", "angle", "phase")
RULES = ("clip", "rescale", "signed")


@click.command("filter")
@click.argument("name", required=False)
@click.argument("pictures", nargs=-1)
@click.option("-o", "--output", help="File or folder. Default: photo-NAME.png beside photo.jpg")
@click.option("--list", "listed", is_flag=True, help="Tell what there is; of NAME its numbers too.")
@click.option("--kernel", help='Your own instead of NAME: "0 -1 0 / -1 5 -1 / 0 -1 0".')
@click.option("--size", type=int, help="Side of box, gaussian or gabor in pixels, odd.")
@click.option("--sigma", type=float, help="Deviation of gaussian or gabor in pixels.")
@click.option("--wavelength", type=float, help="Width of a stripe and a gap of gabor in pixels.")
@click.option("--angle", type=float, help="Direction across the stripes of gabor in degrees.")
@click.option("--phase", type=float, help="Place of the stripes of gabor: 0 line, 90 edge.")
@click.option("--normalise", "--normalize", is_flag=True, help="Divide the kernel by its sum.")
@click.option("--true", is_flag=True, help="True convolution: the kernel turned round.")
@click.option(
    "--padding",
    default="replicate",
    show_default=True,
    help="Beyond the border: replicate, reflect, circular, a level, or valid: leave it out.",
)
@click.option(
    "--range",
    "rule",
    type=click.Choice(RULES),
    help="How values become 0-255. Default: signed for edges, else clip.",
)
@click.option("--gray", "--grey", is_flag=True, help="Read the pictures as grey.")
@click.option("--net", is_flag=True, help="Print the net that does it.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON per picture.")
def command(
    name: str | None,
    pictures: tuple[str, ...],
    output: str | None,
    listed: bool,
    kernel: str | None,
    normalise: bool,
    true: bool,
    padding: str,
    rule: str | None,
    gray: bool,
    net: bool,
    as_json: bool,
    **parameters: float | None,
) -> int:
    """Put PICTURES through the filter NAME: files, folders, globs, or a list.txt.

    NAME is one filter of `foveal filter --list`; or a family of filters or `all`, which makes a
    contact sheet. Exits 1 if some of the pictures cannot be filtered, 2 if none can.

    \b
    foveal filter edges photo.jpg
    foveal filter gaussian --sigma 4 photos/ -o soft/
    foveal filter all photo.jpg -o sheet.png
    """
    if listed:
        return _tell_filters(name, as_json)
    if kernel is not None and name is not None:
        pictures = (name, *pictures)
    filters = _filters(name, kernel, parameters, padding, true, normalise)
    if net and not (as_json and pictures):
        _tell_nets(filters)
    if not pictures:
        if net:
            return 0
        raise click.UsageError("Missing argument 'PICTURES...'.")
    label = str(name) if kernel is None else filters[0].name
    return _run(pictures, output, label, filters, rule, gray, as_json)


def _filters(
    name: str | None,
    kernel: str | None,
    parameters: dict[str, float | None],
    padding: str,
    true: bool,
    normalise: bool,
) -> list[Filter]:
    """What is meant by a name or a kernel, with the options."""
    from foveal import filtering

    said = [f"--{word}" for word, value in parameters.items() if value is not None]
    if kernel is not None:
        if said:
            raise click.UsageError(f"--kernel and {said[0]} exclude each other")
        return [filtering.own(kernel, padding=padding, true=true, normalise=normalise)]
    if name is None:
        raise click.UsageError("Missing argument 'NAME'.")
    names = filtering.choose(name)
    if len(names) > 1 and said:
        raise SpecError(
            f"are several filters, and {said[0]} is for one",
            where=name,
            fix=f"one of those made to measure: {filtering.measurable()}",
        )
    return [
        filtering.given(each, padding=padding, true=true, normalise=normalise, **parameters)
        for each in names
    ]


def _tell_nets(filters: Sequence[Filter]) -> None:
    width = max(len(each.name) for each in filters)
    for each in filters:
        label = f"{each.name:<{width}}  " if len(filters) > 1 else ""
        click.echo(label + each.net.write())


def _run(
    pictures: tuple[str, ...],
    output: str | None,
    name: str,
    filters: list[Filter],
    rule: str | None,
    gray: bool,
    as_json: bool,
) -> int:
    from foveal.cli.inputs import expand
    from foveal.cli.progress import counted
    from foveal.data.names import printable
    from foveal.filtering import is_folder, targets

    files = expand(pictures)
    goals = targets(files, output, name)
    if output is not None and is_folder(output):
        for folder in {goal.parent for goal in goals}:
            folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    pairs = list(zip(files, goals, strict=True))
    for file, made in counted(_made(pairs, filters, name, rule, gray), len(files), "filtering"):
        if isinstance(made, FovealError):
            failed += 1
            if as_json:
                click.echo(json.dumps({"file": str(file), "error": made.problem}))
            print(f"{made.kind}: {made}", file=sys.stderr)
        elif as_json:
            facts = {word: fact for word, fact in made.items() if word != "about"}
            click.echo(json.dumps({"file": str(file), **facts}, ensure_ascii=False))
        else:
            click.echo(f"{printable(str(file))} -> {printable(made['output'])}  {made['about']}")
    if failed == len(files):
        return DataError.exit_code
    return 1 if failed else 0


def _made(
    pairs: Sequence[tuple[Path, Path]],
    filters: list[Filter],
    name: str,
    rule: str | None,
    gray: bool,
) -> Iterator[tuple[Path, dict[str, Any] | FovealError]]:
    """Each picture filtered and written, with what there is to say of it, or why it was not."""
    for file, target in pairs:
        try:
            yield file, _one(file, target, filters, name, rule, gray)
        except DataError as error:
            yield file, error
        except ShapeError as error:
            yield (
                file,
                DataError(
                    f"the picture is too small: {error.problem}",
                    where=str(file),
                    fix="--padding replicate, which fits every picture",
                ),
            )


def _one(
    file: Path, target: Path, filters: list[Filter], name: str, rule: str | None, gray: bool
) -> dict[str, Any]:
    from foveal import filtering
    from foveal.data import pictures
    from foveal.files import write_atomically

    pixels = pictures.read(file, 1 if gray else pictures.header(file).channels)
    if len(filters) > 1:
        title = f"{file.name} through {len(filters)} filters"
        image, levels = filtering.sheet(pixels, filters, title, rule)
        about = f"{len(filters)} filters"
    else:
        chosen = filters[0]
        levels = [filtering.to_levels(filtering.apply(chosen, pixels), rule or chosen.rule)]
        image, about = filtering.as_image(levels[0].pixels), levels[0].sentence()
    write_atomically(target, filtering.encode(image, target))
    said = [
        {
            "filter": each.name,
            "net": each.net.write(),
            "range": one.rule,
            "low": one.low,
            "high": one.high,
            "black": one.black,
            "white": one.white,
            "cut": one.cut,
        }
        for each, one in zip(filters, levels, strict=True)
    ]
    facts = said[0] if len(filters) == 1 else {"filter": name, "filters": said}
    size = {"height": image.height, "width": image.width}
    return {"output": str(target), "about": about, **size, **facts}


def _tell_filters(name: str | None, as_json: bool) -> int:
    from foveal.filtering.layer import ALL, choose
    from foveal.net.filters import FAMILIES, FILTERS, PARAMETERS, kernel

    names = choose(name or ALL)
    if as_json:
        facts = [
            {
                "filter": each,
                "family": FILTERS[each].family,
                "about": FILTERS[each].about,
                "source": FILTERS[each].source,
                "parameters": list(PARAMETERS.get(each, ())),
                "kernel": kernel(each),
            }
            for each in names
        ]
        click.echo(json.dumps({"filters": facts}, ensure_ascii=False))
        return 0
    if name is not None and len(names) == 1:
        click.echo(_page(name))
        return 0
    families = [family for family in FAMILIES if any(FILTERS[n].family == family for n in names)]
    for family in families:
        click.echo(f"{family}: {FAMILIES[family]}")
        for each in (each for each in names if FILTERS[each].family == family):
            click.echo(f"  {each:<16}  {_size(each):>5}   {FILTERS[each].about}")
    if name is None:
        words = "; ".join(
            f"{each} has {', '.join('--' + word for word in said)}"
            for each, said in PARAMETERS.items()
        )
        click.echo(f"\nMade to measure: {words}")
        click.echo("The name of a family, or all, makes a contact sheet.")
    return 0


def _size(name: str) -> str:
    from foveal.net.filters import kernel

    rows = kernel(name)
    return f"{len(rows)}x{len(rows[0])}"


def _page(name: str) -> str:
    """A filter with its numbers."""
    from foveal.net.filters import FILTERS, kernel

    one = FILTERS[name]
    over = f" / {one.divisor}" if one.divisor > 1 else ""
    rows = [[f"{number * one.divisor:.4g}" for number in row] for row in kernel(name)]
    width = max(len(number) for row in rows for number in row)
    numbers = ["  " + " ".join(number.rjust(width) for number in row) for row in rows]
    heading = f"{name}: {one.about}\n{one.source}\n{_size(name)}{over}"
    return "\n".join([heading, *numbers])
