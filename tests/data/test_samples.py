"""Loading a part: one array, the bad set aside, and when there are too many of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.picture_files import blocks, class_folders, encoded, fill, jpeg

import foveal.data
from foveal.errors import DataError


def cut_jpegs(folder: Path, count: int) -> None:
    """JPEGs whose header is whole, so that only decoding finds what is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    data = jpeg()
    for number in range(count):
        (folder / f"cut{number}.jpg").write_bytes(data[:-30])


def corner(picture: np.ndarray) -> np.ndarray:
    return picture[:6, :8]


def test_everything_becomes_one_array(tmp_path: Path) -> None:
    data = foveal.data.open(class_folders(tmp_path, a=20, b=30), validation=0)
    told: list[tuple[int, int]] = []
    loaded = data.train.load(corner, lambda done, total: told.append((done, total)))
    assert loaded.pictures.shape == (50, 6, 8, 3)
    assert (loaded.names, loaded.skipped) == (data.train.names, ())
    assert told == [(number, 50) for number in range(1, 51)]
    for index in (0, 19, 20, 49):
        assert (loaded.pictures[index] == data.train.pictures(index)).all()


def test_cut_pictures_are_set_aside_and_the_rest_stays_together(tmp_path: Path) -> None:
    class_folders(tmp_path, a=8, b=8)
    cut_jpegs(tmp_path / "a", 3)
    data = foveal.data.open(tmp_path, validation=0)
    assert data.skipped == ()
    loaded = data.train.load(corner, shape=(6, 8, 3))
    assert len(loaded) == len(loaded.labels) == len(loaded.names) == 16
    assert [entry.path for entry in loaded.skipped] == [f"a/cut{n}.jpg" for n in range(3)]
    assert {entry.reason for entry in loaded.skipped} == {"the picture is cut off"}
    assert all(entry.damaged for entry in loaded.skipped)
    for name, label, picture in zip(loaded.names, loaded.labels, loaded.pictures, strict=True):
        assert name.startswith(data.classes[label])
        assert (picture == data.train.pictures(data.train.names.index(name))).all()


def test_ten_bad_pictures_are_borne_and_eleven_are_not(tmp_path: Path) -> None:
    class_folders(tmp_path, a=10, b=10)
    cut_jpegs(tmp_path / "a", 10)
    assert len(foveal.data.open(tmp_path, validation=0).train.load(corner).skipped) == 10
    (tmp_path / "a" / "cut10.jpg").write_bytes(jpeg()[:-30])
    with pytest.raises(DataError) as caught:
        foveal.data.open(tmp_path, validation=0).train.load(corner)
    assert str(caught.value).splitlines()[:2] == [
        "the train part: more than 10 pictures and more than 1 % of 31 cannot be read",
        "  arrives:  a/cut0.jpg: the picture is cut off",
    ]


def test_one_percent_is_borne(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foveal.data.samples.BAD_FILES", 1)
    class_folders(tmp_path, a=148, b=150)
    cut_jpegs(tmp_path / "a", 2)
    data = foveal.data.open(tmp_path, validation=0)
    assert len(data.train.load(corner).skipped) == 2
    cut_jpegs(tmp_path / "a", 4)
    with pytest.raises(DataError, match="more than 1 % of 302 cannot be read"):
        foveal.data.open(tmp_path, validation=0).train.load(corner)


def test_a_class_without_a_readable_training_picture_stops_it(tmp_path: Path) -> None:
    fill(tmp_path / "b", 3)
    cut_jpegs(tmp_path / "a", 2)
    with pytest.raises(DataError) as caught:
        foveal.data.open(tmp_path, validation=0).train.load(corner)
    assert str(caught.value) == (
        "the train part: no picture of the class 'a' can be read\n"
        "  fix:      foveal data check says what is wrong with each"
    )


def test_a_class_lost_in_the_test_part_does_not(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", a=2, b=2)
    class_folders(tmp_path / "test", b=2)
    cut_jpegs(tmp_path / "test" / "a", 2)
    data = foveal.data.open(tmp_path)
    assert data.test is not None
    assert len(data.test.load(corner)) == 2


def test_pictures_of_two_sizes(tmp_path: Path) -> None:
    class_folders(tmp_path, a=2, b=2)
    (tmp_path / "b" / "0.png").write_bytes(encoded(blocks(), "PNG"))
    data = foveal.data.open(tmp_path, validation=0)
    sentence = (
        "b/0.png: pictures differ in size\n"
        "  arrives:  48x64x3\n"
        "  expected: 6x8x3\n"
        "  fix:      let the net begin with a resize"
    )
    for shape in (None, (6, 8, 3)):
        with pytest.raises(DataError) as caught:
            data.train.load(shape=shape)
        assert str(caught.value) == sentence


def test_an_empty_part_has_the_shape_asked_for(tmp_path: Path) -> None:
    data = foveal.data.open(class_folders(tmp_path, a=2, b=2), validation=0)
    assert data.validation.load(corner, shape=(6, 8, 3)).pictures.shape == (0, 6, 8, 3)


def test_an_error_of_prepare_is_not_a_bad_picture(tmp_path: Path) -> None:
    data = foveal.data.open(class_folders(tmp_path, a=2, b=2))

    def broken(picture: np.ndarray) -> np.ndarray:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        data.train.load(broken)


def test_at_least_reaches_the_decoder(tmp_path: Path) -> None:
    class_folders(tmp_path, a=2, b=2)
    large = np.kron(blocks(), np.ones((10, 10, 1))).astype(np.uint8)
    (tmp_path / "a" / "large.jpg").write_bytes(encoded(large, "JPEG"))
    data = foveal.data.open(tmp_path, validation=0)
    place = data.train.names.index("a/large.jpg")
    assert data.train.pictures(place, 30).shape == (60, 80, 3)
    assert data.train.pictures(place).shape == (480, 640, 3)
    sizes: list[int] = []

    def measure(picture: np.ndarray) -> np.ndarray:
        sizes.append(len(picture))
        return corner(picture)

    data.train.load(measure, at_least=30)
    assert max(sizes) == 60


def test_an_array_is_given_away_as_a_copy(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((4, 2, 2), np.uint8), y=[0, 1, 0, 1])
    train = foveal.data.open(tmp_path / "x.npz", validation=0).train
    train.load().pictures[:] = 9
    assert train.load().pictures.max() == 0
    assert train.load(lambda picture: picture + 1).pictures.min() == 1
