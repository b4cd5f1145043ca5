"""Whether an imported net answers as its file does."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from foveal import engines
from foveal.errors import DisagreementError, SpecError
from foveal.importing.imported import Imported
from foveal.importing.onnx.arrays import Array, shortened
from foveal.importing.onnx.file import File
from foveal.net.program import Program

TOLERANCE = 1e-5
"""Of the largest output: what sums in float32, in whatever order, stay within."""
TOLERANCE_OF_HALVES = 1e-2
"""Where the file computes in float16, whose numbers have three digits."""
MOST_NUMBERS = 2**28
"""1 GiB of float32: 64 pictures of VGG at 224 pixels."""
MOST_WORK = 10**13
"""64 pictures of VGG-19 at 512 pixels, which takes minutes."""


def check(
    opened: File, imported: Imported, x: Array, theirs: Array, views: Mapping[str, Array | None]
) -> None:
    """Run the file and the net on the same numbers.

    `theirs` is `x` as the file reads it; `views` says for each result where its numbers lie in that
    of the net, None if it is the same.

    Raises: DisagreementError if they differ by more than the tolerance; SpecError if onnxruntime
            cannot run the file
    """
    # Neither is rearranged: it would take longer than to run, and hide who is right.
    made = engines.build("portable", imported.program, imported.weights, optimise=False).run(x)
    tolerance = TOLERANCE_OF_HALVES if theirs.dtype == np.float16 else TOLERANCE
    wanted = run(opened, theirs, list(views))
    for (name, places), ours in zip(views.items(), made.values(), strict=True):
        ours = ours if places is None else ours.reshape(len(ours), -1)[:, places]
        if not np.isfinite(wanted[name]).all():
            raise SpecError(
                "is not finite for random numbers",
                where=f"output '{shortened(name)}'",
                fix="a file whose weights are finite",
            )
        difference = _difference(ours, wanted[name])
        if not difference <= tolerance:
            raise DisagreementError(
                f"the net and the file differ by {difference:.1e} of the largest output",
                where=f"output '{shortened(name)}'",
                expected=f"at most {tolerance:.0e}",
                fix="do not use this net, and please report it with the file",
            )


def refuse_too_large(program: Program, batch: int) -> None:
    """Before anything is computed: a file of a few bytes can describe what takes days.

    Raises: SpecError if a value or the whole work is beyond what a net for pictures needs
    """
    numbers = batch * max(map(prod, (program.input, *(step.shape for step in program.steps))))
    work = batch * sum(step.kind.macs(step.ins) for step in program.steps)
    for count, most, what in (
        (numbers, MOST_NUMBERS, "numbers in one of its values"),
        (work, MOST_WORK, "multiplications"),
    ):
        if count > most:
            raise SpecError(
                f"has {count:,} {what}, too many to be compared with its file",
                where=f"net, {batch} samples",
                expected=f"at most {most:,}",
                fix="export it for smaller pictures, or for a batch of 1",
            )


def run(opened: File, x: Array, names: list[str]) -> dict[str, Array]:
    """The outputs of a file by onnxruntime, which opens no other file for it."""
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is said in a sentence of ours
    options.enable_cpu_mem_arena = False
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    beside = {
        name: onnxruntime.OrtValue.ortvalue_from_numpy(
            np.require(opened.arrays[name], requirements=["A", "C"])
        )
        for name in opened.beside
    }
    options.add_external_initializers(list(beside), list(beside.values()))
    refusals = (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotImplemented,
        state.RuntimeException,
    )
    try:
        session = onnxruntime.InferenceSession(
            opened.content, options, providers=["CPUExecutionProvider"]
        )
        made = session.run(names, {session.get_inputs()[0].name: x})
    except refusals as error:
        raise SpecError(
            "cannot be run by onnxruntime, so that nothing can be compared",
            where=str(opened.path),
            arrives=shortened(str(error)),
        ) from error
    return dict(zip(names, made, strict=True))


def _difference(ours: Array, theirs: Array) -> float:
    """max|a - b| / max|b|; infinite where shapes differ, or b is 0 everywhere and a is not."""
    if ours.shape != theirs.shape:
        return float("inf")
    gap = float(np.abs(ours - theirs).max(initial=0))
    largest = float(np.abs(theirs).max(initial=0))
    return gap / largest if largest else (float("inf") if gap else 0.0)
