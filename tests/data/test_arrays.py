"""Pictures in .npz files: names, layouts, ranges, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

import foveal.data
from foveal.data import Dataset
from foveal.errors import DataError, MachineError

PICTURES = np.random.default_rng(0).integers(0, 256, (10, 6, 7, 3), np.uint8)
LABELS = np.arange(10) % 2
EXPECTED = "arrays x and y, or x_train, y_train, x_test and y_test"


def opened(root: Path, **arrays: np.ndarray) -> Dataset:
    np.savez(root / "set.npz", **arrays)
    return foveal.data.open(root / "set.npz", validation=0)


def refusal(root: Path, **arrays: np.ndarray) -> str:
    with pytest.raises(DataError) as caught:
        opened(root, **arrays)
    return str(caught.value).replace(str(root), "ROOT")


@pytest.mark.parametrize(
    "names", [("x", "y"), ("images", "labels"), ("data", "y"), ("X", "Y"), ("x_train", "y_train")]
)
def test_the_names_of_the_arrays(tmp_path: Path, names: tuple[str, str]) -> None:
    data = opened(tmp_path, **{names[0]: PICTURES, names[1]: LABELS})
    assert (data.name, data.classes, data.channels) == ("set", ("0", "1"), 3)
    assert (data.train.load().pictures == PICTURES).all()
    assert data.train.names[:2] == ("0", "1")
    assert (data.sizes.heights, data.sizes.widths) == ((6, 6, 6), (7, 7, 7))


def test_parts(tmp_path: Path) -> None:
    parts = {"x_train": PICTURES, "y_train": LABELS, "x_test": PICTURES[:3], "y_test": LABELS[:3]}
    data = opened(tmp_path, **parts, x_val=PICTURES[:4], y_val=LABELS[:4])
    assert data.test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (10, 4, 3)


def test_medmnists_names_and_columns(tmp_path: Path) -> None:
    data = opened(tmp_path, train_images=PICTURES, train_labels=LABELS[:, None])
    assert data.train.counts.tolist() == [5, 5]


@pytest.mark.parametrize("labels", [np.array(["no", "yes"])[LABELS], LABELS.astype(bool)])
def test_labels_may_be_words(tmp_path: Path, labels: np.ndarray) -> None:
    data = opened(tmp_path, x=PICTURES, y=labels)
    assert data.classes == (("no", "yes") if labels.dtype.kind == "U" else ("False", "True"))
    assert data.train.labels.tolist() == LABELS.tolist()


def test_numbers_are_sorted_as_numbers(tmp_path: Path) -> None:
    data = opened(tmp_path, x=PICTURES, y=np.array([10, 9, -1, 10, 9, -1, 10, 9, -1, 10]))
    assert data.classes == ("-1", "9", "10")


def test_layouts(tmp_path: Path) -> None:
    first = opened(tmp_path, x=PICTURES.transpose(0, 3, 1, 2), y=LABELS)
    assert (first.train.load().pictures == PICTURES).all()
    grey = opened(tmp_path, x=PICTURES[..., 0], y=LABELS)
    assert (grey.train.load().pictures == PICTURES[..., :1]).all()
    alpha = np.concatenate([PICTURES, np.zeros_like(PICTURES[..., :1])], axis=3)
    assert (opened(tmp_path, x=alpha, y=LABELS).train.load().pictures == 255).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 0.5, 1]), [0, 128, 255]),
        (np.array([0, 0.25, 0.5], np.float16), [0, 64, 128]),
        (np.array([0, 128, 255]), [0, 128, 255]),
        (np.array([0, 128, 200], np.float32), [0, 128, 200]),
        (np.array([-1, 0, 1], np.float32), [0, 128, 255]),
        (np.array([0, 257, 65535], np.uint16), [0, 1, 255]),
        (np.array([False, True, True]), [0, 255, 255]),
    ],
)
def test_ranges(tmp_path: Path, values: np.ndarray, expected: list[int]) -> None:
    pictures = np.broadcast_to(values, (4, 2, 3))
    data = opened(tmp_path, x=pictures, y=np.array([0, 1, 0, 1]))
    assert data.train.load().pictures[0, 0, :, 0].tolist() == expected


def test_the_test_part_is_scaled_like_the_training_part(tmp_path: Path) -> None:
    train = np.broadcast_to(np.array([-2.0, 0, 2]), (4, 2, 3))
    data = opened(
        tmp_path,
        x_train=train,
        y_train=np.array([0, 1, 0, 1]),
        x_test=train[:2] / 2 + 2,
        y_test=np.array([0, 1]),
    )
    assert data.test is not None
    assert data.test.load().pictures[0, 0, :, 0].tolist() == [191, 255, 255]


def test_the_fingerprint_follows_pixels_and_labels(tmp_path: Path) -> None:
    other = PICTURES.copy()
    other[0, 0, 0, 0] ^= 1
    prints = [
        opened(tmp_path, x=x, y=y).fingerprint
        for x, y in [
            (PICTURES, LABELS),
            (other, LABELS),
            (PICTURES, 1 - LABELS),
            (PICTURES, LABELS),
        ]
    ]
    assert prints[0] == prints[3]
    assert len(set(prints)) == 3


def test_missing_arrays(tmp_path: Path) -> None:
    assert refusal(tmp_path, pictures=PICTURES) == (
        f"ROOT/set.npz: no pictures\n  arrives:  pictures 10x6x7x3\n  expected: {EXPECTED}"
    )
    assert refusal(tmp_path, x=PICTURES) == (
        "ROOT/set.npz: no labels for the train part\n"
        "  arrives:  x 10x6x7x3\n"
        f"  expected: {EXPECTED}"
    )


def test_labels_that_do_not_fit(tmp_path: Path) -> None:
    assert refusal(tmp_path, x=PICTURES, y=LABELS[:9]) == (
        "ROOT/set.npz: labels of the train part do not fit\n"
        "  arrives:  9 int64 for 10 pictures\n"
        "  expected: one whole number or text per picture"
    )
    assert "10 float64 for" in refusal(tmp_path, x=PICTURES, y=LABELS / 2)
    parts = {"x_train": PICTURES, "y_train": LABELS, "x_test": PICTURES[:2]}
    assert refusal(tmp_path, **parts, y_test=np.array([0, 7])) == (
        "ROOT/set.npz: the label 7 of the test part has no training picture"
    )
    assert refusal(tmp_path, x=PICTURES, y=LABELS * 0).splitlines()[:2] == [
        "ROOT/set.npz: a classifier needs at least two classes",
        "  arrives:  one class: '0' (10 pictures)",
    ]


@pytest.mark.parametrize("shape", [(10, 42), (10, 6, 7, 5), (10, 2, 6, 7), (10, 0, 7)])
def test_pictures_without_a_known_layout(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert refusal(tmp_path, x=np.zeros(shape, np.uint8), y=LABELS) == (
        "ROOT/set.npz: pictures of the train part have no known layout\n"
        f"  arrives:  {'x'.join(map(str, shape))} uint8\n"
        "  expected: numbers as N,H,W or N,H,W,C or N,C,H,W with C = 1, 3 or 4"
    )


def test_parts_of_different_colour(tmp_path: Path) -> None:
    parts = {"x_train": PICTURES, "y_train": LABELS, "y_test": LABELS}
    assert refusal(tmp_path, **parts, x_test=PICTURES[..., 0]) == (
        "ROOT/set.npz: the parts differ in colour\n"
        "  arrives:  pictures with 1 and with 3 channels\n"
        "  expected: all grey or all in colour"
    )


def test_an_array_that_says_it_is_huge(tmp_path: Path) -> None:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }" % 2**55
    array = b"\x93NUMPY\x01\x00" + len(header + b"\n").to_bytes(2, "little") + header + b"\n"
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as file:
        file.writestr("x.npy", array)
    with pytest.raises(MachineError) as caught:
        foveal.data.open(tmp_path / "set.npz")
    assert str(caught.value) == f"{tmp_path / 'set.npz'}: the arrays do not fit into memory"


def test_not_a_number(tmp_path: Path) -> None:
    assert refusal(tmp_path, x=np.full((10, 2, 2), np.nan), y=LABELS) == (
        "ROOT/set.npz: pictures of the train part hold NaN or infinity\n  fix:      replace them"
    )


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    assert refusal(tmp_path, x=np.array([{}, []] * 5, object), y=LABELS) == (
        "ROOT/set.npz: not an .npz file of plain arrays\n"
        "  arrives:  Object arrays cannot be loaded when allow_pickle=False\n"
        f"  expected: {EXPECTED}"
    )


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut"])
def test_what_is_no_npz(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"not an \.npz file of plain arrays"):
        foveal.data.open(tmp_path / "set.npz")


def stored(path: Path, **arrays: np.ndarray) -> Path:
    """As `np.savez`, which compresses nothing."""
    np.savez(path, **arrays)
    return path


@pytest.fixture
def mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every array is large."""
    monkeypatch.setattr("foveal.data.arrays.MAPPED", 1)


