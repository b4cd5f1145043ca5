"""The examples of a documentation page: what a reader may type, and what the page says comes back.

A fence is `sh` (commands), `python` (a program), `net` (notation) or `text` (the output of the
fence before it, `...` for what differs). Comments before a fence say what a reader need not see:

    <!-- not run: REASON -->  <!-- exits 2 -->  <!-- file: NAME -->  <!-- a line each -->
"""

from __future__ import annotations

import doctest
import re
from dataclasses import dataclass, replace
from pathlib import Path

LANGUAGES = ("sh", "python", "net", "text")
_FENCE = re.compile(
    r"(?P<marks>(?:^<!--.*-->\n)*)^```(?P<language>\S*)\n(?P<text>(?s:.*?))^```$", re.M
)
_MARK = re.compile(r"<!-- (not run|exits|file|a line each):? ?(.*?) ?-->")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.M)


@dataclass(frozen=True)
class Example:
    """One fence, with the output that the page states for it."""

    page: Path
    line: int
    language: str
    text: str
    marks: dict[str, str]
    output: str | None = None

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    def commands(self) -> list[str]:
        """The lines that are no comments."""
        return [line for line in self.text.splitlines() if line and not line.startswith("#")]


def examples(page: Path) -> list[Example]:
    """The fences of a page; a `text` fence right after another is its output."""
    content = page.read_text(encoding="utf-8")
    found: list[Example] = []
    end = 0
    for fence in _FENCE.finditer(content):
        line = content.count("\n", 0, fence.start("language")) + 1
        marks = dict(_MARK.findall(fence["marks"]))
        example = Example(page, line, fence["language"], fence["text"], marks)
        follows = bool(found) and not content[end : fence.start()].strip()
        end = fence.end()
        if example.language == "text" and follows:
            found[-1] = replace(found[-1], output=example.text)
        else:
            found.append(example)
    return found


def agrees(expected: str, came: str) -> bool:
    """Whether an output is as stated; `...` stands for anything, spaces at ends for nothing."""
    stated, seen = (
        "".join(line.rstrip() + "\n" for line in text.strip("\n").splitlines())
        for text in (expected, came)
    )
    return doctest.OutputChecker().check_output(stated, seen, doctest.ELLIPSIS)


def links(page: Path) -> list[str]:
    """Where a page's links and pictures lead, those in fences left out."""
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """What a link may have after `#`: the headings, as GitHub spells them."""
    content = _FENCE.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(content))
    return {heading.replace(" ", "-") for heading in plain}
