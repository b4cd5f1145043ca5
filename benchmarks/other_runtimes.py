"""Exported nets in other runtimes than ours: python benchmarks/other_runtimes.py

Those are tried that are installed: `pip install openvino opencv-python-headless`. The evaluator of
the `onnx` package is there with the tests.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import report

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

TOLERANCE = 1e-5
Results = dict[str, np.ndarray]


class Exported(NamedTuple):
    """One ONNX file, what it reads and what it must make."""

    what: str
    """The word of the layer it has, or `net`."""
    content: bytes
    x: np.ndarray
    results: Results


def exported(layers: int, nets: int, only: str | None) -> Iterator[Exported]:
    """The layers of the tests' examples, random layers of each kind, and random nets."""
    from support.kinds import EXAMPLES, draw_arriving
    from support.nets import random_input, random_net, random_weights
    from support.steps import draw_step, example_step

    for kind, examples in EXAMPLES.items():
        if only not in (None, kind.word):
            continue
        random = np.random.default_rng(0)
        steps = [example_step(layer, ins) for layer, ins, _ in examples]
        for drawn in [*steps, *(draw_step(kind, random) for _ in range(layers))]:
            program, weights = drawn.program, drawn.weights(random)
            x = draw_arriving(random, program.steps[0].kind, 3, program.input)
            yield _exported(kind.word, program, weights, x)
    for seed in range(nets):
        net, shape = random_net(seed)
        program = net.bind(shape)
        yield _exported("net", program, random_weights(program, seed), random_input(program, seed))


def _exported(what: str, program: Any, weights: Results, x: np.ndarray) -> Exported:
    from foveal.engines import portable, reference

    x = x if x.dtype == np.uint8 else x.astype(np.float32)
    made = reference.build(program, weights).run(x)
    content = portable.write(program, weights)
    return Exported(what, content, x, {name or "y": value for name, value in made.items()})


def onnx(model: Exported) -> Results:
    from onnx import load_from_string
    from onnx.reference import ReferenceEvaluator

    loaded = load_from_string(model.content)
    names = [output.name for output in loaded.graph.output]
    made = ReferenceEvaluator(loaded).run(None, {loaded.graph.input[0].name: model.x})
    return dict(zip(names, made, strict=True))


def openvino(model: Exported) -> Results:
    import openvino as ov

    core = ov.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(model.content), "CPU", settings)
    made = compiled(model.x)
    return {name: made[out] for out in compiled.outputs for name in out.get_names()}


def opencv(model: Exported) -> Results:
    import cv2

    net = cv2.dnn.readNetFromONNX(np.frombuffer(model.content, np.uint8))
    net.setInput(model.x)
    return {name: net.forward(name) for name in model.results}


RUNTIMES: dict[str, tuple[str, Callable[[Exported], Results]]] = {
    "onnx": ("onnx", onnx),
    "openvino": ("openvino", openvino),
    "opencv": ("opencv-python-headless", opencv),
}
"""Each with the package that it comes in."""


def problem(name: str, model: Exported) -> str:
    """Why a runtime does not give what it should; empty if it does."""
    try:
        made = RUNTIMES[name][1](model)
    except Exception as error:  # noqa: BLE001 - whatever a runtime raises is what we ask
        return f"{type(error).__name__}: {error}".replace("\n", " ")[:200]
    for result, wanted in model.results.items():
        if made[result].shape != wanted.shape:
            return f"shape {made[result].shape} instead of {wanted.shape}"
        gap, largest = np.abs(made[result] - wanted).max(), np.abs(wanted).max()
        if not gap <= TOLERANCE * largest:
            return f"differs by {gap / (largest or 1):.1e} of the largest output"
    return ""


def problems(name: str, models: list[Exported]) -> Iterator[tuple[str, str]]:
    """What each model is and its problem, in a process of its own: some runtimes crash."""
    pool = None
    for model in models:
        pool = pool or ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        try:
            yield model.what, pool.submit(problem, name, model).result()
        except BrokenProcessPool:
            pool = None
            yield model.what, "the process crashed"
    if pool:
        pool.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=12, help="random layers of each kind")
    parser.add_argument("--nets", type=int, default=100, help="random nets")
    parser.add_argument("--only", help="of the layers only those of this word")
    asked = parser.parse_args()
    models = list(exported(asked.layers, asked.nets, asked.only))
    count = Counter(model.what for model in models)
    figures = {}
    for name, (package, _) in RUNTIMES.items():
        try:
            of = version(package)
        except PackageNotFoundError:
            continue
        found = [(what, why) for what, why in problems(name, models) if why]
        bad = Counter(what for what, _ in found)
        nets, layers = count["net"] - bad["net"], sum(count.values()) - count["net"]
        good = layers - (len(found) - bad["net"])
        print(f"{name} {of}: {good} of {layers} layers, {nets} of {count['net']} nets agree")
        for what in bad:
            why = Counter(text for word, text in found if word == what).most_common(1)[0][0]
            print(f"  {what}: {bad[what]} of {count[what]}, as: {why}")
        figures[name] = {"version": of, "layers": [good, layers], "nets": [nets, count["net"]]}
    report("other_runtimes", {"runtimes": figures})


if __name__ == "__main__":
    main()
