"""Pieces of the page that every section is made of: tables, and words with their explanation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

GLOSSARY: dict[str, tuple[str, str]] = {
    "training": (
        "Training part",
        "The pictures the net learned from. How well it names those says little: it may simply "
        "remember them.",
    ),
    "validation": (
        "Validation part",
        "Pictures kept out of the learning and looked at after every epoch, to watch whether what "
        "was learned also holds for others. Choices made while watching them make this number a "
        "little too kind.",
    ),
    "test": (
        "Test part",
        "Pictures that were put aside and used once, after the last step of learning. The result "
        "on them is what to expect of new pictures of the same sort.",
    ),
    "accuracy": ("Accuracy", "The share of pictures that were named right."),
    "interval": (
        "95 % interval",
        "The fewer pictures are tested, the more luck is in the accuracy. In 95 of 100 such "
        "tests, the true value lies between these two bounds (Wilson 1927). They cannot know "
        "whether your new pictures resemble the tested ones.",
    ),
    "baseline": (
        "Baseline",
        "The accuracy of always giving the name of the biggest class, without looking. A net is "
        "worth something only above it.",
    ),
    "epoch": ("Epoch", "One pass over all pictures of the training part."),
    "loss": (
        "Loss",
        "How surprised the net is by the right names: 0 if it was sure of each of them, and large "
        "if it was sure of something else. Learning means making it smaller. It is the mean of "
        "−ln(probability of the right name), also called cross-entropy.",
    ),
    "probability": (
        "Probability",
        "How the net divides its belief among the classes; together 100 %. Nets tend to be too "
        "sure; this one was set right on the validation part (Guo et al. 2017, arXiv:1706.04599). "
        "How far its probabilities are still off on average is stated at the top.",
    ),
    "confusion": (
        "Confusion matrix",
        "A table that counts, for every true class, which names were given. All that is right "
        "lies on the diagonal.",
    ),
    "recall": (
        "Recall (found)",
        "Of the pictures that are a rose, the share that was called rose.",
    ),
    "precision": (
        "Precision (trusted)",
        "Of the pictures that were called rose, the share that is a rose.",
    ),
    "f1": (
        "F1",
        "Recall and precision in one number, their harmonic mean: high only if both are.",
    ),
    "parameter": (
        "Parameter",
        "A number inside the net that was found by learning. The net is its plan and these "
        "numbers.",
    ),
    "mac": (
        "MAC",
        "A multiplication with the addition that follows it: the unit of work for one picture.",
    ),
    "number-format": (
        "Number format",
        "How exactly the computer calculated while learning. bfloat16 keeps about 3 significant "
        "digits and is fast, float32 about 7.",
    ),
    "seed": (
        "Seed",
        "Where the random numbers begin. The same seed, computer and versions give the same net, "
        "bit for bit.",
    ),
}
"""Words a reader may not know: the heading, and what it means."""


def term(key: str, shown: str) -> str:
    """A word that leads to its explanation at the end of the page."""
    return f'<a class="term" href="#word-{key}">{shown}</a>'


def glossary() -> str:
    entries = (
        f'<div id="word-{key}"><dt>{heading}</dt><dd>{meaning}</dd></div>'
        for key, (heading, meaning) in GLOSSARY.items()
    )
    return f'<dl class="glossary">{"".join(entries)}</dl>'


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    total: Sequence[str] = (),
    style: str = "",
) -> str:
    """A table of finished HTML: the first cell names its row, later ones align as numbers do.

    A column whose heading begins with ` ` (a space) holds words and aligns to the left.
    """
    words = [not i or heading.startswith(" ") for i, heading in enumerate(columns)]
    head = "".join(
        f'<th scope="col"{_words(is_words)}>{heading.strip()}</th>'
        for heading, is_words in zip(columns, words, strict=True)
    )
    foot = f"<tfoot>{_row(total, words)}</tfoot>" if total else ""
    body = "".join(_row(cells, words) for cells in rows)
    return (
        f'<div class="scroll"><table class="{style}"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table></div>"
    )


def _row(cells: Sequence[str], words: Sequence[bool]) -> str:
    name, *rest = cells
    tds = (f"<td{_words(w)}>{cell}</td>" for cell, w in zip(rest, words[1:], strict=True))
    return f'<tr><th scope="row">{name}</th>{"".join(tds)}</tr>'


def _words(is_words: bool) -> str:
    return ' class="words"' if is_words else ""
