"""Names in written code: paths as attributes, variables and classes."""

from __future__ import annotations

import keyword
import re
from collections.abc import Container

LONGEST = 40
"""Letters of a name that become the name of a class."""
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        T_destination add_module append apply bfloat16 buffers call_super_init children clear
        compile cpu cuda double dump_patches eval extend extra_repr float forward get_buffer
        get_extra_state get_parameter get_submodule half insert ipu items keys load_state_dict
        modules mtia named_buffers named_children named_modules named_parameters parameters pop
        register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
        register_full_backward_hook register_full_backward_pre_hook
        register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
        register_parameter register_state_dict_post_hook register_state_dict_pre_hook
        requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train
        training type update values xpu zero_grad
        """,
    )
)
"""What PyTorch's modules and their containers call their own."""


def attribute(name: str) -> str:
    """A part of a path as the name of a module: itself, unless Python or PyTorch has that word.

    Different names stay different.

    >>> attribute("conv1"), attribute("class"), attribute("train")
    ('conv1', 'own_class', 'own_train')
    """
    taken = keyword.iskeyword(name) or name in RESERVED or name.startswith(("_", "own_"))
    return f"own_{name}" if taken else name


def camel(text: str) -> str:
    """A name as that of a class.

    >>> camel("mobilenet_v2"), camel("lenet5_1998"), camel("3d net"), camel("äöü")
    ('MobilenetV2', 'Lenet5_1998', 'Net3dNet', 'Net')
    """
    words = re.findall(r"[A-Za-z0-9]+", text[:LONGEST])
    made = " ".join(word[0].upper() + word[1:] for word in words) or "Net"
    made = re.sub(r"(?<=\d) (?=\d)", "_", made).replace(" ", "")
    return f"Net{made}" if made[0].isdigit() else made


def unused(name: str, taken: Container[str]) -> str:
    """A name, with a number behind it if it is taken.

    >>> unused("Block", {"Block", "Block2"}), unused("conv1", {"conv1"})
    ('Block3', 'conv1_2')
    """
    made, number = name, 1
    while made in taken:
        number += 1
        made = f"{name}_{number}" if name[-1].isdigit() else f"{name}{number}"
    return made
