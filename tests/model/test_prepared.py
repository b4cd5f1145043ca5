"""Pictures cut to size: decoded once, noticed when they change, the same wherever they lie."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.models import idx_shades, shades, write_shades

from foveal import data
from foveal.data.samples import Samples
from foveal.data.spread import Spread
from foveal.errors import DataError
from foveal.model import hub, prepared
from foveal.model.prepared import load_kept
from foveal.model.preprocessing import Split, split
from foveal.net.notation import parse

EACH = 6 * 6
posix = pytest.mark.skipif(sys.platform == "win32", reason="no locks")


def entrance(side: int = 6, channels: int = 1) -> Split:
    return split(parse(f"input uint8 -> resize {side} -> crop {side} -> dense 2"),
                 (channels, side, side))  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pictures"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shades(tmp_path / "photos")


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part is too large for the memory."""
    monkeypatch.setattr(prepared, "IN_MEMORY", 0)


def samples(folder: Path) -> Samples:
    return data.open(folder, validation=0).train


def as_before(folder: Path, side: int = 6) -> np.ndarray:
    """What decoding the whole part at once gives."""
    return np.asarray(entrance(side).load(samples(folder)).pictures)


def test_the_second_time_nothing_is_decoded_and_all_is_the_same(
    folder: Path, decoded: list[str]
) -> None:
    first = load_kept(entrance(), samples(folder))
    assert len(decoded) == 24
    decoded.clear()
    second = load_kept(entrance(), samples(folder))
    assert decoded == []
    for one in (first, second):
        assert isinstance(one.pictures, np.ndarray)
        assert np.array_equal(one.pictures, as_before(folder))
        assert one.names == samples(folder).names
        assert np.array_equal(one.labels, samples(folder).labels)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("limit", [None, 0, 2 * 4096 + 10 * (EACH + 36)])
def test_large_parts_are_the_same_on_the_disk_and_decoded_again(
    limit: int | None, folder: Path, decoded: list[str]
) -> None:
    expected = as_before(folder)
    decoded.clear()
    kept = {None: 24, 0: 0}.get(limit, 10)
    for new in (24, 24 - kept):
        loaded = load_kept(entrance(), samples(folder), limit=limit)
        assert isinstance(loaded.pictures, Spread)
        assert len(decoded) == new
        decoded.clear()
        assert np.array_equal(loaded.pictures[:], expected)
        assert len(decoded) == 24 - kept
        chosen = np.array([20, 3, 3, 11])
        assert np.array_equal(loaded.pictures[chosen], expected[chosen])
        decoded.clear()


@pytest.mark.parametrize("several", [True, False])
def test_only_what_changed_is_decoded(
    several: bool, folder: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "IN_MEMORY", 0 if several else 2**28)
    load_kept(entrance(), samples(folder))
    decoded.clear()
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(folder / "dark" / "3.png")
    write_shades(folder / "new", 100, 1)[0].rename(folder / "light" / "added.png")
    (folder / "new").rmdir()
    (folder / "dark" / "5.png").rename(folder / "dark" / "renamed.png")
    loaded = load_kept(entrance(), samples(folder))
    assert sorted(decoded) == ["3.png", "added.png"]
    assert np.array_equal(loaded.pictures[:], as_before(folder))


def test_another_size_and_other_colours_have_stores_of_their_own(
    folder: Path, decoded: list[str], cache: Path
) -> None:
    load_kept(entrance(), samples(folder))
    load_kept(entrance(5), samples(folder))
    load_kept(entrance(6, 3), samples(folder).in_colour())
    middle = split(parse("input uint8 -> resize 8 -> crop 6 -> dense 2"), (1, 6, 6))
    load_kept(middle, samples(folder))
    assert len(decoded) == 4 * 24
    names = sorted(path.name.rpartition("-")[0] for path in cache.iterdir())
    assert names == ["1x5x5", "1x6x6", "1x6x6", "3x6x6"]


def test_the_version_of_the_decoder_counts(
    folder: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_kept(entrance(), samples(folder))
    for place, name, value in (
        ("foveal.model.prepared", "DECODING", 2),
        ("PIL", "__version__", "99.0"),
    ):
        decoded.clear()
        monkeypatch.setattr(f"{place}.{name}", value)
        load_kept(entrance(), samples(folder))
        assert len(decoded) == 24


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("limit", [None, 1])
def test_a_damaged_row_is_decoded_anew(
    limit: int | None, folder: Path, decoded: list[str], cache: Path
) -> None:
    before = load_kept(entrance(), samples(folder))
    (file,) = cache.rglob("*.rows")
    with file.open("r+b") as opened:
        opened.seek(-1, 2)
        opened.write(bytes([255 - before.pictures[-1:].ravel()[-1]]))
    decoded.clear()
    loaded = load_kept(entrance(), samples(folder), limit=limit)
    assert len(decoded) == 1
    assert np.array_equal(loaded.pictures[:], as_before(folder))


@pytest.mark.parametrize("most", [0, 2**28])
def test_damaged_pictures_are_set_aside(
    most: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "IN_MEMORY", most)
    expected = as_before(folder)
    path = folder / "dark" / "4.png"
    path.write_bytes(path.read_bytes()[:-30])
    bad = samples(folder).names.index("dark/4.png")
    for _ in range(2):
        loaded = load_kept(entrance(), samples(folder))
        assert [entry.path for entry in loaded.skipped] == ["dark/4.png"]
        assert len(loaded.labels) == len(loaded.names) == len(loaded.pictures) == 23
        assert "dark/4.png" not in loaded.names
        assert np.array_equal(loaded.pictures[:], np.delete(expected, bad, axis=0))


def test_too_many_damaged_pictures_are_refused(folder: Path) -> None:
    for path in (folder / "dark").iterdir():
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError) as caught:
        load_kept(entrance(), samples(folder))
    assert caught.value.problem == "more than 10 pictures and more than 1 % of 24 cannot be read"


