"""Pictures that belong together stay on one side of the split."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.picture_files import class_folders, fill, idx_folder

from foveal import data
from foveal.data.groups import group_by
from foveal.data.split import grouped, stratified
from foveal.errors import DataError, SpecError

MAKER, DETAILS, TAKEN = 0x010F, 0x8769, 0x9003


def scenes(root: Path, each: int = 3) -> Path:
    """Two classes with five scenes of their own each, and one that is in both."""
    for label in ("cat", "dog"):
        for number in range(5):
            fill(root / label / f"{label} {number}", each, seed=number)
        fill(root / label / "both", each, seed=9)
    return root


def photograph(path: Path, taken: str = "", suffix: str = ".jpg", written: float = 0) -> None:
    """A picture that says when it was taken, or only has a file's date."""
    exif = Image.Exif()
    exif[MAKER] = "Foveal"
    if taken:
        exif.get_ifd(DETAILS)[TAKEN] = taken
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(path.name)).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(path.with_suffix(suffix), exif=exif)
    os.utime(path.with_suffix(suffix), (written, written))


def sides(opened: data.Dataset) -> tuple[set[str], set[str]]:
    return set(opened.train.groups), set(opened.validation.groups)


def groups_of(opened: data.Dataset) -> dict[str, str]:
    return dict(zip(opened.train.names, opened.train.groups, strict=True))


def test_a_folder_is_on_one_side_across_classes(tmp_path: Path) -> None:
    opened = data.open(scenes(tmp_path), group_by="folder")
    train, validation = sides(opened)
    assert not train & validation
    assert len(train | validation) == 11
    assert all(opened.validation.counts > 0)
    assert opened.group_by == "folder"
    assert opened.notes[0] == "Grouped by folder: 36 pictures in 11 groups."


def test_the_cut_is_that_of_the_seed_and_stays_when_scenes_are_added(tmp_path: Path) -> None:
    scenes(tmp_path)
    first = sides(data.open(tmp_path, group_by="folder"))
    assert first == sides(data.open(tmp_path, group_by="folder"))
    others = [sides(data.open(tmp_path, group_by="folder", seed=seed)) for seed in range(1, 6)]
    assert any(first != other for other in others)
    fill(tmp_path / "cat" / "new", 1, seed=77)
    train, validation = sides(data.open(tmp_path, group_by="folder"))
    assert (train - {"folder:new"}, validation - {"folder:new"}) == first


def test_a_picture_without_a_folder_is_a_group_of_its_own(tmp_path: Path) -> None:
    class_folders(tmp_path, cat=4, dog=4)
    fill(tmp_path / "cat" / "deep" / "deeper", 2)
    found = groups_of(data.open(tmp_path, validation=0, group_by="folder"))
    assert found["cat/0.png"] == "cat/0.png"
    assert found["cat/deep/deeper/0.png"] == "folder:deep/deeper"


def test_of_a_table_the_folder_is_that_below_it(tmp_path: Path) -> None:
    fill(tmp_path / "a", 2)
    fill(tmp_path / "b" / "c", 2)
    (tmp_path / "labels.csv").write_text(
        "file,label\na/0.png,cat\na/1.png,dog\nb/c/0.png,cat\nb/c/1.png,dog\n"
    )
    found = groups_of(data.open(tmp_path, validation=0, group_by="folder"))
    assert found["a/1.png"] == "folder:a"
    assert found["b/c/0.png"] == "folder:b/c"


def test_the_name_of_a_part_is_no_group(tmp_path: Path) -> None:
    scenes(tmp_path / "train")
    scenes(tmp_path / "test")
    opened = data.open(tmp_path, validation=0, group_by="folder")
    assert groups_of(opened)["train/cat/both/0.png"] == "folder:both"
    assert opened.notes[1] == (
        "Groups that are in the training and in the test part: 11, such as 'folder:both'; "
        "results will look better than they are."
    )
    (leak,) = [finding for finding in data.check(tmp_path, group_by="folder")
               if "groups" in finding.message and finding.severity == "error"]  # fmt: skip
    assert leak.kind == "leak"
    assert leak.message == ("11 groups in the train and in the test part, such as 'folder:both'")


def test_parts_that_share_no_group_are_said_to_be_sound(tmp_path: Path) -> None:
    scenes(tmp_path / "train")
    for label in ("cat", "dog"):
        fill(tmp_path / "test" / label / f"new {label}", 2)
    opened = data.open(tmp_path, group_by="folder")
    assert opened.notes[1] == "No group is in the training and in the test part."


