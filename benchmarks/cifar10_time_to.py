"""How long CIFAR-10 takes to 94 %: python benchmarks/cifar10_time_to.py FOLDER

FOLDER holds its binary version; an .npz file does too. A shell command for each seed, with a fixed
schedule; the weights it ends with are asked about the test pictures, which are read once, after the
last step. Where the pictures are not the original bytes, `--note` says so beside every figure:
`--note "32 of the test pictures have lossy pixels"`. What else is given goes to `foveal train`.
"""

from common import time_to

if __name__ == "__main__":
    time_to("cifar10_time_to", __doc__, target=0.94, seeds=5)