@pytest.mark.usefixtures("large")
def test_a_picture_that_goes_away_later_is_said(folder: Path) -> None:
    loaded = load_kept(entrance(), samples(folder), limit=0)
    (folder / "light" / "0.png").unlink()
    with pytest.raises(DataError) as caught:
        loaded.pictures[:]
    assert str(caught.value) == (
        f"{folder.resolve() / 'light' / '0.png'}: cannot be opened: No such file or directory"
    )


def seen(load: Callable[..., object]) -> list[int]:
    """The levels of the first pixels that are shown, in any order."""
    found: list[int] = []
    load(see=lambda block: found.extend(block.reshape(-1, *block.shape[-3:])[:, 0, 0, 0].tolist()))
    return sorted(found)


@pytest.mark.parametrize("most", [0, 2**28])
@pytest.mark.parametrize("limit", [None, 0])
def test_every_picture_is_shown_once(
    most: int, limit: int | None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "IN_MEMORY", most)
    expected = sorted(as_before(folder)[:, 0, 0, 0].tolist())
    for _ in range(2):
        part = samples(folder)
        assert seen(lambda see, part=part: load_kept(entrance(), part, limit=limit, see=see)) == (
            expected
        )


@pytest.mark.parametrize("most", [0, 2**28])
def test_arrays_of_the_right_size_are_taken_as_they_are(
    most: int, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "IN_MEMORY", most)
    part = data.open(idx_shades(tmp_path / "idx")).train
    loaded = load_kept(entrance(8), part)
    assert isinstance(loaded.pictures, np.ndarray if most else Spread)
    assert np.array_equal(loaded.pictures[:], part.load().pictures)
    assert not cache.exists()
    assert len(seen(lambda see: load_kept(entrance(8), part, see=see))) == len(part)


def test_arrays_of_another_size_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = data.open(idx_shades(tmp_path / "idx")).train
    first = load_kept(entrance(), part)
    monkeypatch.setattr(Split, "prepare", None)
    assert np.array_equal(load_kept(entrance(), part).pictures, first.pictures)


def test_progress_counts_every_picture_once(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    for _ in range(2):
        load_kept(entrance(), samples(folder), lambda done, of: told.append((done, of)))
    assert told == 2 * [(done, 24) for done in range(1, 25)]


def test_an_empty_part(folder: Path, cache: Path) -> None:
    empty = samples(folder).take(np.array([], np.intp))
    empty.classes = ()
    assert load_kept(entrance(), empty).pictures.shape == (0, 6, 6, 1)
    assert not cache.exists()


def test_they_are_listed_and_cleared(folder: Path, decoded: list[str]) -> None:
    load_kept(entrance(), samples(folder))
    (kept,) = hub.listing()
    assert (kept.what, kept.name[:6], kept.bytes > 24 * EACH) == ("pictures", "1x6x6-", True)
    assert hub.clear(["pictures"]) == [kept]
    assert hub.listing() == []
    decoded.clear()
    load_kept(entrance(), samples(folder))
    assert len(decoded) == 24
    (again,) = hub.listing()
    assert hub.clear([again.name]) == [again]


@posix
@pytest.mark.parametrize("most", [0, 2**28])
def test_a_part_does_not_push_out_another_of_the_same_training(
    most: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[str]
) -> None:
    monkeypatch.setattr(prepared, "IN_MEMORY", most)
    limit = 2 * mmap.PAGESIZE + 30 * (EACH + 36)
    more = shades(tmp_path / "more", each=20)
    for new in (24 + 40, 40):
        decoded.clear()
        first = load_kept(entrance(), samples(folder), limit=limit)
        load_kept(entrance(), samples(more), limit=limit)
        assert len(decoded) == new
        assert len(first) == 24


@posix
def test_wanted_rows_are_not_pushed_out_by_a_new_one(folder: Path, decoded: list[str]) -> None:
    limit = 2 * mmap.PAGESIZE + 24 * (EACH + 36)
    load_kept(entrance(), samples(folder), limit=limit)
    write_shades(folder / "new", 100, 1)[0].rename(folder / "light" / "added.png")
    (folder / "new").rmdir()
    for _ in range(2):
        decoded.clear()
        load_kept(entrance(), samples(folder), limit=limit)
        assert decoded == ["added.png"]
