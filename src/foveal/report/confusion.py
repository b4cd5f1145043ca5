"""Which classes get mixed up: a table for few classes, a map and the worst pairs for many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from foveal.report.parts import table
from foveal.report.svg import count_map
from foveal.report.words import count, name, percent, text
from foveal.tasks.classify import Evaluation

LARGEST_TABLE = 20
"""Classes; more columns than this do not fit a page."""
PAIRS = 20
_LONG = 4
"""Letters; longer names of columns are turned."""


@dataclass(frozen=True)
class Pair:
    """How often one class was taken for another."""

    truth: str
    answer: str
    times: int
    of: int
    """Pictures of the true class."""


def confused_pairs(evaluation: Evaluation) -> list[Pair]:
    """All pairs that happened, most frequent first; of equal ones the larger share first."""
    classes = evaluation.classes
    pairs = [
        Pair(classes[y], classes[x], times, sum(row))
        for y, row in enumerate(evaluation.confusion)
        for x, times in enumerate(row)
        if times and x != y
    ]
    return sorted(pairs, key=lambda pair: (-pair.times, pair.of))


def confusion_section(evaluation: Evaluation) -> str:
    """The mix-ups in a sentence, then every count that fits the page."""
    pairs = confused_pairs(evaluation)
    parts = [f"<p>{_sentence(pairs)}</p>"]
    if len(evaluation.classes) <= LARGEST_TABLE:
        parts.append(_matrix(evaluation))
    else:
        parts.append(_map(evaluation))
        if pairs:
            parts.append(_pairs_table(pairs))
    return "".join(parts)


def _sentence(pairs: list[Pair]) -> str:
    if not pairs:
        return "No class was taken for another."
    worst = pairs[0]
    if worst.times == 1:
        return "No two classes were mixed up more than once."
    return (
        f"Taken for another most often: “{name(worst.truth)}” was called “{name(worst.answer)}” "
        f"{worst.times:,} times ({percent(worst.times / worst.of)} of its "
        f"{count(worst.of, 'picture')})."
    )


def _matrix(evaluation: Evaluation) -> str:
    classes = evaluation.classes
    turned = len(classes) > 4 and max(map(len, classes)) > _LONG
    heads = "".join(
        f'<th scope="col" title="{text(one)}"><span>{name(one)}</span></th>' for one in classes
    )
    return (
        '<p class="note">Each row is what the pictures truly are, each column what the net called '
        "them. Blue is right, orange is wrong.</p>"
        f'<div class="scroll"><table class="confusion{" turned" if turned else ""}"><thead>'
        f'<tr><td></td><th class="over" colspan="{len(classes)}">called</th></tr>'
        f'<tr><td class="corner">truly</td>{heads}</tr></thead>'
        f"<tbody>{''.join(_matrix_rows(evaluation))}</tbody></table></div>"
    )


def _matrix_rows(evaluation: Evaluation) -> Iterable[str]:
    for y, (truth, row) in enumerate(zip(evaluation.classes, evaluation.confusion, strict=True)):
        cells = "".join(
            _cell(n, sum(row), x == y, f"truly {text(truth)}, called {text(answer)}: {n}")
            for x, (answer, n) in enumerate(zip(evaluation.classes, row, strict=True))
        )
        head = f'<th scope="row" title="{text(truth)}"><span>{name(truth)}</span></th>'
        yield f"<tr>{head}{cells}</tr>"


def _cell(n: int, of: int, right: bool, hint: str) -> str:
    if not n:
        return f'<td class="zero" title="{hint}">{"0" if right else "·"}</td>'
    style = "right" if right else "wrong"
    return f'<td class="{style}" style="--share:{n / of:.3f}" title="{hint}">{n:,}</td>'


def _map(evaluation: Evaluation) -> str:
    classes = evaluation.classes
    said = (
        f"{len(classes)} classes; {evaluation.num_right} of {evaluation.n} pictures lie on the "
        "diagonal. The pairs that are mixed up most are in the table below."
    )
    return (
        f'<figure class="mapped">{count_map("map", evaluation.confusion, said)}<figcaption>'
        f"Truth runs down, the answer across, from {name(classes[0])} to {name(classes[-1])}. "
        "The blue diagonal is right; every orange square is a mix-up, darker the larger its share "
        "of the true class.</figcaption></figure>"
    )


def _pairs_table(pairs: list[Pair]) -> str:
    rows = (
        (name(p.truth), name(p.answer), f"{p.times:,}", percent(p.times / p.of))
        for p in pairs[:PAIRS]
    )
    left = f" {count(len(pairs) - PAIRS, 'rarer pair')} not shown." if len(pairs) > PAIRS else ""
    caption = f"The pairs mixed up most often.{left}"
    return table(caption, ("Truly", " Called", "Times", "Share of the class"), rows)
