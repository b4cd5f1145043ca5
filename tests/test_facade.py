"""The names that `foveal` offers: what is added or taken away is seen here."""

from __future__ import annotations

from importlib import import_module

import pytest

import foveal


def test_the_public_names() -> None:
    assert foveal.__all__ == [
        "Evaluation",
        "FovealError",
        "Model",
        "Net",
        "Prediction",
        "Recipe",
        "Transfer",
        "curve",
        "from_onnx",
        "from_torch",
        "load",
        "module",
        "parse",
        "train",
    ]


@pytest.mark.parametrize("name", foveal.__all__)
def test_a_public_name_is_documented_and_is_no_package(name: str) -> None:
    assert getattr(foveal, name).__doc__
    with pytest.raises(ModuleNotFoundError):
        import_module(f"foveal.{name}")
