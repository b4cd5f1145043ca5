"""Weights that others saved find their places, and a Foveal model gives its net."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from support.models import light_or_dark
from support.weights_files import SMALL, bfloat16, numbers, shapes_of, stored, write

from foveal import engines
from foveal.errors import ModelFileError, SpecError
from foveal.model import Model, pretrained
from foveal.model.matching import match
from foveal.net.layers import Normalise
from foveal.net.notation import parse
from foveal.zoo import ENTRIES

KERAS = numbers(shapes_of(SMALL, "keras"))
FORMS = [(name, published.by) for name, entry in ENTRIES.items() for published in entry.published]


def test_a_file_becomes_a_net_with_weights(tmp_path: Path) -> None:
    path = write(tmp_path / "w.safetensors", KERAS)
    found = pretrained.read(path)
    assert (found.name, found.num_classes, found.input) == (SMALL, 1000, (3, 224, 224))
    assert found.normalise == Normalise((127.5,) * 3, (127.5,) * 3)
    assert (found.origin, found.classes, found.unused) == (str(path), (), ())
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert set(found.weights) == set(found.net.bind(found.input).tensors())
    assert {array.dtype.str for array in found.weights.values()} == {"<f4"}
    np.testing.assert_array_equal(found.weights["conv1.weight"], KERAS["Conv1.weight"])
    assert found.net == found.net.with_names()


@pytest.mark.parametrize(("name", "by"), dict.fromkeys(FORMS))
def test_every_net_is_recognised_by_names_and_shapes(name: str, by: str) -> None:
    found = match(shapes_of(name, by), "file")
    assert (found.name, found.published.by) == (name, by)


def test_the_first_files_of_torchvisions_densenet_are_recognised() -> None:
    shapes = {
        key.replace(".norm1.", ".norm.1."): shape
        for key, shape in shapes_of("densenet121", "torchvision").items()
    }
    renamed = {
        key.replace(".norm2.", ".norm.2.")
        .replace(".conv1.", ".conv.1.")
        .replace(".conv2.", ".conv.2."): shape
        for key, shape in shapes.items()
    }
    assert match(renamed, "file").name == "densenet121"


def test_other_classes_are_counted_from_the_head(tmp_path: Path) -> None:
    weight = np.ones((7, 1280), "f4")
    tensors = {**KERAS, "predictions.weight": weight, "predictions.bias": weight[:, 0].copy()}
    found = pretrained.read(write(tmp_path / "w.safetensors", tensors))
    assert found.num_classes == 7
    assert found.net.bind(found.input).result_shapes() == {"": (7,)}


def test_a_trunk_may_come_without_its_head(tmp_path: Path) -> None:
    trunk = {key: array for key, array in KERAS.items() if not key.startswith("predictions")}
    found = pretrained.read(write(tmp_path / "w.safetensors", trunk))
    needed = set(found.net.bind(found.input).tensors())
    assert needed - set(found.weights) == {"dense1.weight", "dense1.bias"}
    assert found.num_classes == 1000


def test_heads_that_only_helped_to_train_are_left_and_said() -> None:
    inception = match(
        {**shapes_of("inception_v3", "torchvision"), "AuxLogits.fc.weight": (1000, 768)}, "file"
    )
    assert inception.unused == ("AuxLogits.fc.weight",)
    googlenet = match({**shapes_of("googlenet", "torchvision"), "aux2.fc2.bias": (1000,)}, "file")
    assert googlenet.unused == ("aux2.fc2.bias",)


def test_other_kinds_of_numbers_are_read_as_float32(tmp_path: Path) -> None:
    tensors = {
        **KERAS,
        "Conv1.weight": bfloat16(KERAS["Conv1.weight"]),
        "Conv_1.weight": stored(KERAS["Conv_1.weight"].astype("f2")),
        "bn_Conv1.bias": stored(KERAS["bn_Conv1.bias"].astype("f8")),
    }
    weights = pretrained.read(write(tmp_path / "w.safetensors", tensors)).weights
    assert {array.dtype.str for array in weights.values()} == {"<f4"}
    places = match(shapes_of(SMALL, "keras"), "file").places
    for name, tolerance in (
        ("Conv1.weight", 2**-7),
        ("Conv_1.weight", 2**-11),
        ("bn_Conv1.bias", 0),
    ):
        path, _ = places[name]
        np.testing.assert_allclose(weights[path], KERAS[name], rtol=tolerance)


def test_tensors_that_lie_anywhere_are_read_alike(tmp_path: Path) -> None:
    """No program promises that numbers begin at a multiple of their size."""
    shifted = {"a.num_batches_tracked": ("U8", (1,), b"x"), **KERAS}
    found = pretrained.read(write(tmp_path / "w.safetensors", shifted))
    assert all(array.flags.aligned for array in found.weights.values())
    np.testing.assert_array_equal(found.weights["conv1.weight"], KERAS["Conv1.weight"])


def test_a_matrix_of_all_positions_may_be_a_convolution() -> None:
    shapes = shapes_of("vgg11", "timm")
    assert shapes["pre_logits.fc1.weight"] == (4096, 25088)
    shapes.update({"pre_logits.fc1.weight": (4096, 512, 7, 7)})
    shapes.update({"pre_logits.fc2.weight": (4096, 4096, 1, 1)})
    assert match(shapes, "file").places["pre_logits.fc1.weight"] == ("dense1.weight", (4096, 25088))


def test_a_name_is_believed_where_it_fits(tmp_path: Path) -> None:
    path = write(tmp_path / "w.safetensors", KERAS)
    assert pretrained.read(path, SMALL).name == SMALL
    with pytest.raises(ModelFileError) as caught:
        pretrained.read(path, "mobilenet_v2_050")
    assert caught.value.problem.startswith("does not fit mobilenet_v2_050: ")


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.module."])
def test_what_all_names_begin_with_is_taken_off(tmp_path: Path, prefix: str) -> None:
    tensors = {f"{prefix}{key}": array for key, array in KERAS.items()}
    found = pretrained.read(write(tmp_path / "w.safetensors", tensors))
    assert (found.name, found.prefix) == (SMALL, prefix)
    np.testing.assert_array_equal(found.weights["conv1.weight"], KERAS["Conv1.weight"])
    shapes = {
        f"{prefix}{key}": shape for key, shape in shapes_of("googlenet", "torchvision").items()
    }
    assert match({**shapes, f"{prefix}aux2.fc2.bias": (9,)}, "file").unused == (
        f"{prefix}aux2.fc2.bias",
    )


def test_what_all_names_begin_with_stays_where_it_belongs_to_them() -> None:
    """A trunk without its head: all names of what is left begin alike."""
    shapes = shapes_of("mobilenet_v2", "torchvision")
    trunk = {key: shape for key, shape in shapes.items() if key.startswith("features.")}
    assert (match(trunk, "file").name, match(trunk, "file").prefix) == ("mobilenet_v2", "")
    saved = {f"module.{key}": shape for key, shape in trunk.items()}
    assert match(saved, "file").prefix == "module."


def test_a_path_may_be_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "w.safetensors", KERAS)
    assert pretrained.read(str(path).encode()).origin == str(path)


@pytest.mark.parametrize(
    "names", [["w.safetensors"], ["MODEL.SAFETENSORS"], ["a.safetensors", "model.safetensors"]]
)
def test_a_folder_stands_for_its_file(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        write(tmp_path / name, KERAS)
    (tmp_path / "config.json").write_text("{}")
    assert pretrained.read(tmp_path).origin == str(tmp_path / names[-1])


def test_a_file_may_go_away_once_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "w.safetensors", KERAS)
    found = pretrained.read(path)
    path.write_bytes(b"")
    np.testing.assert_array_equal(found.weights["conv1.weight"], KERAS["Conv1.weight"])


def test_a_new_head_has_no_weights_yet(tmp_path: Path) -> None:
    found = pretrained.read(write(tmp_path / "w.safetensors", KERAS))
    net, weights = found.with_head(3)
    tensors = net.bind(found.input).tensors()
    assert set(tensors) - set(weights) == {"dense1.weight", "dense1.bias"}
    assert set(weights) < set(found.weights)
    assert tensors["dense1.weight"].shape == (3, 1280)


def test_a_model_of_ours_gives_its_net_its_levels_and_its_classes(tmp_path: Path) -> None:
    model = light_or_dark(side=8, channels=3)
    path = tmp_path / "light.safetensors"
    model.save(path)
    found = pretrained.read(path)
    assert found.net.write() == parse("globalavgpool -> scores: dense 2").write()
    assert (found.name, found.input, found.num_classes) == (path.name, (3, 8, 8), 2)
    assert (found.classes, found.normalise) == (("dark", "light"), Normalise())
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    picture = np.full((1, 3, 8, 8), 0.5, np.float32)
    scores = engines.build("portable", found.net.bind(found.input), found.weights).run(picture)
    np.testing.assert_allclose(scores[""], [[-2.5, 2.5]], rtol=1e-6)
    assert found.with_head(4)[0].write() == parse("globalavgpool -> scores: dense 4").write()


def test_a_model_that_normalises_nothing_leaves_levels_as_they_are(tmp_path: Path) -> None:
    net = parse("input uint8 -> resize 8 -> globalavgpool -> dense 2 -> softmax")
    Model.fresh(net, (1, 16, 16), ("a", "b")).save(tmp_path / "m.safetensors")
    found = pretrained.read(tmp_path / "m.safetensors")
    assert found.input == (1, 8, 8)
    assert found.normalise == Normalise((0,), (1,))
    assert found.net.write() == parse("globalavgpool -> dense1: dense 2").write()


def test_a_softmax_in_a_group_is_refused(tmp_path: Path) -> None:
    net = parse("input uint8 -> globalavgpool -> top: [dense 2 -> softmax]")
    path = tmp_path / "m.safetensors"
    Model.fresh(net, (1, 8, 8), ("a", "b")).save(path)
    with pytest.raises(ModelFileError) as caught:
        pretrained.read(path)
    assert str(caught.value) == (
        f"{path}: ends in a group, whose softmax cannot be taken off\n"
        "  fix:      write the net with softmax as a step of its own"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet-18", "resnet-18: is not in the zoo\n  fix:      did you mean 'resnet18'?"),
        (
            "quick",
            "quick: has no published weights, so no names to know them by\n"
            "  fix:      leave the name out: a file says by its names what it is for",
        ),
    ],
)
def test_names_without_weights_are_refused(tmp_path: Path, name: str, message: str) -> None:
    path = write(tmp_path / "w.safetensors", {"a.weight": np.ones(3, "f4")})
    with pytest.raises(SpecError) as caught:
        pretrained.read(path, name)
    assert str(caught.value) == message
