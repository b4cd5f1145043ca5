"""Weights of published nets: what the cache has of them, and fetching what it has not."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from foveal import cache, files
from foveal.errors import ModelFileError, SpecError, did_you_mean
from foveal.model import shipped
from foveal.model.download import PART, Progress, download, writable
from foveal.model.twins import MEASURED, MODEL
from foveal.zoo import ENTRIES, Entry

ADDED, FETCHED = "weights", "hub"
"""Folders of the cache: files that were given to it, files of the hub."""
FEATURES, PICTURES = "features", "pictures"
"""Folders of the cache that have stores: features of pictures, and pictures that are decoded."""
STORES = (FEATURES, PICTURES)
SUFFIX, ORIGIN = ".safetensors", ".origin"
SAVED_AS = (Path(MODEL).stem, Path(MEASURED).stem)
"""What the model of every training is called, each in a folder of its own."""

OWN = {net: model for model, net in shipped.MODELS.items()}
"""Nets whose weights Foveal brings along, and the model that holds them."""

FOR_PHOTOS = (
    "mobilenet_v2",
    "resnet18",
    "mobilenet_v2_140",
    "resnet34",
    "resnet50",
    "convnext_tiny",
    "densenet121",
    "mobilenet_v2_050",
    "mobilenet_v2_035",
)
"""What learns from photographs on an ordinary computer, the best for the time it takes first."""
SMALLEST_PHOTO = 64
"""Pixels below which a model of the user's own is no trunk for photographs."""


@dataclass(frozen=True)
class Kept:
    """One thing in the cache."""

    name: str
    what: str
    """`weights`, `model`, `features`, `pictures`, or `unfinished` of a download."""
    path: Path
    bytes: int
    when: float
    """Seconds since 1970 when it was written."""
    origin: str
    """The repository and commit, or the file it was copied from."""


def weights(name: str) -> str:
    """Where a net of the zoo has weights from: `own`, `hub`, `convert` or `none`.

    `convert` means that they are published, but only in a form that may run a program when it is
    opened, so that they must be converted once.
    """
    if name in OWN:
        return "own"
    if repository(ENTRIES[name]):
        return "hub"
    return "convert" if ENTRIES[name].published else "none"


def repository(entry: Entry) -> str:
    """The repository of Hugging Face that holds the weights of a net; empty if none does."""
    return next((one.repository for one in entry.published if one.repository), "")


def cached(name: str) -> Path | None:
    """The weights of a net of the zoo, or the model of the user's, that lie on this computer.

    A file that was added goes before one of the hub, and that before one Foveal brings along.
    Nothing is loaded, and no network is touched.
    """
    folders = (cache.folder(ADDED), cache.folder(FETCHED))
    places = [folder / f"{name}{SUFFIX}" for folder in folders]
    if name in OWN:
        places.append(shipped.path_of(OWN[name]))
    return next((path for path in places if Path(name).name == name and path.is_file()), None)


def fetch(name: str, progress: Progress | None = None) -> Path:
    """The weights of a net of the zoo: from the cache, else downloaded into it.

    `progress` is told the bytes that are there and all there will be.

    Raises: SpecError if there is no such net, or no hub has its weights; and as `download`
    """
    if path := cached(name):
        return path
    if name not in ENTRIES:
        raise SpecError("is not in the zoo", where=name, fix=did_you_mean(name, ENTRIES))
    source = repository(ENTRIES[name])
    if not source:
        raise _nowhere(name)
    target = cache.folder(FETCHED) / f"{name}{SUFFIX}"
    commit = download(source, target, progress)
    _note(target, f"{source}@{commit[:12]}")
    return target


def add(path: Path, name: str | None = None) -> Path:
    """Copy weights, or a model that Foveal saved, into the cache, and return where they lie.

    Weights of a net of the zoo get the name of that net, which is recognised unless it is given;
    a model keeps the name of its file, or of its training. What had that name is replaced.

    Raises: ModelFileError if the file is neither; SpecError if a model is called like a net of
            the zoo; MachineError if the disk refuses
    """
    from foveal.model import pretrained  # needs NumPy, which listing does not

    found = pretrained.read(path, name)
    source = Path(found.origin)
    kept_as = model_name(source) if found.classes else found.name
    if found.classes and kept_as in ENTRIES:
        raise SpecError(
            "is a model with the name of a net of the zoo", where=str(path), fix="rename the file"
        )
    target = cache.folder(ADDED) / f"{kept_as}{SUFFIX}"
    with writable(target.parent):
        if not (target.exists() and target.samefile(source)):
            _copy(source, target)
            _note(target, str(source.resolve()))
    return target


