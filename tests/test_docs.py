"""Everything that the pages tell a reader to type is typed here, and what they say comes back."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from PIL import Image
from support.pages import LANGUAGES, Example, agrees, anchors, examples, links

from foveal.net.kind import Kind
from foveal.net.layers import KINDS

PROJECT = Path(__file__).parent.parent
PAGES = sorted([PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")])
ALL_PAGES = [*PAGES, PROJECT / "benchmarks" / "README.md"]
TABLES = runpy.run_path(str(PROJECT / "docs" / "make_tables.py"))
WRITE_PICTURES = runpy.run_path(str(PROJECT / "examples" / "own_pictures.py"))["write_pictures"]
NOT_RUN = {"README.md": 3, "contributing.md": 1, "pretrained.md": 3}
"""How many examples of a page are marked as not run."""


def named(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


@pytest.fixture
def desk(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder as the reader is asked to have one: photos to learn from, and new ones."""
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path_factory.mktemp("cache")))
    WRITE_PICTURES(tmp_path / "photos", count=10, seed=1)
    WRITE_PICTURES(tmp_path / "new", count=2, seed=2)
    with Image.open(tmp_path / "new" / "tables" / "000.png") as picture:
        picture.save(tmp_path / "unknown.jpg")
    return tmp_path


def run(example: Example, folder: Path, names: dict[str, Any]) -> str:
    """What an example prints; `names` are those of the programs before it on the page."""
    if example.language == "net":
        return write_net(example, folder)
    if example.language == "python":
        return run_program(example, folder, names)
    return "".join(run_command(line, folder, example) for line in example.commands())


def write_net(example: Example, folder: Path) -> str:
    from foveal.net.notation import parse

    if "file" in example.marks:
        (folder / example.marks["file"]).write_text(example.text, encoding="utf-8")
    one_by_one = "a line each" in example.marks
    for text in example.commands() if one_by_one else [example.text]:
        parse(text)
    return ""


def run_program(example: Example, folder: Path, names: dict[str, Any]) -> str:
    """In this process, so that a page loads PyTorch once; trainings last one epoch."""
    file = folder / f"line{example.line}.py"
    small = re.sub(r"(foveal\.train\([^()]*)\)", r"\1, epochs=1)", example.text)
    file.write_text(small, encoding="utf-8")
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        names.update(runpy.run_path(str(file), init_globals=names))
    return printed.getvalue()


def run_command(line: str, folder: Path, example: Example) -> str:
    """In a process of its own, as in a terminal; trainings last one epoch."""
    command, *arguments = shlex.split(line, comments=True)
    assert command == "foveal", f"{example}: not a command of Foveal: {line}"
    target = arguments[arguments.index(">") + 1] if ">" in arguments else ""
    arguments = arguments[: arguments.index(">")] if target else arguments
    if arguments[0] == "train" and "--epochs" not in arguments:
        arguments += ["--epochs", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "foveal", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
    )
    wanted = int(example.marks.get("exits", 0))
    assert done.returncode == wanted, f"{example}: {line}\n{done.stdout}"
    if target:
        (folder / target).write_text(done.stdout, encoding="utf-8")
    return "" if target else done.stdout


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_examples_of_a_page_give_what_it_says(page: Path, desk: Path) -> None:
    names: dict[str, Any] = {}
    for example in examples(page):
        if "not run" in example.marks or example.language == "text":
            continue
        printed = run(example, desk, names)
        if example.output is not None:
            assert agrees(example.output, printed), f"{example} prints\n{printed}"


@pytest.mark.parametrize("page", ALL_PAGES, ids=named)
def test_every_fence_says_what_it_is(page: Path) -> None:
    found = examples(page)
    assert [str(example) for example in found if example.language not in LANGUAGES] == []
    fences = sum(line.startswith("```") for line in page.read_text(encoding="utf-8").splitlines())
    assert fences == 2 * (len(found) + sum(example.output is not None for example in found))


def test_examples_that_are_not_run_are_few_and_say_why() -> None:
    marked = {page.name: [e.marks["not run"] for e in examples(page) if "not run" in e.marks]
              for page in PAGES}  # fmt: skip
    assert {name: len(reasons) for name, reasons in marked.items() if reasons} == NOT_RUN
    assert all(reason for reasons in marked.values() for reason in reasons)


@pytest.mark.parametrize("page", ALL_PAGES, ids=named)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        target, _, place = link.partition("#")
        if re.match(r"https?:", target):
            continue
        file = page.parent / target if target else page
        if not file.exists() or (place and place not in anchors(file)):
            lost.append(link)
    assert lost == []


def test_every_page_is_in_the_list_of_pages() -> None:
    docs = PROJECT / "docs"
    listed = {link.partition("#")[0] for link in links(docs / "index.md")}
    assert {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")} - listed == {
        "index.md"
    }


@pytest.mark.parametrize("family", sorted(set(TABLES["PAGE_OF"].values())))
def test_pages_of_layers_are_built_alike(family: str) -> None:
    page = (PROJECT / "docs" / "layers" / f"{family}.md").read_text(encoding="utf-8")
    headings = re.findall("^## (.+)$", page, re.M)
    assert (headings[0], headings[-1]) == ("The kinds", "What others call it")
    assert "\nSources: " in page.partition("## What others call it")[2]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.word)
def test_the_page_of_a_word_tells_about_it(kind: type[Kind]) -> None:
    family = TABLES["PAGE_OF"][kind.__module__.rpartition(".")[2]]
    page = (PROJECT / "docs" / "layers" / f"{family}.md").read_text(encoding="utf-8")
    told = page.partition("## What others call it")[0]
    assert re.search(rf"`{kind.word}[ `(]", told)


@pytest.mark.parametrize("page", sorted({page for page, _ in TABLES["TABLES"].values()}))
def test_tables_are_those_of_the_code(page: str) -> None:
    written = (PROJECT / "docs" / page).read_text(encoding="utf-8")
    assert written == TABLES["filled"](page), "python docs/make_tables.py writes them anew"


def test_the_base_install_fits_its_budget() -> None:
    """Of what is installed here, all that Foveal needs without extras; `make size` installs it."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = ["foveal"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = importlib.metadata.distribution(name)
            needed = map(Requirement, found[name].requires or ())
            waiting += [one.name for one in needed if not one.marker or one.marker.evaluate()]
    assert {"foveal", "numpy", "onnxruntime"} <= set(found)
    paths = [Path(d.locate_file(file)) for d in found.values() for file in d.files or ()]
    assert 50e6 < sum(path.stat().st_size for path in paths if path.is_file()) < 200e6


def test_pictures_of_the_pages_are_small() -> None:
    pictures = list((PROJECT / "docs" / "pictures").iterdir())
    assert pictures
    assert max(path.stat().st_size for path in pictures) < 150_000
