"""Models to files and back; a file is checked against its own net before memory is taken."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from support.model_files import entry, forge
from support.models import light_or_dark, shade

from foveal.errors import ModelFileError
from foveal.model import Model, container, load, save
from foveal.net.notation import parse

ABOUT = {"metrics": {"accuracy": 0.5}, "recipe": {"seed": 3}}
NET = "input uint8 -> normalise -> flatten -> d: dense 2 -> softmax"
DOCUMENT = {
    "format": 1,
    "net": NET,
    "input": [1, 2, 2],
    "task": "classify",
    "classes": ["dark", "light"],
    "about": {},
}
WEIGHTS = {"d.weight": np.zeros((2, 4), np.float32), "d.bias": np.zeros(2, np.float32)}


def written(folder: Path, weights: dict = WEIGHTS, **changes: object) -> Path:
    """A model file with other entries; None leaves one out."""
    path = folder / "m.safetensors"
    document = {key: value for key, value in {**DOCUMENT, **changes}.items() if value is not None}
    container.write(path, document, weights)
    return path


def refusal(path: Path) -> str:
    """The sentence with which a file is refused, without its path."""
    with pytest.raises(ModelFileError) as caught:
        load(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_everything_comes_back(tmp_path: Path) -> None:
    model = light_or_dark(about=ABOUT)
    save(model, tmp_path / "m.safetensors")
    back = load(tmp_path / "m.safetensors")
    assert back.net == model.net
    assert (back.input, back.classes, back.task, back.about) == (
        model.input,
        model.classes,
        "classify",
        ABOUT,
    )
    assert {path: array.tolist() for path, array in back.weights.items()} == {
        path: array.tolist() for path, array in model.weights.items()
    }


def test_the_same_model_is_the_same_file(tmp_path: Path) -> None:
    digests = [save(light_or_dark(about=ABOUT), tmp_path / name) for name in ("a", "b")]
    assert digests[0] == digests[1]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_steps_without_names_get_them_in_the_file(tmp_path: Path) -> None:
    net = parse("input uint8 -> normalise -> flatten -> dense 3 -> relu -> dense 2 -> softmax")
    model = Model.fresh(net, (1, 4, 4), ("a", "b"))
    save(model, tmp_path / "m.safetensors")
    written = container.read_header(tmp_path / "m.safetensors").document["net"]
    assert "dense1: dense 3" in written
    assert load(tmp_path / "m.safetensors").predict(shade(9, size=(4, 4))) == model.predict(
        shade(9, size=(4, 4))
    )


def test_the_documents_of_these_tests_are_sound(tmp_path: Path) -> None:
    assert load(written(tmp_path)).predict(np.zeros((2, 2, 1), np.uint8)).probability == 0.5


TYPES = "has an entry of the wrong type"
UPGRADE = "\n  fix:      pip install --upgrade foveal"
DOCUMENTS = [
    (
        {"format": 2},
        "was written in a format this version does not read\n"
        "  arrives:  format 2\n  expected: format 1" + UPGRADE,
    ),
    (
        {"format": True},
        "was written in a format this version does not read\n"
        "  arrives:  format True\n  expected: format 1" + UPGRADE,
    ),
    (
        {"format": None},
        "was written in a format this version does not read\n"
        "  arrives:  format None\n  expected: format 1" + UPGRADE,
    ),
    ({"about": None}, "has an unknown or missing entry 'about'"),
    ({"__class__": "os.system"}, "has an unknown or missing entry '__class__'"),
    ({"module": "os"}, "has an unknown or missing entry 'module'"),
    ({"net": ["conv"]}, TYPES),
    ({"input": [1, 2.0, 2]}, TYPES),
    ({"input": [1, True, 2]}, TYPES),
    ({"input": []}, TYPES),
    ({"classes": []}, TYPES),
    ({"classes": ["a", 1]}, TYPES),
    ({"task": 3}, TYPES),
    ({"about": []}, TYPES),
    (
        {"task": "detect"},
        "is for a task this version does not know: 'detect'" + UPGRADE,
    ),
    (
        {"net": "input uint8 -> lambda 2 -> softmax"},
        "holds a net that cannot be read\n"
        "  arrives:  line 1, column 16: unknown word 'lambda'\n"
        "              input uint8 -> lambda 2 -> softmax\n"
        "                             ^",
    ),
    (
        {"net": NET.replace("flatten", "conv 2 5 -> flatten")},
        "holds a net that does not fit its input\n"
        "  arrives:  layer 3 'conv1' (Conv): kernel 5x5 does not fit into 2x2\n"
        "              arrives:  1x2x2 from layer 2 'normalise1'\n"
        "              fix:      padding same, a smaller kernel, or one pooling layer fewer",
    ),
    (
        {"classes": ["a", "b", "c"]},
        "holds no net that can be asked\n"
        "  arrives:  net: does not give one answer for each class\n"
        "              arrives:  2\n"
        "              expected: 3",
    ),
    (
        {"classes": ["a", "a"]},
        "holds no net that can be asked\n  arrives:  classes: are not all different",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), DOCUMENTS)
def test_a_document_that_says_something_else_is_refused(changes, sentence, tmp_path: Path) -> None:
    assert refusal(written(tmp_path, **changes)) == sentence


TENSORS = [
    ({"d.bias": None}, "lacks the tensor 'd.bias'"),
    ({"e.bias": np.zeros(2, np.float32)}, "has a tensor its net does not need: 'e.bias'"),
    (
        {"d.weight": np.zeros((4, 2), np.float32)},
        "tensor 'd.weight' does not fit the net\n  arrives:  F32 4x2\n  expected: F32 2x4",
    ),
    (
        {"d.weight": np.zeros((2, 4), np.float64)},
        "tensor 'd.weight' does not fit the net\n  arrives:  F64 2x4\n  expected: F32 2x4",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), TENSORS)
def test_tensors_that_are_not_those_of_the_net_are_refused(changes, sentence, tmp_path) -> None:
    weights = {key: value for key, value in {**WEIGHTS, **changes}.items() if value is not None}
    assert refusal(written(tmp_path, weights)) == sentence


def test_a_net_that_needs_terabytes_takes_none(tmp_path: Path) -> None:
    net = NET.replace("flatten", "flatten -> dense 1000000 -> wide: dense 1000000")
    assert refusal(written(tmp_path, net=net)) == "lacks the tensor 'dense1.weight'"


def test_a_tensor_that_claims_terabytes_takes_none(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    tensors = {
        "d.weight": entry(0, 2**44, "F32", [2**21, 2**21]),
        "d.bias": entry(2**44, 2**44 + 8),
    }
    path.write_bytes(forge(tensors, foveal=json.dumps(DOCUMENT)))
    assert refusal(path).splitlines()[0] == "is cut"


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(pickle.dumps({"weights": [1.0]}))
    assert refusal(path).startswith("is no Foveal model but a Python pickle, which can run any")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "m.safetensors") == (
        "there is no such file\n"
        "  fix:      give a .safetensors file, or digit_reader, which comes with Foveal"
    )
