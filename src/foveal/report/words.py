"""Numbers and names as a reader meets them on the page."""

from __future__ import annotations

from html import escape
from math import isfinite

NARROW = "\u202f"
"""The narrow space that keeps a number and its unit on one line."""
_JOINERS = "\u200c\u200d"  # Persian words and composed emoji need them


def text(value: object) -> str:
    """Anything as HTML that shows it and does nothing.

    Characters without a shape of their own (newlines, bytes that are not UTF-8, marks that
    reverse the reading direction) are spelled out, so that two names never look the same.

    Example:
        >>> text("<b>\\n")
        '&lt;b&gt;\\\\n'
    """
    shown = (c if c.isprintable() or c in _JOINERS else _spell(c) for c in str(value))
    return escape("".join(shown))


def name(value: str) -> str:
    """The name of a class or file as HTML, whatever its reading direction."""
    return f"<bdi>{text(value)}</bdi>"


def percent(share: float) -> str:
    """A share with one decimal, more where fewer would make it all or nothing.

    Example:
        >>> percent(0.9861), percent(0.99996), percent(1.0)
        ('98.6\\u202f%', '99.996\\u202f%', '100\\u202f%')
    """
    return f"{percent_number(share)}{NARROW}%"


def percent_number(share: float) -> str:
    if share in (0.0, 1.0):
        return "100" if share else "0"
    for digits in (1, 2, 3):
        shown = f"{100 * share:.{digits}f}"
        if 0 < float(shown) < 100:
            return shown
    return "> 99.999" if share > 0.5 else "< 0.001"


def confidence(probability: float) -> str:
    """A probability in whole percents, rounded towards doubt at both ends.

    Example:
        >>> confidence(0.9996), confidence(0.514), confidence(0.002)
        ('over 99\\u202f%', '51\\u202f%', 'under 1\\u202f%')
    """
    if probability > 0.99:
        return f"over 99{NARROW}%" if probability < 1 else f"100{NARROW}%"
    if probability < 0.01:
        return f"under 1{NARROW}%" if probability > 0 else f"0{NARROW}%"
    return f"{100 * probability:.0f}{NARROW}%"


def count(number: int, noun: str) -> str:
    """A number with its noun in the right number.

    Example:
        >>> count(1, "picture"), count(1500, "picture")
        ('1 picture', '1,500 pictures')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def quantity(number: float) -> str:
    """A large number in the words of the news, for a reader who does not count digits.

    Example:
        >>> quantity(61706), quantity(11_689_512), quantity(3_600_000_000)
        ('61,706', '11.7 million', '3.6 billion')
    """
    if number < 1e6:
        return f"{number:,.0f}"
    return f"{number / 1e6:.3g} million" if number < 999.5e6 else f"{number / 1e9:,.3g} billion"


def duration(seconds: float) -> str:
    """A length of time with the precision that matters at its size.

    Example:
        >>> duration(4.21), duration(75), duration(7290)
        ('4.2 seconds', '1 min 15 s', '2 h 01 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} seconds"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} seconds"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def number(value: float | None) -> str:
    """A measured number with three significant digits; a dash where there is none.

    Example:
        >>> number(2.30259), number(0.0312), number(None)
        ('2.30', '0.0312', '–')
    """
    if value is None:
        return "–"
    if not isfinite(value):
        return "not a number"
    return f"{value:.2f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"


def _spell(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
