"""Every sentence with which a file is refused, and that other formats are told by name."""

import gzip
import io
import pickle
import zipfile

import numpy as np
import onnx
import pytest
import safetensors.numpy
from PIL import Image
from support.model_files import entry, forge, refusal, with_length

from foveal.model import container
from foveal.model.foreign import recognise

AGAIN = "\n  fix:      fetch or make the file once more"
NO_JSON = "its header is no strict JSON"


def test_the_forged_file_is_good_but_for_what_is_forged(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(forge({"a": entry(0, 3)}, data=b"abc"))
    assert container.read_tensors(path)["a"].tobytes() == b"abc"


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (
            {"a\x1b[2J": entry(0, 8)},
            "tensor 'a\\x1b[2J' has a name that cannot be printed\n"
            "  arrives:  'a\\x1b[2J'\n"
            "  expected: letters, digits and signs",
        ),
        (
            {"a": [1, 2]},
            "tensor 'a' is described in other words\n"
            "  arrives:  [1, 2]\n"
            "  expected: dtype, shape, data_offsets",
        ),
        (
            {"a": entry(0, 8, dtype="BF16")},
            "tensor 'a' has an unknown type of numbers\n"
            "  arrives:  'BF16'\n"
            "  expected: one of F64, F32, F16, I64, I32, U8",
        ),
        (
            {"a": entry(0, 8, shape=[2, -4])},
            "tensor 'a' has no possible shape\n"
            "  arrives:  [2, -4]\n"
            "  expected: up to 8 whole numbers from 0",
        ),
        (
            {"a": entry(0, 8, shape=[8, True])},
            "tensor 'a' has no possible shape\n"
            "  arrives:  [8, True]\n"
            "  expected: up to 8 whole numbers from 0",
        ),
        (
            {"a": entry(0, 8, shape=[1] * 9)},
            "tensor 'a' has no possible shape\n"
            "  arrives:  [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
            "  expected: up to 8 whole numbers from 0",
        ),
        (
            {"a": {**entry(0, 8), "data_offsets": [0, 8, 8]}},
            "tensor 'a' has no possible place\n"
            "  arrives:  [0, 8, 8]\n"
            "  expected: its first byte, and the one after its last",
        ),
        (
            {"a": entry(0, 0, shape=[2**33, 2**33, 0])},
            "tensor 'a' is larger than any memory\n"
            "  arrives:  [8589934592, 8589934592, 0]\n"
            "  expected: less than 2**63 bytes",
        ),
        (
            {"a": entry(0, 8, shape=[2, 2], dtype="F32")},
            "tensor 'a' has other bytes than its shape needs\n"
            "  arrives:  [0, 8]\n"
            "  expected: 16 bytes",
        ),
        (
            {"a": entry(8, 0, shape=[0])},
            "tensor 'a' has other bytes than its shape needs\n"
            "  arrives:  [8, 0]\n"
            "  expected: 0 bytes",
        ),
        (
            {"a": entry(0, 5), "b": entry(4, 8)},
            "tensor 'b' overlaps the one before it\n  arrives:  byte 4\n  expected: byte 5",
        ),
        (
            {"a": entry(0, 8), "b": entry(0, 8)},
            "tensor 'b' overlaps the one before it\n  arrives:  byte 0\n  expected: byte 8",
        ),
        (
            {"a": entry(0, 3), "b": entry(4, 8)},
            "tensor 'b' leaves a hole before it\n  arrives:  byte 4\n  expected: byte 3",
        ),
        (
            {"a": entry(0, 9)},
            f"is cut\n  arrives:  8 bytes after the header\n  expected: 9 bytes{AGAIN}",
        ),
        (
            {"a": entry(0, 7)},
            "goes on after its last tensor\n"
            f"  arrives:  8 bytes after the header\n  expected: 7 bytes{AGAIN}",
        ),
        (
            {"a": entry(0, 8, shape=[2], dtype="F32"), "x" * 99: 0},
            f"tensor '{'x' * 56}... is described in other words\n"
            "  arrives:  0\n"
            "  expected: dtype, shape, data_offsets",
        ),
    ],
)
def test_an_impossible_tensor_is_refused(tmp_path, tensors, message):
    assert refusal(tmp_path, forge(tensors, data=bytes(8))) == message


