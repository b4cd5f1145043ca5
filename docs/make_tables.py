"""Write the tables that come from the code into the pages: python docs/make_tables.py

A table stands between `<!-- begin NAME -->` and `<!-- end NAME -->`.
"""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from statistics import fmean
from types import ModuleType
from typing import Any

from foveal.checks import Constraint, Flag
from foveal.model import hub, load
from foveal.net.arithmetic import arithmetic
from foveal.net.filters import FAMILIES, FILTERS, kernel
from foveal.net.kind import Kind, shape_text
from foveal.net.layers import KINDS
from foveal.net.notation.pattern import DEFAULTS
from foveal.net.table import memory_text
from foveal.recipe import Recipe, Transfer
from foveal.training.recipes import MANY_PHOTOS, MARKS, PHOTOS, Length
from foveal.zoo import (
    ENTRIES,
    airbench,
    alexnet,
    convnext,
    densenet,
    googlenet,
    inception,
    lenet,
    mobilenet,
    quick,
    resnet,
    vgg,
)
from foveal.zoo.naming import names_table

PAGES = Path(__file__).parent
FIGURES = PAGES.parent / "benchmarks" / "figures.toml"
LEARNED = {"cifar10": "vehicles", "mnist": "digits 5 to 9"}
"""What is to be learned in each question of `benchmarks/transfer.py`."""
TRANSFER = PAGES.parent / "benchmarks" / "measured" / "transfer.json"
CLASSICAL = PAGES.parent / "benchmarks" / "measured" / "classical.json"
CLASSICAL_WORDS = {
    "neighbours": "k-nearest neighbours",
    "vectors": "support vector machine",
    "lenet5": "LeNet-5",
    "": "pixels",
    "pixels": "pixels",
    "deskewed": "deskewed pixels",
    "gradients": "gradients of these",
}
"""What the rows of `benchmarks/classical.py` are called; the net is given pixels."""
PAGE_OF = {
    "activation": "activation",
    "adaptive": "pooling",
    "convolution": "convolution",
    "dense": "shape",
    "embedding": "shape",
    "entrance": "shape",
    "global_pooling": "pooling",
    "merge": "shape",
    "normalisation": "normalisation",
    "pooling": "pooling",
    "regularisation": "regularisation",
    "scaling": "shape",
    "shape": "shape",
    "transposed": "convolution",
    "unpooling": "pooling",
    "unshared": "convolution",
    "upsampling": "pooling",
}
"""The page in `docs/layers/` on the kinds of each file in `net/layers/`."""
NETS = (
    *(quick, airbench, lenet, alexnet, vgg, googlenet, inception),
    *(resnet, densenet, mobilenet, convnext),
)
"""Each has a page in `docs/nets/`."""
MEANING = {
    "N": "repeats",
    "M": "repeats",
    "K": "repeats",
    "CONV": "filters of a bare `CONV`, which is 3x3 with padding `same`",
    "POOL": "1 or 0: with or without the option `POOL?`, which is `maxpool 2`",
    "FC": "features of a bare `FC`",
    "CLASSES": "features of the last `FC`, if it is bare",
}


def words() -> Iterator[str]:
    """Every layer kind: its words, the numbers after it, and what else may be said."""
    yield "| word | also | numbers | may be said, and what holds if not | what it does |"
    yield "|---|---|---|---|---|"
    for kind in KINDS:
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        rest = [_default(kind, name) for name in names if not _is_needed(kind, name)]
        about = inspect.getdoc(kind).splitlines()[0]  # type: ignore[union-attr]
        numbers = " ".join(kind.positional)
        aliases = ", ".join(f"`{alias}`" for alias in kind.aliases)
        page = PAGE_OF[kind.__module__.rpartition(".")[2]]
        word = f"[`{kind.word}`](layers/{page}.md)"
        cells = (word, aliases, f"`{numbers}`" * bool(numbers), ", ".join(rest), about)
        row = " | ".join(cell.replace("|", "\\|") for cell in cells)
        yield f"| {row} |".replace("|  ", "| ")


def _is_needed(kind: type[Kind], name: str) -> bool:
    return name in kind.positional and not hasattr(kind, name)


def _default(kind: type[Kind], name: str) -> str:
    constraint, value = kind.constraints[name], getattr(kind, name)
    if isinstance(constraint, Flag):
        return f"`{name}` (or `no {name}`)" if value else f"no `{name}`"
    if value is None:
        return f"`{name}` as `kernel_size`" if name == "stride" else f"no `{name}`"
    return f"`{name} {constraint.write(value)}`"


