"""Given filters: small kernels that people found useful before any were learned.

Directions are those of the picture, rows downwards: `_x` answers where it gets brighter to the
right, `_y` downwards, `_45` towards the lower right, `_135` towards the lower left. An angle of
the parameters turns the same way.

Nothing is computed when this is imported: `foveal show` does that at every start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from foveal.checks import accept
from foveal.errors import SpecError, did_you_mean
from foveal.net.kernels import CONSTRAINTS, Rows, box, drawn, gabor, gaussian, read


class Given(NamedTuple):
    """A filter: what it does, who found it, and its numbers."""

    family: str
    numbers: str | Callable[[], Rows]
    """Row by row, as `read` reads them; or what makes them."""
    about: str
    source: str
    divisor: int = 1


def kernel(name: str, **parameters: float | None) -> Rows:
    """The numbers of a filter by its name; with parameters, those of such a filter made to measure.

    Parameters that are None count as not given. Use `PARAMETERS` to see which filter has which.

    Raises:  SpecError if there is no such filter, it has no such parameter, or the value is none

    >>> kernel("sharpen")
    ((0.0, -1.0, 0.0), (-1.0, 5.0, -1.0), (0.0, -1.0, 0.0))
    >>> len(kernel("gaussian", sigma=2.0))
    13
    """
    if name not in FILTERS:
        raise SpecError("is not a filter", where=name, fix=did_you_mean(name, FILTERS))
    given = {key: value for key, value in parameters.items() if value is not None}
    if given:
        return _made(name, given)
    numbers, divisor = FILTERS[name].numbers, FILTERS[name].divisor
    if callable(numbers):
        return numbers()
    return tuple(tuple(number / divisor for number in row) for row in read(numbers))


def _made(name: str, given: dict[str, float]) -> Rows:
    for word, value in given.items():
        if word not in PARAMETERS.get(name, ()):
            known = [f"{other} has {', '.join(words)}" for other, words in PARAMETERS.items()]
            raise SpecError(f"has no {word}", where=name, fix="; ".join(known))
        accept(name, word, CONSTRAINTS[word], value)
    return _MAKERS[name](**given)


_MAKERS: dict[str, Callable[..., Rows]] = {"box": box, "gaussian": gaussian, "gabor": gabor}
PARAMETERS: dict[str, tuple[str, ...]] = {
    "box": ("size",),
    "gaussian": ("size", "sigma"),
    "gabor": ("size", "sigma", "wavelength", "angle", "phase"),
}
"""The filters that can be made to measure, and what can be said of them."""
FAMILIES: dict[str, str] = {
    "plain": "Nothing changes",
    "sharpeners": "Sharper",
    "blurs": "Softer",
    "gradients": "Where brightness changes, and which way",
    "reliefs": "As if lit from the side",
    "outlines": "Edges in every direction",
    "lines": "Thin lines",
    "curves": "Arcs: a quarter of a circle",
    "corners": "Corners of something bright",
    "waves": "Stripes of one width",
    "rows": "A single row, for series too",
}
"""Every family of filters, and what its members do."""

_SOBEL = "Sobel & Feldman 1968; Duda & Hart 1973, Pattern Classification and Scene Analysis"
_PREWITT = "Prewitt 1970, Object Enhancement and Extraction"
_SCHARR = "Scharr 2000, doi:10.11588/heidok.00000962"
_ROBERTS = "Roberts 1963, Machine Perception of Three-Dimensional Solids"
_BOOK = "Gonzalez & Woods, Digital Image Processing"
_BINOMIAL = "Burt & Adelson 1983, doi:10.1109/TCOM.1983.1095851"
_ARTICLES = "the articles (docs/articles.md)"
_DESHPANDE = (
    "after Deshpande 2016, A Beginner's Guide To Understanding Convolutional Neural Networks"
)
_GABOR = "Daugman 1985, doi:10.1364/JOSAA.2.001160"
_GIMP = "GIMP, Convolution Matrix"
_OWN = "Foveal"
_ANCIENT = "older than computers"


FILTERS: dict[str, Given] = {
    "identity": Given("plain", "0 0 0/0 1 0/0 0 0", "The picture as it is", _ANCIENT),
    "sharpen": Given(
        "sharpeners", "0 -1 0/-1 5 -1/0 -1 0", "Sharper: a pixel against its four", _ARTICLES
    ),
    "sharpen_8": Given(
        "sharpeners", "-1 -1 -1/-1 9 -1/-1 -1 -1", "Much sharper: against its eight", _BOOK
    ),
    "unsharp": Given(
        "sharpeners",
        "-1 -4 -6 -4 -1/-4 -16 -24 -16 -4/-6 -24 476 -24 -6/-4 -16 -24 -16 -4/-1 -4 -6 -4 -1",
        "Unsharp masking: twice the picture less its blur",
        _BOOK,
        256,
    ),
    "box": Given("blurs", "1 1 1/1 1 1/1 1 1", "Mean of 3x3", _ANCIENT, 9),
    "box_5": Given("blurs", lambda: box(5), "Mean of 5x5", _ANCIENT),
    "gaussian": Given("blurs", "1 2 1/2 4 2/1 2 1", "Soft mean of 3x3", _BINOMIAL, 16),
    "gaussian_5": Given(
        "blurs",
        "1 4 6 4 1/4 16 24 16 4/6 24 36 24 6/4 16 24 16 4/1 4 6 4 1",
        "Soft mean of 5x5",
        _BINOMIAL,
        256,
    ),
    "sobel_x": Given("gradients", "-1 0 1/-2 0 2/-1 0 1", "Brighter to the right", _SOBEL),
    "sobel_y": Given("gradients", "-1 -2 -1/0 0 0/1 2 1", "Brighter downwards", _SOBEL),
    "sobel_45": Given("gradients", "-2 -1 0/-1 0 1/0 1 2", "Brighter to the lower right", _SOBEL),
    "sobel_135": Given("gradients", "0 -1 -2/1 0 -1/2 1 0", "Brighter to the lower left", _SOBEL),
    "prewitt_x": Given(
        "gradients", "-1 0 1/-1 0 1/-1 0 1", "Brighter to the right, rows alike", _PREWITT
    ),
    "prewitt_y": Given(
        "gradients", "-1 -1 -1/0 0 0/1 1 1", "Brighter downwards, columns alike", _PREWITT
    ),
    "prewitt_45": Given(
        "gradients", "-1 -1 0/-1 0 1/0 1 1", "Brighter to the lower right", _PREWITT
    ),
    "prewitt_135": Given(
        "gradients", "0 -1 -1/1 0 -1/1 1 0", "Brighter to the lower left", _PREWITT
    ),
    "scharr_x": Given(
        "gradients", "-3 0 3/-10 0 10/-3 0 3", "Brighter to the right, truer at a slant", _SCHARR
    ),
    "scharr_y": Given(
        "gradients", "-3 -10 -3/0 0 0/3 10 3", "Brighter downwards, truer at a slant", _SCHARR
    ),
    "scharr_45": Given(
        "gradients", "-10 -3 0/-3 0 3/0 3 10", "Brighter to the lower right", _SCHARR
    ),
    "scharr_135": Given(
        "gradients", "0 -3 -10/3 0 -3/10 3 0", "Brighter to the lower left", _SCHARR
    ),
    "roberts_45": Given(
        "gradients", "-1 0/0 1", "Brighter to the lower right, from four pixels", _ROBERTS
    ),
    "roberts_135": Given(
        "gradients", "0 -1/1 0", "Brighter to the lower left, from four pixels", _ROBERTS
    ),
    "emboss": Given("reliefs", "-2 -1 0/-1 1 1/0 1 2", "Embossed, from the upper left", _GIMP),
    "emboss_135": Given("reliefs", "0 -1 -2/1 1 -1/2 1 0", "Embossed, from the upper right", _GIMP),
    "edges": Given(
        "outlines", "-1 -1 -1/-1 8 -1/-1 -1 -1", "Outlines: a pixel against its eight", _ARTICLES
    ),
    "laplacian_4": Given(
        "outlines", "0 1 0/1 -4 1/0 1 0", "Second derivative, four neighbours", _BOOK
    ),
    "laplacian_8": Given(
        "outlines", "1 1 1/1 -8 1/1 1 1", "Second derivative, eight neighbours", _BOOK
    ),
    "mexican_hat": Given(
        "outlines",
        "0 0 -1 0 0/0 -1 -2 -1 0/-1 -2 16 -2 -1/0 -1 -2 -1 0/0 0 -1 0 0",
        "Outlines and spots, less of the noise",
        "Marr & Hildreth 1980, doi:10.1098/rspb.1980.0020",
    ),
    "line_x": Given("lines", "-1 2 -1/-1 2 -1/-1 2 -1", "Bright lines that stand upright", _BOOK),
    "line_y": Given("lines", "-1 -1 -1/2 2 2/-1 -1 -1", "Bright lines that lie flat", _BOOK),
    "line_45": Given("lines", "-1 -1 2/-1 2 -1/2 -1 -1", "Bright lines that rise", _BOOK),
    "line_135": Given("lines", "2 -1 -1/-1 2 -1/-1 -1 2", "Bright lines that fall", _BOOK),
    "curve_nw": Given(
        "curves",
        lambda: drawn(".....## ...##.. ..#.... .#..... .#..... #...... #......"),
        "Upper left quarter of a circle",
        _DESHPANDE,
    ),
    "curve_ne": Given(
        "curves",
        lambda: drawn("##..... ..##... ....#.. .....#. .....#. ......# ......#"),
        "Upper right quarter of a circle",
        _DESHPANDE,
    ),
    "curve_sw": Given(
        "curves",
        lambda: drawn("#...... #...... .#..... .#..... ..#.... ...##.. .....##"),
        "Lower left quarter of a circle",
        _DESHPANDE,
    ),
    "curve_se": Given(
        "curves",
        lambda: drawn("......# ......# .....#. .....#. ....#.. ..##... ##....."),
        "Lower right quarter of a circle",
        _DESHPANDE,
    ),
    "corner_nw": Given(
        "corners", lambda: drawn("..... ..... ..### ..### ..###"), "Upper left corner", _OWN
    ),
    "corner_ne": Given(
        "corners", lambda: drawn("..... ..... ###.. ###.. ###.."), "Upper right corner", _OWN
    ),
    "corner_sw": Given(
        "corners", lambda: drawn("..### ..### ..### ..... ....."), "Lower left corner", _OWN
    ),
    "corner_se": Given(
        "corners", lambda: drawn("###.. ###.. ###.. ..... ....."), "Lower right corner", _OWN
    ),
    "gabor": Given("waves", gabor, "Upright stripes, four pixels wide", _GABOR),
    "gabor_45": Given("waves", lambda: gabor(angle=45), "Rising stripes", _GABOR),
    "gabor_90": Given("waves", lambda: gabor(angle=90), "Lying stripes", _GABOR),
    "gabor_135": Given("waves", lambda: gabor(angle=135), "Falling stripes", _GABOR),
    "smooth": Given("rows", "1 2 1", "Soft mean of three", _BINOMIAL, 4),
    "difference": Given("rows", "-1 0 1", "What comes after less what came before", _ANCIENT),
    "peak": Given("rows", "-1 2 -1", "A value against its two neighbours", _ANCIENT),
    "motion": Given(
        "rows", "1 1 1 1 1 1 1 1 1", "Mean of nine: as if the camera had moved", _ANCIENT, 9
    ),
}
"""Every given filter by its name, a family after the other."""