def test_weights_that_are_not_numbers_are_refused_with_their_name(tmp_path):
    data = np.array([1, np.nan, -np.inf], "<f4").tobytes()
    assert refusal(tmp_path, forge({"a": entry(0, 12, "F32", [3])}, data=data)) == (
        "tensor 'a' holds NaN or infinity\n"
        "  arrives:  2 of 3 numbers are not finite\n"
        "  fix:      train again with a smaller learning rate, or take an earlier file"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('"a": 1, "a": 1', "the key 'a' twice"),
        ('"a": NaN', "NaN, which is no JSON number"),
        ('"a": -Infinity', "-Infinity, which is no JSON number"),
        ('"a": 1e999', "the number 1e999, which is too large"),
        (f'"a": {10**20}', "a whole number of 21 digits"),
        ('"a": ' + "[" * 10_000, "nested deeper than 64 levels"),
        ('"a": ' + "[" * 10_000 + "]" * 10_000, "nested deeper than 64 levels"),
        ('"\\"[": ' + '"\\\\", "b":' + "[" * 64, "nested deeper than 64 levels"),
    ],
)
def test_a_header_that_is_no_strict_json_is_refused(tmp_path, text, reason):
    assert (
        refusal(tmp_path, forge(text))
        == f"its header is no strict JSON\n  arrives:  {reason}{AGAIN}"
    )


def test_brackets_inside_a_text_are_not_depth(tmp_path):
    path = tmp_path / "m.safetensors"
    document = {"net": '[ \\" {' * 100}
    container.write(path, document, {})
    assert container.read_header(path).document == document


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b'{"a', "Unterminated string starting at: line 1 column 2 (char 1)"),
        (b'{"\xff": 1}', "not UTF-8 at byte 2"),
    ],
)
def test_a_header_that_is_no_json_is_refused(tmp_path, header, reason):
    message = f"{NO_JSON}\n  arrives:  {reason}{AGAIN}"
    assert refusal(tmp_path, with_length(header)) == message


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("[]", "its document is no JSON object\n  arrives:  []"),
        (
            '{"a": 1, "a": 2}',
            f"its document is no strict JSON\n  arrives:  the key 'a' twice{AGAIN}",
        ),
        ("\ud800", f"its document is no strict JSON\n  arrives:  not UTF-8 at byte 0{AGAIN}"),
    ],
)
def test_a_document_that_is_no_strict_json_object_is_refused(tmp_path, document, message):
    assert refusal(tmp_path, forge({}, foveal=document)) == message.replace("header", "document")


def test_other_peoples_safetensors_is_told_apart(tmp_path):
    message = (
        "is a safetensors file, but no Foveal model: it holds weights and no net\n"
        "  fix:      give a file that foveal saved"
    )
    weights = {"a": np.zeros(2, np.float32)}
    assert refusal(tmp_path, safetensors.numpy.save(weights)) == message
    assert refusal(tmp_path, safetensors.numpy.save(weights, {"format": "pt"})) == message


@pytest.mark.parametrize(
    ("metadata", "arrives"),
    [
        ({"digest": None}, "['data_digest', 'foveal']"),
        ({"more": "1"}, "['data_digest', 'digest', 'foveal', 'more']"),
        ({"foveal": 1}, "['data_digest', 'digest', 'foveal']"),
    ],
)
def test_metadata_is_a_closed_list(tmp_path, metadata, arrives):
    assert refusal(tmp_path, forge({}, **metadata)) == (
        "its metadata is not that of a Foveal model\n"
        f"  arrives:  {arrives}\n"
        "  expected: data_digest, digest, foveal, each a text"
    )


def test_a_digest_that_is_none_is_refused(tmp_path):
    assert refusal(tmp_path, forge({}, data_digest="A" * 64)) == (
        "its data_digest is no SHA-256\n"
        f"  arrives:  '{'A' * 56}...\n"
        "  expected: 64 hexadecimal digits"
    )


