"""A model file comes back as it was written, and whatever is no whole model file is refused."""

import hashlib
import json
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.model_files import forge, refusal, with_length

from foveal.errors import MachineError, ModelFileError
from foveal.model import container, strict_json
from foveal.model.header import LARGEST_HEADER, LARGEST_TENSOR_COUNT

DOCUMENT = {"format": 1, "net": "conv1: conv 2 3 -> dense1: dense 3", "classes": ["été", "\udcff"]}
TENSORS = {
    "conv1.weight": np.arange(18, dtype=np.float32).reshape(2, 1, 3, 3),
    "conv1.steps": np.array(7, dtype=np.int64),
    "conv1.mask": np.array([1, 0, 1], dtype=np.uint8),
    "dense1.none": np.empty((0, 3), dtype=np.float32),
}
DEEP = json.loads("[" * 64 + "]" * 64)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "m.safetensors"
    container.write(path, DOCUMENT, TENSORS)
    return path


def test_what_is_written_comes_back(path):
    header = container.read_header(path)
    tensors = container.read_tensors(path, header)
    assert header.document == DOCUMENT
    assert list(header.tensors) == ["conv1.steps", "conv1.weight", "dense1.none", "conv1.mask"]
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert tensors[name].shape == header.tensors[name].shape == tensor.shape
        np.testing.assert_array_equal(tensors[name], tensor)
        assert tensors[name].flags.aligned
        assert tensors[name].flags.writeable


def test_a_net_without_tensors_comes_back(tmp_path):
    path = tmp_path / "m.safetensors"
    digest = container.write(path, {"net": "relu"}, {})
    assert container.read_tensors(path) == {}
    assert container.read_header(path).digest == digest


def test_safetensors_reads_the_file(path):
    tensors = safetensors.numpy.load_file(path)
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(tensors[name], tensor)
    with safetensors.safe_open(path, "np") as file:
        assert json.loads(file.metadata()["foveal"]) == DOCUMENT


def test_the_tensors_begin_at_a_multiple_of_8_bytes(path):
    assert container.read_header(path).data_start % 8 == 0


def test_the_digests_are_what_the_docstring_says(path):
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = container.read_header(path)
    text = content[8 : 8 + length].replace(header.digest.encode(), b"0" * 64)
    assert header.digest == hashlib.sha256(text).hexdigest()
    data = content[8 + length :]
    spans = sorted((entry.start, entry.end) for entry in header.tensors.values())
    parts = b"".join(hashlib.sha256(data[start:end]).digest() for start, end in spans)
    assert header.data_digest == hashlib.sha256(parts).hexdigest()


def test_the_same_model_gives_the_same_bytes_in_whatever_order_it_is_given(path):
    document = dict(reversed(DOCUMENT.items()))
    tensors = dict(reversed(TENSORS.items()))
    assert container.to_bytes(document, tensors) == path.read_bytes()


def test_layout_in_memory_does_not_matter():
    wanted = container.to_bytes({}, {"a": np.arange(6, dtype="<f4").reshape(2, 3)})
    transposed = np.arange(6, dtype="<f4").reshape(2, 3).T.copy().T
    assert container.to_bytes({}, {"a": transposed}) == wanted
    assert container.to_bytes({}, {"a": transposed.astype(">f4")}) == wanted


def test_the_header_may_have_the_first_bytes_of_a_pickle(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(forge({}, filled=640))
    assert path.read_bytes().startswith(b"\x80\x02")
    assert container.read_header(path).document == {}


def test_reading_a_header_needs_neither_numpy_nor_safetensors(path):
    program = (
        "import sys, pathlib; from foveal.model import container;"
        "container.read_header(pathlib.Path(sys.argv[1]));"
        "print({'numpy', 'safetensors'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_every_cut_is_refused(path):
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError):
            container.read_header(path)


@pytest.mark.parametrize("bit", [0, 5, 7])  # 5: the case of a letter
def test_a_flip_in_any_byte_is_refused(path, bit):
    content = path.read_bytes()
    data_start = container.read_header(path).data_start
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << bit
        path.write_bytes(flipped)
        with pytest.raises(ModelFileError):
            (container.read_header if place < data_start else container.read_tensors)(path)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_changed_nothing_but_a_refusal_comes(path, data):
    content = container.to_bytes(DOCUMENT, TENSORS)
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    changed = content[:start] + data.draw(st.binary(max_size=80)) + content[end:]
    path.write_bytes(changed)
    if changed == content:
        container.read_tensors(path)
    else:
        with pytest.raises(ModelFileError):
            container.read_tensors(path)


WORDS = st.sampled_from(["", "a", "b", "é", "\0", "\ud800", "dtype", "F32", "__metadata__"])
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "U8", "I64"]) | ODD,
        "shape": st.lists(st.integers(0, 3) | st.just(2**62), max_size=3) | ODD,
        "data_offsets": st.lists(st.integers(0, 8), min_size=2, max_size=2) | ODD,
    }
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tensors=st.dictionaries(WORDS, ODD | ENTRIES, max_size=4),
    document=ODD.map(json.dumps) | WORDS,
)
def test_whatever_a_header_says_it_is_read_or_refused(tmp_path, tensors, document):
    path = tmp_path / "m.safetensors"
    path.write_bytes(forge(tensors, data=bytes(8), foveal=document))
    try:
        found = container.read_tensors(path)
    except ModelFileError:
        return
    assert sum(tensor.nbytes for tensor in found.values()) == 8