def model_name(file: Path) -> str:
    """What a model that Foveal saved is called: as its file, or as the folder of its training.

    >>> model_name(Path("pets.safetensors")), model_name(Path("runs/dogs/model.safetensors"))
    ('pets', 'dogs')
    """
    return file.stem if file.stem not in SAVED_AS else file.absolute().parent.name or file.stem


def origin(path: Path) -> str:
    """What a file of the cache is a copy of: a repository and its commit, or a file."""
    note = path.with_suffix(ORIGIN)
    return note.read_text(encoding="utf-8") if note.exists() else ""


def listing() -> list[Kept]:
    """All that lies in the cache: weights and models by name, then features and pictures."""
    added, fetched = map(cache.folder, (ADDED, FETCHED))
    found = [*added.glob(f"*{SUFFIX}"), *fetched.glob(f"*{SUFFIX}"), *fetched.glob(f"*{PART}")]
    kept = sorted(map(_kept, found), key=lambda one: (one.name, one.what, one.path))
    stores = (path for what in STORES for path in sorted(cache.folder(what).glob("[!.]*")))
    return [*kept, *map(_kept, stores)]


def names() -> list[str]:
    """What lies on this computer and can be learned from for photographs, the best choice first.

    Nets of the zoo come before models of the user's own, which must read colours and at least
    64 pixels.
    """
    colour = [name for name, entry in ENTRIES.items() if entry.input[0] == 3]
    of_zoo = [name for name in dict.fromkeys((*FOR_PHOTOS, *colour)) if cached(name)]
    return [*of_zoo, *(one.name for one in listing() if one.what == "model" and _sees_photos(one))]


def clear(names: Iterable[str] | None = None) -> list[Kept]:
    """Remove what has one of these names, or everything, and return what it was.

    `features` is the name of all features together, `pictures` that of all decoded pictures.

    Raises: SpecError if nothing has such a name; MachineError if the disk refuses
    """
    there = listing()
    if names is not None:
        wanted = set(names)
        known = {one.name for one in there} | {one.what for one in there if one.what in STORES}
        for name in sorted(wanted - known):
            raise SpecError("is not in the cache", where=name, fix=did_you_mean(name, known))
        there = [one for one in there if {one.name, one.what} & wanted]
    for one in there:
        with writable(one.path.parent):
            _remove(one.path)
            one.path.with_suffix(ORIGIN).unlink(missing_ok=True)
            one.path.with_name(f".{one.name}.lock").unlink(missing_ok=True)
    return there


def _kept(path: Path) -> Kept:
    found = path.stat()
    if path.parent.name in STORES:
        inside = [one.stat() for one in (path.iterdir() if path.is_dir() else ())] or [found]
        size, when = sum(one.st_size for one in inside), max(one.st_mtime for one in inside)
        return Kept(path.stem, path.parent.name, path, size, when, "")
    if path.suffix == PART:
        name = path.stem.rpartition(".")[0]
        return Kept(name, "unfinished", path, found.st_size, found.st_mtime, "")
    what = "weights" if path.stem in ENTRIES else "model"
    return Kept(path.stem, what, path, found.st_size, found.st_mtime, origin(path))


def _remove(path: Path) -> None:
    """A file, or a store with its files."""
    if path.is_dir():
        for one in path.iterdir():
            one.unlink(missing_ok=True)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _note(path: Path, source: str) -> None:
    """Where a file is from, in a file beside it."""
    files.write_atomically(path.with_suffix(ORIGIN), source.encode("utf-8", "replace"))


def _copy(source: Path, target: Path) -> None:
    with (
        source.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        memoryview(content) as block,
    ):
        files.write_atomically(target, block)


def _sees_photos(kept: Kept) -> bool:
    from foveal.model.container import read_header
    from foveal.model.document import checked, described

    try:
        _, input = described(checked(read_header(kept.path).document, kept.path), kept.path)
    except ModelFileError:
        return False
    return len(input) == 3 and input[0] == 3 and min(input[1:]) >= SMALLEST_PHOTO


def _nowhere(name: str) -> SpecError:
    """Why weights cannot be fetched, and how to come by them otherwise."""
    if not ENTRIES[name].published:
        return SpecError(
            "nobody published weights for it", where=name, fix=f"foveal train photos/ --net {name}"
        )
    return SpecError(
        "no hub has its weights as safetensors",
        where=name,
        fix="give a file of them: foveal cache add FILE.safetensors\n"
        "(made of a .pth by foveal zoo convert FILE.pth)",
    )
