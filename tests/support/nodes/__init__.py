"""The node tests of the `onnx` package, each imported as a net of one layer or a few.

A test of the package is one operator with its inputs and the outputs that the standard demands.
`cases` reads them, the importers say each in our notation, `scope` says which are left out and
why, `outcomes` runs the rest in all three engines. Two files with knowledge of ONNX, ours of
writing and this one of reading, have no code in common.
"""
