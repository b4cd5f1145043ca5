"""The command line: a table of commands, each loaded only when it is called."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn, cast

import click

from foveal import __version__
from foveal.errors import FovealError, did_you_mean

INTERRUPTED = 130  # 128 + SIGINT, as shells count
PIPE_CLOSED = 141  # 128 + SIGPIPE


class Entry(NamedTuple):
    """Where a command is, and its line in `foveal --help`."""

    module: str
    help: str


COMMANDS = {
    "train": Entry("foveal.cli.train", "Train a net on pictures."),
    "predict": Entry("foveal.cli.predict", "Say what is in pictures, or sort them by it."),
    "features": Entry("foveal.cli.features", "Write what a net makes of pictures, for analysis."),
    "undo": Entry("foveal.cli.undo", "Take back what `predict --sort-into` made."),
    "evaluate": Entry("foveal.cli.evaluate", "Measure a model on pictures with known answers."),
    "curve": Entry("foveal.cli.curve", "Say what more pictures would bring."),
    "export": Entry("foveal.cli.export", "Write a model as ONNX, compared with its engines."),
    "import": Entry(
        "foveal.cli.importing", "Read the net of an ONNX file, and write it as a model."
    ),
    "show": Entry("foveal.cli.show", "Show a net layer by layer: shapes, parameters, sight, work."),
    "filter": Entry("foveal.cli.filter", "Filter pictures: edges, blur, sharpen and others."),
    "data": Entry("foveal.cli.data", "Look at pictures and labels before training."),
    "zoo": Entry("foveal.cli.zoo", "List the published nets, or write one out."),
    "cache": Entry("foveal.cli.cache", "Show, add or clear what is kept on this computer."),
    "articles": Entry("foveal.cli.articles", "Check what the articles say, on this machine."),
    "bench": Entry("foveal.cli.bench", "Measure how fast this computer is, and compare it."),
}
"""Name to module, in the order of `foveal --help`; each module defines `command`."""


class CommandTable(click.Group):
    """A click group that lists its commands from the table and imports only the one called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return cast(click.Command, importlib.import_module(COMMANDS[cmd_name].module).command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = did_you_mean(name, COMMANDS)
            raise click.UsageError(f"no command '{name}'" + (f"; {near}" if near else ""), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (FovealError, OSError, MemoryError):
            if ctx.params["debug"]:
                import traceback

                traceback.print_exc()
            raise


@click.group("foveal", cls=CommandTable, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="foveal", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show where in the code an error arose.")
def group(debug: bool) -> None:
    """Convolutional networks you can see through, trained on the computer you have.

    `foveal COMMAND --help` explains a command.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return what the process exits with.

    0 done, 1 done with findings, 2 what the user can fix, 3 the machine, 130 on Ctrl-C.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need not be printable
    if "_FOVEAL_COMPLETE" in os.environ:
        group.main(given, prog_name="foveal")  # a shell asks how a word may go on; click exits
    try:
        return _run(given or ["--help"])
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _fail("UsageError", _usage(error), 2)
    except FovealError as error:
        return _fail(error.kind, str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return PIPE_CLOSED
    except (OSError, MemoryError) as error:
        absent = isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError)
        return _fail(type(error).__name__, str(error), 2 if absent else 3)


def leave() -> NoReturn:
    """Run the command line and end the process without taking NumPy and onnxruntime apart.

    That would cost a prediction 0.05 s of its 0.4 s. Every file is closed by then.
    """
    # Pictures are resized in threads of our own, which OpenBLAS's threads would fight: 1.4 instead
    # of 58 ms of processor time a picture on two busy cores. Read when NumPy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(arguments: list[str]) -> int:
    # Not group.main(): it answers a closed pipe with 1, which here means findings.
    try:
        with group.make_context("foveal", arguments) as context:
            code = group.invoke(context)
    except click.exceptions.Exit as finished:
        code = finished.exit_code
    sys.stdout.flush()
    return 0 if code is None else int(code)


def _usage(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "foveal"
    return f"{error.format_message()}\n  help:     {command} --help"


def _fail(name: str, sentence: str, exit_code: int) -> int:
    click.echo(f"{name}: {sentence}", err=True)
    return exit_code


def _discard_output() -> None:
    """The reader has gone: nothing may be written, not even at the interpreter's exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
