"""Files that lie, are cut, or ask for more than they are: a sentence, and little memory."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from support.onnx_files import model, node, numbers, one, whole, written

from foveal.engines.portable.wire import Message, varint
from foveal.errors import FovealError, ModelFileError
from foveal.importing.onnx import from_onnx
from foveal.importing.onnx.arrays import array
from foveal.importing.onnx.file import open_file
from foveal.importing.onnx.wire import BrokenError, Reader, text
from foveal.importing.onnx.wire import whole as whole_field

GOOD = one("Conv", (2, 4, 4), numbers(3, 2, 3, 3)).SerializeToString()


def problem(content: bytes, folder: Path) -> str:
    path = folder / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        open_file(path)
    return str(caught.value).replace(str(path), "net.onnx")


def broken(reason: str) -> str:
    return f"net.onnx: cannot be read: {reason}\n  fix:      fetch or export the file once more"


def test_what_is_no_onnx_is_named(tmp_path: Path) -> None:
    assert problem(b"\x89PNG\r\n\x1a\n" + bytes(50), tmp_path) == (
        "net.onnx: is no ONNX file but a PNG picture\n  fix:      give a file that ends in .onnx"
    )


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        open_file(tmp_path)
    assert str(caught.value) == f"{tmp_path}: is no file of at most 2,147,483,647 bytes"


def test_a_file_that_is_cut_anywhere(tmp_path: Path) -> None:
    for size in range(0, len(GOOD), 7):
        with pytest.raises(FovealError):
            open_file(written(GOOD[:size], tmp_path))


def test_a_length_beyond_the_end(tmp_path: Path) -> None:
    assert problem(b"\x08\x08\x12\xff\xff\xff\xff\x07", tmp_path) == broken(
        "a length of 2,147,483,647 goes beyond the end"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x0b", "a field is of wire type 3"),
        (b"\x00\x01", "a field has the number 0"),
        (b"\x08\xff", "it ends within a number"),
        (b"\x08" + b"\xff" * 11, "a number has more than 64 bits"),
        (b"\x08\x01\x08\x01", "n is there twice"),
        (b"\x0a\x01a", "n is of wire type 2"),
        (b"\x12\x01\xff", "a text is not in UTF-8"),
    ],
)
def test_a_message_that_is_none(content: bytes, reason: str) -> None:
    table = {1: whole_field("n"), 2: text("word")}
    with pytest.raises(BrokenError) as caught:
        Reader().message(memoryview(content), table)
    assert str(caught.value) == reason


def test_fields_are_counted() -> None:
    with pytest.raises(BrokenError) as caught:
        Reader(most=3).message(memoryview(b"\x18\x01" * 4), {})
    assert str(caught.value) == "it has more than 3 fields"


def test_numbers_may_be_packed_or_not() -> None:
    table = {1: whole_field("n", many=True)}
    packed = Message().buffer(1, varint(3) + varint(-1)).number(1, 7).join()
    assert Reader().message(memoryview(packed), table) == {"n": [3, -1, 7]}


def changed(change, content: bytes = GOOD) -> bytes:
    made = onnx.ModelProto.FromString(content)
    change(made)
    return made.SerializeToString()


def twice(made: onnx.ModelProto) -> None:
    made.graph.initializer.append(made.graph.initializer[0])


def old(made: onnx.ModelProto) -> None:
    made.opset_import[0].version = 6


def sparse(made: onnx.ModelProto) -> None:
    made.graph.sparse_initializer.add()


def functions(made: onnx.ModelProto) -> None:
    made.functions.add()


def huge(made: onnx.ModelProto) -> None:
    made.graph.initializer[0].dims[0] = 2**40


def negative(made: onnx.ModelProto) -> None:
    made.graph.initializer[0].dims[0] = -1


def text_array(made: onnx.ModelProto) -> None:
    made.graph.initializer[0].data_type = TensorProto.STRING


def two_options(made: onnx.ModelProto) -> None:
    made.graph.node[0].attribute.extend([helper.make_attribute("group", 1)] * 2)


def idle(content: onnx.ModelProto) -> None:
    del content.graph.node[0].output[:]


def no_opset(made: onnx.ModelProto) -> None:
    del made.opset_import[:]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (twice, "array 'a1' is there twice"),
        (old, "its operator set is 6, and those before 7 are not read"),
        (sparse, "it has sparse arrays, which are not read"),
        (functions, "it defines functions, which are not read"),
        (huge, "the array 'a1' has 54 numbers for a shape of 19,791,209,299,968"),
        (negative, "the array 'a1' has a shape that cannot be"),
        (text_array, "the array 'a1' is of data type 8, which is not read"),
        (two_options, "node 'Conv_y' (Conv): option 'group' is there twice"),
        (idle, "node 'Conv_y' (Conv) makes nothing"),
        (no_opset, "it does not say its operator set once"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_file_that_contradicts_itself(change, reason: str, tmp_path: Path) -> None:
    assert problem(changed(change), tmp_path) == broken(reason)


def test_lies_cost_little_memory(tmp_path: Path) -> None:
    """A gigabyte that is claimed, not there: refused before it is taken."""
    claims = [
        changed(huge),
        model(
            [node("ConstantOfShape", "sizes", "big"), node("Add", "x big", "y")],
            (2,),
            {"sizes": whole(2**20, 2**20)},
        ).SerializeToString(),
        model([node("Relu", "x")], (2**20, 2**20, 2**20)).SerializeToString(),
        model([node("Transpose", "x", perm=[0, 3, 1, 2])], (2**15, 2**15, 3)).SerializeToString(),
        model(
            [node("Tile", "sizes sizes", "big"), node("Add", "x big", "y")],
            (2,),
            {"sizes": whole(9)},
        ).SerializeToString(),
    ]
    paths = []
    for place, claim in enumerate(claims):
        paths.append(tmp_path / f"{place}.onnx")
        paths[-1].write_bytes(claim)
    tracemalloc.start()
    for path in paths:
        with pytest.raises(FovealError):
            from_onnx(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10 * 2**20


def test_a_doubling_chain_is_stopped(tmp_path: Path) -> None:
    nodes = [node("Concat", f"v{n} v{n}", f"v{n + 1}", axis=0) for n in range(60)]
    content = model([*nodes, node("Reshape", "x v60")], (2,), {"v0": whole(1)})
    with pytest.raises(FovealError) as caught:
        from_onnx(written(content, tmp_path))
    assert str(caught.value) == (
        "node 'Concat_v20' (Concat): would make 1,048,576 numbers, more than there are weights"
    )


TYPES = (
    *("float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"),
    *("uint16", "uint32", "uint64", "bfloat16"),
)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("raw", [True, False], ids=["bytes", "numbers"])
def test_arrays_of_every_type_are_read(dtype: str, raw: bool) -> None:
    kind = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    wanted = np.array([[0, 1, 3], [1, 0, 100]]).astype(kind)
    if kind.kind in "if" or dtype == "bfloat16":
        wanted = -wanted
    made = numpy_helper.from_array(wanted, "a")
    if not raw:
        made = helper.make_tensor("a", made.data_type, wanted.shape, wanted.reshape(-1).tolist())
    name, found, outside = array(Reader(), memoryview(made.SerializeToString()), None)
    assert (name, outside, found.shape) == ("a", False, (2, 3))
    assert np.array_equal(found, wanted.astype(found.dtype))


ABSENT = "which cannot be opened: No such file or directory"
ELSEWHERE = "which is not the name of a file beside it"


def beside(folder: Path, location: str, offset: int = 0, length: int | None = None) -> Path:
    made = onnx.ModelProto.FromString(GOOD)
    tensor = made.graph.initializer[0]
    data = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    said = {"location": location, "offset": offset, "length": length or len(data)}
    for key, value in said.items():
        tensor.external_data.add(key=key, value=str(value))
    (folder / "net.data").write_bytes(bytes(8) + data)
    return written(made, folder)


def test_arrays_may_lie_in_a_file_beside(tmp_path: Path) -> None:
    imported = from_onnx(beside(tmp_path, "net.data", offset=8))
    assert np.array_equal(imported.weights["Conv_y.weight"], numbers(3, 2, 3, 3))


@pytest.mark.parametrize(
    ("location", "offset", "length", "reason"),
    [
        ("../net.data", 0, None, f"lies in '../net.data', {ELSEWHERE}"),
        ("/etc/passwd", 0, None, f"lies in '/etc/passwd', {ELSEWHERE}"),
        ("..\\net.data", 0, None, f"lies in '..\\net.data', {ELSEWHERE}"),
        ("..", 0, None, f"lies in '..', {ELSEWHERE}"),
        ("", 0, None, f"lies in '', {ELSEWHERE}"),
        ("no.data", 0, None, f"lies in 'no.data', {ABSENT}"),
        ("net.data", 9, None, "goes beyond the end of 'net.data'"),
        ("net.data", -8, None, "says where it lies with '-8'"),
        ("net.data", 0, 4, "has 4 bytes for a shape of 216"),
    ],
)  # fmt: skip
def test_arrays_lie_nowhere_else(location, offset, length, reason: str, tmp_path: Path) -> None:
    content = beside(tmp_path, location, offset, length).read_bytes()
    assert problem(content, tmp_path) == broken(f"the array 'a1' {reason}")


def test_a_link_beside_is_not_followed(tmp_path: Path) -> None:
    path = beside(tmp_path, "link.data", offset=8)
    (tmp_path / "link.data").symlink_to(tmp_path / "net.data")
    assert "lies in 'link.data', which cannot be opened" in problem(path.read_bytes(), tmp_path)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=3))
def test_a_changed_byte_gives_a_net_or_a_sentence(tmp_path_factory, changes) -> None:
    content = bytearray(GOOD)
    for place, value in changes:
        content[place] = value
    path = written(bytes(content), tmp_path_factory.getbasetemp())
    with suppress(FovealError):
        assert from_onnx(path).program.steps
