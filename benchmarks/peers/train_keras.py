"""A case of peers.py in Keras, with whichever backend it has: arrays in memory, `fit`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import keras
import numpy as np
from cases import CASES, NUM_CLASSES
from keras import layers
from rounds import serve


def lenet5() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            *(layers.Conv2D(6, 5, activation="tanh"), layers.AveragePooling2D()),
            *(layers.Conv2D(16, 5, activation="tanh"), layers.AveragePooling2D()),
            *(layers.Conv2D(120, 5, activation="tanh"), layers.Flatten()),
            *(layers.Dense(84, activation="tanh"), layers.Dense(NUM_CLASSES)),
        ]
    )


def keras_mnist() -> keras.Model:
    """keras.io/examples/vision/mnist_convnet"""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *(layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D()),
            *(layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D()),
            *(layers.Flatten(), layers.Dropout(0.5), layers.Dense(NUM_CLASSES)),
        ]
    )


def resnet18_32() -> keras.Model:
    """The 3x3 stem and no pooling, as is usual for small pictures."""
    arriving = keras.Input((32, 32, 3))
    x = layers.ReLU()(_normed(arriving, 64, 3, 1))
    for channels, first in ((64, 1), (128, 2), (256, 2), (512, 2)):
        for stride in (first, 1):
            short = x if stride == 1 else _normed(x, channels, 1, stride)
            y = layers.ReLU()(_normed(x, channels, 3, stride))
            x = layers.ReLU()(layers.Add()([_normed(y, channels, 3, 1), short]))
    scores = layers.Dense(NUM_CLASSES)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(arriving, scores)


def _normed(x: object, channels: int, size: int, stride: int) -> object:
    convolved = layers.Conv2D(channels, size, stride, "same", use_bias=False)(x)
    return layers.BatchNormalization()(convolved)


NETS = {"lenet5": lenet5, "keras_mnist": keras_mnist, "resnet18_32": resnet18_32}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=NETS)
    parser.add_argument("place", type=Path)
    asked = parser.parse_args()
    keras.utils.set_random_seed(0)
    with np.load(asked.place) as arrays:
        x, y = arrays["x"].astype("float32") / 255, arrays["y"]
    channels, *sizes = CASES[asked.case].shape
    x = x.reshape(-1, *sizes, channels)
    net = NETS[asked.case]()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.Adam(), loss)

    def once() -> tuple[int, float]:
        began = time.perf_counter()
        net.fit(x, y, batch_size=CASES[asked.case].batch_size, verbose=0)
        return len(x), time.perf_counter() - began

    parameters = sum(int(np.prod(each.shape)) for each in net.trainable_weights)
    serve(
        {
            "parameters": parameters,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "precision": keras.config.floatx(),
        },
        once,
    )


if __name__ == "__main__":
    main()