@pytest.mark.parametrize(("rule", "count"), [("time", 3), ("time:600", 2), ("time:30", 4)])
def test_pictures_of_one_scene_by_the_camera(rule: str, count: int, tmp_path: Path) -> None:
    photograph(tmp_path / "cat" / "1", "2024:05:01 12:00:00", written=1)
    photograph(tmp_path / "dog" / "22", "2024:05:01 12:00:40", written=2)
    photograph(tmp_path / "dog" / "333", "2024:05:01 12:01:40", written=3)
    photograph(tmp_path / "cat" / "4444", "2024:05:02 12:00:00", ".png", written=4)
    opened = data.open(tmp_path, validation=0, group_by=rule)
    found = groups_of(opened)
    assert len(set(found.values())) == count
    assert found["cat/4444.png"] == "time:2024-05-02T12:00:00 (camera)"
    assert (found["cat/1.jpg"] == found["dog/22.jpg"]) == (rule != "time:30")
    assert len(opened.notes) == 1


@pytest.mark.parametrize("taken", ["", "0000:00:00 00:00:00", "yesterday"])
def test_a_picture_that_says_no_time_has_that_of_its_file(taken: str, tmp_path: Path) -> None:
    photograph(tmp_path / "cat" / "1", taken, written=1_000_000)
    photograph(tmp_path / "dog" / "22", taken, written=1_000_030)
    photograph(tmp_path / "cat" / "333", "1970:01:12 13:46:50")  # as the file of 22, by its camera
    opened = data.open(tmp_path, validation=0, group_by="time")
    found = groups_of(opened)
    assert found["cat/1.jpg"] == found["dog/22.jpg"] == "time:1970-01-12T13:46:40 (file)"
    assert found["cat/333.jpg"] == "time:1970-01-12T13:46:50 (camera)"
    assert opened.notes[1] == (
        "Pictures that do not say when they were taken, dated by their file: 2."
    )


def test_names_are_grouped_by_what_a_pattern_finds(tmp_path: Path) -> None:
    class_folders(tmp_path, cat=2, dog=2)
    for label in ("cat", "dog"):
        for name in ("tree_1", "tree_2", "lake_1"):
            shutil.copy(tmp_path / label / "0.png", tmp_path / label / f"{name}.png")
    opened = data.open(tmp_path, validation=0, group_by=r"name:(.*)_\d+")
    found = groups_of(opened)
    assert found["cat/tree_1.png"] == found["dog/tree_2.png"] == "name:tree"
    assert found["cat/lake_1.png"] == "name:lake"
    assert found["cat/0.png"] == "cat/0.png"
    at_start = groups_of(data.open(tmp_path, validation=0, group_by="name:lake|ree"))
    assert at_start["cat/tree_1.png"] == "cat/tree_1.png"
    assert opened.notes[1] == "Names that the pattern does not fit, each a group of its own: 4."
    whole = groups_of(data.open(tmp_path, validation=0, group_by="name:[a-z]+"))
    assert whole["cat/tree_1.png"] == "name:tree"


def test_the_fingerprint_knows_the_groups(tmp_path: Path) -> None:
    class_folders(tmp_path, cat=3, dog=3)
    plain = data.open(tmp_path).fingerprint
    assert data.open(tmp_path, group_by="name:[01]").fingerprint.startswith(f"{plain}:")
    first = data.open(tmp_path, group_by="name:[01]").fingerprint
    assert len({plain, first, data.open(tmp_path, group_by="name:[02]").fingerprint}) == 3
    assert first == data.open(tmp_path, group_by="name:[01]", seed=5).fingerprint


def test_a_class_of_one_group_stays_in_the_training_part(tmp_path: Path) -> None:
    scenes(tmp_path)
    fill(tmp_path / "eel" / "pond", 4)
    opened = data.open(tmp_path, group_by="folder")
    assert opened.validation.counts[2] == 0
    assert opened.notes[-1] == "The class 'eel' has too few groups: none is left for validation."


TEXTS = [
    ("foldr", "did you mean 'folder'?"),
    ("folder:x", "folder takes nothing after it"),
    ("time:", "whole seconds, such as time:60"),
    ("time:0", "whole seconds, such as time:60"),
    ("time:5m", "whole seconds, such as time:60"),
    ("name", r"a pattern with one pair of brackets, such as name:(.*)_\d+"),
    ("name:(a)(b)", r"a pattern with one pair of brackets, such as name:(.*)_\d+"),
    ("name:(", "the pattern is wrong: missing ), unterminated subpattern at position 0"),
    ("", "known: folder, name, time"),
]


