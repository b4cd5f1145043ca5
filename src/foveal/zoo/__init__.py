"""Published nets as functions that return a Net, and what is known of each."""

from foveal.zoo import (
    airbench,
    alexnet,
    convnext,
    densenet,
    googlenet,
    inception,
    lenet,
    mobilenet,
    quick,
    resnet,
    vgg,
)
from foveal.zoo.entry import Entry
from foveal.zoo.general import pattern

ENTRIES: dict[str, Entry] = {
    **quick.ENTRIES,
    **airbench.ENTRIES,
    **lenet.ENTRIES,
    **alexnet.ENTRIES,
    **vgg.ENTRIES,
    **googlenet.ENTRIES,
    **inception.ENTRIES,
    **resnet.ENTRIES,
    **densenet.ENTRIES,
    **mobilenet.ENTRIES,
    **convnext.ENTRIES,
}
"""Every net of the zoo by its name, which is torchvision's where it has the net."""

__all__ = ["ENTRIES", "Entry", "pattern"]
