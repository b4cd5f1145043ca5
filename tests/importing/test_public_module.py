"""The module of a net: its names stay, it learns in a loop of its own, and goes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import foveal
from foveal.engines.pytorch import weights
from foveal.importing.imported import Imported
from foveal.net.notation import parse
from foveal.zoo import ENTRIES

NAMES = Path(__file__).parent / "names"
NET = parse("conv 4 3 -> batchnorm -> relu -> globalavgpool -> dense 2")


@pytest.mark.parametrize("name", ["lenet5", "resnet18"])
def test_the_names_of_the_state_stay(name: str) -> None:
    """A file of names; one that changes breaks what others have saved."""
    entry = ENTRIES[name]
    module = foveal.module(entry.build(entry.input, 10), entry.input)
    lines = [f"{key} {tuple(held.shape)}" for key, held in module.state_dict().items()]
    assert "\n".join(lines) + "\n" == (NAMES / f"{name}.txt").read_text(encoding="utf-8")


def test_a_net_starts_with_the_weights_of_a_seed() -> None:
    first, same, other = (
        weights(foveal.module(NET, (3, 8, 8), seed))["conv1.weight"] for seed in (None, 0, 1)
    )
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_it_learns_in_a_loop_of_its_own_and_becomes_a_model_again() -> None:
    model = foveal.Model.fresh(
        parse("input uint8 -> normalise -> flatten -> dense 2 -> softmax"), (1, 2, 2), "ab"
    )
    module = foveal.module(model)
    pictures = torch.tensor([[0, 0, 0, 0], [255, 255, 255, 255]], dtype=torch.uint8)
    pictures, labels = pictures.reshape(2, 2, 2, 1), torch.tensor([0, 1])
    optimiser = torch.optim.SGD(module.parameters(), lr=0.5)
    for _ in range(20):
        loss = F.nll_loss(module(pictures)[""].log(), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    learned = replace(model, weights=weights(module))
    assert [learned.predict(picture.numpy()).label for picture in pictures] == ["a", "b"]


def test_its_state_is_saved_and_loaded_as_that_of_any_module() -> None:
    first, second = (foveal.module(NET, (3, 8, 8), seed).eval() for seed in (0, 1))
    second.load_state_dict(first.state_dict())
    x = torch.randn(1, 3, 8, 8)
    assert torch.equal(first(x)[""], second(x)[""])


def test_it_has_the_weights_of_what_was_imported_or_is_given() -> None:
    given = weights(foveal.module(NET, (3, 8, 8), 5))
    imported = Imported(NET, (3, 8, 8), given, {})
    for module in (foveal.module(imported), foveal.module(NET, (3, 8, 8), given)):
        assert np.array_equal(weights(module)["dense1.weight"], given["dense1.weight"])


def test_it_is_bound_to_another_size_where_that_fits() -> None:
    imported = Imported(NET, (3, 8, 8), weights(foveal.module(NET, (3, 8, 8))), {})
    assert foveal.module(imported, (3, 20, 30)).eval()(torch.randn(1, 3, 20, 30))[""].shape == (
        1,
        2,
    )


def test_a_net_does_not_know_what_arrives() -> None:
    with pytest.raises(foveal.FovealError) as caught:
        foveal.module(NET)
    assert str(caught.value) == (
        "input: is missing for a net, which does not know what arrives\n"
        "  fix:      its shape without the batch: module(net, (3, 32, 32))"
    )
