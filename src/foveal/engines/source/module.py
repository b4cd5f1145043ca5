"""The text of a file with a net as a plain PyTorch module."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import fill

from foveal.engines.source.chains import chain_of
from foveal.engines.source.classes import Class, factored
from foveal.engines.source.code import Chain, Value
from foveal.engines.source.flow import BODY, kept, run
from foveal.engines.source.layout import WIDTH, Bracket, lines, written
from foveal.engines.source.names import attribute, camel
from foveal.engines.source.rows import HELPERS
from foveal.net.kind import Shape, shape_text
from foveal.net.layers import Input
from foveal.net.program import Program

CHAIN = '''
def chain(**layers: nn.Module) -> nn.Sequential:
    """Layers one after another, each under its name."""
    return nn.Sequential(OrderedDict(layers))
'''
FUNCTIONS = {**HELPERS, "chain": CHAIN}
STANDARD = {
    "math.": "import math",
    "OrderedDict(": "from collections import OrderedDict",
    "Any,": "from typing import Any",
}
FOREIGN = {
    "torch.": "import torch",
    "load_file(": "from safetensors.torch import load_file",
    "nn.": "from torch import Tensor, nn",
    "F.": "from torch.nn import functional as F",
}
"""What stands in a text, and the import it needs, in the order in which they are written."""
TAKEN = frozenset(
    {*FUNCTIONS, "Any", "CLASSES", "F", "OrderedDict", "Tensor", "load", "load_file", "math", "nn"}
    | {"self", "torch"}
)
"""Names of a file that no class and no variable may have."""


def write(
    program: Program, name: str = "net", *, classes: Sequence[str] = (), weights: str = ""
) -> str:
    """A file that holds a program as a plain PyTorch module, without anything of Foveal.

    Use it to show, to teach, or to go on with a net elsewhere. What stands in the net more than
    once becomes a class. `classes` are the names of its answers; where `weights` says of which
    model file it is, the text has a function that loads it. The names in the module's `state_dict`
    are the paths of the program.

    Raises:  SpecError if a kind has no row
    """
    title = camel(name) if camel(name) not in TAKEN else f"{camel(name)}Net"
    main, made = factored(chain_of(program), TAKEN | {title})
    taken = {*TAKEN, title, *(each.name for each in made)}
    blocks = [*(_class(each, taken) for each in made), _main(title, main, taken, program)]
    if weights:
        blocks.append(_loading(title, program))
    blocks = [*_helpers(blocks), *blocks]
    about = _about(title, program, weights)
    return "\n\n\n".join([f"{about}\n\n{_head(blocks, classes)}", *blocks]) + "\n"


def _about(title: str, program: Program, weights: str) -> str:
    """What the file is, how to use it, and what its names are."""
    leaving = [
        f"{name}: {shape_text(shape)}" if name else shape_text(shape)
        for name, shape in program.result_shapes().items()
    ]
    arriving = shape_text(_arriving(program))
    if _reads_bytes(program):
        arriving += " of bytes"
    file = weights if re.fullmatch(r"[\w .-]{1,60}", weights) else "model.safetensors"
    made = f'load("{file}")' if weights else f"{title}()"
    names = "The names in its `state_dict` are the paths of the net in Foveal"
    if any(path != _key(path) for path in program.tensors()):
        names += ", with `own_` before those that Python or PyTorch has for itself"
    start = "" if weights else " Its weights start as PyTorch starts them."
    said = (
        f'"""{title}: {arriving} -> {", ".join(leaving)}.',
        f"    net = {made}",
        f"Written by Foveal, which it does not need. {names}.{start}",
    )
    return "\n\n".join(fill(each, WIDTH, subsequent_indent="") for each in said) + '\n"""'


def _arriving(program: Program) -> Shape:
    """What arrives, without the batch; bytes have their channels last."""
    return (*program.input[1:], program.input[0]) if _reads_bytes(program) else program.input


def _reads_bytes(program: Program) -> bool:
    return bool(program.steps) and program.steps[0].kind == Input("uint8")


def _head(blocks: Iterable[str], classes: Sequence[str]) -> str:
    """Imports of what the blocks need, and the names of the classes."""
    code = "\n".join(re.sub(r'""".*?"""', "", block, flags=re.DOTALL) for block in blocks)

    def needed(table: dict[str, str]) -> str:
        words = [word for word in table if re.search(rf"(?<![\w.]){re.escape(word)}", code)]
        return "\n".join(table[word] for word in words)

    names = Bracket("(", tuple(map(_string, classes)), ",)" if len(classes) == 1 else ")")
    constant = "\n".join(lines(names, 0, before="CLASSES = ")) if classes else ""
    return "\n\n".join(filter(None, (needed(STANDARD), needed(FOREIGN), constant)))