def test_a_lie_about_the_length_takes_no_memory(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes((2**63 - 1).to_bytes(8, "little") + b'{"a":1}')
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError):
            container.read_header(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_header_of_more_than_8_mib_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.delattr(strict_json, "parse")
    text = b"{" + b" " * LARGEST_HEADER
    assert refusal(tmp_path, with_length(text)) == (
        "its header is too long\n  arrives:  8,388,609 bytes\n  expected: at most 8,388,608 bytes"
    )


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ("[" * 10_000, "nested deeper than 64 levels"),
        ("[]," * 550_001, "more than 1,100,000 brackets"),
        ('"",' * 550_001, "more than 1,100,000 quotation marks"),
    ],
    ids=["depth", "brackets", "quotation marks"],
)
def test_depth_and_count_are_found_before_json_is_parsed(tmp_path, monkeypatch, marks, reason):
    content = forge('"a":' + marks)
    monkeypatch.delattr(strict_json.json, "loads")
    assert refusal(tmp_path, content) == (
        "its header is no strict JSON\n"
        f"  arrives:  {reason}\n"
        "  fix:      fetch or make the file once more"
    )


def test_too_many_tensors_are_refused_before_one_is_looked_at(tmp_path):
    tensors = {f"{number:x}": 0 for number in range(LARGEST_TENSOR_COUNT)}
    assert "in other words" in refusal(tmp_path, forge(tensors))
    assert refusal(tmp_path, forge({**tensors, "one more": 0})) == (
        "has too many tensors\n  arrives:  100,001\n  expected: at most 100,000"
    )


@pytest.mark.long
def test_as_many_tensors_as_are_allowed_come_back(path):
    tensors = {f"{number:x}": np.empty(0, np.uint8) for number in range(LARGEST_TENSOR_COUNT)}
    container.write(path, {}, tensors)
    assert container.read_tensors(path).keys() == tensors.keys()


def png():
    return b"\x89PNG\r\n\x1a\n" + bytes(30)


def zipped(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    return (tmp_path / "a.zip").read_bytes()


@pytest.mark.parametrize("tail", [png(), b"zip"])
def test_a_file_that_is_another_one_at_once_is_refused(tmp_path, tail):
    tail = zipped(tmp_path, "a.txt") if tail == b"zip" else tail
    content = container.to_bytes(DOCUMENT, TENSORS)
    assert refusal(tmp_path, content + tail) == (
        "goes on after its last tensor\n"
        f"  arrives:  {83 + len(tail)} bytes after the header\n"
        "  expected: 83 bytes\n"
        "  fix:      fetch or make the file once more"
    )


def test_a_file_that_was_replaced_after_its_header_was_judged_is_refused(path):
    header = container.read_header(path)
    container.write(path, {"net": "relu"}, TENSORS)
    with pytest.raises(ModelFileError) as caught:
        container.read_tensors(path, header)
    assert str(caught.value) == (
        f"{path}: was replaced while it was being read\n  fix:      read it once more"
    )


def test_the_tensors_outlive_the_file(path):
    tensors = container.read_tensors(path)
    path.write_bytes(b"")
    np.testing.assert_array_equal(tensors["conv1.weight"], TENSORS["conv1.weight"])


def test_too_little_memory_is_the_machines_fault(path, monkeypatch):
    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr(np, "empty", refuse)
    with pytest.raises(MachineError) as caught:
        container.read_tensors(path)
    assert str(caught.value) == (
        f"{path}: does not fit into the memory\n"
        "  expected: 83 bytes\n"
        "  fix:      close other programs, or use a machine with more memory"
    )


def test_a_missing_file_a_folder_and_a_pipe_are_named(tmp_path):
    for name, problem in [("none", "there is no such file"), ("", "is no ordinary file")]:
        with pytest.raises(ModelFileError) as caught:
            container.read_header(tmp_path / name)
        assert caught.value.problem == problem
    assert caught.value.fix == "give the file itself"


def test_what_the_disk_says_is_passed_on(path, monkeypatch):
    def refuse(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelFileError) as caught:
        container.read_header(path)
    assert str(caught.value) == f"{path}: cannot be read: Input/output error"


@pytest.mark.parametrize(
    ("document", "tensors", "message"),
    [
        (
            {},
            {"a": np.array([1, np.nan, np.inf], np.float32)},
            "model: tensor 'a' holds NaN or infinity\n"
            "  arrives:  2 of 3 numbers are not finite\n"
            "  fix:      train again with a smaller learning rate, or take an earlier file",
        ),
        (
            {},
            {"a": np.zeros(1, complex)},
            "model: tensor 'a' cannot be saved\n"
            "  arrives:  complex128\n"
            "  expected: one of float64, float32, float16, int64, int32, uint8",
        ),
        (
            {"loss": float("nan")},
            {},
            "model: its document cannot be saved\n"
            "  arrives:  Out of range float values are not JSON compliant",
        ),
        (
            {"classes": "x" * LARGEST_HEADER},
            {},
            "model: its header is too long\n"
            "  arrives:  8,388,816 bytes\n"
            "  expected: at most 8,388,608 bytes",
        ),
        (
            {"about": DEEP},
            {},
            "model: its document is no strict JSON\n"
            "  arrives:  nested deeper than 64 levels\n"
            "  fix:      fetch or make the file once more",
        ),
        (
            {},
            {"a\n": np.zeros(1, np.uint8)},
            "model: tensor 'a\\n' has a name that cannot be printed\n"
            "  arrives:  'a\\n'\n"
            "  expected: letters, digits and signs",
        ),
    ],
    ids=["nan", "type", "document", "length", "depth", "name"],
)
def test_what_could_not_be_read_back_is_not_written(document, tensors, message):
    with pytest.raises(ModelFileError) as caught:
        container.to_bytes(document, tensors)
    assert str(caught.value) == message