def letters() -> Iterator[str]:
    """What `--set` can set in the pattern of the articles."""
    yield "| letter | stands for | if not set |"
    yield "|---|---|---|"
    for letter, value in DEFAULTS.items():
        yield f"| `{letter}` | {MEANING[letter]} | {value} |"


def lengths() -> Iterator[str]:
    """How long a training lasts and how many pictures a step takes, by the number of pictures."""
    yield "| pictures to learn from | what they are | epochs | pictures a step |"
    yield "|---|---|---|---|"
    for what, rows in (("small and grey, like digits", MARKS), ("others", PHOTOS)):
        for row in rows:
            yield f"| {_up_to(row, rows)} | {what} | {row.epochs} | {row.batch_size} |"
    row = MANY_PHOTOS
    what = "others, with `airbench94` or `quick` on small ones"
    yield f"| {_up_to(row, PHOTOS)} | {what} | {row.epochs} | {row.batch_size} |"


def _up_to(row: Length, rows: tuple[Length, ...]) -> str:
    if row is rows[-1]:
        return f"more than {rows[-2].num_pictures:,}"
    return f"up to {row.num_pictures:,}"


def options() -> Iterator[str]:
    """Every field of the recipe as an option of `foveal train`."""
    yield "| option | in Python | plain recipe | what it is |"
    yield "|---|---|---|---|"
    for field in (*fields(Recipe), *fields(Transfer)):
        constraint: Constraint = field.metadata["constraint"]
        dashed = field.name.replace("_", "-")
        option = f"--{dashed}" + (f" / --no-{dashed}" if isinstance(constraint, Flag) else "")
        value, about = field.default, field.metadata["help"]
        yield f"| `{option}` | `{field.name}` | `{value!r}` | {about} |"


def figures() -> Iterator[str]:
    """What was measured, and on what."""
    yield "| what | figure | measured on | by |"
    yield "|---|---|---|---|"
    for row in tomllib.loads(FIGURES.read_text(encoding="utf-8"))["figure"]:
        yield f"| {row['what']} | {row['value']} | {row['on']} | `{row['by']}` |"


def filters() -> Iterator[str]:
    """Every given filter, a family after the other."""
    yield "| filter | size | what it does | source |"
    yield "|---|---|---|---|"
    for family, about in FAMILIES.items():
        yield f"| *{family}* | | *{about}* | |"
        for name, one in FILTERS.items():
            if one.family == family:
                rows = kernel(name)
                size = f"{len(rows)}x{len(rows[0])}"
                yield f"| `{name}` | {size} | {one.about} | {one.source} |"


def zoo() -> Iterator[str]:
    """The published nets: what they cost, how good they were, and where weights come from."""
    yield "| name | made for | parameters | MACs | published | weights | what it is |"
    yield "|---|---|---|---|---|---|---|"
    for name, entry in ENTRIES.items():
        found = arithmetic(entry.build(entry.input, entry.num_classes).bind(entry.input))
        made_for, billions = shape_text(entry.input), f"{found.macs / 1e9:.3f} G"
        work = billions if found.macs >= 1e7 else f"{found.macs / 1e6:.1f} M"
        figures = (made_for, f"{found.parameters:,}", work, entry.accuracy)
        cells = (f"`{name}`", *figures, hub.weights(name), entry.about)
        yield f"| {' | '.join(cells)} |".replace("|  |", "| |")


def family(module: ModuleType) -> Iterator[str]:
    """The figures of the nets of one page: all computed but the last."""
    yield "| name | made for | parameters | MACs | last maps see | memory | published |"
    yield "|---|---|---|---|---|---|---|"
    for name, entry in module.ENTRIES.items():
        net = entry.build(entry.input, entry.num_classes)
        found = arithmetic(net.bind(entry.input))
        fields = [row.receptive_field for row in found.rows if not row.whole_picture]
        sees = shape_text(next(filter(None, reversed(fields)), ()))
        figures = f"{found.parameters:,} | {found.macs:,} | {sees}"
        memory = memory_text(found.peak_memory)
        cells = (f"`{name}`", shape_text(entry.input), figures, memory, entry.accuracy)
        yield f"| {' | '.join(cells)} |".replace("|  |", "| |")


def repositories() -> Iterator[str]:
    """Where weights are fetched from."""
    yield "| net | repository of huggingface.co |"
    yield "|---|---|"
    for name, entry in ENTRIES.items():
        if repository := hub.repository(entry):
            yield f"| `{name}` | `{repository}` |"


