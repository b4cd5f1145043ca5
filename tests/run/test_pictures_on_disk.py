"""A training whose pictures lie on the disk is the training whose pictures lie in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.models import shades

from foveal.data import pictures
from foveal.model import hub, prepared
from foveal.run.execution import execute
from foveal.run.planning import plan
from foveal.run.results import Done

NET = "conv 4 3 -> relu -> globalavgpool -> dense 2"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOVEAL_CACHE", str(tmp_path / "cache"))
    return shades(tmp_path / "photos")


def trained(source: str | Path, **options: object) -> tuple[Done, list[tuple[str, int, int]]]:
    told: list[tuple[str, int, int]] = []
    made = plan(source, **{"net": NET, "epochs": 2, "batch_size": 8, "size": 6, **options})  # type: ignore[arg-type]
    *_, done = execute(made, loading=lambda *facts: told.append(facts))
    assert isinstance(done, Done)
    return done, told


def same(one: Done, other: Done) -> bool:
    return one.model.net == other.model.net and all(
        np.array_equal(array, other.model.weights[path])
        for path, array in one.model.weights.items()
    )


def test_the_same_bits_from_the_memory_the_disk_and_decoded_again(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory, told = trained(photos)
    assert told[-1] == ("training", len(told) - 4, len(told) - 4)
    for limit in (None, 0):
        monkeypatch.setattr(prepared, "IN_MEMORY", 0)
        assert same(trained(photos, cache_limit=limit)[0], in_memory)


def test_a_second_training_decodes_nothing(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = trained(photos)
    read, decoded = pictures.read, []

    def counted(path: str, *arguments: object) -> np.ndarray:
        decoded.append(path)
        return read(path, *arguments)

    monkeypatch.setattr(pictures, "read", counted)
    assert same(trained(photos)[0], first)
    assert len(decoded) == len(first.evaluation.wrong)  # those are shown in the report


def test_without_a_limit_above_0_nothing_is_kept(photos: Path) -> None:
    trained(photos, cache_limit=0)
    assert hub.listing() == []


def test_few_pictures_on_the_disk_are_learned_from_once_more(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"net": None, "pretrained": "trunk.safetensors", "epochs": 1, "size": None}
    before, _ = trained("photos", **options)
    monkeypatch.setattr(prepared, "IN_MEMORY", 0)
    after, _ = trained("photos", **options)
    assert before.refitted
    assert after.refitted
    assert same(before, after)
