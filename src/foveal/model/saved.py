"""Models to files and back: everything is checked against the net before memory is taken."""

from __future__ import annotations

from pathlib import Path

from foveal.errors import ModelFileError, SpecError
from foveal.model import container
from foveal.model.container import Header
from foveal.model.document import FORMAT, checked, described
from foveal.model.model import Model
from foveal.model.shipped import find
from foveal.model.views import ONE
from foveal.net import Net
from foveal.net.kind import Shape, shape_text


def save(model: Model, path: str | Path) -> str:
    """Write a model as one safetensors file, and return its digest.

    The net is stored as notation in which every step that owns weights is named. The file is
    written wholly or not at all; the same model always gives the same bytes.

    Raises: MachineError if the disk refuses; the old file is then as it was
    """
    document = {
        "format": FORMAT,
        "net": model.net.with_names().write(),
        "input": list(model.input),
        "task": model.task,
        "classes": list(model.classes),
        "about": dict(model.about),
        **({} if model.views == ONE else {"views": model.views}),
    }
    return container.write(Path(path), document, model.weights)


def load(path: str | Path) -> Model:
    """Read a model file that `save` wrote, or a model that comes with Foveal, by its name.

    Nothing in a file is ever executed.

    Raises: ModelFileError if the file is something else, damaged, or does not fit its own net
    """
    where = find(path)
    header = container.read_header(where)
    document = checked(header.document, where)
    net, input = described(document, where)
    _check_tensors(net, input, header, where)
    weights = container.read_tensors(where, header)
    classes = tuple(document["classes"])
    try:
        more = document["task"], document["about"], document.get("views", ONE)
        return Model(net, input, weights, classes, *more)
    except SpecError as error:
        raise ModelFileError(
            "holds no net that can be asked", where=str(where), arrives=str(error)
        ) from error


def _check_tensors(net: Net, input: Shape, header: Header, where: Path) -> None:
    """The tensors of the file are exactly those that the net needs."""
    try:
        needed = net.bind(input).tensors()
    except SpecError as error:
        raise ModelFileError(
            "holds a net that does not fit its input", where=str(where), arrives=str(error)
        ) from error
    for path in [*needed, *header.tensors]:
        if path not in header.tensors or path not in needed:
            which = "lacks the tensor" if path in needed else "has a tensor its net does not need:"
            raise ModelFileError(f"{which} {path!r}", where=str(where))
        entry, tensor = header.tensors[path], needed[path]
        if entry.shape != tensor.shape or entry.dtype != "F32":
            raise ModelFileError(
                f"tensor {path!r} does not fit the net",
                where=str(where),
                arrives=f"{entry.dtype} {shape_text(entry.shape)}",
                expected=f"F32 {shape_text(tensor.shape)}",
            )