def test_damage_is_told_apart_in_header_and_weights(tmp_path):
    content = forge({"a": entry(0, 3)}, data=b"abc")
    assert refusal(tmp_path, content.replace(b"U8", b"U9")) == (
        f"is damaged, or another program rewrote it: its header does not match its digest{AGAIN}"
    )
    assert refusal(tmp_path, content.replace(b"abc", b"abd")) == (
        f"is damaged: its weights do not match their digest{AGAIN}"
    )


def test_a_header_that_goes_beyond_the_file_is_refused(tmp_path):
    assert refusal(tmp_path, (2**63 - 1).to_bytes(8, "little") + b"{}") == (
        "its header is cut, or lies about its length\n"
        "  arrives:  2 bytes after the first 8\n"
        f"  expected: 9,223,372,036,854,775,807 bytes of header{AGAIN}"
    )


def test_an_empty_file_is_refused(tmp_path):
    assert refusal(tmp_path, b"") == f"is empty{AGAIN}"


def zipped(name):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, b"x")
    return content.getvalue()


def picture(kind):
    content = io.BytesIO()
    Image.new("RGB", (4, 4)).save(content, kind)
    return content.getvalue()


def array():
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    return content.getvalue()


def graph():
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    ends = [onnx.helper.make_tensor_value_info(name, 1, [1]) for name in "xy"]
    made = onnx.helper.make_graph([node], "net", ends[:1], ends[1:])
    return onnx.helper.make_model(made).SerializeToString()


SAVED = "give the .safetensors file that foveal saved"
WEIGHTS = "save its weights as .safetensors where it was made; no pickle is opened here"
PICTURE = "the model file comes first, the pictures after it"
PICKLE = "a Python pickle, which can run any program when it is opened"
PAGE = ("a web page", "download the file itself, not the page about it")
KERAS = ("a Keras file (.keras)", SAVED)


@pytest.mark.parametrize(
    ("content", "what", "fix"),
    [
        *((pickle.dumps({"a": 1}, protocol), PICKLE, WEIGHTS) for protocol in (2, 3, 4, 5)),
        (zipped("net/data.pkl"), "a PyTorch file (.pt), a zip archive around a pickle", WEIGHTS),
        (zipped("metadata.json"), *KERAS),
        (zipped("config.json"), *KERAS),
        (zipped("arr_0.npy"), "a NumPy archive (.npz)", SAVED),
        (zipped("readme.txt"), "a zip archive", "unpack it first"),
        (b"\x89HDF\r\n\x1a\n" + bytes(9), "an HDF5 file (Keras .h5)", SAVED),
        (
            graph(),
            "an ONNX graph",
            "foveal import FILE -o model.safetensors makes a model of it",
        ),
        (picture("png"), "a PNG picture", PICTURE),
        (picture("jpeg"), "a JPEG picture", PICTURE),
        (picture("gif"), "a GIF picture", PICTURE),
        (picture("webp"), "a WebP picture, or sound", PICTURE),
        (array(), "a NumPy array (.npy)", SAVED),
        (b"GGUF" + bytes(9), "a GGUF file", SAVED),
        (gzip.compress(b"model", mtime=0), "a gzip archive", "unpack it first: gunzip"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
            "a pointer that stands for the file",
            "fetch the file: git lfs pull",
        ),
        (b"<!DOCTYPE html><html>", *PAGE),
        (b"\n <HTML lang=en>", *PAGE),
        (
            b"# LeNet-5\r\n\tconv 6 5 -> tanh",
            "a text",
            "give a net as text to foveal show or foveal train --net",
        ),
        (bytes(30), "something else, or cut to its first bytes", SAVED),
        (b"\x10", "something else, or cut to its first bytes", SAVED),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, content, what, fix):
    assert recognise(content[:512]) == (what, fix)
    assert refusal(tmp_path, content) == f"is no Foveal model but {what}\n  fix:      {fix}"
