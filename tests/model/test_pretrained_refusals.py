"""Every sentence with which weights are refused; then nothing of them is read."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.model_files import with_length
from support.weights_files import SMALL, content, numbers, shapes_of, write

from foveal.errors import ModelFileError
from foveal.model import pretrained, tensors_file
from foveal.net.kind import Shape

KERAS = numbers(shapes_of(SMALL, "keras"))
RESNET = shapes_of("resnet18", "torchvision")
AGAIN = "\n  fix:      fetch or make the file once more"
GIVE = "\n  fix:      give a .safetensors file of weights, or a folder with one"
NEAREST = "fits no net of the zoo; the nearest is resnet18: "
RESNET_WANTED = (
    "\n  expected: the tensors of resnet18 as torchvision names them"
    "\n  fix:      foveal zoo resnet18 --names lists them"
)


def refusal(path: Path, name: str | None = None) -> str:
    """The sentence with which it is refused, without its path."""
    with pytest.raises(ModelFileError) as caught:
        pretrained.read(path, name)
    return str(caught.value).removeprefix(f"{path}: ")


def misfit(shapes: dict[str, Shape], name: str | None = None) -> str:
    with pytest.raises(ModelFileError) as caught:
        pretrained.match(shapes, "w", name)
    return str(caught.value).removeprefix("w: ")


def without(*names: str) -> dict[str, Shape]:
    return {key: shape for key, shape in RESNET.items() if key not in names}


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            without("layer1.0.conv1.weight"),
            f"{NEAREST}1 missing\n  arrives:  missing: layer1.0.conv1.weight{RESNET_WANTED}",
        ),
        (
            without("fc.bias"),
            f"{NEAREST}1 missing\n  arrives:  missing: fc.bias{RESNET_WANTED}",
        ),
        (
            {**RESNET, "ema.decay": ()},
            f"{NEAREST}1 left over\n  arrives:  left over: ema.decay{RESNET_WANTED}",
        ),
        (
            {**RESNET, "conv1.weight": (64, 1, 7, 7)},
            f"{NEAREST}1 of another shape\n"
            f"  arrives:  of another shape: conv1.weight is 64x1x7x7, not 64x3x7x7{RESNET_WANTED}",
        ),
        (
            {**RESNET, "bn1.bias": ()},
            f"{NEAREST}1 of another shape\n"
            f"  arrives:  of another shape: bn1.bias is a single number, not 64{RESNET_WANTED}",
        ),
        (
            {**without("bn1.bias"), "bn1.beta": (64,)},
            f"{NEAREST}1 missing, 1 left over\n"
            f"  arrives:  missing: bn1.bias\n            left over: bn1.beta{RESNET_WANTED}",
        ),
        (
            {key: shape for key, shape in RESNET.items() if not key.endswith(".running_var")},
            f"{NEAREST}20 missing\n"
            "  arrives:  missing: bn1.running_var, layer1.0.bn1.running_var,"
            " layer1.0.bn2.running_var, layer1.1.bn1.running_var, layer1.1.bn2.running_var, …"
            + RESNET_WANTED,
        ),
        (
            {**RESNET, f"layer1.{'x' * 200}": (1,)},
            f"{NEAREST}1 left over\n  arrives:  left over: layer1.{'x' * 93}{RESNET_WANTED}",
        ),
        (
            {f"model.{key}": shape for key, shape in RESNET.items() if "fc" not in key}
            | {"model.fc.weight": (9, 512)},
            f"{NEAREST}1 missing\n  arrives:  missing: fc.bias"
            f"\n            'model.' is taken off all names{RESNET_WANTED}",
        ),
        (
            {**RESNET, "conv1.weight": (64, 1, 7, 7), "bn1.bias": (65,)},
            f"{NEAREST}2 of another shape\n"
            "  arrives:  of another shape: conv1.weight is 64x1x7x7, not 64x3x7x7;"
            f" bn1.bias is 65, not 64{RESNET_WANTED}",
        ),
        (
            {"bn1.num_batches_tracked": ()},
            "fits no net of the zoo\n"
            "  arrives:  only counters\n"
            "  expected: a net of foveal zoo, as torchvision, timm or Keras names its tensors\n"
            "  fix:      bring the net along: foveal import NET.onnx",
        ),
        (
            {f"net_{key}": shape for key, shape in RESNET.items()},
            "fits no net of the zoo\n"
            "  arrives:  102 tensors: net_conv1.weight, net_bn1.weight, net_bn1.bias,"
            " net_bn1.running_mean, net_bn1.running_var, …\n"
            "  expected: a net of foveal zoo, as torchvision, timm or Keras names its tensors\n"
            "  fix:      bring the net along: foveal import NET.onnx",
        ),
    ],
    ids=[
        "missing",
        "half a head",
        "left over",
        "channels",
        "scalar",
        "renamed",
        "many",
        "long",
        "prefix",
        "shapes",
        "counters",
        "other",
    ],
)
def test_tensors_that_do_not_fit_are_listed(shapes: dict[str, Shape], message: str) -> None:
    assert misfit(shapes) == message


def test_a_net_that_is_asked_for_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "w.safetensors", {"a.weight": np.ones(3, "f4")})
    assert refusal(path, "alexnet") == (
        "does not fit alexnet: 14 missing, 1 left over\n"
        "  arrives:  missing: features.0.weight, features.0.bias, features.3.weight,"
        " features.3.bias, features.6.weight, …\n"
        "            left over: a.weight\n"
        "  expected: the tensors of alexnet as torchvision names them\n"
        "  fix:      foveal zoo alexnet --names lists them"
    )


def test_one_wrong_key_is_refused(tmp_path: Path) -> None:
    tensors = {key.replace("block_7_expand.", "block_7_widen."): x for key, x in KERAS.items()}
    assert refusal(write(tmp_path / "w.safetensors", tensors)) == (
        f"fits no net of the zoo; the nearest is {SMALL}: 1 missing, 1 left over\n"
        "  arrives:  missing: block_7_expand.weight\n"
        "            left over: block_7_widen.weight\n"
        f"  expected: the tensors of {SMALL} as keras names them\n"
        f"  fix:      foveal zoo {SMALL} --names lists them"
    )


def test_whole_numbers_are_no_weights(tmp_path: Path) -> None:
    tensors = {**KERAS, "Conv1.weight": np.ones(KERAS["Conv1.weight"].shape, "i1")}
    assert refusal(write(tmp_path / "w.safetensors", tensors)) == (
        "tensor 'Conv1.weight' holds no real numbers\n"
        "  arrives:  I8\n"
        "  expected: one of F32, F16, BF16, F64\n"
        "  fix:      the weights before they were made into whole numbers"
    )


@pytest.mark.parametrize(
    ("tensor", "value", "message"),
    [
        (
            "bias",
            np.float32("nan"),
            "holds NaN or infinity\n  arrives:  1 of 16 numbers are not finite",
        ),
        (
            "bias",
            np.float64("-inf"),
            "holds NaN or infinity\n  arrives:  1 of 16 numbers are not finite",
        ),
        (
            "bias",
            np.float64(-1e300),
            "holds numbers that float32 cannot\n"
            "  arrives:  1 of 16, the largest 1e+300\n  expected: at most 3.4e+38",
        ),
        (
            "running_var",
            np.float32(-0.5),
            "holds variances below zero\n  arrives:  1 of 16, the lowest -0.5",
        ),
    ],
)
def test_numbers_that_no_net_can_use_are_refused(
    tmp_path: Path, tensor: str, value: np.floating, message: str
) -> None:
    name = f"bn_Conv1.{tensor}"
    array = KERAS[name].astype(value.dtype)
    array[3] = value
    path = write(tmp_path / "w.safetensors", {**KERAS, name: array})
    assert refusal(path) == f"tensor '{name}' {message}{AGAIN}"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.5, 0.999])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, share: float) -> None:
    whole = content(KERAS)
    path = tmp_path / "w.safetensors"
    path.write_bytes(whole[: int(len(whole) * share)])
    problem = refusal(path).splitlines()[0]
    assert problem in {"is empty", "its header is cut, or lies about its length", "is cut"}


def test_what_a_cut_file_lacks_is_said(tmp_path: Path) -> None:
    whole = content({"a": np.ones(4, "f4")})
    path = tmp_path / "w.safetensors"
    path.write_bytes(whole[:-1])
    assert refusal(path) == (
        f"is cut\n  arrives:  15 bytes after the header\n  expected: 16 bytes{AGAIN}"
    )


def test_a_file_that_is_cut_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "w.safetensors", {"a": np.ones(1_000_000, "f4")})
    with tensors_file.opened(path) as file:
        path.write_bytes(b"")
        with pytest.raises(ModelFileError) as caught:
            file.load({"a": (1_000_000,)})
    assert str(caught.value) == f"{path}: was cut while it was being read{AGAIN}"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"{}", f"holds no tensors{GIVE}"),
        (b'{"__metadata__": 1}', f"its metadata is no JSON object{AGAIN}"),
        (
            b'{"a": 1, "a": 2}',
            f"its header is no strict JSON\n  arrives:  the key 'a' twice{AGAIN}",
        ),
        (
            b'{"a": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}',
            "tensor 'a' has an unknown type of numbers\n"
            "  arrives:  'F8_E4M3'\n"
            "  expected: one of F64, F32, F16, I64, I32, U8, BF16, I8, I16, U16, U32, U64, BOOL",
        ),
    ],
)
def test_a_header_that_cannot_be_is_refused(tmp_path: Path, header: bytes, message: str) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(with_length(header))
    assert refusal(path) == message


def zipped(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, b"")
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "made", "message"),
    [
        (
            "alexnet.pth",
            lambda: zipped("archive/data.pkl"),
            "is no safetensors file but a PyTorch file (.pt), a zip archive around a pickle\n"
            "  fix:      foveal zoo convert alexnet.pth",
        ),
        (
            "googlenet.pth",
            lambda: pickle.dumps([1], protocol=2),
            "is no safetensors file but a Python pickle, which can run any program when it is"
            " opened\n  fix:      foveal zoo convert googlenet.pth",
        ),
        (
            "w.h5",
            lambda: b"\x89HDF\r\n\x1a\n" + bytes(100),
            f"is no safetensors file but an HDF5 file (Keras .h5){GIVE}",
        ),
        (
            "w.safetensors",
            lambda: b"<!DOCTYPE html><html></html>",
            "is no safetensors file but a web page\n"
            "  fix:      download the file itself, not the page about it",
        ),
        (
            "w.safetensors",
            lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:12",
            "is no safetensors file but a pointer that stands for the file\n"
            "  fix:      fetch the file: git lfs pull",
        ),
    ],
)
def test_other_files_are_told_by_name(
    tmp_path: Path, name: str, made: Callable[[], bytes], message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(made())
    assert refusal(path) == message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "w.safetensors") == (
        "there is no such file\n"
        "  fix:      give a .safetensors file, or digit_reader, which comes with Foveal"
    )


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert refusal(tmp_path) == f"holds no safetensors file{GIVE}"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "resnet18.pth", "last.CKPT"])
def test_a_folder_with_a_pickle_only(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(zipped("archive/data.pkl"))
    assert refusal(tmp_path) == (
        f"holds no safetensors file, but {name}\n  fix:      foveal zoo convert {tmp_path / name}"
    )


def test_a_folder_with_weights_in_parts(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"model-0000{number}-of-00002.safetensors").write_bytes(b"")
    (tmp_path / "model.safetensors.index.json").write_text("{}")
    assert refusal(tmp_path) == (
        "holds its weights in 2 parts\n"
        "  arrives:  model-00001-of-00002.safetensors, model-00002-of-00002.safetensors\n"
        "  expected: one, or one called model.safetensors\n"
        "  fix:      put them together: read each with safetensors.numpy.load_file,\n"
        "            write all their tensors with save_file as model.safetensors"
    )


def test_a_folder_with_several_files(tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"{number}.safetensors").write_bytes(b"")
    assert refusal(tmp_path) == (
        "holds 7 safetensors files\n"
        "  arrives:  0.safetensors, 1.safetensors, 2.safetensors, 3.safetensors,"
        " 4.safetensors, …\n"
        "  expected: one, or one called model.safetensors\n"
        "  fix:      give the file itself"
    )
