"""Written PyTorch modules, run in a process that cannot see Foveal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foveal.net.program import Program

SCRIPT = """
import importlib.util, json, pathlib, sys
import numpy, torch

torch.set_num_threads(1)  # small nets: threads cost more than they give

def ran(folder):
    spec = importlib.util.spec_from_file_location(folder.name, folder / "net.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with numpy.load(folder / "data.npz") as file:
        data = {name: torch.from_numpy(file[name]) for name in file}
    net = module.Net()
    state = {n.partition(" ")[2]: v for n, v in data.items() if n.startswith("weight ")}
    own = {name for name in net.state_dict() if not name.endswith(".num_batches_tracked")}
    if own != set(state):
        return {"error": f"other names: {sorted(own ^ set(state))}"}
    net.load_state_dict(state)
    learned = {name for name, p in net.named_parameters() if p.requires_grad}
    with torch.no_grad():
        made = net.eval()(data["x"])
    made = made if isinstance(made, dict) else {"": made}
    net.train()(data["x"])
    numpy.savez(folder / "made.npz", **{f"made {n}": v.numpy() for n, v in made.items()})
    return {"learned": sorted(learned)}

answers = {}
for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        answers[folder.name] = ran(folder)
    except Exception as error:
        answers[folder.name] = {"error": f"{type(error).__name__}: {error}"}
assert not any(name.partition(".")[0] == "foveal" for name in sys.modules)
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Case:
    """A written program with weights and an input, and what should come out."""

    program: Program
    source: str
    weights: Mapping[str, np.ndarray]
    x: np.ndarray
    truth: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Ran:
    """What a written module made, or why it did not."""

    error: str
    results: Mapping[str, np.ndarray]
    learned: frozenset[str]
    """Its parameters that are trained."""


def run(cases: Mapping[str, Case], folder: Path) -> dict[str, Ran]:
    """What each written module makes of its input, all in one process."""
    for name, case in cases.items():
        place = folder / name
        place.mkdir()
        (place / "net.py").write_text(case.source, encoding="utf-8")
        weights = {f"weight {path}": weight for path, weight in case.weights.items()}
        np.savez(place / "data.npz", x=case.x, **weights)
    script = folder.parent / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    # Isolated, so that it cannot find Foveal by the paths of this process.
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(folder)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return {name: _read(folder / name, answer) for name, answer in json.loads(done.stdout).items()}


def _read(place: Path, answer: dict[str, object]) -> Ran:
    if "error" in answer:
        return Ran(str(answer["error"]), {}, frozenset())
    with np.load(place / "made.npz") as file:
        results = {name.partition(" ")[2]: file[name] for name in file}
    return Ran("", results, frozenset(map(str, answer["learned"])))  # type: ignore[call-overload]
