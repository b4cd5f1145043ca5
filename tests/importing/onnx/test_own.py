"""Files that Foveal wrote give back their model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from support.onnx_files import written

from foveal.errors import ModelFileError
from foveal.importing.onnx import from_onnx, own
from foveal.importing.onnx.file import open_file
from foveal.model import Model
from foveal.net.notation import parse

PLAIN = "input uint8 -> resize 12 -> crop 12 -> normalise -> conv 4 3 -> relu -> flatten -> dense 3"
NORMED = (
    "input uint8 -> normalise -> a: conv 4 3 same no bias -> bn -> relu -> "
    "add( identity | conv 4 3 same -> bn ) -> globalavgpool -> dense 3"
)
CLASSES = ("cat", "dog", "cow")


def model(text: str) -> Model:
    return Model.fresh(parse(f"{text} -> softmax"), (3, 12, 12), CLASSES, seed=1)


@pytest.mark.parametrize("text", [PLAIN, NORMED])
def test_what_was_exported_comes_back(text: str, tmp_path: Path) -> None:
    exported, path = model(text), tmp_path / "m.onnx"
    exported.export(path)
    opened = open_file(path)
    back = own.model(from_onnx(path), own.classes(opened))
    x = np.random.default_rng(0).integers(0, 256, (4, 12, 12, 3), np.uint8)
    assert np.abs(back.probabilities(x) - exported.probabilities(x)).max() <= 1e-5
    assert back.classes == CLASSES
    back.save(tmp_path / "m.safetensors")


def test_a_net_without_batch_norms_comes_back_as_it_was(tmp_path: Path) -> None:
    exported, path = model(PLAIN), tmp_path / "m.onnx"
    exported.export(path)
    back = from_onnx(path)
    assert back.net == exported.net
    assert back.weights.keys() == exported.weights.keys()


def changed(change, folder: Path) -> Path:
    path = folder / "m.onnx"
    model(PLAIN).export(path)
    content = onnx.load(path)
    change(content)
    return written(content, folder)


def other_net(content: onnx.ModelProto) -> None:
    for entry in content.metadata_props:
        if entry.key == "net":
            entry.value = entry.value.replace("dense 3", "dense 4")


def no_net(content: onnx.ModelProto) -> None:
    for entry in content.metadata_props:
        if entry.key == "net":
            entry.value = "conv conv"


def test_weights_must_be_those_of_the_net(tmp_path: Path) -> None:
    path = changed(other_net, tmp_path)
    with pytest.raises(ModelFileError) as caught:
        from_onnx(path)
    assert str(caught.value) == (
        f"{path}: has weights that are not those of its net\n  fix:      export the model once more"
    )


def test_a_net_must_be_one(tmp_path: Path) -> None:
    path = changed(no_net, tmp_path)
    with pytest.raises(ModelFileError) as caught:
        from_onnx(path)
    assert str(caught.value) == (
        f"{path}: has a net that cannot be read\n"
        "  arrives:  line 1, column 6: 'conv' is a layer of its own"
    )


def no_pictures(content: onnx.ModelProto) -> None:
    del content.graph.input[:]


def flat_pictures(content: onnx.ModelProto) -> None:
    del content.graph.input[0].type.tensor_type.shape.dim[2:]


def open_channels(content: onnx.ModelProto) -> None:
    content.graph.input[0].type.tensor_type.shape.dim[3].dim_param = "C"


def two_results(content: onnx.ModelProto) -> None:
    content.graph.output.add().name = "more"


def huge_net(content: onnx.ModelProto) -> None:
    """Weights of it would fill the memory of any machine."""
    for entry in content.metadata_props:
        if entry.key == "net":
            entry.value = entry.value.replace("dense 3", "dense 300000000")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (no_pictures, "does not say how large the pictures are that arrive"),
        (flat_pictures, "does not say how large the pictures are that arrive"),
        (open_channels, "does not say how large the pictures are that arrive"),
        (two_results, "has other results than its net"),
        (huge_net, "has weights that are not those of its net"),
    ],
)
def test_a_file_that_was_changed(change, problem: str, tmp_path: Path) -> None:
    path = changed(change, tmp_path)
    with pytest.raises(ModelFileError) as caught:
        from_onnx(path)
    assert str(caught.value) == f"{path}: {problem}\n  fix:      export the model once more"


@pytest.mark.parametrize("text", ["", "[", '{"a": 1}', "[1]", "[" * 100_000])
def test_classes_that_are_none(text: str, tmp_path: Path) -> None:
    def other(content: onnx.ModelProto) -> None:
        for entry in content.metadata_props:
            if entry.key == "classes":
                entry.value = text

    assert own.classes(open_file(changed(other, tmp_path))) == ()
