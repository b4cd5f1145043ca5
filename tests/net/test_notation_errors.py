"""Every message of the notation, word for word."""

from __future__ import annotations

import pytest

from foveal.errors import SpecError
from foveal.net.notation import parse

# ruff: noqa: E501 - messages as they are printed

STARTS = (
    "one of zero, one, constant:0.5, uniform:-1,1, normal:0.02, xavier, xavier_uniform, kaiming, kaiming_uniform, "
    "orthogonal, dirac, partial_dirac, sign, whitening, the name of a filter, or the kernel's numbers row by row such as 1,0,-1, or unset"
)

CASES: list[tuple[str, dict[str, int], str]] = [
    (
        "conv 32",
        {},
        "NotationError: line 1, column 1: conv needs kernel_size\n"
        "  conv 32\n"
        "  ^\n"
        "  fix:      such as: conv 32 3",
    ),
    (
        "conv",
        {},
        "NotationError: line 1, column 1: conv needs out_channels and kernel_size\n"
        "  conv\n"
        "  ^\n"
        "  fix:      such as: conv 32 3",
    ),
    (
        "dense",
        {},
        "NotationError: line 1, column 1: dense needs out_features\n"
        "  dense\n"
        "  ^\n"
        "  fix:      such as: dense 10",
    ),
    (
        "resize",
        {},
        "NotationError: line 1, column 1: resize needs size\n"
        "  resize\n"
        "  ^\n"
        "  fix:      such as: resize 64",
    ),
    (
        "conv 32 3 3",
        {},
        "NotationError: line 1, column 11: conv takes out_channels kernel_size; this is one more\n"
        "  conv 32 3 3\n"
        "            ^",
    ),
    (
        "relu 3",
        {},
        "NotationError: line 1, column 6: relu takes no numbers; this is one more\n"
        "  relu 3\n"
        "       ^",
    ),
    (
        "conv 32 3 -> -> relu",
        {},
        "NotationError: line 1, column 11: a layer is missing after the arrow\n"
        "  conv 32 3 -> -> relu\n"
        "            ^",
    ),
    (
        "conv 32 3 ->",
        {},
        "NotationError: line 1, column 11: a layer is missing after the arrow\n"
        "  conv 32 3 ->\n"
        "            ^",
    ),
    (
        "-> relu",
        {},
        "NotationError: line 1, column 1: a layer is missing before the arrow\n  -> relu\n  ^",
    ),
    (
        "[conv 8 3",
        {},
        "NotationError: line 1, column 1: '[' is never closed with ']'\n  [conv 8 3\n  ^",
    ),
    (
        "conv 8 3]",
        {},
        "NotationError: line 1, column 9: unexpected ']'\n"
        "  conv 8 3]\n"
        "          ^\n"
        "  fix:      -> or a new line joins layers",
    ),
    (
        "add( relu | relu",
        {},
        "NotationError: line 1, column 4: '(' is never closed with ')'\n  add( relu | relu\n     ^",
    ),
    (
        "add",
        {},
        "NotationError: line 1, column 4: add needs its branches in parentheses\n"
        "  add\n"
        "     ^\n"
        "  fix:      add( identity | conv 8 3 same )",
    ),
    (
        "add relu | relu",
        {},
        "NotationError: line 1, column 5: add needs its branches in parentheses\n"
        "  add relu | relu\n"
        "      ^\n"
        "  fix:      add( identity | conv 8 3 same )",
    ),
    (
        "add( identity | )",
        {},
        "NotationError: line 1, column 17: a chain needs at least one step\n"
        "  add( identity | )\n"
        "                  ^\n"
        "  fix:      write identity for a short way",
    ),
    (
        "conv 32 3 stide 2",
        {},
        "NotationError: line 1, column 11: conv has no 'stide'\n"
        "  conv 32 3 stide 2\n"
        "            ^\n"
        "  fix:      did you mean 'stride'?",
    ),
    (
        "conv 32 3 -> rellu",
        {},
        "NotationError: line 1, column 14: unknown word 'rellu'\n"
        "  conv 32 3 -> rellu\n"
        "               ^\n"
        "  fix:      did you mean 'relu'?",
    ),
    (
        "conv 0 3",
        {},
        "NotationError: line 1, column 6: conv out_channels must be a whole number from 1, not '0'\n"
        "  conv 0 3\n"
        "       ^",
    ),
    (
        "conv 8 3.5",
        {},
        "NotationError: line 1, column 8: conv kernel_size must be a whole number from 1, or one per axis such as 3x5, not '3.5'\n"
        "  conv 8 3.5\n"
        "         ^",
    ),
    (
        "conv 8 3 padding -1",
        {},
        "NotationError: line 1, column 18: conv padding must be valid, same, same_lower, preserve, causal, a whole number from 0, or one per axis such as 1x2 or 1:2x0:1, not '-1'\n"
        "  conv 8 3 padding -1\n"
        "                   ^",
    ),
    (
        "conv 8 3 padding",
        {},
        "NotationError: line 1, column 17: conv padding must be valid, same, same_lower, preserve, causal, a whole number from 0, or one per axis such as 1x2 or 1:2x0:1, not nothing\n"
        "  conv 8 3 padding\n"
        "                  ^",
    ),
    (
        "conv 8 3 stride 2 stride 3",
        {},
        "NotationError: line 1, column 26: stride is given twice\n"
        "  conv 8 3 stride 2 stride 3\n"
        "                           ^",
    ),
    (
        "conv 8 3 no stride",
        {},
        "NotationError: line 1, column 13: after 'no' conv knows: bias, flip, shared, frozen\n"
        "  conv 8 3 no stride\n"
        "              ^",
    ),
    (
        "conv 8 3 no",
        {},
        "NotationError: line 1, column 12: after 'no' conv knows: bias, flip, shared, frozen\n"
        "  conv 8 3 no\n"
        "             ^",
    ),
    (
        "conv 32 3 maxpool 2",
        {},
        "NotationError: line 1, column 11: 'maxpool' is a layer of its own\n"
        "  conv 32 3 maxpool 2\n"
        "            ^\n"
        "  fix:      join them: conv … -> maxpool",
    ),
    (
        "relu relu",
        {},
        "NotationError: line 1, column 6: unexpected 'relu'\n"
        "  relu relu\n"
        "       ^\n"
        "  fix:      -> or a new line joins layers",
    ),
    (
        "x: x: relu",
        {},
        "NotationError: line 1, column 4: the step is already called 'x'\n  x: x: relu\n     ^",
    ),
    ("x:", {}, "NotationError: line 1, column 3: the net ends too early\n  x:\n    ^"),
    (
        "[relu]*x",
        {},
        "NotationError: line 1, column 8: a repeat needs a whole number, not x\n"
        "  [relu]*x\n"
        "         ^\n"
        "  fix:      [conv 8 3]*2",
    ),
    (
        "[relu]*-1",
        {},
        "NotationError: line 1, column 8: a repeat needs a whole number, not -1\n"
        "  [relu]*-1\n"
        "         ^\n"
        "  fix:      [conv 8 3]*2",
    ),
    (
        "[relu]*",
        {},
        "NotationError: line 1, column 8: a repeat needs a whole number, not nothing\n"
        "  [relu]*\n"
        "         ^\n"
        "  fix:      [conv 8 3]*2",
    ),
    (
        "",
        {},
        "NotationError: line 1, column 1: there is no layer\n"
        "  \n"
        "  ^\n"
        "  fix:      such as: conv 32 3 -> relu",
    ),
    (
        "# only a comment",
        {},
        "NotationError: line 1, column 17: there is no layer\n"
        "  # only a comment\n"
        "                  ^\n"
        "  fix:      such as: conv 32 3 -> relu",
    ),
    (
        "[[[relu]*100]*100]*50",
        {},
        "NotationError: line 1, column 1: net: has 500,000 steps, more than 100,000\n"
        "  [[[relu]*100]*100]*50\n"
        "  ^",
    ),
    (
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[relu",
        {},
        "NotationError: line 1, column 65: is nested more than 64 deep\n"
        "  [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[relu\n"
        "                                                                  ^",
    ),
    ("@", {}, "NotationError: line 1, column 2: the name of an earlier step is missing\n  @\n   ^"),
    (
        "@ -> relu",
        {},
        "NotationError: line 1, column 3: the name of an earlier step is missing\n"
        "  @ -> relu\n"
        "    ^",
    ),
    (
        "again",
        {},
        "NotationError: line 1, column 6: the name of an earlier step is missing\n"
        "  again\n"
        "       ^",
    ),
    (
        "relu ?",
        {},
        "NotationError: line 1, column 6: relu? is an option that nothing can set\n"
        "  relu ?\n"
        "       ^\n"
        "  fix:      leave the ? out",
    ),
    (
        "dense 10 $",
        {},
        "NotationError: line 1, column 10: cannot read '$'\n  dense 10 $\n           ^",
    ),
    (
        "dense 10 \x0b",
        {},
        "NotationError: line 1, column 10: cannot read '\\x0b'\n  dense 10  \n           ^",
    ),
    (
        "conv1: relu -> conv 8 3",
        {},
        "NotationError: line 1, column 1: two steps of one chain are called 'conv1'\n"
        "  conv1: relu -> conv 8 3\n"
        "  ^\n"
        "  fix:      another name for one of them (unnamed steps are called kind and number)",
    ),
    (
        "a: relu -> a: relu",
        {},
        "NotationError: line 1, column 1: two steps of one chain are called 'a'\n"
        "  a: relu -> a: relu\n"
        "  ^\n"
        "  fix:      another name for one of them (unnamed steps are called kind and number)",
    ),
    (
        "each( relu | relu )",
        {},
        "NotationError: line 1, column 1: each has one body for all results\n"
        "  each( relu | relu )\n"
        "  ^",
    ),
    (
        "outputs( a: [relu] | a: [relu] )",
        {},
        "NotationError: line 1, column 1: outputs: two branches are called a\n"
        "  outputs( a: [relu] | a: [relu] )\n"
        "  ^",
    ),
    (
        "input -> add( relu? | relu )",
        {},
        "NotationError: line 1, column 19: relu? is an option that nothing can set\n"
        "  input -> add( relu? | relu )\n"
        "                    ^\n"
        "  fix:      leave the ? out",
    ),
    (
        "a: pool?",
        {},
        "NotationError: line 1, column 4: maxpool needs kernel_size\n"
        "  a: pool?\n"
        "     ^\n"
        "  fix:      such as: maxpool 3",
    ),
    (
        "INPUT -> a: pool?",
        {"POOL": 0},
        "NotationError: line 1, column 10: an option cannot have a name\n"
        "  INPUT -> a: pool?\n"
        "           ^",
    ),
    (
        "conv 8 3",
        {"N": 2},
        "SpecError: --set: has letters to set only if the net begins with INPUT ->\n"
        "  fix:      write the numbers into the net",
    ),
    (
        "INPUT -> fc",
        {"Q": 2},
        "SpecError: --set Q: is not a letter of the pattern\n"
        "  fix:      known: CLASSES, CONV, FC, K, M, N, POOL",
    ),
    (
        "block a(x): conv x 3\na",
        {},
        "NotationError: line 2, column 1: block 'a' takes x, not 0 values\n  a\n  ^",
    ),
    (
        "block a(x): conv x 3\na 3 4",
        {},
        "NotationError: line 2, column 1: block 'a' takes x, not 2 values\n  a 3 4\n  ^",
    ),
    (
        "block conv: relu\nconv",
        {},
        "NotationError: line 1, column 7: 'conv' is already a word\n"
        "  block conv: relu\n"
        "        ^\n"
        "  fix:      choose another name",
    ),
    (
        "block a(x x): relu\na 1 1",
        {},
        "NotationError: line 1, column 11: parameter 'x' is given twice\n"
        "  block a(x x): relu\n"
        "            ^",
    ),
    (
        "block a:\nrelu",
        {},
        "NotationError: line 1, column 7: block 'a' is empty\n  block a:\n        ^",
    ),
    (
        "block a(x: relu",
        {},
        "NotationError: line 1, column 10: the closing parenthesis is missing\n"
        "  block a(x: relu\n"
        "           ^",
    ),
    (
        "block a relu",
        {},
        "NotationError: line 1, column 9: the colon after the block's name is missing\n"
        "  block a relu\n"
        "          ^",
    ),
    (
        "conv 32 3\n  rellu\n",
        {},
        "NotationError: line 2, column 3: unknown word 'rellu'\n"
        "    rellu\n"
        "    ^\n"
        "  fix:      did you mean 'relu'?",
    ),
    (
        "normalise mean 0.5,,2",
        {},
        "NotationError: line 1, column 19: cannot read ',,2'\n"
        "  normalise mean 0.5,,2\n"
        "                    ^",
    ),
    (
        "conv 8 99999999999",
        {},
        "NotationError: line 1, column 8: conv kernel_size must be a whole number from 1, or one per axis such as 3x5, not '99999999999'\n"
        "  conv 8 99999999999\n"
        "         ^\n"
        "  fix:      whole numbers go up to 2147483647",
    ),
    (
        "take 0, 1",
        {},
        "NotationError: line 1, column 7: cannot read ','\n"
        "  take 0, 1\n"
        "        ^\n"
        "  fix:      a list has no spaces: 0,1,2; what a layer or a block takes has no commas",
    ),
    (
        "conv 8 3 fill reflekt",
        {},
        "NotationError: line 1, column 15: conv fill must be a number, or reflect, replicate, circular, not 'reflekt'\n"
        "  conv 8 3 fill reflekt\n"
        "                ^\n"
        "  fix:      did you mean 'reflect'?",
    ),
    (
        "relu -> gelu approximate tahn",
        {},
        "NotationError: line 1, column 26: gelu approximate must be one of none, tanh, not 'tahn'\n"
        "  relu -> gelu approximate tahn\n"
        "                           ^\n"
        "  fix:      did you mean 'tanh'?",
    ),
    (
        "conv 8 3 init sobell_x",
        {},
        f"NotationError: line 1, column 15: conv init must be {STARTS}, not 'sobell_x'\n"
        "  conv 8 3 init sobell_x\n"
        "                ^\n"
        "  fix:      did you mean 'sobel_x'?",
    ),
    (
        "dense 8 init normal",
        {},
        f"NotationError: line 1, column 14: dense init must be {STARTS}, not 'normal'\n"
        "  dense 8 init normal\n"
        "               ^\n"
        "  fix:      did you mean 'normal:0.02'?",
    ),
    (
        "pad 3000000000",
        {},
        "NotationError: line 1, column 5: pad padding must be a whole number from 0, or one per axis such as 1x2 or 1:2x0:1, not '3000000000'\n"
        "  pad 3000000000\n"
        "      ^\n"
        "  fix:      whole numbers go up to 2147483647",
    ),
    (
        "relu max -12345678901",
        {},
        "NotationError: line 1, column 10: relu max must be a number above 0, or unset, not '-12345678901'\n"
        "  relu max -12345678901\n"
        "           ^",
    ),
    (
        "dropout 1",
        {},
        "NotationError: line 1, column 9: dropout p must be a number from 0 to below 1, not '1'\n"
        "  dropout 1\n"
        "          ^",
    ),
    (
        "input uint9",
        {},
        "NotationError: line 1, column 7: input has no 'uint9'\n"
        "  input uint9\n"
        "        ^\n"
        "  fix:      did you mean 'uint8'?",
    ),
    (
        "(((",
        {},
        "NotationError: line 1, column 1: unexpected '('\n"
        "  (((\n"
        "  ^\n"
        "  fix:      parentheses belong to add, concat, outputs and each; groups stand in [ ]",
    ),
    (
        "relu | relu",
        {},
        "NotationError: line 1, column 6: unexpected '|'\n"
        "  relu | relu\n"
        "       ^\n"
        "  fix:      -> or a new line joins layers",
    ),
    (
        "relu                                                                                                                                                                                                        -> rellu",
        {},
        "NotationError: line 1, column 208: unknown word 'rellu'\n"
        "                                     -> rellu\n"
        "                                        ^\n"
        "  fix:      did you mean 'relu'?",
    ),
]


@pytest.mark.parametrize(("text", "settings", "message"), CASES, ids=range(len(CASES)))
def test_message(text: str, settings: dict[str, int], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text, settings)
    assert f"{type(caught.value).__name__}: {caught.value}" == message


def test_the_place_is_a_field_too() -> None:
    with pytest.raises(SpecError) as caught:
        parse("conv 8 3\n  rellu")
    error = caught.value
    assert (error.line, error.column, error.source_line) == (2, 3, "  rellu")  # type: ignore[attr-defined]
    assert error.fix == "did you mean 'relu'?"


@pytest.mark.parametrize(
    "text", ["relu " * 2000, "[" * 10_000, "a: " * 5000, "add(" * 5000, "@" * 9999]
)
def test_absurd_texts_give_a_sentence(text: str) -> None:
    with pytest.raises(SpecError):
        parse(text)
