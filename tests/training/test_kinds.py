"""Every kind of layer learns, and goes on after an interruption with the same bits."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from foveal.engines.pytorch import machine
from foveal.engines.weights import initial
from foveal.net.layers import KINDS
from foveal.net.notation import parse
from foveal.recipe import Recipe
from foveal.training import Finished, Job, train

SIDE = 8
SCALED = "input -> expect 1x8x8 -> normalise mean 127.5 std 127.5 -> "
HEAD = " -> flatten -> dense 3"
NETS = {
    "whitening": SCALED + "conv 8 3 no bias init whitening frozen -> relu -> maxpool 2" + HEAD,
    "filters": SCALED
    + "conv 4 3 same reflect flip weight weight_norm -> leakyrelu -> depthwise 2 shared weight "
    "unit_sum init constant:0.5 -> elu -> conv 4 1 stride 2x1 -> gelu"
    + HEAD
    + " weight weight_norm",
    "shared weights": SCALED
    + "conv 4 1 -> type: conv 4 3 same weight weight_norm -> tanh -> again type -> batchnorm -> "
    "again type -> hardswish -> [bn -> silu]*2" + HEAD,
    "volumes": SCALED
    + "reshape 1x4x4x4 -> conv 4 2 -> hardtanh -> convtranspose 2 2 stride 2 -> softplus -> "
    "adaptivemaxpool 2" + HEAD,
    "series": SCALED + "reshape 4x16 -> conv 4 3 causal -> local 4 2 -> avgpool 2 ceil" + HEAD,
    "places": SCALED
    + "a: local 2 2 stride 2 -> lppool 2 p 3 stride 1 -> pad 1 replicate -> crop 4 -> upsample 2 "
    "linear -> identity -> take 0,1,1 -> b: gain 0.5 -> maxpool 2 -> "
    "maxunpool 2( scale 2.0 bias | @b )" + HEAD,
    "pools": SCALED
    + "conv 8 3 -> stochasticpool 2 stride 1 -> dropout 0.2 spatial -> minpool 2 stride 1 -> "
    "sumpool 2 stride 1 -> adaptiveavgpool 2 -> maxout 2 -> hardsigmoid -> concat( globalmaxpool "
    "| globalavgpool | globalminpool | globalsumpool | globallppool p 4 ) -> dense 3",
    "norms": SCALED
    + "conv 4 3 -> groupnorm 2 -> layernorm over all -> sigmoid -> instancenorm -> lrn -> "
    "logsoftmax -> layernorm -> softmax" + HEAD,
    "merges": SCALED + "conv 4 3 same -> multiply( identity | globalavgpool keep -> conv 4 1 ) -> "
    "[add( identity | conv 4 1 -> droppath 0.3 ramp )]*2 -> "
    "combine( identity | globalmaxpool keep ) -> flatten -> rbf 3 -> gain -0.1",
    "numbers": "resize 8 -> flatten -> embed 256 4 -> globalavgpool -> dense 3",
}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "num_cores", lambda: 1)


def job(net: str, optimiser: str, folder: Path | None = None) -> Job:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 40)
    x = random.integers(0, 80, (40, SIDE, SIDE, 1)) + (y * 80)[:, None, None, None]
    return Job(
        net=parse(net),
        input=(1, SIDE, SIDE),
        train=(x.astype(np.uint8), y),
        num_classes=3,
        recipe=Recipe(
            epochs=3, batch_size=10, optimiser=optimiser, learning_rate=0.002, averaging=0.9
        ),
        checkpoint=folder,
        resume=folder is not None,
    )


def finished(job: Job) -> Finished:
    *_, last = train(job)
    assert isinstance(last, Finished)
    return last


def after(steps: int) -> partial[bool]:
    asked = count(1)
    return partial(lambda: next(asked) >= steps)


def test_the_nets_have_every_kind() -> None:
    found = {
        type(step.kind) for net in NETS.values() for step in parse(net).bind((1, SIDE, SIDE)).steps
    }
    assert found == set(KINDS)


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
@pytest.mark.parametrize("name", NETS)
def test_a_net_learns_and_resumes_with_the_same_bits(
    name: str, optimiser: str, tmp_path: Path
) -> None:
    whole = finished(job(NETS[name], optimiser))
    part = replace(job(NETS[name], optimiser, tmp_path), stop=after(5))
    assert finished(part).stopped == "interrupted"
    resumed = finished(job(NETS[name], optimiser, tmp_path))
    program = parse(NETS[name]).bind((1, SIDE, SIDE))
    start = initial(program, Recipe().seed)
    for path, tensor in program.tensors().items():
        learned = whole.weights[path]
        assert np.array_equal(learned, resumed.weights[path]), path
        assert np.isfinite(learned).all(), path
        if tensor.init != "whitening":
            assert np.array_equal(learned, start[path]) == tensor.frozen, path