def _string(text: str) -> str:
    """A text as Python writes it, in double quotes where it can be."""
    plain = repr(text)
    return plain if '"' in plain or "\\'" in plain else f'"{plain[1:-1]}"'


def _helpers(blocks: Iterable[str]) -> list[str]:
    """The helpers that are called, and those that they call."""
    wanted: set[str] = set()
    more = {name for block in blocks for name in _called(block)}
    while more:
        wanted |= more
        more = {name for each in more for name in _called(FUNCTIONS[each])} - wanted
    return [text.strip("\n") for name, text in FUNCTIONS.items() if name in wanted]


def _called(text: str) -> set[str]:
    return FUNCTIONS.keys() & set(re.findall(r"(?<![\w.])(\w+)(?=[(,)])", text))


def _class(made: Class, taken: set[str]) -> str:
    signature = [f"{name}: {_annotation(values)}" for name, values in made.parameters]
    body, origin = made.body, made.body.origin
    base = "nn.Module" if isinstance(body, Chain) else body.name
    head = [f"class {made.name}({base}):"]
    if origin is not None:
        place, arriving, leaving = ".".join(origin.path), origin.arriving, origin.leaving
        about = f"Such as {place}: {shape_text(arriving)} -> {shape_text(leaving)}."
        head += [f'    """{about}"""', ""] if len(about) < WIDTH - 10 else []
    if isinstance(body, Chain):
        return "\n".join([*head, *_methods(body, signature, taken)])
    branches = Bracket("super().__init__(", tuple(written(p) for _, p in body.arguments), ")")
    return "\n".join([*head, *_method("__init__", signature, "None"), *lines(branches, BODY)])


def _main(title: str, main: Chain, taken: set[str], program: Program) -> str:
    head = f"class {title}(nn.Module):"
    return "\n".join([head, *_methods(main, [], taken, program)])


def _methods(
    chain: Chain, signature: list[str], taken: set[str], program: Program | None = None
) -> list[str]:
    """`__init__` and `forward`; of a whole program with shapes behind the lines."""
    results = "Tensor" if [name for name, _ in chain.results] == [""] else "dict[str, Tensor]"
    modules, start = kept(chain), []
    if modules or signature:
        start = [*_method("__init__", signature, "None"), f"{' ' * BODY}super().__init__()"]
        start += [*modules, ""]
    if program is None:
        return [*start, *_method("forward", ["x: Tensor"], results), *run(chain, taken, None)]
    arriving = _arriving(program)
    forward = _method("forward", ["x: Tensor"], results, f"  # {shape_text(arriving)}")
    return [*start, *forward, *run(chain, taken, arriving)]


def _method(name: str, signature: list[str], returns: str, note: str = "") -> list[str]:
    given = Bracket("(", ("self", *signature), f") -> {returns}:{note}")
    return lines(given, BODY // 2, before=f"def {name}")


def _annotation(values: Iterable[Value]) -> str:
    """The types of the numbers that a class is given; `int` where another class gives them."""
    return " | ".join(sorted(set(map(_type, values)))) or "int"


def _type(value: Value) -> str:
    if isinstance(value, tuple):
        whole = all(isinstance(part, int) for part in value)
        return "tuple[int, ...]" if whole else "tuple[float, ...]"
    return type(value).__name__


def _loading(title: str, program: Program) -> str:
    """A function that reads a model file, whose tensors have the names of the module's."""
    made = [
        f"def load(path: str) -> {title}:",
        '    """The net with the weights of a Foveal model file, ready to predict."""',
        f"    net = {title}()",
    ]
    renamed = {path: _key(path) for path in program.tensors() if _key(path) != path}
    if renamed:
        pairs = tuple(f'"{path}": "{key}"' for path, key in renamed.items())
        made += [
            *lines(Bracket("{", pairs, "}"), 4, before="names = "),
            "    tensors = {names.get(path, path): w for path, w in load_file(path).items()}",
            "    net.load_state_dict(tensors)",
        ]
    else:
        made.append("    net.load_state_dict(load_file(path))")
    return "\n".join([*made, "    return net.eval()"])


def _key(path: str) -> str:
    """The name of a tensor in the module's `state_dict`."""
    *owner, name = path.split(".")
    return ".".join([*map(attribute, owner), name])
