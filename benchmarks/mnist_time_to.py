"""How long MNIST takes to 99.2 %: python benchmarks/mnist_time_to.py FOLDER

A shell command for each seed, with a fixed schedule; the weights it ends with are asked about the
10,000 test pictures, which are read once, after the last step. `--net lenet5` does it with
LeCun's net; what else is given goes to `foveal train`, such as `--epochs 6`.
"""

from common import time_to

if __name__ == "__main__":
    time_to("mnist_time_to", __doc__, target=0.992, seeds=10)
