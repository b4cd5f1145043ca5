"""Patch whitening, and layers that training leaves as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foveal.engines.pytorch import module
from foveal.errors import SpecError
from foveal.net.notation import parse
from foveal.recipe import Recipe
from foveal.training import whitening
from foveal.training.job import Job
from foveal.training.loop import train
from foveal.training.whitening import whiten


def pictures(*shape: int) -> torch.Tensor:
    """Numbers that depend on their neighbours, as those of pictures do."""
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return x + 0.7 * x.roll(1, -1)


@pytest.mark.parametrize(("kernel", "size"), [("2", (8, 8)), ("3", (20,)), ("1x2x2", (3, 5, 5))])
def test_what_whitened_filters_make_is_uncorrelated_and_of_variance_one(
    kernel: str, size: tuple[int, ...]
) -> None:
    net = module(parse(f"conv 24 {kernel} no bias init whitening").bind((3, *size)), 0)
    x = pictures(64, 3, *size)
    whiten(net.eval(), x)
    values = net(x)[""].movedim(1, -1).flatten(0, -2).detach()
    number = net.get_parameter("conv1.weight")[0].numel()
    some = values[:, : min(number, 24)]
    assert torch.allclose(torch.cov(some.T), torch.eye(some.shape[1]), atol=5e-3)
    variances = torch.linalg.eigvalsh(torch.cov(values[:, :number].T))
    assert variances.min() > 0.99


def test_the_second_half_has_the_other_sign_and_the_rest_stays() -> None:
    net = module(parse("conv 8 1 no bias init whitening").bind((3, 5, 5)), 0).eval()
    weight = net.get_parameter("conv1.weight")
    before = weight.detach().clone()
    whiten(net, pictures(16, 3, 5, 5))
    assert torch.equal(weight[:3], -weight[3:6])
    assert torch.equal(weight[6:], before[6:])
    assert not torch.equal(weight[:6], before[:6])


def test_a_later_layer_whitens_what_reaches_it() -> None:
    net = module(parse("conv 4 3 -> relu -> flatten -> dense 6 init whitening").bind((1, 4, 4)), 0)
    x = pictures(256, 1, 4, 4)
    whiten(net.eval(), x)
    arriving = F.relu(F.conv2d(x, net.get_parameter("conv1.weight"))).flatten(1)
    made = arriving @ net.get_parameter("dense1.weight").T
    assert torch.allclose(torch.cov(made.detach().T), torch.eye(6), atol=2e-2)


def test_whitening_is_for_kinds_that_mix_all_channels() -> None:
    net = module(parse("depthwise 3 init whitening").bind((3, 5, 5)), 0)
    with pytest.raises(SpecError) as caught:
        whiten(net, pictures(4, 3, 5, 5))
    assert str(caught.value) == (
        "depthwise1.weight: init whitening is for dense and for conv without groups\n"
        "  fix:      init orthogonal"
    )


def job(net: str) -> Job:
    random = np.random.default_rng(0)
    part = random.integers(0, 256, (40, 6, 6, 1), np.uint8), random.integers(0, 2, 40)
    return Job(net=parse(net), input=(1, 6, 6), train=part, num_classes=2, recipe=Recipe(epochs=2))


def learned(net: str) -> dict[str, np.ndarray]:
    *_, last = train(job(net))
    return dict(last.weights)


def test_training_whitens_first_and_leaves_what_is_frozen() -> None:
    net = "conv 8 2 no bias init whitening frozen -> relu -> flatten -> dense 2"
    made = learned(net)
    start = module(parse(net).bind((1, 6, 6)), Recipe().seed).state_dict()
    assert not np.array_equal(made["conv1.weight"], start["conv1.weight"].numpy())
    free = learned(net.replace(" frozen", ""))
    assert not np.array_equal(made["conv1.weight"], free["conv1.weight"])
    half = made["conv1.weight"].reshape(8, 4)
    assert np.array_equal(half[:4], -half[4:])


def test_a_given_filter_that_is_frozen_is_still_given_after_training() -> None:
    made = learned("conv 1 3 no bias init sharpen frozen -> flatten -> dense 2")
    assert made["conv1.weight"].ravel().tolist() == [0, -1, 0, -1, 5, -1, 0, -1, 0]
    assert not np.array_equal(made["dense1.bias"], [0, 0])


def test_a_net_that_cannot_learn_is_refused() -> None:
    with pytest.raises(SpecError) as caught:
        job("flatten -> dense 2 frozen")
    assert str(caught.value) == (
        "net: has nothing to learn: all of its parameters are frozen, or it has none\n"
        "  fix:      let it end with: dense 2"
    )


def whitened(net: str, x: torch.Tensor) -> torch.Tensor:
    """What a net makes of pictures after they have whitened it, a row for each position."""
    made = module(parse(net).bind(tuple(x.shape[1:])), 0).eval()
    whiten(made, x)
    return made(x)[""].movedim(1, -1).flatten(0, -2).detach()


@pytest.mark.parametrize("more", ["weight weight_norm", "flip", "dilation 2"])
def test_filters_whiten_however_the_layer_uses_them(more: str) -> None:
    x = pictures(64, 2, 9, 9)
    x[:, 1] += x[:, 0].roll(1, -1)  # so that a patch and its mirror image are not alike
    values = whitened(f"conv 6 2 no bias {more} init whitening", x)
    assert torch.allclose(torch.cov(values.T), torch.eye(6), atol=0.1)


def test_a_kernel_that_only_fits_with_padding_reads_it() -> None:
    x = pictures(64, 2, 3, 3)
    padded = F.pad(x, (1, 1, 1, 1))
    made = whitened("conv 6 5 padding 1 no bias init whitening", x)
    assert torch.allclose(made, whitened("conv 6 5 no bias init whitening", padded))


def test_patches_that_do_not_fit_into_memory_at_once_whiten_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = pictures(20, 2, 9, 9)
    whole = whitened("conv 6 3 no bias init whitening", x)
    monkeypatch.setattr(whitening, "MOST_VALUES", 3000)
    assert torch.allclose(whitened("conv 6 3 no bias init whitening", x), whole, atol=1e-5)


def test_a_layer_may_be_called_as_a_method_of_a_module_is() -> None:
    values = whitened("half: conv 6 2 no bias init whitening", pictures(64, 2, 9, 9))
    assert torch.allclose(torch.cov(values.T), torch.eye(6), atol=0.1)


def test_filters_that_are_divided_by_their_sum_cannot_whiten() -> None:
    with pytest.raises(SpecError) as caught:
        whitened("conv 4 3 weight unit_sum init whitening", pictures(4, 1, 5, 5))
    assert str(caught.value) == (
        "conv1.weight: filters that whiten cannot be divided by their sum, which is near 0\n"
        "  fix:      leave out unit_sum"
    )
