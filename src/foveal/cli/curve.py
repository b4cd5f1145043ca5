"""foveal curve: how many pictures do I need?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foveal.cli.options import input_size

if TYPE_CHECKING:
    from foveal.run.curve import Ahead, Curve, Tried


@click.command("curve")
@click.argument("data", default="digits")
@click.option("--net", default=None, help="A name of the zoo, a .net file, or notation.")
@click.option(
    "--pretrained",
    is_flag=False,
    flag_value="hub",
    default=None,
    help="Begin with published weights of the net: a file or folder, hub, or none.",
)
@click.option("--size", default=None, help="Side of the pictures in pixels, or HEIGHTxWIDTH.")
@click.option(
    "--group-by",
    default=None,
    help="Keep pictures together when a part is cut off: folder, time, or name:PATTERN.",
)
@click.option(
    "--repeats",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    help="How often each number of pictures is tried, every time with others.",
)
@click.option("--epochs", type=int, default=None, help="Of every training, where nets are trained.")
@click.option("--seed", type=int, default=None, help="Start of every random number.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the curve as SVG.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    data: str,
    net: str | None,
    pretrained: str | None,
    size: str | None,
    group_by: str | None,
    repeats: int,
    epochs: int | None,
    seed: int | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Learn from growing parts of DATA, and say what more pictures would bring.

    Every part is measured on the same pictures, which none learned from. With a pretrained net,
    which few photographs begin with, only its last layer learns, and it takes seconds; else every
    training is a real one.
    """
    from foveal.cli.progress import Bar
    from foveal.files import write_atomically
    from foveal.run.curve import curve

    bar = Bar(sys.stderr)
    changes = {"epochs": epochs, "seed": seed}

    def watch(event: Ahead | Tried) -> None:
        from foveal.run.curve import Ahead

        if isinstance(event, Ahead):
            for line in (*event.says, _ahead(event)):
                bar.say(line)
        else:
            bar.show("learning", event.progress)

    try:
        found = curve(
            data,
            net=net,
            pretrained=pretrained,
            size=input_size(size),
            group_by=group_by,
            repeats=repeats,
            watch=watch,
            fetching=lambda done, of: bar.show("fetching weights", done / of),
            **{name: value for name, value in changes.items() if value is not None},
        )
    finally:
        bar.close()
    if output is not None:
        write_atomically(output, drawing(found).encode())
    click.echo(json.dumps(found.to_json()) if as_json else "\n".join(table(found)))
    return 0


def table(found: Curve) -> list[str]:
    """A row for each number of pictures, and what more would bring."""
    repeats = len(found.points[0].accuracies)
    learned = (
        f"the last layer on {found.begins}" if found.learns == "head" else f"all of {found.begins}"
    )
    over = f"over {repeats} repeats" if repeats > 1 else "over repeats"
    lines = [
        f"{found.data}: {learned} learns, {found.n:,} pictures of the {found.part} part measure",
        "pictures                    95 % interval",
        f"a class   in all  accuracy  {over:<17}  of so few to measure  seconds",
    ]
    for point in found.points:
        lines.append(
            f"{point.each:>7,}  {point.pictures:>7,}  {point.accuracy:>8.1%}  "
            f"{_interval(point.over_repeats):<17}  {_interval(found.by_chance(point)):<20}"
            f"{point.seconds:>9.1f}"
        )
    return [*lines, found.says]


def drawing(found: Curve) -> str:
    """The same as SVG; the band is the wider of both intervals, dashed what the law says."""
    from foveal.report.curve import Band, Measured, draw_bands
    from foveal.run.curve import FURTHER

    points = []
    for point in found.points:
        bounds = [*found.by_chance(point), *(point.over_repeats or ())]
        points.append(Measured(point.each, point.accuracy, min(bounds), max(bounds)))
    beyond: tuple[tuple[int, float], ...] = ()
    if found.law is not None and found.can_tell:
        most = found.points[-1]
        now = found.law.at(most.each)
        beyond = tuple(
            (times * most.each, most.accuracy + found.law.at(times * most.each) - now)
            for times in FURTHER
        )
    title = f"{found.data}: accuracy on {found.n:,} pictures of the {found.part} part"
    return draw_bands(title, [Band(found.begins, tuple(points), beyond)])


def _ahead(event: Ahead) -> str:
    from foveal.cli.progress import in_words

    tried = ", ".join(f"{each:,}" for each in event.sizes)
    often = "once" if event.repeats == 1 else f"{event.repeats} times"
    how = f"learns from {tried} pictures of each class, {often} each"
    return how if event.seconds is None else f"{how}: about {in_words(event.seconds)} in all"


def _interval(bounds: tuple[float, float] | None) -> str:
    return "-" if bounds is None else f"{bounds[0]:.1%} to {bounds[1]:.1%}"
