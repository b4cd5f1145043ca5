"""The protobuf writer: what protobuf itself reads back."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from foveal.engines.portable import wire


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (2**63 - 1, "ffffffffffffffff7f"),
        (-1, "ffffffffffffffffff01"),
        (-(2**63), "80808080808080808001"),
    ],
)
def test_varints_are_those_of_the_encoding(value: int, text: str) -> None:
    assert wire.varint(value).hex() == text


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(1, 2, 3),
        np.array([-1, 2**40], np.int64),
        np.array([0, 255], np.uint8),
        np.array(3.5, np.float32),
        np.arange(12, dtype=np.float32).reshape(3, 4).T,
    ],
)
def test_arrays_come_back(array: np.ndarray) -> None:
    read = onnx.TensorProto.FromString(wire.tensor("a.b", array).join())
    assert read.name == "a.b"
    assert np.array_equal(numpy_helper.to_array(read), array)
    assert read.SerializeToString(deterministic=True) == wire.tensor("a.b", array).join()


def test_arrays_are_not_copied_before_they_are_joined() -> None:
    array = np.zeros(1000, np.float32)
    last = wire.tensor("a", array).parts[-1]
    assert np.shares_memory(np.frombuffer(last, np.float32), array)


def test_attributes_come_back_with_their_types() -> None:
    attributes: dict[str, wire.Attribute] = {
        "whole": -3,
        "real": 0.1,
        "text": "linear",
        "list": [1, -2, 300],
        "empty": [],
    }
    made = wire.node("n", "Op", ["a", "", "b"], "y", attributes)
    read = onnx.NodeProto.FromString(made.join())
    assert (read.name, read.op_type, list(read.input), list(read.output)) == (
        "n",
        "Op",
        ["a", "", "b"],
        ["y"],
    )
    values = {each.name: onnx.helper.get_attribute_value(each) for each in read.attribute}
    assert values == {**attributes, "text": b"linear", "real": np.float32(0.1)}
    assert made.size == len(made.join())
    assert read.SerializeToString(deterministic=True) == made.join()


def test_an_array_outside_says_where_it_lies() -> None:
    read = onnx.TensorProto.FromString(
        wire.tensor("w", np.zeros((2, 3), np.float32), outside=True).join()
    )
    assert read.data_location == onnx.TensorProto.EXTERNAL
    assert {each.key: each.value for each in read.external_data} == {
        "location": "w",
        "offset": "0",
        "length": "24",
    }
