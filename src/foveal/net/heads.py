"""The last layer of a net, which makes its scores, and another in its place."""

from __future__ import annotations

from dataclasses import replace

from foveal.errors import SpecError
from foveal.net.combinators import Body, Chain, Named
from foveal.net.kind import Kind, Shape, shape_text
from foveal.net.layers import Conv, Dense
from foveal.net.net import Net
from foveal.net.program import Program, Step

FIX = "a net whose scores come from a dense layer (or a convolution) of its main chain"


def head(program: Program) -> Step:
    """The layer that makes the scores of a net: the last one with weights on the way to them.

    Use it to ask for the features that arrive there, or to put another in its place. What stands
    behind it may own nothing: ReLU, global pooling, softmax.

    Shape:   one result, flat: (num_classes,)
    Raises:  SpecError, which names the layer, if it is neither dense nor a convolution, if its
             weights are used twice, or if several values are joined behind it
    """
    results = program.result_shapes()
    if list(results) != [""] or len(results[""]) != 1:
        found = ", ".join(f"{name} {shape_text(shape)}".strip() for name, shape in results.items())
        raise SpecError("does not give one score for each class", where="net", arrives=found)
    makers = {step.output: step for step in program.steps}
    value = program.results[0][1]
    while value in makers:
        step = makers[value]
        if step.tensors:
            return _checked(step, program)
        if len(step.inputs) > 1:
            raise _refusal(step, program, "joins several values into the scores")
        (value,) = step.inputs
    raise SpecError("has no layer with weights", where="net", fix=FIX)


def with_head(net: Net, input: Shape, num_classes: int) -> tuple[Net, str]:
    """The net with as many scores as there are classes, and the path of the layer that is new.

    Shape:   (N, *input) -> (N, num_classes)
    Raises:  SpecError as `head`, and if that layer stands inside a repeat or a branch

    >>> from foveal.net.notation import parse
    >>> net = parse("conv 8 3 -> relu -> globalavgpool -> dense 1000")
    >>> net, path = with_head(net, (3, 9, 9), num_classes=2)
    >>> net.write(), path
    ('conv 8 3 -> relu -> globalavgpool -> dense 2', 'dense1')
    """
    program = net.bind(input)
    step = head(program)
    field = "out_features" if isinstance(step.kind, Dense) else "out_channels"
    made = _replaced(net.root, step.path.split("."), replace(step.kind, **{field: num_classes}))
    if made is None:
        raise _refusal(step, program, "stands inside a repeat or a branch")
    found = Net(made).bind(input).result_shapes()[""]
    if found != (num_classes,):
        raise _refusal(step, program, f"would make {shape_text(found)} scores of {num_classes}")
    return Net(made), step.path


def _checked(step: Step, program: Program) -> Step:
    if not isinstance(step.kind, Dense | Conv):
        raise _refusal(step, program, "makes the scores, and is neither dense nor a convolution")
    if sum(other.owner == step.owner for other in program.steps) > 1:
        raise _refusal(step, program, "makes the scores with weights that another layer uses too")
    return step


def _refusal(step: Step, program: Program, problem: str) -> SpecError:
    number = program.steps.index(step) + 1
    where = f"layer {number} '{step.path}' ({type(step.kind).__name__})"
    return SpecError(problem, where=where, fix=FIX)


def _replaced(chain: Chain, path: list[str], kind: Kind) -> Chain | None:
    """The chain with another kind at a path; None if the path leads out of chains."""
    first, *rest = path
    items = list(chain.items)
    for place, (name, body) in enumerate(chain.labelled()):
        if name == first:
            made = _inside(body, rest, kind)
            if made is None:
                return None
            items[place] = Named(name, made) if isinstance(items[place], Named) else made
            return Chain(tuple(items))
    return None


def _inside(body: Body, path: list[str], kind: Kind) -> Body | None:
    if not path:
        return kind
    return _replaced(body, path, kind) if isinstance(body, Chain) else None
