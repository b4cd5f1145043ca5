"""A net as PyTorch code: what it looks like, what its names are, and what it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.nets import differs
from torch import nn

from foveal import engines
from foveal.engines import source
from foveal.engines.source.names import RESERVED
from foveal.engines.source.rows import ROWS
from foveal.engines.weights import initial
from foveal.errors import SpecError
from foveal.model import Model
from foveal.net.kind import Shape
from foveal.net.layers import ReLU
from foveal.net.notation import parse
from foveal.zoo import ENTRIES

SMALL = """\
class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.dense1 = nn.Linear(864, 10)

    def forward(self, x: Tensor) -> Tensor:  # 1x28x28
        x = F.relu(self.conv1(x))  # 6x24x24
        x = F.max_pool2d(x, 2)  # 6x12x12
        x = torch.flatten(x, 1)  # 864
        return self.dense1(x)  # 10
"""
RESIDUAL = """\
class StageBlock(nn.Module):
    \"\"\"Such as stage1.0: 8x16x16 -> 8x16x16.\"\"\"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.add1 = Add(
            nn.Identity(),
            chain(
                conv1=nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                batchnorm1=nn.BatchNorm2d(channels),
            ),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.add1(x))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 1)
        self.stage1 = nn.Sequential(StageBlock(8), StageBlock(8))
        self.conv2 = nn.Conv2d(8, 16, 1, stride=2)
        self.stage2 = nn.Sequential(*(StageBlock(16) for _ in range(5)))

    def forward(self, x: Tensor) -> Tensor:  # 3x16x16
        x = self.conv1(x)  # 8x16x16
        x = self.stage1(x)
        x = self.conv2(x)  # 16x8x8
        return self.stage2(x)
"""
BLOCK = "[add( identity | conv {0} 3 same no bias -> bn ) -> relu]"
STAGES = f"conv 8 1 -> stage1: {BLOCK}*2 -> conv 16 1 stride 2 -> stage2: {BLOCK}*5"
PYRAMID = """\
    def forward(self, x: Tensor) -> dict[str, Tensor]:  # 3x16x16
        c3 = self.c3(x)  # 8x14x14
        x = self.c4(c3)  # 8x12x12
        relu1 = F.relu(self.mixed[0](c3) + self.mixed[1](x))  # 4x14x14
        x = self.outputs1(relu1)  # 4x1x1
        return {"low": relu1, "high": x}
