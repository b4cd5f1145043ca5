"""foveal features: a row of numbers for each picture, in the formats that others read."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image
from support.models import light_or_dark

from foveal import cache
from foveal.cli import main
from foveal.model import Model
from foveal.model.feature_files import FORMATS, POOLS, pooled, write
from foveal.net.notation import parse

LEVELS = {"night": 0, "dusk": 100, "snow": 255}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with two models and three pictures of one level each."""
    light_or_dark().save(tmp_path / "m.safetensors")
    net = parse(
        "input uint8 -> normalise -> maps: conv 2 3 -> relu -> flatten -> wide: dense 5 -> relu"
        " -> dense 2 -> softmax"
    )
    Model.fresh(net, (1, 8, 8), ("a", "b")).save(tmp_path / "conv.safetensors")
    (tmp_path / "new").mkdir()
    for name, level in LEVELS.items():
        Image.fromarray(np.full((8, 8), level, np.uint8)).save(tmp_path / "new" / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["features", *arguments])
    return code, *capsys.readouterr()


FILES = [str(Path("new") / f"{name}.png") for name in sorted(LEVELS)]
VALUES = np.array([[LEVELS[name] / 127.5 - 1] for name in sorted(LEVELS)], np.float32)


def read(path: Path) -> tuple[list[str], np.ndarray]:
    """Files and numbers of what was written."""
    match path.suffix:
        case ".npz":
            with np.load(path) as found:
                return found["files"].tolist(), found["features"]
        case ".npy":
            return path.with_suffix(".txt").read_text(encoding="utf-8").splitlines(), np.load(path)
        case ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                first, *rows = csv.reader(file)
            assert first == ["file", *(f"f{n}" for n in range(len(first) - 1))]
            return [row[0] for row in rows], np.array([row[1:] for row in rows], np.float32)
    table = pyarrow.parquet.read_table(path)
    files, *columns = table.columns
    assert table.column_names == ["file", *(f"f{n}" for n in range(len(columns)))]
    return files.to_pylist(), np.stack([column.to_numpy() for column in columns], axis=1)


@pytest.mark.parametrize("ending", [*FORMATS, ".NPZ"])
def test_a_row_for_each_picture_of_what_the_last_layer_reads(ending, here, capsys) -> None:
    names = f" and {Path('out.txt')}" if ending == ".npy" else ""
    assert said(capsys, "m.safetensors", "new", "-o", f"out{ending}") == (
        0,
        f"globalavgpool1: 1 numbers for each of 3 pictures, in out{ending}{names}\n",
        "",
    )
    if ending == ".NPZ":
        Path("out.NPZ").rename("out.npz")
    files, values = read(Path(f"out{ending.lower()}"))
    assert files == FILES
    assert values.dtype == np.float32
    assert np.allclose(values, VALUES, atol=1e-6)


def test_every_format_has_the_same_numbers(here: Path, capsys) -> None:
    for ending in FORMATS:
        said(capsys, "conv.safetensors", "new", "--layer", "wide", "-o", f"out{ending}")
    first, *others = (read(Path(f"out{ending}"))[1] for ending in FORMATS)
    assert first.shape == (3, 5)
    assert all(np.array_equal(first, other) for other in others)


def test_maps_keep_their_shape_in_arrays(here: Path, capsys) -> None:
    code, out, _ = said(capsys, "conv.safetensors", "new", "--layer", "maps", "-o", "out.npz")
    assert (code, out) == (0, "maps: 2x6x6 numbers for each of 3 pictures, in out.npz\n")
    maps = read(Path("out.npz"))[1]
    assert not list(cache.folder("features").glob("*"))
    for how in POOLS:
        said(capsys, "conv.safetensors", "new", "--layer", "maps", "--pool", how, "-o", "out.csv")
        wanted = getattr(maps, how)(axis=(2, 3))
        assert np.allclose(read(Path("out.csv"))[1], wanted, atol=1e-6)


@pytest.mark.parametrize("how", POOLS)
def test_what_is_flat_is_not_pooled(how: str) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert pooled(values, how) is values


REFUSED = [
    (
        ("--layer", "maps", "-o", "out.csv"),
        "SpecError: out.csv: a table has one row of numbers for each picture, and no maps\n"
        "  arrives:  2x6x6\n"
        "  fix:      --pool mean for one number of each map, or .npz for all of them\n",
    ),
    (
        ("-o", "out.xlsx"),
        "SpecError: out.xlsx: cannot be written as .xlsx\n  expected: .npz, .npy, .csv, .parquet\n",
    ),
    (
        ("-o", "out"),
        "SpecError: out: cannot be written as a file without ending\n"
        "  expected: .npz, .npy, .csv, .parquet\n",
    ),
    (
        ("--layer", "wild", "-o", "out.csv"),
        "SpecError: layer 'wild': is no step of the net\n  fix:      did you mean 'wide'?\n",
    ),
]


@pytest.mark.parametrize(("options", "sentence"), REFUSED)
def test_what_cannot_be_written_is_refused_first(options, sentence, here, capsys) -> None:
    assert said(capsys, "conv.safetensors", "new", *options) == (2, "", sentence)
    assert not list(here.glob("out*"))


def test_parquet_needs_its_extra(here: Path, capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert said(capsys, "m.safetensors", "new", "-o", "out.parquet") == (
        2,
        "",
        "MissingExtra: a .parquet file needs the extra 'parquet'\n"
        "  fix:      pip install 'foveal[parquet]'\n",
    )


def test_pictures_that_cannot_be_read_are_told_and_left_out(here: Path, capsys) -> None:
    (here / "new" / "a.png").write_bytes(b"")
    code, _, err = said(capsys, "m.safetensors", "new", "-o", "out.npz")
    assert code == 1
    assert err.splitlines()[-1] == f"DataError: {Path('new/a.png')}: the file is empty"
    assert read(Path("out.npz"))[0] == FILES
    code, out, _ = said(capsys, "m.safetensors", "new/a.png", "-o", "none.npz")
    assert (code, out) == (2, "")
    assert not Path("none.npz").exists()


def test_python_gives_the_same_rows(here: Path) -> None:
    model = light_or_dark()
    found = model.features(FILES)
    assert np.allclose(found.values, VALUES, atol=1e-6)
    assert (found.layer, found.names) == ("globalavgpool1", tuple(FILES))
    assert model.features(FILES).reused == 3
    assert model.features(FILES, "scores", cached=False).values.shape == (3, 2)


def test_no_pictures_are_no_rows(tmp_path: Path) -> None:
    found = light_or_dark().features([])
    assert found.values.shape == (0, 1)
    for ending in FORMATS:
        write(tmp_path / f"out{ending}", found.values, found.names)
        assert read(tmp_path / f"out{ending}")[0] == []
