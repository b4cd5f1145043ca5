"""Published nets as functions that return a Net, and what is known of each."""

from foveal.zoo.entry import Entry
from foveal.zoo.lenet import lenet5
from foveal.zoo.quick import quick
from foveal.zoo.resnet import resnet18
from foveal.zoo.vgg import vgg11

ENTRIES: dict[str, Entry] = {
    "quick": Entry(
        build=quick,
        input=(1, 28, 28),
        num_classes=10,
        parameters=29_434,
        source="Foveal's own; its parts: arXiv:1502.03167, arXiv:1312.4400",
        accuracy="",
        about="trained unless another is asked for; grows with the size of the pictures",
    ),
    "lenet5": Entry(
        build=lenet5,
        input=(1, 32, 32),
        num_classes=10,
        parameters=61_706,
        source="LeCun et al. 1998, doi:10.1109/5.726791",
        accuracy="99.05 % (MNIST)",
        about="the classic for digits: two convolutions, three dense layers",
    ),
    "vgg11": Entry(
        build=vgg11,
        input=(3, 224, 224),
        num_classes=1000,
        parameters=132_863_336,
        source="Simonyan & Zisserman 2014, arXiv:1409.1556",
        accuracy="69.02 % top-1 (ImageNet, torchvision)",
        about="nothing but 3x3 convolutions and three large dense layers",
    ),
    "resnet18": Entry(
        build=resnet18,
        input=(3, 224, 224),
        num_classes=1000,
        parameters=11_689_512,
        source="He et al. 2015, arXiv:1512.03385",
        accuracy="69.76 % top-1 (ImageNet, torchvision)",
        about="residual blocks; a solid net for photographs",
    ),
}
"""Every net of the zoo by its name, which is torchvision's where it has the net."""

__all__ = ["ENTRIES", "Entry", "lenet5", "quick", "resnet18", "vgg11"]
