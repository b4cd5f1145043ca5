"""ResNet: He et al. 2015, arXiv:1512.03385, table 1; the stride of a bottleneck is on its 3x3."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# By the number of layers: blocks of each stage, and the convolutions of one, (kernel, width).
BASIC = ((3, 1), (3, 1))
BOTTLENECK = ((1, 1), (3, 1), (1, 4))
TABLE = {
    18: ((2, 2, 2, 2), BASIC),
    34: ((3, 4, 6, 3), BASIC),
    50: ((3, 4, 6, 3), BOTTLENECK),
    101: ((3, 4, 23, 3), BOTTLENECK),
    152: ((3, 8, 36, 3), BOTTLENECK),
}


class Block(nn.Module):
    def __init__(
        self, arriving: int, channels: int, stride: int, kernels: tuple[tuple[int, int], ...]
    ) -> None:
        super().__init__()
        self.count = len(kernels)
        self.relu = nn.ReLU(inplace=True)
        strides = [1] * self.count
        strides[[size for size, _ in kernels].index(3)] = stride
        made = arriving
        for number, (size, width) in enumerate(kernels, start=1):
            conv = nn.Conv2d(
                made, channels * width, size, strides[number - 1], size // 2, bias=False
            )
            made = channels * width
            self.add_module(f"conv{number}", conv)
            self.add_module(f"bn{number}", nn.BatchNorm2d(made))
        self.downsample = None
        if stride > 1 or arriving != made:
            short = nn.Conv2d(arriving, made, 1, stride, bias=False)
            self.downsample = nn.Sequential(short, nn.BatchNorm2d(made))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            if number < self.count:
                y = self.relu(y)
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


class ResNet(nn.Module):
    def __init__(self, layers: int, num_classes: int = 1000) -> None:
        super().__init__()
        counts, kernels = TABLE[layers]
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        arriving = 64
        for stage, count in enumerate(counts):
            blocks = []
            for number in range(count):
                stride = 2 if stage and not number else 1
                blocks.append(Block(arriving, 64 << stage, stride, kernels))
                arriving = (64 << stage) * kernels[-1][1]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(arriving, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))
