"""MNIST's files: what they hold, when they are opened, and every way they can lie."""

from __future__ import annotations

import gzip
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from support.picture_files import idx, idx_folder

import foveal.data
from foveal.data.idx import read
from foveal.errors import DataError

OPENED: list[str] = []
"""Every path this process opens, once `watch` has been called."""


def watch() -> None:
    """Audit hooks cannot be removed, so there is one for all tests."""
    if not OPENED:
        sys.addaudithook(
            lambda event, facts: OPENED.append(str(facts[0])) if event == "open" else None
        )
        OPENED.append("watching")


def opened(word: str) -> int:
    return sum(word in path for path in OPENED)


@pytest.mark.parametrize("packed", [True, False])
def test_train_files_are_the_training_part_and_t10k_the_test_part(
    tmp_path: Path, packed: bool
) -> None:
    data = foveal.data.open(idx_folder(tmp_path / "mnist", packed=packed))
    assert (data.name, data.classes, data.channels) == ("mnist", tuple("01234"), 1)
    assert (len(data.train), len(data.validation)) == (15, 5)
    assert data.train.counts.tolist() == [3] * 5
    images = np.random.default_rng(20).integers(0, 256, (20, 4, 5))
    loaded = data.train.load()
    assert loaded.pictures.shape == (15, 4, 5, 1)
    for picture, name in zip(loaded.pictures, loaded.names, strict=True):
        assert (picture[..., 0] == images[int(name)]).all()
    assert data.test is not None
    assert data.test.labels.tolist() == [0, 1, 2, 3, 4]
    assert data.test.load().pictures.flags.writeable


def test_the_test_files_are_opened_once_and_only_when_asked_for(tmp_path: Path) -> None:
    folder = idx_folder(tmp_path / "watched")
    watch()
    OPENED[1:] = []
    data = foveal.data.open(folder)
    data.train.load()
    data.validation.load()
    assert data.measured is data.test
    assert data.test is not None
    assert not data.test.opened
    assert (opened("watched/train-"), opened("watched/t10k")) == (2, 0)
    assert len(data.test.load()) == len(data.test) == len(data.test.names) == 5
    data.test.pictures(0)
    assert data.test.opened
    assert (opened("t10k-images"), opened("t10k-labels")) == (1, 1)


def test_without_t10k_the_validation_part_is_measured(tmp_path: Path) -> None:
    data = foveal.data.open(idx_folder(tmp_path, test=False))
    assert data.test is None
    assert data.measured is data.validation


def test_the_fingerprint_follows_the_pixels(tmp_path: Path) -> None:
    first = foveal.data.open(idx_folder(tmp_path)).fingerprint
    again = foveal.data.open(idx_folder(tmp_path), seed=4).fingerprint
    path = tmp_path / "train-images-idx3-ubyte.gz"
    data = bytearray(gzip.decompress(path.read_bytes()))
    data[-1] ^= 1
    path.write_bytes(gzip.compress(data))
    assert first == again != foveal.data.open(tmp_path).fingerprint


def test_labels_need_not_be_consecutive(tmp_path: Path) -> None:
    idx_folder(tmp_path, packed=False, test=False)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.array([3, 200] * 10)))
    data = foveal.data.open(tmp_path, validation=0)
    assert data.classes == ("3", "200")
    assert data.train.labels.tolist() == [0, 1] * 10


def refusal(path: Path, data: bytes, axes: int = 1) -> str:
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read(path, axes)
    return str(caught.value).replace(str(path), "FILE")


def test_every_lie_of_a_file(tmp_path: Path) -> None:
    good = idx(np.arange(4))
    path = tmp_path / "x"
    stated = "\n  expected: 4 bytes after the header"
    assert refusal(path, good[:-1]) == "FILE: the file is cut off" + stated
    assert refusal(path, good[:6]) == "FILE: the file is cut off in its header"
    assert refusal(path, good + b"x") == "FILE: bytes follow the last value" + stated
    assert refusal(path, b"PNG") == "FILE: not an IDX file\n  arrives:  first bytes 50 4e 47"
    assert refusal(path, b"\x1f\x8b\x08\x00abc") == (
        "FILE: not an IDX file\n  arrives:  first bytes 1f 8b 08 00"
    )
    assert refusal(path, good, axes=3) == (
        "FILE: another kind of IDX file\n"
        "  arrives:  type 8, 1 axes\n"
        "  expected: type 8 (unsigned byte), 3 axes"
    )
    huge = bytes((0, 0, 8, 3)) + struct.pack(">3I", *[2**32 - 1] * 3)
    assert refusal(path, huge, axes=3) == (
        "FILE: the file is cut off\n"
        "  expected: 4294967295x4294967295x4294967295 bytes after the header"
    )


@pytest.mark.parametrize("cut", [5, 15, 25])
def test_a_damaged_gzip_file(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(idx(np.arange(40)))
    sentence = "FILE: the gzip file is damaged or cut off"
    assert refusal(tmp_path / "x.gz", packed[:cut]) == sentence
    assert refusal(tmp_path / "x.gz", b"no gzip at all") == sentence


def test_a_gzip_file_that_unpacks_to_more_than_it_says(tmp_path: Path) -> None:
    packed = gzip.compress(idx(np.arange(4)) + bytes(10**6))
    assert refusal(tmp_path / "x.gz", packed) == (
        "FILE: bytes follow the last value\n  expected: 4 bytes after the header"
    )


def folder_refusal(root: Path, *, test: bool = False) -> str:
    def open_all() -> None:
        data = foveal.data.open(root)
        assert test
        assert data.test is not None
        len(data.test)

    with pytest.raises(DataError) as caught:
        open_all()
    return str(caught.value).replace(str(root), "ROOT")


def test_a_missing_file_of_a_pair(tmp_path: Path) -> None:
    idx_folder(tmp_path, packed=False)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    assert folder_refusal(tmp_path) == (
        "ROOT: no file t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz"
    )
    (tmp_path / "train-images-idx3-ubyte").unlink()
    assert folder_refusal(tmp_path) == (
        "ROOT: no file train-images-idx3-ubyte or train-images-idx3-ubyte.gz"
    )


def test_pictures_and_labels_that_do_not_fit(tmp_path: Path) -> None:
    idx_folder(tmp_path, packed=False)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(19)))
    assert folder_refusal(tmp_path) == (
        "ROOT/train-images-idx3-ubyte: pictures and labels do not fit together\n"
        "  arrives:  20 pictures of 4x5, 19 labels\n"
        "  expected: a label for each picture"
    )
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(20)))
    assert folder_refusal(tmp_path) == (
        "ROOT/train-labels-idx1-ubyte: a classifier needs at least two classes\n"
        "  arrives:  one class: '0' (20 pictures)\n"
        "  expected: at least two different labels\n"
        "  fix:      give the pictures at least two different labels"
    )


def test_a_test_part_that_does_not_fit(tmp_path: Path) -> None:
    idx_folder(tmp_path, packed=False)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(np.array([0, 1, 2, 3, 7])))
    assert folder_refusal(tmp_path, test=True) == (
        "ROOT/t10k-labels-idx1-ubyte: the label 7 has no training picture"
    )
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((5, 4, 4))))
    assert folder_refusal(tmp_path, test=True) == (
        "ROOT/t10k-images-idx3-ubyte: test pictures have another size than training pictures\n"
        "  arrives:  4x4\n"
        "  expected: 4x5"
    )
