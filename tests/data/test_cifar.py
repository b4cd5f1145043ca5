"""CIFAR's binary files: what they hold, when they are opened, and every way they can lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import foveal.data
from foveal.errors import DataError

NAMES = ("bird", "cat", "ship")
BYTES = 3 * 32 * 32


def records(count: int, seed: int, heads: int = 1, classes: int = 3) -> np.ndarray:
    random = np.random.default_rng(seed)
    made = random.integers(0, 256, (count, heads + BYTES), np.uint8)
    made[:, heads - 1] = np.arange(count) % classes
    return made


def ten(root: Path, names: str = "bird\ncat\nship\n\n", test: bool = True) -> Path:
    """Two batches of nine pictures and a test batch of six."""
    root.mkdir(parents=True, exist_ok=True)
    for number in (1, 2):
        (root / f"data_batch_{number}.bin").write_bytes(records(9, number).tobytes())
    if test:
        (root / "test_batch.bin").write_bytes(records(6, 0).tobytes())
    if names:
        (root / "batches.meta.txt").write_text(names, encoding="utf-8")
    return root


def test_batches_are_the_training_part_and_the_test_batch_the_test_part(tmp_path: Path) -> None:
    data = foveal.data.open(ten(tmp_path / "cifar"))
    assert (data.name, data.classes, data.channels) == ("cifar", NAMES, 3)
    assert (len(data.train), len(data.validation), data.sizes.one_size) == (15, 3, True)
    raw = np.concatenate([records(9, 1), records(9, 2)])
    loaded = data.train.load()
    for name, label, picture in zip(loaded.names, loaded.labels, loaded.pictures[:], strict=True):
        found = raw[int(name)]
        assert found[0] == label
        for channel in range(3):
            plane = found[1 + 1024 * channel : 1025 + 1024 * channel].reshape(32, 32)
            assert np.array_equal(picture[:, :, channel], plane)
    assert data.test is not None
    assert not data.test.opened
    assert data.test.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert data.test.load().pictures.shape == (6, 32, 32, 3)


def test_of_cifar_100_the_fine_label_counts(tmp_path: Path) -> None:
    (tmp_path / "train.bin").write_bytes(records(12, 1, heads=2).tobytes())
    (tmp_path / "test.bin").write_bytes(records(3, 2, heads=2).tobytes())
    (tmp_path / "fine_label_names.txt").write_text("bird\ncat\nship\n", encoding="utf-8")
    data = foveal.data.open(tmp_path, validation=0)
    assert (data.classes, data.train.counts.tolist()) == (NAMES, [4, 4, 4])
    raw = records(12, 1, heads=2)
    assert np.array_equal(data.train.pictures(5)[0, 0], raw[5, [2, 1026, 2050]])
    assert data.test is not None
    assert data.test.labels.tolist() == [0, 1, 2]


def test_without_names_classes_are_numbers_and_without_a_test_batch_there_is_none(
    tmp_path: Path,
) -> None:
    data = foveal.data.open(ten(tmp_path / "a", names=""))
    assert data.classes == ("0", "1", "2")
    assert foveal.data.open(ten(tmp_path / "b", test=False)).test is None


def test_only_classes_with_pictures_count(tmp_path: Path) -> None:
    ten(tmp_path, names="ant\nbird\ncat\nship\n")
    for name in ("data_batch_1", "data_batch_2", "test_batch"):
        made = records(9, 1)
        made[:, 0] += 1
        (tmp_path / f"{name}.bin").write_bytes(made.tobytes())
    data = foveal.data.open(tmp_path, validation=0)
    assert (data.classes, data.train.labels.tolist()[:3]) == (NAMES, [0, 1, 2])


def test_pixels_names_and_the_size_of_the_test_batch_are_in_the_fingerprint(
    tmp_path: Path,
) -> None:
    seen = {foveal.data.open(ten(tmp_path)).fingerprint}
    (tmp_path / "batches.meta.txt").write_text("bird\ncat\nboat\n", encoding="utf-8")
    seen.add(foveal.data.open(tmp_path).fingerprint)
    (tmp_path / "test_batch.bin").write_bytes(records(3, 0).tobytes())
    seen.add(foveal.data.open(tmp_path).fingerprint)
    (tmp_path / "data_batch_2.bin").write_bytes(records(9, 5).tobytes())
    seen.add(foveal.data.open(tmp_path).fingerprint)
    assert len(seen) == 4
    assert seen == {*seen, foveal.data.open(tmp_path).fingerprint}


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        (
            "data_batch_1.bin",
            bytes(3 * 3073 - 1),
            "{file}: the file is cut off\n  arrives:  9,218 bytes\n"
            "  expected: 3,073 bytes for each picture",
        ),
        (
            "data_batch_1.bin",
            b"",
            "{file}: the file is empty\n  arrives:  0 bytes\n"
            "  expected: 3,073 bytes for each picture",
        ),
        (
            "batches.meta.txt",
            b"bird\ncat\n",
            "{file}: no name for the label 2\n  arrives:  2 names",
        ),
        (
            "test_batch.bin",
            b"\7" + bytes(3072),
            "{file}: the label 7 has no training picture",
        ),
    ],
)
def test_files_that_lie(file: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    ten(tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError) as caught:
        len(foveal.data.open(tmp_path).measured)
    assert str(caught.value) == sentence.format(file=tmp_path / file)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    ten(tmp_path)
    (tmp_path / "data_batch_3.bin").mkdir()
    with pytest.raises(DataError) as caught:
        foveal.data.open(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'data_batch_3.bin'}: cannot be read: Is a directory"


def test_one_class_is_too_few(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1.bin").write_bytes(records(4, 1, classes=1).tobytes())
    (tmp_path / "batches.meta.txt").write_text("bird\ncat\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        foveal.data.open(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: a classifier needs at least two classes\n"
        "  arrives:  one class: 'bird' (4 pictures)\n"
        "  expected: at least two different labels\n"
        "  fix:      give the pictures at least two different labels"
    )


def test_the_pickled_version_is_refused(tmp_path: Path) -> None:
    for name in ("data_batch_1", "batches.meta"):
        (tmp_path / name).write_bytes(b"\x80\x02}q\x01.")
    with pytest.raises(DataError) as caught:
        foveal.data.open(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: CIFAR-10's version for Python, which is pickled: opening it could run a "
        "program\n"
        "  fix:      download its binary version: https://www.cs.toronto.edu/~kriz/cifar.html"
    )
