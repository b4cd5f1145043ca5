"""The option --json of a command with words of its own: it may stand before or after the word."""

from __future__ import annotations

import click

_KEY = f"{__name__}.wanted"


def _note(context: click.Context, _: click.Parameter, given: bool) -> None:
    context.meta[_KEY] = given or context.meta.get(_KEY, False)


option = click.option(
    "--json", is_flag=True, expose_value=False, callback=_note, help="Print everything as JSON."
)


def wanted() -> bool:
    """Whether the option was given; to be asked while a command runs that has it."""
    return bool(click.get_current_context().meta[_KEY])
