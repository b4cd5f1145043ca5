"""Local connections in PyTorch: the definition in every order of factors, and in bfloat16."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.nets import random_input, random_weights

from foveal.engines import pytorch, reference
from foveal.engines.pytorch.unshared import FEW, FEW_READS
from foveal.net.notation import parse


@pytest.mark.parametrize("batch", [FEW - 1, FEW])
@pytest.mark.parametrize("out_channels", [FEW - 1, FEW])
@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("3", (1, 5, 6)),  # 9 reads: few
        ("3 same dilation 2", (4, 5, 5)),  # 36 reads
        ("3 stride 2", (12, 9)),  # 36 reads, one axis
        ("2x1x2 stride 2x1x1", (2, 4, 2, 3)),  # 8 reads, three axes
    ],
)
def test_every_order_of_factors_is_the_definition(batch, out_channels, text, shape) -> None:
    program = parse(f"local {out_channels} {text}").bind(shape)
    weights = {path: w.astype(np.float64) for path, w in random_weights(program, 0).items()}
    x = random_input(program, 0, batch=batch).astype(np.float64)
    module = pytorch.module(program, weights).double()
    pytorch.load(module, weights)
    arriving = torch.tensor(x, requires_grad=True)
    made = module(arriving)[""]
    flowing = np.random.default_rng(0).standard_normal(made.shape)
    made.backward(torch.tensor(flowing))

    defined = reference.build(program, weights)
    wanted = defined.backward(x, {"": flowing})
    near = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(made.detach().numpy(), defined.run(x)[""], **near)
    np.testing.assert_allclose(arriving.grad.numpy(), wanted.input, **near)
    for path, parameter in module.named_parameters():
        np.testing.assert_allclose(parameter.grad.numpy(), wanted.weights[path], **near)


def test_cases_lie_on_both_sides_of_the_bounds() -> None:
    assert 9 <= FEW_READS < 36


def test_in_bfloat16_gradients_stay_float32_and_near() -> None:
    program = parse("local 16 3").bind((4, 8, 8))
    x = torch.randn(16, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    found = {}
    for enabled in (False, True):
        module = pytorch.module(program, 0)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            made = module(x)[""]
        assert made.dtype == (torch.bfloat16 if enabled else torch.float32)
        made.float().square().sum().backward()
        found[enabled] = [parameter.grad for parameter in module.parameters()]
        assert all(gradient.dtype == torch.float32 for gradient in found[enabled])
    for rough, exact in zip(found[True], found[False], strict=True):
        assert (rough - exact).abs().max() <= 0.02 * exact.abs().max()


def test_what_is_made_has_its_channels_last() -> None:
    module = pytorch.module(parse("local 16 3").bind((4, 8, 8)), 0)
    assert module(torch.ones(2, 4, 8, 8))[""].is_contiguous(memory_format=torch.channels_last)
