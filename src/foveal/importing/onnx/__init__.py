"""ONNX files as a Net with its weights.

`file` reads the bytes, `reading` goes through the nodes with a row for each operator, `checking`
compares what came of it with the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foveal.importing.graph import assemble
from foveal.importing.imported import Imported
from foveal.importing.onnx import own
from foveal.importing.onnx.arithmetic import ARITHMETIC
from foveal.importing.onnx.arriving import TWO_SAMPLES, start_of
from foveal.importing.onnx.checking import check, refuse_too_large
from foveal.importing.onnx.file import File, Node, open_file
from foveal.importing.onnx.formulas import put_together
from foveal.importing.onnx.layout import LAYOUT
from foveal.importing.onnx.norms import NORMS
from foveal.importing.onnx.pointwise import POINTWISE
from foveal.importing.onnx.reading import Here, Reading, Row
from foveal.importing.onnx.values import Value
from foveal.importing.onnx.windows import WINDOWS
from foveal.net.kind import Shape

ROWS: Mapping[str, Row] = {**WINDOWS, **POINTWISE, **NORMS, **LAYOUT, **ARITHMETIC}
"""How each operator is said in layers."""


def from_onnx(path: str | Path, input: Shape | None = None) -> Imported:
    """The net of an ONNX file with its weights, once it answers as the file does.

    Use it for a net that was made with another framework. Operators that no layer is are refused
    by name and place, and so is every option that a layer lacks. `input` says what arrives,
    without the batch and channels first, where the file leaves it open. A file that Foveal wrote
    gives back its net from bytes to probabilities.

    Shape:   a file that reads (N, C, H, W), or (N, H, W, C) and turns it first
    Params:  those of the file: batch norms that are folded in it stay folded
    Raises:  ModelFileError if the file is no ONNX file, or damaged; SpecError if no net is the
             same; DisagreementError if a net was made and its answers are others
    Source:  onnx.ai/onnx/operators
    """
    opened = open_file(path)
    return own.read(opened) if own.is_ours(opened) else net_of(opened, input)


def net_of(opened: File, input: Shape | None = None) -> Imported:
    """The net of a file that another program wrote."""
    start = start_of(opened, input)
    reading = Reading(opened, ROWS, start.value(), start.batch)
    nodes = put_together(opened)
    for node in nodes:
        reading.refuse_unknown(node)
    for node in nodes:
        reading.read(node)
    results = {name: _result(reading, name) for name in opened.outputs}
    ends = {name: value.of for name, value in results.items()}
    made = assemble(list(reading.nodes.values()), start.name, ends, start.shape)
    refuse_too_large(made.program, start.batch or TWO_SAMPLES)
    x = start.random()
    check(opened, made, x, start.theirs(x), {name: value.places for name, value in results.items()})
    return made


def _result(reading: Reading, name: str) -> Value:
    """A result as the net makes it: where the file gives the channels last, they stay first."""
    here = Here(reading, Node(name, "", (name,), (), {}))
    if name not in reading.known:
        raise here.refusal("is made by no node")
    value = reading.known[name]
    if not isinstance(value, Value):
        raise here.refusal("does not depend on what arrives")
    last = (*range(1, len(value.whole)), 0)
    return value if value.order() == last else here.plain(value)


__all__ = ["ROWS", "from_onnx", "net_of"]
