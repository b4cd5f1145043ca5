"""Where the numbers of a step come from: each as the sum it is, with the numbers put in."""

from __future__ import annotations

from math import prod

from foveal.net.kind import Shape, shape_text
from foveal.net.program import Step
from foveal.net.reach import Reach
from foveal.net.sight import Sight, direct

WHOLE = "the whole picture"
VARIES = "varies from place to place"
FLAT = "none: what arrives has no positions"


def formulas(step: Step, owner: Step, seen: list[Sight]) -> dict[str, str]:
    """The name of each quantity to its arithmetic; `owner` is the step that has the weights."""
    made = {
        "output": step.kind.formula(step.ins) or shape_text(step.shape),
        "parameters": _parameters(step, owner),
        "MACs": _macs(step),
        "memory": f"{_product(step.shape)} * 4 bytes = {4 * prod(step.shape):,} bytes",
        "receptive field": _field(step, seen),
    }
    if step.kind.windows(step.ins) and step.tensors:
        made |= _compared(step)
    return made


def _parameters(step: Step, owner: Step) -> str:
    trained = [tensor for tensor in step.tensors if tensor.trained]
    if not trained:
        return "none"
    if owner is not step:
        return f"shared with {owner.path}"
    total = sum(tensor.size for tensor in trained)
    return f"{' + '.join(_product(tensor.shape) for tensor in trained)} = {total:,}"


def _macs(step: Step) -> str:
    total, outputs = step.kind.macs(step.ins), prod(step.shape)
    if not total:
        return "none"
    if total % outputs:
        return f"{total:,}"
    each = total // outputs
    products = _reads(step, each)
    return f"{_product(step.shape)} outputs * {products} = {total:,}"


def _reads(step: Step, each: int) -> str:
    """How many values go into one of the output, as channels times kernel where it is that."""
    kernel = tuple(axis.kernel_size for axis in step.kind.windows(step.ins))
    channels, rest = divmod(each, prod(kernel))
    factors = (channels, *kernel) if kernel and not rest else (each,)
    return _product(factors)


def _compared(step: Step) -> dict[str, str]:
    """What a fully connected layer between the same values would see and need."""
    values, units = prod(step.ins[0]), prod(step.shape)
    each = step.kind.macs(step.ins) // units
    own, bias = sum(tensor.size for tensor in step.tensors), step.tensors[-1].name == "bias"
    dense = values * units + units * bias
    product = f"{values:,} * {units:,}" + f" + {units:,}" * bias
    read = f"{_reads(step, each)} = {each:,}"
    return {
        "sparsity": f"each output reads {read} of {values:,} values",
        "sharing": f"{own:,} instead of {product} = {dense:,} if fully connected"
        f" ({_times(dense / own)} times)",
    }


def _times(ratio: float) -> str:
    """A ratio to three digits: 0.5, 3.14, 31,700."""
    return f"{float(f'{ratio:.3g}'):,.15g}"


def _field(step: Step, seen: list[Sight]) -> str:
    sight = seen[step.output]
    if not sight.reaches:
        return FLAT
    if sight.whole:
        return WHOLE
    known = sight.known
    if known is None:
        return VARIES
    if sight.origin == step.output:
        return "counted from here: 1"
    lines = [_field_along(step, axis, reach, seen) for axis, reach in enumerate(known)]
    return ", ".join(lines if len(set(lines)) > 1 else lines[:1])


def _field_along(step: Step, axis: int, reach: Reach, seen: list[Sight]) -> str:
    before = [s.reaches[axis] for s in direct(step, [seen[value] for value in step.inputs])]
    sizes = [earlier.size for earlier in before if earlier is not None]
    own = step.kind.reach(step.ins, axis)
    if len(before) > 1:
        return f"hull of {' and '.join(map(str, sizes))} = {reach.size}"
    if before[0] is None or own is None:
        return str(reach.size)
    jump = before[0].jump
    if own.size == 1 and reach.size == sizes[0]:
        return f"{reach.size}, as before"
    if sizes[0] + (own.size - 1) * jump == reach.size:
        return f"{sizes[0]} + ({own.size} - 1) * {jump} = {reach.size}"
    return f"largest of {reach.period} places = {reach.size}"


def _product(shape: Shape) -> str:
    return "*".join(map(str, shape)) or "1"
