"""foveal show: the arithmetic of a net before anything is trained, or the net in another form."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

from foveal.cli.forms import FORMS, write
from foveal.cli.nets import resolve
from foveal.cli.options import letters
from foveal.errors import SpecError
from foveal.net.program import Program


@click.command("show")
@click.argument("net")
@click.option("--input", help="What arrives, channels first: 3x32x32. Zoo and model files know.")
@click.option("--symbols", "view", flag_value="symbols", help="In the symbols of papers, worked.")
@click.option("--formulas", "view", flag_value="formulas", help="Where every number comes from.")
@click.option("--json", "view", flag_value="json", help="One line of JSON, a layer per step.")
@click.option("--as", "form", type=click.Choice(list(FORMS)), help="As code, or drawn.")
@click.option("-o", "--output", help="Where --as writes it; else it is printed.")
@click.option("--set", "settings", default="", help="Letters of a pattern: N=2,M=3,K=1.")
def command(
    net: str,
    input: str | None,
    view: str | None,
    form: str | None,
    output: str | None,
    settings: str,
) -> None:
    """Show NET layer by layer: shapes, parameters, receptive fields, work and memory.

    NET is notation in quotes ("conv 6 5 -> relu -> flatten -> dense 10"), a .net file, a name of
    the zoo, or a model file. `--as pytorch` writes it as the code of a plain PyTorch module,
    `--as svg` draws it.
    """
    if form is None and output is not None:
        raise SpecError("says where to write a form", where="--output", fix="--as pytorch, too")
    if form is not None and view is not None:
        raise SpecError(f"is not for --{view}", where="--as", fix="one of the two")
    made, shape = resolve(net, input, letters(settings))
    program = made.bind(shape)
    if form is None:
        click.echo(VIEWS[view or "table"](program))
        return
    text = FORMS[form](net, made, program)
    if output is None:
        click.echo(text, nl=False)
    else:
        write(text, output)


def _table(program: Program) -> str:
    from foveal.net.arithmetic import arithmetic
    from foveal.net.table import WIDTH, table

    terminal = sys.stdout.isatty()
    width = os.get_terminal_size(sys.stdout.fileno()).columns if terminal else WIDTH
    return table(arithmetic(program), width=width, bold=terminal)


def _symbols(program: Program) -> str:
    from foveal.net.symbols import symbols

    return symbols(program)


def _formulas(program: Program) -> str:
    from foveal.net.arithmetic import arithmetic
    from foveal.net.table import explained

    return explained(arithmetic(program))


def _json(program: Program) -> str:
    import json

    from foveal.net.arithmetic import arithmetic

    return json.dumps(arithmetic(program).facts(), ensure_ascii=False)


VIEWS: dict[str, Callable[[Program], str]] = {
    "table": _table,
    "symbols": _symbols,
    "formulas": _formulas,
    "json": _json,
}
