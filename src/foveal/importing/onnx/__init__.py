"""ONNX files as a Net with its weights.

`file` reads the bytes, `reading` goes through the nodes with a row for each operator, `checking`
compares what came of it with the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foveal.errors import SpecError
from foveal.importing.graph import assemble
from foveal.importing.imported import Imported
from foveal.importing.onnx import own
from foveal.importing.onnx.arithmetic import ARITHMETIC
from foveal.importing.onnx.checking import check
from foveal.importing.onnx.file import Arriving, File, Node, open_file
from foveal.importing.onnx.layout import LAYOUT
from foveal.importing.onnx.norms import NORMS
from foveal.importing.onnx.pointwise import POINTWISE
from foveal.importing.onnx.reading import Here, Reading, Row
from foveal.importing.onnx.values import Value
from foveal.importing.onnx.windows import WINDOWS
from foveal.net.kind import Shape, shape_text

ROWS: Mapping[str, Row] = {**WINDOWS, **POINTWISE, **NORMS, **LAYOUT, **ARITHMETIC}
"""How each operator is said in layers."""
_NUMBERS = {1: np.float32, 6: np.int32, 7: np.int64, 10: np.float16, 11: np.float64}
"""Types of what may arrive."""


def read(path: str | Path, input: Shape | None = None) -> Imported:
    """The net of an ONNX file with its weights, once it answers as the file does.

    Use it for a net that was made with another framework. Operators that no layer is are refused
    by name and place, and so is every option that a layer lacks. `input` says what arrives,
    without the batch and channels first, where the file leaves it open.

    Shape:   a file that reads (N, C, H, W), or (N, H, W, C) and turns it first
    Raises:  ModelFileError if the file is no ONNX file, or damaged; SpecError if no net is the
             same; DisagreementError if a net was made and its answers are others
    Source:  onnx.ai/onnx/operators, operator sets 7 to 26
    """
    opened = open_file(path)
    if own.is_ours(opened):
        return own.read(opened)
    arriving = _arriving(opened)
    start = _Start.of(opened, arriving, input)
    reading = Reading(opened, ROWS, start.value(arriving.name), start.batch)
    for node in opened.nodes:
        reading.read(node)
    results = {name: _result(reading, name) for name in opened.outputs}
    ends = {name: value.of for name, value in results.items()}
    made = assemble(list(reading.nodes.values()), arriving.name, ends, start.shape)
    ...
