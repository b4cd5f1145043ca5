"""What tests of models watch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foveal.data import pictures


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are decoded, one after another."""
    found: list[str] = []
    read = pictures.read

    def counted(path: str, *arguments: object) -> np.ndarray:
        found.append(Path(path).name)
        return read(path, *arguments)

    monkeypatch.setattr(pictures, "read", counted)
    return found
