"""Every picture that was named wrong, shown as the net saw it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foveal.report.parts import table, term
from foveal.report.words import confidence, count, name, percent, text
from foveal.tasks.classify import Evaluation, Wrong

LARGEST_GALLERY = 200
"""Pictures shown; the page stays under a few megabytes."""
SMALL = 64
"""Pixels a side; up to here a picture is kept exactly and its pixels are shown as squares."""
SIDE = 256
"""Pixels the longer side of a large picture is reduced to: twice what the page shows."""
_CHANNELS = (1, 3, 4)
"""Grey, colour, colour with transparency."""

Pictures = Mapping[str, NDArray[np.uint8]]


def mistakes_section(evaluation: Evaluation, pictures: Pictures) -> str:
    """The wrong answers, most confident first: cards with the picture, then a list."""
    wrong = evaluation.wrong
    if not wrong:
        return f"<p>None: all {count(evaluation.n, 'picture')} were named right.</p>"
    shown, listed = wrong[:LARGEST_GALLERY], wrong[LARGEST_GALLERY:]
    parts = [
        f"<p>{count(len(wrong), 'picture')} of {evaluation.n:,}, the ones the net was most sure of "
        "first. Look at those before you blame the net: a confident mistake is often a wrong "
        f"label, a picture that shows two things, or one that should not be there. The percentage "
        f"is the {term('probability', 'probability')} the net gave.</p>",
        '<ul class="gallery">',
        *(_card(one, pictures) for one in shown),
        "</ul>",
    ]
    if listed:
        caption = f"The other {count(len(listed), 'picture')}, of which the net was less sure."
        columns = ("File", " Truly", " Called", "Probability", "of the truth")
        parts.append(table(caption, columns, map(_listed, listed), style="files"))
    return "".join(parts)


def thumbnail(picture: NDArray[np.uint8] | None, described: str) -> str:
    """An `<img>` that carries its picture within; a note where there is none to show.

    Shape:   (H, W, C) with 1, 3 or 4 channels
    """
    if picture is None or picture.shape[2] not in _CHANNELS:
        return '<span class="missing">no picture</span>'
    channels = picture.shape[2]
    image = Image.fromarray(picture[:, :, 0] if channels == 1 else picture)
    small = max(image.size) <= SMALL
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    kind = "jpeg" if channels < 4 and not small else "png"  # a photo as PNG is five times larger
    page = io.BytesIO()
    image.save(page, kind, quality=85)
    coded = base64.b64encode(page.getvalue()).decode("ascii")
    style = ' class="pixels"' if small else ""
    return f'<img{style} src="data:image/{kind};base64,{coded}" alt="{text(described)}">'


def _card(one: Wrong, pictures: Pictures) -> str:
    picture = thumbnail(pictures.get(one.file), f"{one.file}, truly {one.truth}")
    return (
        f'<li><div class="frame">{picture}</div>'
        f'<p>called <b class="called">{name(one.answer)}</b> '
        f"{confidence(one.probability)}</p>"
        f'<p class="truly">truly <b>{name(one.truth)}</b> '
        f"{confidence(one.probability_of_truth)}</p>"
        f'<p class="file" title="{text(one.file)}">{name(one.file)}</p></li>'
    )


def _listed(one: Wrong) -> tuple[str, ...]:
    return (
        name(one.file),
        name(one.truth),
        name(one.answer),
        percent(one.probability),
        percent(one.probability_of_truth),
    )
