"""From a data set to a trained, measured, saved model: the whole way once.

`planning` decides everything before a picture is decoded, `execution` carries it out, `one_call`
is both. Only `execution` and what it writes, `results`, need PyTorch.
"""