@pytest.mark.usefixtures("mapping")
@pytest.mark.parametrize("layout", [(0, 1, 2, 3), (0, 3, 1, 2)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_large_arrays_stay_on_the_disk_and_are_the_same(
    layout: tuple[int, ...], order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (9, 5, 7, 3), np.uint8)
    file = stored(
        tmp_path / "x.npz",
        x=np.array(x.transpose(layout), order=order),  # type: ignore[call-overload]
        y=np.arange(9) % 2,
        x_val=x[:2],
        y_val=np.array([1, 0]),
    )
    data = foveal.data.open(file)
    assert np.array_equal(data.train.stacked[:], x)
    part = data.validation.stacked
    while part.base is not None and not isinstance(part, np.memmap):
        part = part.base
    assert isinstance(part, np.memmap)
    monkeypatch.setattr("foveal.data.arrays.MAPPED", 2**26)
    assert foveal.data.open(file).fingerprint == data.fingerprint


@pytest.mark.usefixtures("mapping")
def test_compressed_arrays_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((4, 2, 2), np.uint8), y=[0, 1, 0, 1])
    assert len(foveal.data.open(tmp_path / "x.npz", validation=0).train) == 4


@pytest.mark.usefixtures("mapping")
def test_a_large_array_that_is_damaged(tmp_path: Path) -> None:
    file = stored(tmp_path / "x.npz", x=np.full((4, 9, 9), 7, np.uint8), y=np.arange(4) % 2)
    content = file.read_bytes()
    file.write_bytes(content.replace(b"\7\7\7", b"\7\6\7", 1))
    with pytest.raises(DataError) as caught:
        foveal.data.open(file)
    assert str(caught.value) == (
        f"{file}: not an .npz file of plain arrays\n"
        "  arrives:  Bad CRC-32 for file 'x.npy'\n"
        "  expected: arrays x and y, or x_train, y_train, x_test and y_test"
    )


@pytest.mark.usefixtures("mapping")
def test_large_objects_are_never_unpickled_either(tmp_path: Path) -> None:
    file = stored(tmp_path / "x.npz", x=np.array([print, print], object), y=np.arange(2))
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        foveal.data.open(file)
