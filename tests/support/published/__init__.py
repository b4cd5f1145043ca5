"""The published nets in plain PyTorch, from the tables of their papers; nothing of Foveal in them.

Tensors have torchvision's names and shapes, the forward passes its style: modules here, functions
there. `named` gives the tensors the names that timm or Keras have for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from support.published import convnext, densenet, mobilenet, resnet, vgg
from support.published.alexnet import alexnet
from support.published.densenet import DenseNet
from support.published.googlenet import googlenet
from support.published.inception import inception_v3
from support.published.resnet import ResNet
from support.published.squeezenet import squeezenet1_1
from torch import Tensor, nn

Tensors = dict[str, Tensor]
WIDTHS = {
    "mobilenet_v2": 1.0,
    "mobilenet_v2_035": 0.35,
    "mobilenet_v2_050": 0.5,
    "mobilenet_v2_140": 1.4,
}

NETS: dict[str, Callable[..., nn.Module]] = {
    "alexnet": alexnet,
    **{f"vgg{n}": partial(vgg.vgg, n) for n in vgg.COLUMNS},
    **{f"vgg{n}_bn": partial(vgg.vgg, n, batch_norm=True) for n in vgg.COLUMNS},
    "googlenet": googlenet,
    "inception_v3": inception_v3,
    **{f"resnet{n}": partial(ResNet, n) for n in resnet.TABLE},
    **{f"densenet{n}": partial(DenseNet, n) for n in densenet.TABLE},
    **{name: partial(mobilenet.mobilenet_v2, width=width) for name, width in WIDTHS.items()},
    "convnext_tiny": convnext.convnext_tiny,
    "squeezenet1_1": squeezenet1_1,
}
"""By torchvision's name: the net for a number of classes, 1,000 if none is given."""

NAMES: dict[tuple[str, str], Callable[[Tensors], Tensors]] = {
    **{(f"vgg{n}{norm}", "timm"): vgg.timm_names for n in vgg.COLUMNS for norm in ("", "_bn")},
    **{(name, "timm"): mobilenet.timm_names for name in WIDTHS},
    **{(name, "keras"): mobilenet.keras_names for name in WIDTHS},
    **{(f"densenet{n}", "once"): densenet.first_names for n in densenet.TABLE},
    ("convnext_tiny", "timm"): convnext.timm_names,
}
"""By net and publisher: what renames the tensors, where torchvision's names are not theirs; `once`
are those of its first files."""


def build(
    name: str, num_classes: int = 1000, by: str = "torchvision", auxiliary: bool = False
) -> nn.Module:
    """A net for answers, in the form that someone trains it in; with auxiliary heads if it has any.

    Keras pads another way, and has an eps of its own.
    """
    form = {"same": True} if by == "keras" else {"auxiliary": True} if auxiliary else {}
    return NETS[name](num_classes, **form).eval()


def named(net: nn.Module, name: str, by: str = "torchvision") -> Tensors:
    """The tensors of a net under the names that a publisher gives them."""
    kept = net.state_dict().items()
    tensors = {key: tensor for key, tensor in kept if not key.endswith("num_batches_tracked")}
    return NAMES.get((name, by), dict)(tensors)


@torch.no_grad()
def randomise(net: nn.Module, side: int, seed: int = 0) -> nn.Module:
    """Weights, statistics and scales at random, no two alike, so that values stay of order 1.

    Batch norms take the statistics of random pictures of `side` pixels, one variance for all
    channels, and are then moved off them: with any others, values would double in each block of a
    deep net.
    """
    random = torch.Generator().manual_seed(seed)
    uniform = partial(nn.init.uniform_, generator=random)
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    for module in reversed(list(net.modules())):  # what is inside comes before what it is inside
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu", generator=random)
        elif isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
            uniform(module.weight, 0.5, 1.5)
        elif isinstance(module, convnext.Block):
            uniform(module.layer_scale, 0.2, 0.6)
            for tensor in module.block[0].parameters():
                tensor *= 0.03  # so small that the eps of the norm behind it counts
        if getattr(module, "bias", None) is not None:
            uniform(module.bias, -0.2, 0.2)
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    net(torch.randn(4, 3, side, side, generator=random))
    for norm in norms:
        norm.eval()
        size = (norm.running_mean**2 + norm.running_var).mean()
        uniform(norm.running_mean, -0.2, 0.2).mul_(size.sqrt())
        uniform(norm.running_var, 0.7, 1.3).mul_(size)
    return net
