"""A graph ready to run in onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from foveal.engines.portable.arriving import arriving
from foveal.net.program import Program


class Portable:
    """A program with its weights in an ONNX graph, run by onnxruntime on the processor."""

    def __init__(
        self,
        program: Program,
        content: bytes,
        weights: Mapping[str, np.ndarray] | None = None,
        *,
        optimise: bool = True,
        one_thread: bool = False,
    ) -> None:
        """`weights` are those that lie outside of the content."""
        import onnxruntime  # 0.1 s, and only prediction needs it

        onnxruntime.disable_telemetry_events()  # which its builds for Windows have on
        options = onnxruntime.SessionOptions()
        if one_thread:
            options.intra_op_num_threads = 1
        options.log_severity_level = 3  # errors; warnings repeat what the graph says already
        # Without its arena onnxruntime gives memory back: half of it for 32 pictures of ResNet-18.
        options.enable_cpu_mem_arena = False
        levels = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = (
            levels.ORT_ENABLE_ALL if optimise else levels.ORT_DISABLE_ALL
        )
        if not optimise:  # few pictures: threads that spin while they wait only cost time
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Values only point to the arrays: both must live as long as the session.
        self._values = {
            path: onnxruntime.OrtValue.ortvalue_from_numpy(array)
            for path, array in (weights or {}).items()
        }
        options.add_external_initializers(list(self._values), list(self._values.values()))
        self._results = [name for name, _ in program.results]
        self._arriving = arriving(program)
        self._session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Each result of the program by its name; a single result has the empty name.

        Shape:  (N, C, H, W) float, or (N, H, W, C) uint8 where the program begins with
                `input uint8` -> (N, ...) float32 for each result
        Raises: ShapeError if other sizes arrive than the program was bound to; SpecError if
                other numbers arrive
        """
        made = self._session.run(None, {self._arriving.name: self._arriving.accept(x)})
        return dict(zip(self._results, made, strict=True))
