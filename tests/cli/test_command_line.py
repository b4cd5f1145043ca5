"""The command line itself: the table, what errors look like, what the process exits with."""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import click
import pytest

from foveal import __version__
from foveal.cli import COMMANDS, group, main
from foveal.errors import DisagreementError, MachineError, ShapeError


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], object]], None]]:
    """Put a command's work in the place of `foveal show`."""

    def replace(work: Callable[[], object]) -> None:
        command = click.Command("show", callback=work)
        monkeypatch.setattr(group, "get_command", lambda ctx, name: command)

    return replace


def raiser(error: BaseException) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_exists_and_explains_itself(name: str) -> None:
    command = importlib.import_module(COMMANDS[name].module).command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_answers_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: foveal {name} ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_an_unknown_option(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--not-an-option"]) == 2
    assert capsys.readouterr().err.startswith("UsageError: No such ")


def test_help_lists_the_table_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    _, _, commands = capsys.readouterr().out.partition("Commands:\n")
    listed = [line.split(maxsplit=1) for line in commands.splitlines()]
    assert listed == [[name, entry.help] for name, entry in COMMANDS.items()]


def test_no_arguments_mean_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("Usage: foveal ")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"foveal {__version__}\n"


def test_unknown_command_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian", "photos"]) == 2
    assert capsys.readouterr() == (
        "",
        "UsageError: no command 'trian'; did you mean 'train'?\n  help:     foveal --help\n",
    )


def test_command_like_no_other_says_where_they_are_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["xyzzy"]) == 2
    assert capsys.readouterr().err == (
        "UsageError: no command 'xyzzy'\n  help:     foveal --help\n"
    )


def test_unknown_option_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--debugg", "show"]) == 2
    assert capsys.readouterr().err == (
        "UsageError: No such option '--debugg'. Did you mean '--debug'?\n"
        "  help:     foveal --help\n"
    )


ERRORS = [
    (
        ShapeError("kernel 5x5 does not fit into 3x3", where="layer 7 'conv3'", arrives="64x3x3"),
        2,
        "ShapeError: layer 7 'conv3': kernel 5x5 does not fit into 3x3\n  arrives:  64x3x3\n",
    ),
    (DisagreementError("by 0.1"), 1, "DisagreementError: by 0.1\n"),
    (MachineError("disk full"), 3, "MachineError: disk full\n"),
    (
        FileNotFoundError(2, "No such file or directory", "a.jpg"),
        2,
        "FileNotFoundError: [Errno 2] No such file or directory: 'a.jpg'\n",
    ),
    (OSError(28, "No space left", "m"), 3, "OSError: [Errno 28] No space left: 'm'\n"),
    (MemoryError("4 GiB wanted"), 3, "MemoryError: 4 GiB wanted\n"),
]


@pytest.mark.parametrize(("error", "code", "printed"), ERRORS, ids=lambda v: type(v).__name__)
def test_errors_become_a_sentence_and_an_exit_code(
    error: Exception, code: int, printed: str, does: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    does(raiser(error))
    assert main(["show"]) == code
    assert capsys.readouterr() == ("", printed)


def test_debug_adds_the_traceback_and_changes_nothing_else(
    does: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    does(raiser(MachineError("disk full")))
    assert main(["--debug", "show"]) == 3
    error = capsys.readouterr().err
    assert error.startswith("Traceback (most recent call last):\n")
    assert error.endswith("\nMachineError: disk full\n")


def test_interrupt_exits_130_without_a_word(
    does: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    does(raiser(KeyboardInterrupt()))
    assert main(["show"]) == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_mistake_of_ours_is_not_hidden(does: Callable) -> None:
    does(raiser(ZeroDivisionError("division by zero")))
    with pytest.raises(ZeroDivisionError):
        main(["show"])


@pytest.mark.parametrize(("answer", "code"), [(None, 0), (0, 0), (1, 1)])
def test_a_command_may_return_its_exit_code(answer: int | None, code: int, does: Callable) -> None:
    does(lambda: answer)
    assert main(["show"]) == code


def test_a_reader_that_leaves_is_no_error() -> None:
    code = "import sys, foveal.cli as cli; sys.exit(cli.main(['--help']))"
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=buffered,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_name_that_the_terminal_cannot_print_is_escaped(
    does: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="cp1252"))
    does(lambda: click.echo("\u2192 \udcff"))
    assert main(["show"]) == 0
    assert printed.getvalue().splitlines() == [b"\\u2192 \\udcff"]


def test_python_m_foveal_is_the_same_command(run_foveal: Callable) -> None:
    run = run_foveal("trian")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("UsageError: no command 'trian'; did you mean 'train'?\n")
