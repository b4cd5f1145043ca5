"""What `from_torch` cannot read is refused by name and place: the exact text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import foveal
from foveal.engines.pytorch.tracing import from_torch


class Net(nn.Module):
    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.attn = nn.MultiheadAttention(4, 2, batch_first=True)
        self.function = function
        self.calls = 0

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def decide(net: Any, x: Tensor) -> Tensor:
    if x.mean() > 0:
        return net.conv(x)
    return x


def attend(net: Any, x: Tensor) -> Tensor:
    x = x.flatten(2)
    return net.attn(x, x, x)[0]


def remember(net: Any, x: Tensor) -> Tensor:
    net.calls += 1
    return x * net.calls


def change_view(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    z = y.flatten(1)
    y.relu_()
    return z


def line(text: str) -> str:
    """The number of a line of this file."""
    with open(__file__, encoding="utf-8") as file:  # noqa: PTH123
        return next(str(n) for n, each in enumerate(file, 1) if each.strip() == text)


def refused(module: Any, example: Any = None) -> str:
    with pytest.raises(foveal.FovealError) as caught:
        from_torch(module, torch.ones(2, 3, 2, 2) if example is None else example)
    return str(caught.value)


def function(made: Callable[[Any, Tensor], Any], example: Any = None) -> str:
    return refused(Net(made), example)


HERE = ", in test_refusals.py, line {}: {}"
PARTS = "x[:, channels], or every s-th position: x[:, :, ::s, ::s]"


def test_an_unknown_layer() -> None:
    said = "return net.attn(x, x, x)[0]"
    assert function(attend) == (
        "attn (MultiheadAttention): does what no layer of Foveal does:"
        " torch.nn.functional.multi_head_attention_forward\n"
        f"  arrives:  3x2x4 and 3x2x4 and 3x2x4{HERE.format(line(said), said)}\n"
        "  fix:      build it of layers that are known, or read the part before it only"
    )


def test_an_unknown_layer_of_a_sequence() -> None:
    module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Sequential(nn.Softsign()))
    assert refused(module) == (
        "1.0 (Softsign): does what no layer of Foveal does: torch.nn.functional.softsign\n"
        "  arrives:  2x3x2x2\n"
        "  fix:      build it of layers that are known, or read the part before it only"
    )


def test_what_comes_after_an_unknown_layer_does_not_hide_it() -> None:
    module = nn.Sequential(nn.Softsign(), nn.Conv2d(3, 3, 1), nn.Flatten())
    assert refused(module).startswith("0 (Softsign): does what no layer of Foveal does")


def test_a_way_that_depends_on_the_values() -> None:
    said = "if x.mean() > 0:"
    assert function(decide) == (
        "module (Net): looks at the values that arrive, and what it does next may depend on them\n"
        f"  arrives:  a number{HERE.format(line(said), said)}\n"
        "  expected: the same steps for every picture\n"
        "  fix:      leave the question out, or read the parts on both sides of it"
    )


@pytest.mark.parametrize("question", [Tensor.numpy, Tensor.tolist, Tensor.sum, torch.nonzero])
def test_questions_about_values(question: Any) -> None:
    text = function(lambda net, x: question(x) if question is not Tensor.sum else float(x.sum()))
    assert "looks at the values that arrive" in text


def test_an_example_that_does_not_fit() -> None:
    assert refused(nn.Sequential(nn.Conv2d(5, 3, 1))) == (
        "0 (Conv2d): cannot be run on the example: Given groups=1, weight of size [3, 5, 1, 1],"
        " expected input[2, 3, 2, 2] to have 5 channels, but got 3 channels instead\n"
        "  arrives:  an example of 2x3x2x2\n"
        "  fix:      an example as the module takes it, with the batch as its first axis"
    )


@pytest.mark.parametrize(
    ("example", "arrives"), [((3, 8, 8), "(3, 8, 8)"), (torch.zeros(3), "3"), (None, "None")]
)
def test_an_example_that_is_no_batch(example: Any, arrives: str) -> None:
    with pytest.raises(foveal.FovealError) as caught:
        from_torch(nn.ReLU(), example)
    assert str(caught.value) == (
        "example: is no batch\n"
        f"  arrives:  {arrives}\n"
        "  expected: a tensor whose first axis is the batch, such as torch.zeros(1, 3, 224, 224)"
    )


def test_an_example_that_is_not_finite() -> None:
    assert refused(nn.ReLU(), torch.full((1, 3), torch.inf)) == (
        "example: has numbers that are not finite\n  fix:      torch.randn(…)"
    )


def test_a_module_that_remembers() -> None:
    text = function(remember)
    assert text == (
        "Net: the result of the net that was read differs from the module's by 5.0e-01 of the"
        " largest\n"
        "  arrives:  a batch of 2x3x2x2\n"
        "  expected: the same to 1e-05 of the largest\n"
        "  fix:      a module that neither draws at random nor remembers; if it does not, please"
        " report it"
    )


def test_a_module_that_lays_samples_together() -> None:
    text = function(lambda net, x: {"scores": x.view(2, -1)}, torch.ones(2, 3, 2, 2))
    assert text == (
        "Net: the result 'scores' of the net that was read is 3x12, and the module's 2x18\n"
        "  arrives:  a batch of 3x3x2x2\n"
        "  expected: the same to 1e-05 of the largest\n"
        "  fix:      a module that takes any batch: x.flatten(1), x.view(x.size(0), -1)"
    )


def test_a_module_that_takes_one_size_of_batch() -> None:
    assert function(lambda net, x: x.view(2, 12)) == (
        "Net: cannot be run on a batch of 3: shape '[2, 12]' is invalid for input of size 36\n"
        "  fix:      a module that takes any batch: x.flatten(1), x.view(x.size(0), -1)"
    )


def test_what_was_changed_through_a_view() -> None:
    assert function(change_view) == (
        "result: reads what was changed in place through another tensor\n"
        "  fix:      leave out inplace=True, or do not change a part or view of it"
    )


def test_arguments_that_no_row_knows() -> None:
    made = torch.empty(2, 3, 2, 2)
    text = function(lambda net, x: torch.tanh(x, out=made))
    assert text.startswith("module (Net): calls torch.tanh in a way that is not known\n")
    assert text.endswith("  fix:      call it with the arguments that its layer in torch.nn has")


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (
            lambda net, x: (x, None),
            "what the module returns: is tuple, which is no tensor and holds not only tensors\n"
            "  expected: a tensor, or a tuple or dict of tensors",
        ),
        (
            lambda net, x: torch.ones(2, 3),
            "result: is not made of the input by functions of torch in Python\n"
            "  expected: every result made of the input\n"
            "  fix:      compute it with functions of torch, not in torch.jit or NumPy",
        ),
        (
            lambda net, x: (x, x.permute(0, 2, 3, 1)),
            "result '1': has its channels at another place than behind the batch\n"
            "  expected: (N, C, ...)\n"
            "  fix:      permute back before it is returned",
        ),
    ],
)
def test_what_a_module_may_return(made: Any, text: str) -> None:
    assert function(made) == text


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (
            "resnet18",
            "module: is str\n"
            "  expected: a torch.nn.Module in Python\n"
            "  fix:      give the module as it was before torch.compile or torch.jit",
        ),
        (
            nn.Conv2d(3, 3, 1).half(),
            "weight: is float16\n  expected: float32\n  fix:      module.float()",
        ),
    ],
)
def test_what_no_module_may_be(module: Any, text: str) -> None:
    assert refused(module) == text


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_module_with_a_compiled_part() -> None:
    assert refused(nn.Sequential(torch.jit.script(nn.ReLU()))) == (
        "module: holds RecursiveScriptModule\n"
        "  expected: a torch.nn.Module in Python\n"
        "  fix:      give the module as it was before torch.compile or torch.jit"
    )


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (
            nn.Embedding(5, 3, max_norm=1),
            "module (Embedding): has max_norm, which changes vectors while they are read\n"
            "  arrives:  2x3x4",
        ),
        (
            nn.Embedding(5, 3),
            "module (Embedding): looks up numbers that are not in a row\n"
            "  arrives:  2x3x4\n"
            "  expected: numbers (N, L)",
        ),
    ],
)
def test_numbers_that_cannot_be_looked_up(module: nn.Module, text: str) -> None:
    assert refused(module, torch.ones(2, 3, 4, dtype=torch.int64)) == text


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
def test_a_lazy_module() -> None:
    assert refused(nn.LazyConv2d(3, 1)) == (
        "weight: has no shape yet\n  fix:      run the module once before it is read"
    )