def tensor_names() -> Iterator[str]:
    """What the first tensors of a small net are called by those who publish weights of it."""
    entry = ENTRIES["mobilenet_v2"]
    tables = [names_table(entry, one)[:8] for one in entry.published]
    yield f"| path in Foveal | shape | {' | '.join(one.by for one in entry.published)} |"
    yield f"|---|---|{'---|' * len(tables)}"
    for alike in zip(*tables, strict=True):
        theirs = (f"`{name}`" for _, name, _ in alike)
        yield f"| `{alike[0][0]}` | {shape_text(alike[0][2])} | {' | '.join(theirs)} |"


def digit_reader() -> Iterator[str]:
    """How well the digit reader reads, as it says itself."""
    yield "| digits | n | read right | 95 % interval |"
    yield "|---|---|---|---|"
    measured = load("digit_reader").about["made"]["measured"]
    for form, found in sorted(measured.items(), key=lambda each: -each[1]["n"]):
        low, high = (f"{100 * share:.1f} %" for share in found["accuracy_interval"])
        yield f"| {form} | {found['n']:,} | {100 * found['accuracy']:.2f} % | {low} to {high} |"


def transfer() -> Iterator[str]:
    """What a net brings along from other classes, as `benchmarks/transfer.py` measured it."""
    found = json.loads(TRANSFER.read_text(encoding="utf-8"))
    yield "| to learn | each class | random weights | last layer | all layers | gain | steps |"
    yield "|---|---|---|---|---|---|---|"
    for name, question in found["questions"].items():
        for each, one in question["each"].items():
            means = [f"{100 * fmean(shares):.1f} %" for shares in one["accuracy"].values()]
            gain = one["gain"]["transfer"]
            points = [f"{100 * share:+.1f}" for share in (gain["mean"], *gain["interval"])]
            shown = "{} ({} to {})".format(*points)
            yield f"| {LEARNED[name]} | {each} | {' | '.join(means)} | {shown} | {_steps(one)} |"


def _steps(one: dict[str, Any]) -> str:
    """The most steps that were needed, of the fewest that random weights took."""
    needed = one["steps_to_scratch"]
    most = "not reached" if None in needed else max(needed)
    return f"{most} of {min(one['steps']['scratch'])}"


def classical() -> Iterator[str]:
    """What came before nets, beside LeNet-5, as `benchmarks/classical.py` measured it."""
    found = json.loads(CLASSICAL.read_text(encoding="utf-8"))
    yield "| what | on | right | wrong | fit | predict | keeps | memory |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, row in found["rows"].items():
        method, _, kind = name.partition("/")
        fit, predict = (row[part]["processor_seconds"] for part in ("fit", "predict"))
        cells = (
            CLASSICAL_WORDS[method],
            CLASSICAL_WORDS[kind],
            f"{100 * row['accuracy']:.2f} %",
            f"{round((1 - row['accuracy']) * row['n_test'])}",
            f"{fit:,.0f} s",
            f"{1e3 * predict / row['n_test']:.2g} ms",
            f"{row['kept_mebibytes']:.3g} MiB",
            f"{row['peak_mebibytes']:,.0f} MiB",
        )
        yield f"| {' | '.join(cells)} |"


TABLES: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "figures": ("../README.md", figures),
    "words": ("notation.md", words),
    "zoo": ("zoo.md", zoo),
    "repositories": ("pretrained.md", repositories),
    "digit reader": ("pretrained.md", digit_reader),
    "tensor names": ("pretrained.md", tensor_names),
    "transfer": ("learn-from-ten.md", transfer),
    "classical": ("before-nets.md", classical),
    "letters": ("notation.md", letters),
    "lengths": ("training.md", lengths),
    "options": ("training.md", options),
    "filters": ("filters.md", filters),
    **{
        f"figures of {module.__name__.rpartition('.')[2]}": (
            f"nets/{module.__name__.rpartition('.')[2]}.md",
            partial(family, module),
        )
        for module in NETS
    },
}
"""The name of each table, its page, and what makes it."""


def filled(page: str) -> str:
    """A page with its tables as the code has them now."""
    content = (PAGES / page).read_text(encoding="utf-8")
    for name, (where, rows) in TABLES.items():
        if where == page:
            table = "\n".join(rows())
            place = re.compile(rf"(?<=<!-- begin {name} -->\n).*?(?=<!-- end {name} -->)", re.S)
            content = place.sub(lambda found, table=table: f"{table}\n", content)
    return content


def main() -> None:
    for page in dict.fromkeys(page for page, _ in TABLES.values()):
        content = filled(page)
        (PAGES / page).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
