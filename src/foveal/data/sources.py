"""Opening what a user names: a folder, a table, arrays, IDX files, or the word 'digits'."""

from __future__ import annotations

from pathlib import Path

from foveal.checks import Real, Whole, accept
from foveal.data import arrays, cifar, digits, folders, idx, listing, tables
from foveal.data.dataset import Cut, Dataset
from foveal.data.groups import group_by as read_rule
from foveal.data.names import printable
from foveal.errors import DataError, did_you_mean

EXPECTED = (
    "a folder of pictures (a folder per class), a split folder (train, val, test), a labels.csv, "
    "an .npz file, a folder with the files of MNIST (IDX) or CIFAR (binary), or the word digits"
)


def open(
    source: str | Path, *, seed: int = 0, validation: float = 0.2, group_by: str | None = None
) -> Dataset:
    """Open labelled pictures without decoding them.

    `source` is a folder with a folder per class; a folder with train, val and test folders; a
    labels.csv or its folder; an .npz file; a folder with MNIST's IDX files or with CIFAR's binary
    ones; or 'digits' (./digits is a folder of that name). Where the data has no validation part,
    the share `validation` of each class is cut off the training part, the same for the same seed;
    with 0 everything stays in the training part.

    `group_by` says which pictures belong together and stay on one side of the cut: `folder`,
    `time`, `time:SECONDS` or `name:PATTERN` (see `foveal.data.groups.group_by`).

    Raises: DataError if the source is none of these, has fewer than two classes, or cannot be
            grouped; SpecError if `group_by` is no rule; MissingExtra for 'digits' without
            scikit-learn
    """
    return open_source(source, seed=seed, validation=validation, group_by=group_by)


def open_source(
    source: str | Path,
    *,
    seed: int = 0,
    validation: float = 0.2,
    group_by: str | None = None,
    strict: bool = True,
) -> Dataset:
    """As `open`; without `strict`, any number of damaged pictures is listed instead of refused."""
    accept("open", "seed", Whole(0), seed)
    accept("open", "validation", Real(0, 1, below=True), validation)
    cut = Cut(seed, validation, None if group_by is None else read_rule(group_by))
    if source == digits.NAME:
        return digits.open_digits(cut)
    path = Path(source)
    if path.is_dir():
        return _open_folder(path.resolve(), cut, strict=strict)
    if path.suffix.lower() == ".npz" and path.is_file():
        return arrays.open_file(path, cut)
    if path.suffix.lower() == ".csv" and path.is_file():
        return listing.to_dataset(tables.read(path.resolve()), cut, strict=strict)
    raise _unknown(path)


def _open_folder(folder: Path, cut: Cut, *, strict: bool) -> Dataset:
    if (version := cifar.find(folder)) is not None:
        return cifar.open_folder(folder, version, cut)
    if idx.find(folder, "train", "images") or idx.find(folder, "train", "labels"):
        return idx.open_folder(folder, cut)
    table = folder / tables.NAME
    found = tables.read(table) if table.is_file() else folders.scan(folder)
    return listing.to_dataset(found, cut, strict=strict)


def _unknown(path: Path) -> DataError:
    where = printable(str(path))
    if path.exists():
        return DataError("not a data set", where=where, expected=EXPECTED)
    folder = path.parent
    near = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    near = [name for name in near if name.isprintable()]
    fix = did_you_mean(path.name, [*near, digits.NAME])
    return DataError(
        "no such file or folder",
        where=where,
        expected=EXPECTED,
        fix=fix if fix.startswith("did") else "",
    )
