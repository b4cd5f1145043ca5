"""Checking a statement: its command in a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from foveal.articles.statements import Expected, Statement

LONGEST = 600
"""Seconds after which a command is given up."""


@dataclass(frozen=True)
class Result:
    """What came of checking one statement."""

    statement: Statement
    output: str
    """What the command printed."""
    problem: str
    """What is not as expected; empty if all is."""
    seconds: float

    @property
    def holds(self) -> bool:
        return not self.problem


def check_all(statements: Sequence[Statement]) -> Iterator[Result]:
    """Check statements and yield the results in their order; those that train run one by one."""
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        quick = {each.id: pool.submit(check, each) for each in statements if not each.trains}
        for each in statements:
            yield quick[each.id].result() if each.id in quick else check(each)
    finally:
        pool.shutdown(cancel_futures=True)


def check(statement: Statement) -> Result:
    """Run what shows a statement, and compare what it prints with what is expected.

    Use it for a statement that has landed. A statement about history has nothing to run.
    """
    began = time.monotonic()
    if not statement.command and not statement.python:
        return Result(statement, statement.source, "", 0.0)
    try:
        with TemporaryDirectory(prefix="foveal-articles-") as folder:
            run = _run(statement, Path(folder))
    except subprocess.TimeoutExpired:
        return Result(statement, "", f"takes longer than {LONGEST} s", time.monotonic() - began)
    output = run.stdout + run.stderr
    problem = f"exits with {run.returncode}, not {statement.exit}"
    if run.returncode == statement.exit:
        problem = "; ".join(differences(statement.expected, output))
    return Result(statement, output, problem, time.monotonic() - began)


def differences(expected: Expected, output: str) -> list[str]:
    """What is expected but not in the output; empty if all is there."""
    if isinstance(expected, dict):
        facts = _last_json(output)
        return [
            f"{path} is {json.dumps(value(facts, path))}, not {_wish(wish)}"
            for path, wish in expected.items()
            if not _fulfils(value(facts, path), wish)
        ]
    texts = [expected] if isinstance(expected, str) else expected
    return [f"does not print {text!r}" for text in texts if text not in output]


def value(facts: object, path: str) -> object:
    """What lies at a path like `layers.0.output`; None if nothing does."""
    for name in path.split("."):
        if isinstance(facts, dict):
            facts = facts.get(name)
        elif isinstance(facts, list) and name.lstrip("-").isdigit() and int(name) < len(facts):
            facts = facts[int(name)]
        else:
            return None
    return facts


def _fulfils(found: object, wish: object) -> bool:
    """Equal; or between the bounds `at_least` and `at_most`."""
    if not isinstance(wish, dict):
        return found == wish
    if not isinstance(found, int | float):
        return False
    low, high = wish.get("at_least", found), wish.get("at_most", found)
    return bool(low <= found <= high)


def _wish(wish: object) -> str:
    if not isinstance(wish, dict):
        return json.dumps(wish)
    return " and ".join(f"{name.replace('_', ' ')} {bound}" for name, bound in wish.items())


def _last_json(output: str) -> object:
    """The last line that is a JSON object; None if there is none."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            found: object = json.loads(line)
            return found
    return None


def _run(statement: Statement, folder: Path) -> subprocess.CompletedProcess[str]:
    """Everything a statement wants run; the first that fails ends it, else the last counts."""
    commands = [["foveal", *command] for command in statement.before]
    if statement.folder:
        commands.insert(0, ["foveal.articles", statement.folder])
    if statement.python:
        commands.append(["foveal.articles", statement.python])
    else:
        commands.append(["foveal", *statement.command])
    for command in commands:
        run = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LONGEST,
            env=os.environ | {"PYTHONUTF8": "1"},
        )
        if run.returncode:
            break
    return run
