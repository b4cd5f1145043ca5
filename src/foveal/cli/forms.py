"""What `foveal show --as` writes: a net in another form, as a file of its own."""

from __future__ import annotations

from collections.abc import Callable

import click

from foveal.cli.nets import model_file
from foveal.errors import SpecError
from foveal.net import Net
from foveal.net.program import Program

OURS = "Written by Foveal"
"""What stands in a file that may be written anew."""


def write(text: str, output: str) -> None:
    """Write a form to a file, but not over one that somebody else has written.

    Raises:  SpecError if it is there already; MachineError if the disk refuses
    """
    from pathlib import Path

    from foveal.files import write_atomically

    path = Path(output)
    if path.exists() and not (path.is_file() and OURS.encode() in path.read_bytes()):
        problem = "is there already, and was not written by Foveal"
        raise SpecError(problem, where=output, fix="-o another name")
    write_atomically(path, text.encode())
    click.echo(f"written {path} ({text.count(chr(10)):,} lines)")


def _pytorch(net: str, _made: Net, program: Program) -> str:
    """A model file brings the names of its classes, and a function that loads its weights."""
    import re
    from pathlib import Path

    from foveal.engines import source

    path = model_file(net)
    if path is not None:
        from foveal.model.container import read_header
        from foveal.model.document import checked

        classes = checked(read_header(path).document, path)["classes"]
        return source.write(program, path.stem, classes=classes, weights=path.name)
    named = re.fullmatch(r"\w+", net) or net.lower().endswith(".net")
    return source.write(program, Path(net).stem if named else "net")


def _svg(net: str, made: Net, program: Program) -> str:
    """A drawing that is called as the net is; notation in quotes is no name."""
    import re
    from pathlib import Path

    named = re.fullmatch(r"\w+", net) or net.lower().endswith((".net", ".safetensors"))
    return made.draw(program.input, Path(net).stem if named else "")


FORMS: dict[str, Callable[[str, Net, Program], str]] = {"pytorch": _pytorch, "svg": _svg}
"""Each form by its word, from what the user has said, the net and the program of it."""
