"""labels.csv: what is read, and the line of what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.picture_files import fill

import foveal.data
from foveal.errors import DataError

EXPECTED = "a first line 'file,label', then a line per picture such as 'photos/1.jpg,cat'"


def table(root: Path, text: str | bytes) -> Path:
    fill(root / "photos", 6)
    path = root / "labels.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(root: Path, text: str | bytes) -> str:
    path = table(root, text)
    with pytest.raises(DataError) as caught:
        foveal.data.open(path)
    return str(caught.value).replace(str(root), "ROOT")


ROWS = "photos/0.png,cat\nphotos/1.png,cat\nphotos/2.png,dog\nphotos/3.png,dog\n"


def test_a_folder_or_its_table(tmp_path: Path) -> None:
    path = table(tmp_path, "file,label\n" + ROWS)
    for source in (tmp_path, path, str(path)):
        data = foveal.data.open(source, validation=0)
        assert data.classes == ("cat", "dog")
        assert data.train.labels.tolist() == [0, 0, 1, 1]
        assert data.train.names[0] == "photos/0.png"
        assert data.train.pictures(3).shape == (6, 8, 3)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_as_spreadsheets_write_it(tmp_path: Path, delimiter: str) -> None:
    text = "\ufeff Label ,note,FILE\r\n\r\n" + "".join(
        f'"{name}","a, ""b""; c",photos/{n}.png\r\n' for n, name in enumerate("xyxy")
    )
    parted = text if delimiter == "," else text.replace(",", delimiter)
    data = foveal.data.open(table(tmp_path, parted), validation=0)
    assert data.train.counts.tolist() == [2, 2]


def test_the_split_column(tmp_path: Path) -> None:
    words = ["train", "", "train", "VAL", "test", "validation"]
    rows = [f"photos/{n}.png,{'ab'[n % 2]},{word}" for n, word in enumerate(words)]
    data = foveal.data.open(table(tmp_path, "\n".join(["file,label,split", *rows])))
    assert data.test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (3, 2, 1)


def test_lines_that_are_not_used(tmp_path: Path) -> None:
    more = "photos/9.png,cat\nphotos/1.png,dog\n\nphotos/4.png,\n,cat\nphotos,cat\nphotos/5.png\n"
    data = foveal.data.open(table(tmp_path, "file,label\n" + ROWS + more))
    assert [(entry.line, entry.path, entry.reason) for entry in data.skipped] == [
        (6, "photos/9.png", "no such file"),
        (7, "photos/1.png", "already listed in line 3"),
        (9, "photos/4.png", "no file or no label in this line"),
        (10, "line 10", "no file or no label in this line"),
        (11, "photos", "no such file"),
        (12, "photos/5.png", "no file or no label in this line"),
    ]


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    long = "x" * 5000
    data = foveal.data.open(table(tmp_path, f"file,label\n{ROWS}{long},cat\na\0b,cat\n"))
    assert [entry.path for entry in data.skipped] == [long, "a\\x00b"]


@pytest.mark.parametrize("text", ["photos/1.png,cat\n", "", "file,class\n"])
def test_a_missing_column(tmp_path: Path, text: str) -> None:
    missing = "label" if text.startswith("file") else "file"
    arrives = text.strip().replace(",", ", ") or "nothing"
    assert refusal(tmp_path, text) == (
        f"ROOT/labels.csv, line 1: no column '{missing}'\n"
        f"  arrives:  {arrives}\n"
        f"  expected: {EXPECTED}"
    )


def test_an_unknown_split(tmp_path: Path) -> None:
    assert refusal(tmp_path, "file,label,split\nphotos/0.png,a,trian\n") == (
        "ROOT/labels.csv, line 2: unknown split 'trian'\n"
        "  expected: train, val or test\n"
        "  fix:      did you mean 'train'?"
    )


def test_another_encoding(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"file,label\nphotos/0.png,caf\xe9\n") == (
        "ROOT/labels.csv, line 2: the table is not UTF-8 text\n"
        "  fix:      save it again as CSV with the encoding UTF-8"
    )


def test_a_quotation_mark_that_is_not_closed(tmp_path: Path) -> None:
    assert refusal(tmp_path, 'file,label\n"photos/0.png,cat\n') == (
        "ROOT/labels.csv, line 2: the table is damaged: unexpected end of data"
    )


def test_one_label_only(tmp_path: Path) -> None:
    assert refusal(tmp_path, "file,label\nphotos/0.png,cat\n") == (
        "ROOT/labels.csv: a classifier needs at least two classes\n"
        "  arrives:  one class: 'cat' (1 picture)\n"
        f"  expected: {EXPECTED}\n"
        "  fix:      give the pictures at least two different labels"
    )
