"""Every function that `from_torch` knows: what net it becomes, with the same results."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.engines.pytorch.tracing import from_torch
from foveal.engines.pytorch.tracing.rows import NAMES

Function = Callable[[Tensor], Tensor]
Case = tuple[Function | nn.Module, tuple[int, ...], str]
MAP = (2, 6, 8, 8)
SERIES = (2, 6, 9)
VOLUME = (2, 3, 4, 5, 6)
FLAT = (2, 6)
NAMED = re.compile(r"\b\w+: ")
PAIR = torch.tensor([0.5, 2.0]).repeat(3)


class Calls(nn.Module):
    """A module that calls one function."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Held(nn.Module):
    """A module with numbers of its own, which are learned, and a function of them."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor], *sizes: int) -> None:
        super().__init__()
        self.numbers = nn.Parameter(torch.linspace(0.5, 2, 6).reshape(sizes))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, self.numbers)


class Affine(nn.Module):
    """A weight and a bias for each channel, as a layer norm over channels has them."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(0.5, 2, 6))
        self.bias = nn.Parameter(torch.linspace(-1, 1, 6))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class Prepared(nn.Module):
    """The figures of the training pictures, which belong to the module but are not learned."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((1, 6, 1, 1), 0.5))
        self.register_buffer("std", PAIR.reshape(1, 6, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


def elementwise(name: str, text: str) -> list[Case]:
    return [(getattr(F, name), MAP, text)]


CASES: dict[str, list[Case]] = {
    "conv1d": [
        (nn.Conv1d(6, 4, 3, padding="same"), SERIES, "conv 4 3 same"),
        (
            nn.Conv1d(6, 4, 3, padding=1, dilation=2, bias=False),
            SERIES,
            "conv 4 3 padding 1 dilation 2 no bias",
        ),
    ],
    "conv2d": [
        (nn.Conv2d(6, 4, (3, 5), stride=(2, 1)), MAP, "conv 4 3x5 stride 2x1"),
        (nn.Conv2d(6, 4, 3, groups=2), MAP, "conv 4 3 groups 2"),
        (nn.Conv2d(6, 12, 3, groups=6), MAP, "depthwise 3 multiplier 2"),
        (nn.Conv2d(6, 4, 3, padding=1, padding_mode="reflect"), MAP, "pad 1 reflect -> conv 4 3"),
        (nn.utils.parametrizations.weight_norm(nn.Conv2d(6, 4, 3)), MAP, "conv 4 3"),
    ],
    "conv3d": [(nn.Conv3d(3, 4, 3), VOLUME, "conv 4 3")],
    "conv_transpose1d": [(nn.ConvTranspose1d(6, 4, 3, 2), SERIES, "convtranspose 4 3 stride 2")],
    "conv_transpose2d": [
        (
            nn.ConvTranspose2d(6, 4, 3, 2, 1, 1, groups=2),
            MAP,
            "convtranspose 4 3 stride 2 padding 1 output_padding 1 groups 2",
        ),
    ],
    "conv_transpose3d": [(nn.ConvTranspose3d(3, 4, 2), VOLUME, "convtranspose 4 2")],
    "linear": [
        (nn.Linear(6, 4, bias=False), FLAT, "dense 4 no bias"),
        (
            lambda x: F.linear(x.permute(0, 2, 3, 1), torch.ones(3, 6)).permute(0, 3, 1, 2),
            MAP,
            "conv 3 1 no bias",
        ),
    ],
    "matmul": [(lambda x: x @ torch.ones(6, 2), FLAT, "dense 2 no bias")],
    "embedding": [
        (
            nn.Sequential(nn.Embedding(7, 4), Calls(lambda x: x.transpose(1, 2))),
            (2, 5),
            "embed 7 4",
        ),
    ],
    "batch_norm": [
        (nn.BatchNorm2d(6, eps=1e-3), MAP, "batchnorm eps 0.001"),
        (nn.BatchNorm1d(6, affine=False), FLAT, "batchnorm no affine"),
    ],
    "instance_norm": [
        (nn.InstanceNorm2d(6), MAP, "instancenorm no affine"),
        (nn.InstanceNorm1d(6, affine=True), SERIES, "instancenorm"),
    ],
    "group_norm": [(nn.GroupNorm(3, 6), MAP, "groupnorm 3")],
    "layer_norm": [
        (nn.LayerNorm(6), FLAT, "layernorm"),
        (nn.LayerNorm(6, bias=False), FLAT, "layernorm"),
        (nn.LayerNorm((6, 8, 8)), MAP, "layernorm all"),
        (
            lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (6,)).permute(0, 3, 1, 2),
            MAP,
            "layernorm no affine",
        ),
    ],
    "local_response_norm": [(nn.LocalResponseNorm(5, 1e-2), MAP, "lrn alpha 0.01")],
    "max_pool1d": [(nn.MaxPool1d(2), SERIES, "maxpool 2")],
    "max_pool2d": [
        (nn.MaxPool2d(3, 2, 1), MAP, "maxpool 3 stride 2 padding 1"),
        (nn.MaxPool2d((3, 2), (2, 3), ceil_mode=True), MAP, "maxpool 3x2 stride 2x3 ceil"),
    ],
    "max_pool3d": [
        (nn.MaxPool3d(2, dilation=2, stride=1), VOLUME, "maxpool 2 stride 1 dilation 2")
    ],
    "avg_pool1d": [(nn.AvgPool1d(2), SERIES, "avgpool 2")],
    "avg_pool2d": [
        (nn.AvgPool2d(3, 2, 1), MAP, "avgpool 3 stride 2 padding 1 count_include_pad"),
        (
            nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
            MAP,
            "avgpool 3 stride 2 padding 1 ceil",
        ),
    ],
    "avg_pool3d": [(nn.AvgPool3d(2), VOLUME, "avgpool 2")],
    "lp_pool1d": [(nn.LPPool1d(2, 3), SERIES, "lppool 3")],
    "lp_pool2d": [(nn.LPPool2d(4, 2, stride=1), MAP, "lppool 2 stride 1 p 4")],
    "lp_pool3d": [(nn.LPPool3d(2, 2), VOLUME, "lppool 2")],
    "adaptive_avg_pool1d": [(nn.AdaptiveAvgPool1d(4), SERIES, "adaptiveavgpool 4")],
    "adaptive_avg_pool2d": [
        (nn.AdaptiveAvgPool2d(1), MAP, "globalavgpool keep"),
        (nn.AdaptiveAvgPool2d((3, None)), MAP, "adaptiveavgpool 3x8"),
        (nn.Sequential(nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten()), MAP, "globalavgpool"),
    ],
    "adaptive_avg_pool3d": [(nn.AdaptiveAvgPool3d(2), VOLUME, "adaptiveavgpool 2")],
    "adaptive_max_pool1d": [(nn.AdaptiveMaxPool1d(4), SERIES, "adaptivemaxpool 4")],
    "adaptive_max_pool2d": [(nn.AdaptiveMaxPool2d(1), MAP, "globalmaxpool keep")],
    "adaptive_max_pool3d": [(nn.AdaptiveMaxPool3d(2), VOLUME, "adaptivemaxpool 2")],
    "mean": [
        (lambda x: x.mean([2, 3]), MAP, "globalavgpool"),
        (lambda x: x.mean((-1, -2), keepdim=True), MAP, "globalavgpool keep"),
        (lambda x: torch.mean(x.permute(0, 2, 3, 1), (1, 2)), MAP, "globalavgpool"),
    ],
    "amax": [(lambda x: x.amax((2, 3)), MAP, "globalmaxpool")],
    "amin": [(lambda x: torch.amin(x, -1), SERIES, "globalminpool")],
    "sum": [(lambda x: x.sum((2, 3)), MAP, "globalsumpool")],
    "interpolate": [
        (nn.Upsample(scale_factor=2), MAP, "upsample 2"),
        (nn.Upsample(size=(16, 24), mode="bilinear"), MAP, "upsample 2x3 linear"),
        (nn.UpsamplingBilinear2d(scale_factor=3), MAP, "upsample 3 linear align_corners"),
        (nn.Upsample(scale_factor=2, mode="linear"), SERIES, "upsample 2 linear"),
    ],
    "expand": [
        (
            lambda x: x.mean((2, 3), keepdim=True).expand(-1, -1, 4, 2),
            MAP,
            "globalavgpool keep -> upsample 4x2",
        )
    ],
    "expand_as": [
        (
            lambda x: x.mean((2, 3), keepdim=True).expand_as(x),
            MAP,
            "globalavgpool keep -> upsample 8",
        )
    ],
    "pad": [
        (nn.ZeroPad2d((1, 2, 0, 3)), MAP, "pad 0:3x1:2"),
        (nn.ConstantPad1d(2, 0.5), SERIES, "pad 2 fill 0.5"),
        (nn.ReplicationPad2d(1), MAP, "pad 1 replicate"),
        (lambda x: F.pad(x, (0, 0)), MAP, "identity"),
    ],
    "relu": [
        (nn.ReLU(inplace=True), MAP, "relu"),
        (torch.relu_, MAP, "relu"),
        (Tensor.relu, FLAT, "relu"),
    ],
    "relu6": [(F.relu6, MAP, "relu max 6"), (nn.ReLU6(), MAP, "relu max 6")],
    "leaky_relu": [(nn.LeakyReLU(0.2), MAP, "leakyrelu 0.2")],
    "prelu": [(nn.PReLU(), MAP, "leakyrelu 0.25")],
    "elu": [(nn.ELU(0.5), MAP, "elu 0.5")],
    "selu": [(nn.SELU(), MAP, "elu 1.6732632423543772 -> gain 1.0507009873554805")],
    "gelu": [(nn.GELU(), MAP, "gelu"), (nn.GELU("tanh"), MAP, "gelu approximate tanh")],
    "silu": [(F.silu, MAP, "silu"), (lambda x: x * torch.sigmoid(x), MAP, "silu")],
    "mish": elementwise("mish", "multiply( identity | softplus -> tanh )"),
    "hardswish": elementwise("hardswish", "hardswish"),
    "softplus": [(nn.Softplus(2), MAP, "softplus 2")],
    "tanh": [(torch.tanh, MAP, "tanh")],
    "clamp": [
        (lambda x: x.clamp(min=0), MAP, "relu"),
        (lambda x: torch.clamp(x, -2, 2), MAP, "hardtanh -2 2"),
    ],
    "clip": [(lambda x: x.clip(0, 3), MAP, "relu max 3")],
    "hardtanh": [(nn.Hardtanh(), MAP, "hardtanh"), (nn.Hardtanh(0, 2), MAP, "relu max 2")],
    "sigmoid": [(nn.Sigmoid(), MAP, "sigmoid")],
    "hardsigmoid": elementwise("hardsigmoid", "hardsigmoid"),
    "softmax": [(nn.Softmax(1), FLAT, "softmax"), (nn.Softmax2d(), MAP, "softmax")],
    "log_softmax": [
        (lambda x: F.log_softmax(x, -1), FLAT, "logsoftmax"),
    ],
    "dropout": [(nn.Dropout(0.3), FLAT, "dropout 0.3")],
    "dropout1d": [(nn.Dropout1d(0.3), SERIES, "dropout 0.3 spatial")],
    "dropout2d": [(nn.Dropout2d(), MAP, "dropout spatial")],
    "dropout3d": [(nn.Dropout3d(), VOLUME, "dropout spatial")],
    "add": [
        (lambda x: x + x.relu(), MAP, "add( identity | relu )"),
        (lambda x: torch.add(x, x.relu(), alpha=0.5), MAP, "add( identity | relu -> gain 0.5 )"),
        (lambda x: x.relu().add_(x), MAP, "add( relu | identity )"),
        (
            lambda x: x + x.mean((2, 3), keepdim=True),
            MAP,
            "add( identity | globalavgpool keep -> upsample 8 )",
        ),
        (lambda x: sum([x, x.tanh(), x.relu()]), MAP, "add( add( identity | tanh ) | relu )"),
        (lambda x: 1.5 + x, MAP, "normalise mean -1.5 std 1"),
        (Held(lambda x, b: x + b, 6, 1, 1), MAP, "scale bias"),
        (Affine(), MAP, "scale bias"),
        (Prepared(), MAP, "normalise mean 0.5,0.5,0.5,0.5,0.5,0.5 std 0.5,2,0.5,2,0.5,2"),
        (lambda x: (x - 2) / PAIR[:, None, None], MAP, "normalise mean 2 std 0.5,2,0.5,2,0.5,2"),
    ],
    "sub": [
        (lambda x: x - x.relu(), MAP, "add( identity | relu -> gain -1 )"),
        (lambda x: 1 - x, MAP, "gain -1 -> normalise mean -1 std 1"),
        (lambda x: x - PAIR[:, None, None], MAP, "normalise mean 0.5,2,0.5,2,0.5,2 std 1"),
    ],
    "subtract": [(lambda x: torch.subtract(x, 2), MAP, "normalise mean 2 std 1")],
    "rsub": [(lambda x: torch.rsub(x, 1), MAP, "gain -1 -> normalise mean -1 std 1")],
    "__rsub__": [(lambda x: 0 - x, MAP, "gain -1")],
    "mul": [
        (lambda x: x * x.tanh(), MAP, "multiply( identity | tanh )"),
        (
            lambda x: x * x.mean((2, 3), keepdim=True).sigmoid(),
            MAP,
            "multiply( identity | globalavgpool keep -> sigmoid )",
        ),
        (lambda x: 2 * x, MAP, "gain 2"),
        (lambda x: 1 * x, MAP, "identity"),
        (Held(lambda x, w: w * x, 6, 1, 1), MAP, "scale"),
    ],
    "multiply": [(lambda x: torch.multiply(x, x), MAP, "multiply( identity | identity )")],
    "div": [
        (lambda x: x / 4, MAP, "gain 0.25"),
        (lambda x: x / PAIR[:, None, None], MAP, "normalise mean 0 std 0.5,2,0.5,2,0.5,2"),
    ],
    "divide": [(lambda x: x.divide(2), MAP, "gain 0.5")],
    "truediv": [(lambda x: x.__truediv__(2), MAP, "gain 0.5")],
    "true_divide": [(lambda x: torch.true_divide(x, 2), MAP, "gain 0.5")],
    "neg": [(lambda x: -x, MAP, "gain -1")],
    "negative": [(torch.negative, MAP, "gain -1")],
    **{
        name: [(lambda x, name=name: getattr(x, name)().relu(), MAP, "relu")]
        for name in ("contiguous", "clone", "detach", "float", "cpu")
    },
    "to": [(lambda x: x.to(torch.float32).relu(), MAP, "relu")],
    "type_as": [(lambda x: x.type_as(x).relu(), MAP, "relu")],
    "data": [(lambda x: x.data.relu(), MAP, "relu")],
    "flatten": [
        (nn.Flatten(), MAP, "flatten"),
        (lambda x: torch.flatten(x, 2), MAP, "reshape 6x64"),
    ],
    "view": [
        (lambda x: x.view(x.size(0), -1), MAP, "flatten"),
        (lambda x: x.view(-1, 6 * 8 * 8), MAP, "flatten"),
        (lambda x: x.view(-1, 3, 2, 64).view(x.shape).relu(), MAP, "relu"),
    ],
    "view_as": [(lambda x: x.flatten(1).view_as(x).relu(), MAP, "relu")],
    "reshape": [(lambda x: torch.reshape(x, (len(x), 3, -1)), MAP, "reshape 3x128")],
    "reshape_as": [(lambda x: x.flatten(1).reshape_as(x).relu(), MAP, "relu")],
    "unflatten": [(nn.Unflatten(1, (2, 3)), FLAT, "reshape 2x3")],
    "squeeze": [
        (lambda x: x.mean((2, 3), keepdim=True).squeeze(-1).squeeze(-1), MAP, "globalavgpool")
    ],
    "unsqueeze": [(lambda x: x.unsqueeze(-1), SERIES, "reshape 6x9x1")],
    "permute": [
        (lambda x: x.permute(0, 3, 1, 2).permute((0, 2, 3, 1)).tanh(), MAP, "tanh"),
        (lambda x: torch.permute(x, dims=(0, 1, 2, 3)).tanh(), MAP, "tanh"),
    ],
    "transpose": [(lambda x: x.transpose(1, -1).relu().transpose(1, 3), MAP, "relu")],
    "swapaxes": [(lambda x: x.swapaxes(1, 3).relu().swapaxes(1, 3), MAP, "relu")],
    "swapdims": [(lambda x: x.swapdims(1, 3).relu().swapdims(1, 3), MAP, "relu")],
    "movedim": [(lambda x: x.movedim(1, -1).relu().movedim(-1, 1), MAP, "relu")],
    "moveaxis": [
        (lambda x: x.moveaxis((1, 2), (2, 1)).relu().moveaxis((1, 2), (2, 1)), MAP, "relu")
    ],
    "cat": [
        (lambda x: torch.cat([x, x.relu()], 1), MAP, "concat( identity | relu )"),
        (lambda x: torch.cat([x.tanh()], dim=1), MAP, "tanh"),
    ],
    "concat": [(lambda x: torch.concat((x, x.relu()), dim=-3), MAP, "concat( identity | relu )")],
    "concatenate": [
        (lambda x: torch.concatenate([x, x], 1), MAP, "concat( identity | identity )"),
    ],
    "chunk": [
        (lambda x: torch.cat(x.chunk(2, 1)[::-1], 1), MAP, "concat( take 3,4,5 | take 0,1,2 )"),
    ],
    "split": [
        (lambda x: x.split([2, 4], dim=1)[0].relu(), MAP, "take 0,1 -> relu"),
        (lambda x: torch.split(x, 4, 1)[1], MAP, "take 4,5"),
        (lambda x: x.split(split_size=5, dim=-3)[1], MAP, "take 5"),
    ],
    "getitem": [
        (lambda x: x[:, 1:3], MAP, "take 1,2"),
        (lambda x: x[:, [5, 0]], MAP, "take 5,0"),
        (lambda x: x[:, torch.tensor([1, 1])], MAP, "take 1,1"),
        (lambda x: x[:, 2].unsqueeze(1), MAP, "take 2"),
        (lambda x: x[..., ::2, ::2], MAP, "maxpool 1 stride 2"),
        (lambda x: x.mean((2, 3))[:, :, None, None], MAP, "globalavgpool keep"),
    ],
    "channel_shuffle": [
        (nn.ChannelShuffle(2), MAP, "take 0,3,1,4,2,5"),
        (
            lambda x: x.view(-1, 2, 3, 8, 8).transpose(1, 2).contiguous().view(x.shape),
            MAP,
            "take 0,3,1,4,2,5",
        ),
        (
            lambda x: x.view(-1, 3, 2, 64).transpose(1, 2).reshape(x.shape),
            MAP,
            "take 0,2,4,1,3,5",
        ),
        (
            lambda x: x.reshape(-1, 3, 2, 9).permute(0, 2, 1, 3).flatten(1, 2),
            SERIES,
            "take 0,2,4,1,3,5",
        ),
    ],
}


def test_a_softmax_without_an_axis_is_over_the_one_that_pytorch_takes() -> None:
    with pytest.warns(UserWarning, match="Implicit dimension"):
        net = from_torch(nn.Sequential(nn.Softmax()), torch.randn(FLAT)).net
    assert net.write() == "softmax"


def test_every_row_has_cases() -> None:
    assert set(CASES) == set(NAMES)


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name in CASES for number in range(len(CASES[name]))]
)
def test_a_function_becomes_the_layer_that_does_the_same(name: str, number: int) -> None:
    """`from_torch` itself compares the results."""
    torch.manual_seed(0)
    function, shape, text = CASES[name][number]
    module = function if isinstance(function, nn.Module) else Calls(function)
    whole = name == "embedding"
    example = torch.randint(0, 7, shape) if whole else torch.randn(shape)
    written = from_torch(module, example).net.write()
    assert NAMED.sub("", written).replace("\n", " -> ") == text
