"""The three articles that Foveal makes real, statement by statement, checked where it is read."""

from foveal.articles.checking import Result, check, check_all
from foveal.articles.statements import CHAPTERS, STATES, Statement, chapter, choose, read

__all__ = [
    "CHAPTERS",
    "STATES",
    "Result",
    "Statement",
    "chapter",
    "check",
    "check_all",
    "choose",
    "read",
]
