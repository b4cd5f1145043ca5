"""Folders of pictures: arrangements, what is left out, and what is said about it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.picture_files import blocks, class_folders, encoded, fill, jpeg

import foveal.data
from foveal.data import Dataset
from foveal.errors import DataError


def refusal(source: str | Path, root: Path) -> str:
    with pytest.raises(DataError) as caught:
        foveal.data.open(source)
    return str(caught.value).replace(str(root), "ROOT")


def reasons(dataset: Dataset) -> dict[str, str]:
    return {entry.path: entry.reason for entry in dataset.skipped}


def test_a_flat_folder_per_class(tmp_path: Path) -> None:
    data = foveal.data.open(class_folders(tmp_path / "pets", dog=10, cat=5), seed=3)
    assert (data.name, data.classes, data.channels, data.seed) == ("pets", ("cat", "dog"), 3, 3)
    assert (len(data.train), len(data.validation), data.test) == (12, 3, None)
    assert data.train.counts.tolist() == [4, 8]
    assert data.measured is data.validation
    assert (data.sizes.heights, data.sizes.widths, data.sizes.measured) == ((6,) * 3, (8,) * 3, 15)
    assert data.sizes.one_size
    names = sorted(data.train.names + data.validation.names)
    assert names == sorted([f"cat/{n}.png" for n in range(5)] + [f"dog/{n}.png" for n in range(10)])
    for part in (data.train, data.validation):
        assert [data.classes[label] for label in part.labels] == [
            n.split("/")[0] for n in part.names
        ]
    assert data.notes == (
        "No test part: accuracy is measured on the validation part, 3 of 15 pictures (seed 3).",
    )


def test_classes_are_sorted_as_text(tmp_path: Path) -> None:
    data = foveal.data.open(class_folders(tmp_path, **{"10": 2, "9": 2, "b": 2, "B": 2}))
    assert data.classes == ("10", "9", "B", "b")


def test_without_a_share_everything_stays_in_the_training_part(tmp_path: Path) -> None:
    data = foveal.data.open(class_folders(tmp_path, a=2, b=3), validation=0)
    assert (len(data.train), len(data.validation), data.notes) == (5, 0, ())


def test_deeper_folders_belong_to_their_class_and_endings_have_any_case(tmp_path: Path) -> None:
    class_folders(tmp_path, a=2, b=2)
    fill(tmp_path / "a" / "2024" / "may", 3, seed=9)
    (tmp_path / "a" / "LOUD.JPEG").write_bytes(jpeg())
    data = foveal.data.open(tmp_path, validation=0)
    assert data.train.counts.tolist() == [6, 2]
    assert "a/2024/may/1.png" in data.train.names
    assert not data.sizes.one_size


@pytest.mark.parametrize("word", ["val", "valid", "Validation"])
def test_a_split_folder(tmp_path: Path, word: str) -> None:
    for part, count in (("train", 4), (word, 2), ("test", 3)):
        class_folders(tmp_path / part, a=count, b=count)
    data = foveal.data.open(tmp_path)
    assert data.test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (8, 4, 6)
    assert data.measured is data.test
    assert data.test.names[0] == "test/a/0.png"
    assert data.notes == ()


def test_train_and_test_only(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", a=10, b=10)
    class_folders(tmp_path / "test", a=1, b=1)
    data = foveal.data.open(tmp_path)
    assert data.test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (16, 4, 2)


def test_train_and_validation_only(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", a=10, b=10)
    class_folders(tmp_path / "val", a=1, b=1)
    (tmp_path / "docs").mkdir()
    data = foveal.data.open(tmp_path)
    assert (len(data.train), len(data.validation), data.test) == (20, 2, None)
    assert reasons(data) == {"docs": "a folder without pictures"}
    assert data.notes[-1] == "No test part: accuracy is measured on the validation part."


def test_a_class_called_train_among_vehicles_is_a_class(tmp_path: Path) -> None:
    data = foveal.data.open(class_folders(tmp_path, plane=2, ship=2, train=2))
    assert data.classes == ("plane", "ship", "train")


def test_a_class_that_only_the_test_part_has_is_set_aside(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", a=2, b=2)
    class_folders(tmp_path / "test", a=1, c=1)
    data = foveal.data.open(tmp_path)
    assert reasons(data) == {"test/c/0.png": "its class 'c' has no training picture"}


def test_a_class_with_one_picture_keeps_it_for_training(tmp_path: Path) -> None:
    data = foveal.data.open(class_folders(tmp_path, a=1, b=9))
    assert data.train.counts.tolist() == [1, 7]
    assert data.notes[-1] == "The class 'a' has one picture: none is left for validation."


def test_what_is_hidden_is_skipped_silently(tmp_path: Path) -> None:
    class_folders(tmp_path, a=2, b=2)
    fill(tmp_path / ".ipynb_checkpoints", 2)
    fill(tmp_path / "__MACOSX", 2)
    fill(tmp_path / "a" / ".thumbnails", 2)
    for name in (".DS_Store", "a/.hidden.png", "a/Thumbs.db", "b/._1.png"):
        (tmp_path / name).write_bytes(b"x")
    data = foveal.data.open(tmp_path)
    assert len(data.train) + len(data.validation) == 4
    assert data.skipped == ()


def test_everything_else_is_listed_with_its_reason(tmp_path: Path) -> None:
    class_folders(tmp_path, a=2, b=2)
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "loose.png").write_bytes(encoded(blocks(), "PNG"))
    (tmp_path / "nothing").mkdir()
    fill(tmp_path / "a" / "folder.jpg", 2)
    (tmp_path / "a" / "notes.txt").write_text("hello")
    (tmp_path / "a" / "noending").write_bytes(jpeg())
    (tmp_path / "a" / "empty.jpg").write_bytes(b"")
    (tmp_path / "a" / "text.jpg").write_text("hello")
    (tmp_path / "b" / "line\nbreak.txt").write_text("x")
    data = foveal.data.open(tmp_path)
    assert reasons(data) == {
        "readme.txt": "not in a class folder",
        "loose.png": "a picture beside the class folders",
        "nothing": "a class folder without pictures",
        "a/folder.jpg": "a folder, though it is named like a picture",
        "a/notes.txt": "not a picture by its name (.txt)",
        "a/noending": "not a picture by its name (no ending)",
        "a/empty.jpg": "the file is empty",
        "a/text.jpg": "not a picture of a known format",
        "b/line\\nbreak.txt": "not a picture by its name (.txt)",
    }
    assert {entry.path for entry in data.skipped if entry.damaged} == {"a/empty.jpg", "a/text.jpg"}
    assert data.notes[0] == "Files or folders not used: 9 (foveal data check says why)."


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "set", a=2, b=2)
    fill(tmp_path / "elsewhere", 3)
    try:
        (root / "a" / "more").symlink_to(tmp_path / "elsewhere")
        (root / "a" / "loop").symlink_to(root / "a")
        (root / "b" / "up").symlink_to(tmp_path)
        (root / "b" / "gone.png").symlink_to(tmp_path / "gone.png")
        (tmp_path / "elsewhere" / "back").symlink_to(root / "a")
    except OSError:
        pytest.skip("no symbolic links here")
    data = foveal.data.open(root, validation=0)
    assert data.train.counts.tolist() == [5, 2]
    assert reasons(data) == {
        "a/loop": "a link back to a folder above it",
        "a/more/back": "a link back to a folder above it",
        "b/up": "a link back to a folder above it",
        "b/gone.png": "a link to something that is not there",
    }


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_cannot_be_printed_are_used_and_written_plainly(tmp_path: Path) -> None:
    class_folders(tmp_path, b=2)
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102 - a name that is not UTF-8
    content = encoded(blocks(), "PNG")
    for name in (b"a\nb.png", b"\xff\xfe.png", b"x" * 251 + b".png"):
        try:
            with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123
                file.write(content)
        except OSError:
            pytest.skip("this file system refuses such names")
    data = foveal.data.open(tmp_path, validation=0)
    assert data.classes == ("b", "caf\\xe9")
    assert data.train.names[2:] == (
        "caf\\xe9/a\\nb.png",
        "caf\\xe9/" + "x" * 251 + ".png",
        "caf\\xe9/\\xff\\xfe.png",
    )
    assert (data.train.pictures(2) == blocks()).all()
    assert len(data.train.load(lambda picture: picture[:6, :6]).pictures) == 5


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_listed(tmp_path: Path) -> None:
    class_folders(tmp_path, a=3, b=2)
    (tmp_path / "a" / "1.png").chmod(0)
    (tmp_path / "a" / "sub").mkdir(mode=0)
    assert reasons(foveal.data.open(tmp_path)) == {
        "a/1.png": "cannot be opened: Permission denied",
        "a/sub": "cannot be opened: Permission denied",
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_named_like_a_picture_does_not_block(tmp_path: Path) -> None:
    class_folders(tmp_path, a=2, b=2)
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    assert reasons(foveal.data.open(tmp_path)) == {"a/pipe.jpg": "not an ordinary file"}


def test_opening_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_folders(tmp_path, a=3, b=3)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    assert len(foveal.data.open(tmp_path).train) == 4


def test_grey_pictures_have_one_channel(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(encoded(blocks()[..., 0], "PNG"))
    assert foveal.data.open(tmp_path).channels == 1
    (tmp_path / "a" / "3.png").write_bytes(encoded(blocks(), "PNG"))
    data = foveal.data.open(tmp_path)
    assert (data.channels, data.train.pictures(0).shape) == (3, (48, 64, 3))


def test_animations_and_heic_are_told(tmp_path: Path) -> None:
    class_folders(tmp_path, a=2, b=2)
    frames = {"save_all": True, "append_images": [blocks_image()]}
    (tmp_path / "a" / "moving.gif").write_bytes(encoded(blocks(), "GIF", **frames))
    (tmp_path / "b" / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    data = foveal.data.open(tmp_path)
    assert "Files with several pictures, of which the first is used: 1." in data.notes
    try:
        import pillow_heif  # noqa: F401
    except ImportError:
        told = "HEIC pictures not read: 1 (to read them: pip install pillow-heif)."
        assert told in data.notes
        assert not any(entry.damaged for entry in data.skipped)


def blocks_image() -> object:
    from PIL import Image

    return Image.fromarray(blocks(seed=5))


def test_the_fingerprint_changes_with_the_data_and_with_nothing_else(tmp_path: Path) -> None:
    class_folders(tmp_path / "set", a=3, b=3)

    def fingerprint(seed: int = 0) -> str:
        return foveal.data.open(tmp_path / "set", seed=seed).fingerprint

    first = fingerprint()
    assert fingerprint(seed=1) == first
    (tmp_path / "set").rename(tmp_path / "moved")
    (tmp_path / "moved").rename(tmp_path / "set")
    os.utime(tmp_path / "set" / "a" / "0.png", (1, 1))
    assert fingerprint() == first
    (tmp_path / "set" / "a" / "0.png").rename(tmp_path / "set" / "b" / "9.png")
    second = fingerprint()
    (tmp_path / "set" / "b" / "9.png").write_bytes(jpeg())
    assert len({first, second, fingerprint()}) == 3


FIX = "make a folder per class and put its pictures there, or list them in labels.csv"


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    class_folders(tmp_path, cat=3)
    (tmp_path / "dog").mkdir()
    assert refusal(tmp_path, tmp_path) == (
        "ROOT: a classifier needs at least two classes\n"
        "  arrives:  one class: 'cat' (3 pictures)\n"
        "  expected: at least two folders, one per class, such as cat/1.jpg and dog/1.jpg\n"
        f"  fix:      {FIX}\n"
        "            not used: dog: a class folder without pictures"
    )


def test_no_picture_at_all(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jpg").write_text("text")
    assert refusal(tmp_path, tmp_path).splitlines()[:2] == [
        "ROOT: a classifier needs at least two classes",
        "  arrives:  no class with pictures",
    ]


def test_pictures_without_class_folders(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    assert refusal(tmp_path, tmp_path) == (
        "ROOT: no class folders\n"
        "  arrives:  3 pictures without folders\n"
        "  expected: at least two folders, one per class, such as cat/1.jpg and dog/1.jpg\n"
        f"  fix:      {FIX}"
    )


def test_an_empty_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path, tmp_path).splitlines()[1] == "  arrives:  0 files"


def test_a_split_without_a_train_folder(tmp_path: Path) -> None:
    class_folders(tmp_path / "val", a=1, b=1)
    class_folders(tmp_path / "test", a=1, b=1)
    assert refusal(tmp_path, tmp_path) == (
        "ROOT: no train folder\n"
        "  arrives:  test, val\n"
        "  expected: train/ beside them, with a folder per class\n"
        "  fix:      rename the folder with the training pictures to train"
    )


def test_many_damaged_pictures_stop_it(tmp_path: Path) -> None:
    class_folders(tmp_path, a=50, b=50)
    for number in range(10):
        (tmp_path / "a" / f"bad{number}.jpg").write_text("text")
    assert len(foveal.data.open(tmp_path).skipped) == 10
    (tmp_path / "a" / "bad10.jpg").write_text("text")
    assert refusal(tmp_path, tmp_path) == (
        "ROOT: more than 10 pictures and more than 1 % of 111 cannot be read\n"
        "  arrives:  a/bad0.jpg: not a picture of a known format\n"
        "            a/bad1.jpg: not a picture of a known format\n"
        "            a/bad10.jpg: not a picture of a known format\n"
        "            a/bad2.jpg: not a picture of a known format\n"
        "            a/bad3.jpg: not a picture of a known format\n"
        "            …\n"
        "  expected: at most 10 damaged files, or 1 %\n"
        "  fix:      foveal data check lists them all; mend or remove them"
    )


SOURCES = (
    "a folder of pictures (a folder per class), a split folder (train, val, test), a labels.csv, "
    "an .npz file, a folder with the files of MNIST (IDX) or CIFAR (binary), or the word digits"
)


def test_unknown_sources(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "x.zip").write_bytes(b"PK")
    assert refusal(tmp_path / "fotos", tmp_path) == (
        f"ROOT/fotos: no such file or folder\n  expected: {SOURCES}\n"
        "  fix:      did you mean 'photos'?"
    )
    assert (
        refusal(tmp_path / "x.zip", tmp_path)
        == f"ROOT/x.zip: not a data set\n  expected: {SOURCES}"
    )
    assert refusal("digit", tmp_path).endswith("did you mean 'digits'?")


def test_options_out_of_range(tmp_path: Path) -> None:
    from foveal.errors import SpecError

    with pytest.raises(SpecError) as caught:
        foveal.data.open(tmp_path, validation=1)
    assert str(caught.value) == "open validation: must be a number from 0 to below 1, not 1"