@pytest.mark.parametrize(("text", "fix"), TEXTS)
def test_what_is_no_rule_is_refused(text: str, fix: str) -> None:
    with pytest.raises(SpecError) as caught:
        group_by(text)
    assert str(caught.value) == (
        f"group_by: cannot read {text!r}\n"
        "  expected: folder, time, time:SECONDS or name:PATTERN\n"
        f"  fix:      {fix}"
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("folder", "folders below the class folders, such as cat/monday/1.jpg"),
        ("name:x", "names that the pattern fits from their start"),
    ],
)
def test_a_rule_that_says_nothing_of_the_pictures(rule, expected, tmp_path: Path) -> None:
    class_folders(tmp_path, cat=3, dog=3)
    with pytest.raises(DataError) as caught:
        data.open(tmp_path, group_by=rule)
    assert str(caught.value) == (
        f"{tmp_path}: no picture belongs to a group\n"
        f"  arrives:  group_by {rule}, and pictures such as cat/0.png\n"
        f"  expected: {expected}\n"
        "  fix:      another rule: folder, time, time:SECONDS or name:PATTERN"
    )


def test_one_group_cannot_be_cut(tmp_path: Path) -> None:
    class_folders(tmp_path, cat=3, dog=3)
    for path in tmp_path.rglob("*.png"):
        path.rename(path.with_name(f"a{path.name}"))
    with pytest.raises(DataError) as caught:
        data.open(tmp_path, group_by="name:a")
    assert str(caught.value) == (
        f"{tmp_path.name}: all pictures are one group, which cannot be cut in two\n"
        "  arrives:  6 pictures in the group 'name:a'\n"
        r"  fix:      another rule, such as time:10 or name:(.*)_\d+, or none"
    )
    assert len(data.open(tmp_path, group_by="name:a", validation=0).train) == 6


def test_pictures_in_arrays_have_no_groups(tmp_path: Path) -> None:
    idx_folder(tmp_path / "digits")
    with pytest.raises(DataError) as caught:
        data.open(tmp_path / "digits", group_by="folder")
    assert str(caught.value) == (
        "digits: pictures in arrays cannot be grouped\n"
        "  arrives:  group_by folder\n"
        "  expected: pictures in files"
    )


PICTURES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), max_size=60)


@given(PICTURES, st.floats(0, 0.9), st.integers(0, 99))
def test_no_group_is_cut_and_no_class_is_lost(pictures, share: float, seed: int) -> None:
    labels = np.array([label for label, _ in pictures], np.int64)
    groups = [f"group {number}" for _, number in pictures]
    train, validation = grouped(labels, groups, share, seed)
    assert sorted([*train, *validation]) == list(range(len(labels)))
    assert not {groups[place] for place in train} & {groups[place] for place in validation}
    assert set(labels[train]) == set(labels)
    assert share > 0 or not len(validation)


@given(st.lists(st.integers(0, 3), max_size=60), st.floats(0, 0.9), st.integers(0, 99))
def test_groups_of_one_picture_are_cut_like_pictures(values, share: float, seed: int) -> None:
    labels = np.array(values, np.int64)
    names = [f"{number}.png" for number in range(len(labels))]
    for ours, plain in zip(
        grouped(labels, names, share, seed), stratified(labels, names, share, seed), strict=True
    ):
        assert ours.tolist() == plain.tolist()


def test_of_two_large_groups_one_is_kept_aside() -> None:
    labels = np.repeat([0, 1], 100)
    groups = [f"{label} {place % 2}" for place, label in enumerate(labels)]
    _, validation = grouped(labels, groups, 0.2, 0)
    assert np.bincount(labels[validation]).tolist() == [50, 50]


@pytest.mark.parametrize("seed", range(10))
def test_a_small_class_is_not_given_up_for_a_large_one(seed: int) -> None:
    labels = np.array([0] * 1000 + [1] * 10)
    scene = {*range(8), *range(1000, 1005)}
    groups = ["scene" if place in scene else f"{place}" for place in range(1010)]
    _, validation = grouped(labels, groups, 0.2, seed)
    assert np.bincount(labels[validation]).tolist() == [200, 2]


def test_shares_come_near_where_groups_allow_it() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [400, 200, 40])
    groups = [f"{label} {random.integers(0, 30)}" for label in labels]
    _, validation = grouped(labels, groups, 0.2, 0)
    kept = np.bincount(labels[validation]) / np.bincount(labels)
    assert np.abs(kept - 0.2).max() < 0.05