"""


def text_of(net: str, shape: Shape) -> str:
    """The classes of a written net, without what stands above them."""
    text = source.write(parse(net).bind(shape))
    return text[text.rindex("\n\n\nclass Net") :].lstrip("\n")


def test_a_net_of_the_textbook() -> None:
    net = "conv 6 5 -> relu -> maxpool 2 -> flatten -> dense 10"
    assert text_of(net, (1, 28, 28)) == SMALL


def test_what_stands_there_more_than_once_is_a_class_given_what_differs() -> None:
    net = STAGES.replace("{0}", "8", 1).replace("{0}", "16")
    assert source.write(parse(net).bind((3, 16, 16))).endswith("\n\n\n" + RESIDUAL)


def test_values_that_are_read_later_have_their_names() -> None:
    net = """
        c3: conv 8 3 -> c4: conv 8 3
        mixed: add( @c3 -> conv 4 1 | @c4 -> convtranspose 4 3 ) -> relu
        outputs( low: [identity] | high: [adaptiveavgpool 1] )
    """
    assert text_of(net, (3, 16, 16)).endswith(PYRAMID)


def test_what_is_used_again_in_a_branch_is_one_module() -> None:
    net = parse("add( identity | b: conv 4 3 same -> again b )").bind((4, 8, 8))
    text = source.write(net)
    assert text.count("nn.Conv2d(") == 1
    assert "        x = self.b(x)\n        return self.b(x)\n" in text


def test_elements_that_grow_evenly_are_counted() -> None:
    dense = parse("[concat( identity | bn -> relu -> conv 4 1 )]*5").bind((6, 4, 4))
    row = "nn.Sequential(*(Block(in_channels) for in_channels in range(6, 26, 4)))"
    assert f"self.repeat1 = {row}\n" in source.write(dense)


@pytest.mark.parametrize(("name", "most"), [("resnet18", 100), ("resnet152", 120),
    ("densenet201", 100), ("googlenet", 120), ("vgg16", 60)])  # fmt: skip
def test_nets_of_the_zoo_are_short_to_read(name: str, most: int) -> None:
    entry = ENTRIES[name]
    text = source.write(entry.build(entry.input, entry.num_classes).bind(entry.input), name)
    assert text.count("\n") <= most
    assert max(map(len, text.splitlines())) <= 100


def test_the_same_net_is_written_the_same_by_every_process() -> None:
    code = (
        "from foveal.zoo import ENTRIES; from foveal.engines.source import write\n"
        "e = ENTRIES['googlenet']; print(write(e.build(e.input, 10).bind(e.input)))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(source.__file__).parents[3])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


def test_words_that_pytorch_has_for_itself_are_known() -> None:
    containers = (nn.Module(), nn.Sequential(), nn.ModuleList(), nn.ModuleDict())
    assert {name for made in containers for name in dir(made) if name[0] != "_"} <= RESERVED


def module_of(text: str, folder: Path) -> Any:
    """A written file, imported."""
    file = folder / "net.py"
    file.write_text(text, encoding="utf-8")
    spec = spec_from_file_location("written_net", file)
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


AWKWARD = "class: conv 4 3 -> train: bn -> _a: conv 4 1 -> own_a: conv 4 1 -> for: [type: conv 4 1]"


def test_a_model_file_is_loaded_whatever_its_layers_are_called(tmp_path: Path) -> None:
    head = "flatten -> dense 2 -> softmax"
    net = parse(f"input uint8 -> resize 24 -> normalise -> {AWKWARD} -> {head}")
    model = Model.fresh(net, (3, 12, 12), ("it's", 'a "chair"'))
    model.save(tmp_path / "pets.safetensors")
    text = source.write(model.program, "pets", classes=model.classes, weights="pets.safetensors")
    made = module_of(text, tmp_path)
    assert model.classes == made.CLASSES
    x = np.random.default_rng(0).integers(0, 256, (2, 12, 12, 3), np.uint8)
    with torch.no_grad():
        y = made.load(str(tmp_path / "pets.safetensors"))(torch.from_numpy(x))
    truth = engines.build("pytorch", model.program, model.weights).run(x)[""]
    assert differs(y.numpy(), truth) <= 1e-6


def test_what_weights_are_given_stands_in_the_code(tmp_path: Path) -> None:
    program = parse("conv 2 3 init sharpen frozen no bias -> depthwise 3 init 1,2,1,0,0,0,-1,-2,-1")
    bound = program.bind((1, 8, 8))
    net = module_of(source.write(bound), tmp_path).Net()
    weights = initial(bound, 0)
    assert np.array_equal(net.conv1.weight.detach().numpy(), weights["conv1.weight"])
    assert np.array_equal(net.depthwise1.weight.detach().numpy(), weights["depthwise1.weight"])
    assert [p.requires_grad for p in net.parameters()] == [False, True, True]


def test_only_what_a_text_says_is_imported() -> None:
    text = source.write(parse("math: [conv 4 1] -> torch: conv 4 1 -> F: conv 4 1").bind((3, 4, 4)))
    assert re.findall("^(?:import|from) .*", text, re.MULTILINE) == [
        "from collections import OrderedDict",
        "from torch import Tensor, nn",
    ]


@pytest.mark.parametrize("name", ["chain", "Add", "torch", "3d", "", "ä", "a" * 300, 'x"""y\n'])
def test_whatever_a_net_is_called_the_file_is_python(name: str) -> None:
    program = parse("conv 4 3 -> relu").bind((3, 8, 8))
    text = source.write(
        program, name, classes=['"""', "a\\b\n\u2028"], weights=f"{name}.safetensors"
    )
    compile(text, "net.py", "exec")
    assert max(map(len, text.splitlines())) <= 100


def test_a_kind_without_a_row_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ROWS, ReLU)  # type: ignore[misc]
    with pytest.raises(SpecError) as caught:
        source.write(parse("conv 4 3 -> relu").bind((3, 8, 8)))
    assert str(caught.value) == "relu1: the PyTorch source has no row for ReLU"
