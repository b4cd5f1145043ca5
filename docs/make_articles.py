"""Write the page "The articles, checked" from articles.toml: python docs/make_articles.py"""

from __future__ import annotations

import inspect
import json
from itertools import groupby
from pathlib import Path
from textwrap import indent

from foveal.articles import Statement, chapter, read
from foveal.articles.shown import FOLDERS, SHOWN

PAGE = Path(__file__).parent / "articles.md"
MARKS = {"runs": "✓", "measured": "✓ measured", "corrected": "≠ the article errs"}
TO_COME = {
    2: "every layer",
    3: "nets and transfer",
    4: "speed",
    5: "looking inside",
    6: "vision tasks",
    7: "beyond pictures",
}
"""What the steps of the plan are called."""


def page() -> str:
    """The whole page."""
    statements = read()
    parts = [_head(statements)]
    for name, group in groupby(statements, chapter):
        each = list(group)
        parts += [f"## {name}", *(_told(one) for one in each if one.landed)]
        later = [one for one in each if not one.landed]
        if later:
            parts.append("To come:\n\n" + "\n".join(map(_promised, later)))
    parts += ["## What fills the folders", *map(_folder, FOLDERS)]
    return "\n\n".join(parts) + "\n"


def _head(statements: tuple[Statement, ...]) -> str:
    landed = [each for each in statements if each.landed]
    errs = sum(each.state == "corrected" for each in landed)
    return f"""# The articles, checked

Three articles explain convolutional networks, and Foveal makes what they say real. Here is each of
their statements with what shows it: {len(landed)} by now, {len(statements) - len(landed)} to come.
The same on your own machine:

    foveal articles            # all that is here; --quick leaves out what trains a net
    foveal articles M16 M18e   # some of them, with what they print

✓ it is so · ✓ measured: it is so, by a measurement · ≠ the article errs, and the right value is
shown ({errs} times, most of them a word or a date).

- **a** Deep Learning Series, P2: Understanding Convolutional Neural Networks
- **b** the article whose table of contents goes from Background to References, and its readers'
  questions
- **c** All about Convolutional Neural Networks (CNNs)

`python docs/make_articles.py` writes this page from [articles.toml](articles.toml), and the tests
run every command on it. In the pieces of Python, `answer(net, x, weights)` asks the engine that
computes every layer by its definition; they are the functions of
[shown.py](../src/foveal/articles/shown.py)."""


def _told(statement: Statement) -> str:
    lines = [
        f"**{statement.id}** · article {', '.join(statement.article.split())} · "
        f"{MARKS[statement.state]}",
        f"> {statement.quotation}",
        statement.claim,
    ]
    if statement.correction:
        lines.append(f"*{statement.correction}*")
    if statement.folder:
        lines.append(f"In a folder with [{statement.folder}](#what-fills-the-folders):")
    if statement.command:
        lines += [indent(statement.line.replace(" && ", "\n"), " " * 4), _expected(statement)]
    if statement.python:
        lines += [indent(_source(SHOWN[statement.python]), " " * 4), _expected(statement)]
    if statement.source:
        lines.append(f"Source: {statement.source}")
    return "\n\n".join(lines)


def _source(function: object) -> str:
    return inspect.getsource(function).strip()  # type: ignore[arg-type]


def _expected(statement: Statement) -> str:
    """What the output contains."""
    after = f", and exits with {statement.exit}" if statement.exit else ""
    if isinstance(statement.expected, dict):
        said = ", ".join(f"`{path}` {_wish(wish)}" for path, wish in statement.expected.items())
        return f"gives {said}{after}."
    texts = [statement.expected] if isinstance(statement.expected, str) else statement.expected
    return f"prints{after}:\n\n" + indent("\n".join(texts), " " * 4)


def _wish(wish: object) -> str:
    if isinstance(wish, dict):
        return " and ".join(f"{name.replace('_', ' ')} {bound}" for name, bound in wish.items())
    return f"= `{json.dumps(wish, ensure_ascii=False)}`"


def _promised(statement: Statement) -> str:
    return (
        f"- **{statement.id}** ({TO_COME[statement.step]}) “{statement.quotation}”: "
        f"{statement.claim}"
    )


def _folder(name: str) -> str:
    return f"`{name}` draws line drawings, the same ones every time:\n\n" + indent(
        _source(FOLDERS[name]), " " * 4
    )


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
