"""`foveal show`: which net is meant, what arrives, and the four ways to look at it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from foveal.cli import main
from foveal.cli.nets import input_shape, resolve
from foveal.errors import SpecError
from foveal.model import container
from foveal.net.kind import Shape
from foveal.net.notation import parse
from foveal.zoo import ENTRIES

Read = Callable[..., str]
PATTERN = "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC"


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Read:
    """What `foveal show ARGUMENTS` prints."""

    def run(*arguments: str | Path) -> str:
        assert main(["show", *map(str, arguments)]) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def refuse(capsys: pytest.CaptureFixture[str]) -> Read:
    """The sentence with which `foveal show ARGUMENTS` exits 2."""

    def run(*arguments: str | Path) -> str:
        assert main(["show", *map(str, arguments)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        return captured.err

    return run


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model file: what `show` reads is its header."""
    path = tmp_path / "pets.safetensors"
    document = {
        "format": 1,
        "net": "input uint8 -> resize 16 -> crop 16 -> c1: conv 4 3 -> flatten -> dense1: dense 2",
        "input": [3, 20, 30],
        "task": "classify",
        "classes": ["cat", "dog"],
        "about": {},
    }
    container.write(path, document, {})
    return path


def test_notation_in_quotes(show: Read) -> None:
    printed = show("conv 10 3 -> conv 20 5 stride 2 -> conv 40 5 stride 2", "--input", "3x39x39")
    lines = [line.split() for line in printed.splitlines()]
    assert ["conv3", "40x7x7", "20,040", "980,000", "15x15", "7.7", "KiB"] in lines
    assert ["Total", "params", "25,340"] in lines


def test_a_net_file(show: Read, tmp_path: Path) -> None:
    path = tmp_path / "small net.net"
    path.write_text("# two layers\nconv 6 5\nrelu\n", encoding="utf-8")
    assert show(path, "--input", "3x32x32") == show("conv 6 5 -> relu", "--input", "3x32x32")


@pytest.mark.parametrize("name", ENTRIES)
def test_a_name_of_the_zoo_brings_its_input(name: str, show: Read) -> None:
    facts = json.loads(show(name, "--json"))
    assert facts["input"] == list(ENTRIES[name].input)
    assert facts["parameters"] == ENTRIES[name].parameters


def test_a_name_of_the_zoo_on_another_input_in_any_case(show: Read) -> None:
    facts = json.loads(show("ResNet18", "--input", "3x32x32", "--json"))
    assert facts["layers"][0]["output"] == [64, 32, 32]


def test_a_model_file_brings_its_input(show: Read, model: Path) -> None:
    facts = json.loads(show(model, "--json"))
    assert facts["input"] == [3, 20, 30]
    assert [row["name"] for row in facts["layers"]][-1] == "dense1"
    assert json.loads(show(model, "--input", "3x40x40", "--json"))["input"] == [3, 40, 40]


def test_a_model_file_is_one_whatever_it_is_called(show: Read, model: Path) -> None:
    other = model.rename(model.with_name("pets"))
    assert "Total params" in show(other)


def test_the_articles_pattern_with_letters(show: Read) -> None:
    facts = json.loads(show(PATTERN, "--input", "3x32x32", "--set", "N=1,M=2,K=0", "--json"))
    kinds = [row["kind"] for row in facts["layers"]]
    assert kinds == ["Input", *["Conv", "ReLU", "MaxPool"] * 2, "Flatten", "Dense"]


def test_symbols(show: Read) -> None:
    printed = show("conv 10 3", "--input", "3x39x39", "--symbols")
    assert "n[1] = ⌊(n[0] + 2p - f)/s + 1⌋ = ⌊(39 + 0 - 3)/1 + 1⌋ = 37\n" in printed


def test_formulas(show: Read) -> None:
    printed = show("conv 6 5", "--input", "3x32x32", "--formulas")
    assert "  parameters       6*3*5*5 + 6 = 456\n" in printed


def test_json_is_one_line_with_a_layer_per_step(show: Read) -> None:
    printed = show("conv 6 5 -> upper: relu -> flatten", "--input", "3x32x32", "--json")
    assert printed.count("\n") == 1
    first, second, third = json.loads(printed)["layers"]
    assert (first["name"], first["kind"], first["output"]) == ("conv1", "Conv", [6, 28, 28])
    assert (first["parameters"], first["macs"]) == (456, 352_800)
    assert (first["receptive_field"], first["jump"], first["start"]) == ([5, 5], [1, 1], [2, 2])
    assert (first["global"], second["name"]) == (False, "upper")
    assert (third["receptive_field"], third["global"]) == (None, True)


def test_a_terminal_gets_its_width_and_a_bold_heading(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)
    monkeypatch.setattr("os.get_terminal_size", lambda fd: type("Size", (), {"columns": 70}))
    assert main(["show", "resnet18"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("\033[1mLayer ")
    assert max(map(len, lines[1:75])) <= 75


SHAPES: list[tuple[str, Shape]] = [
    ("3x32x32", (3, 32, 32)),
    ("3×32×48", (3, 32, 48)),
    ("784", (784,)),
    ("1x400", (1, 400)),
    ("1x16x64x64", (1, 16, 64, 64)),
    ("255x255x3:HWC", (3, 255, 255)),
    ("255x255x3:hwc", (3, 255, 255)),
    ("288x255x3:CHW", (288, 255, 3)),
    ("400x1:LC", (1, 400)),
    ("400x1:CL", (400, 1)),
    ("16x64x64x1:DHWC", (1, 16, 64, 64)),
    ("16x64x64x1:CDHW", (16, 64, 64, 1)),
    ("3x32x3", (3, 32, 3)),
    ("64x1x1", (64, 1, 1)),
    ("512x7x7", (512, 7, 7)),
    ("400x1", (400, 1)),
]


@pytest.mark.parametrize(("text", "shape"), SHAPES)
def test_sizes_are_channels_first_unless_said(text: str, shape: Shape) -> None:
    assert input_shape(text) == shape


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("288x288x3", "3x288x288"),
        ("255x255x1", "1x255x255"),
        ("480x640x4", "4x480x640"),
        ("16x64x64x1", "1x16x64x64"),
    ],
)
def test_channels_last_are_asked_about(text: str, meant: str) -> None:
    with pytest.raises(SpecError, match=f"did you mean {meant}\\?"):
        input_shape(text)


@pytest.mark.parametrize(
    "text", ["", "x", "3x", "3x0x4", "-3", "3x4x5x6x7", "1e3", "3,4", "3x99999999999"]
)
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match="cannot read"):
        input_shape(text)


def test_letters_are_for_notation_only(model: Path) -> None:
    for text in ("lenet5", str(model)):
        with pytest.raises(SpecError, match="letters"):
            resolve(text, "1x32x32", {"N": 2})


def test_resolve_gives_net_and_input() -> None:
    assert resolve("relu", "5", {}) == (parse("relu"), (5,))


REFUSALS: list[tuple[tuple[str, ...], str]] = [
    (
        ("conv 6 5", "--input", "288x288x3"),
        "SpecError: --input: 288x288x3: did you mean 3x288x288? (Foveal writes channels first)\n"
        "  fix:      to mean channels last write --input 288x288x3:HWC;\n"
        "            288 channels are --input 288x288x3:CHW\n",
    ),
    (
        ("conv 6 5", "--input", "12x"),
        "SpecError: --input: cannot read '12x'\n"
        "  fix:      channels first: 3x32x32 for pictures, 1x400 for series, "
        "784 for flat features\n",
    ),
    (
        ("conv 6 5", "--input", "3x32x32:LC"),
        "SpecError: --input: 3x32x32 is not of the form LC\n"
        "  fix:      CHW or HWC for pictures, CL or LC for series, CDHW or DHWC for volumes\n",
    ),
    (
        ("conv 6 5",),
        "SpecError: --input: is missing, and the net alone does not say what arrives\n"
        "  fix:      --input 3x32x32 (channels x height x width)\n",
    ),
    (
        ("resnet81",),
        "SpecError: resnet81: is no net of the zoo, no .net file and no layer\n"
        "  fix:      did you mean 'resnet18'?\n",
    ),
    (
        ("zzz",),
        "SpecError: zzz: is no net of the zoo, no .net file and no layer\n"
        f"  fix:      the zoo has {', '.join(ENTRIES)}\n",
    ),
    (
        ("lenet5", "--set", "N=2"),
        "SpecError: --set: has letters to set only in notation\n  fix:      leave it out\n",
    ),
    (
        ("conv 6 5", "--input", "3x4x4"),
        "ShapeError: layer 1 'conv1' (Conv): kernel 5x5 does not fit into 4x4\n"
        "  arrives:  3x4x4 from the input\n"
        "  fix:      padding same, a smaller kernel, or one pooling layer fewer\n",
    ),
    (
        ("conv 6 5 -> rellu", "--input", "3x32x32"),
        "NotationError: line 1, column 13: unknown word 'rellu'\n"
        "  conv 6 5 -> rellu\n"
        "              ^\n"
        "  fix:      did you mean 'relu'?\n",
    ),
    (
        ("absent.safetensors",),
        "ModelFileError: absent.safetensors: there is no such file\n",
    ),
    (
        ("absent.net", "--input", "3"),
        "SpecError: absent.net: cannot be read: No such file or directory\n",
    ),
]


@pytest.mark.parametrize(("arguments", "printed"), REFUSALS)
def test_refusals(arguments: tuple[str, ...], printed: str, refuse: Read) -> None:
    assert refuse(*arguments) == printed


def test_a_net_file_that_is_no_text(refuse: Read, tmp_path: Path) -> None:
    path = tmp_path / "latin.net"
    path.write_bytes("# für alle\nrelu".encode("latin-1"))
    assert refuse(path, "--input", "3") == f"SpecError: {path}: is not text in UTF-8\n"


def test_a_file_of_another_kind_is_named(refuse: Read, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"PK\x03\x04" + bytes(600))
    assert refuse(path).startswith(f"ModelFileError: {path}: is no Foveal model but ")


LOADED = """
import sys
sys.path.insert(0, {source!r})
from foveal.cli import main
assert main({arguments!r}) == 0
heavy = {{"numpy", "rich", "torch", "onnxruntime", "PIL", "safetensors"}}
print(*sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("view", [[], ["--json"], ["--symbols"], ["--formulas"]])
@pytest.mark.parametrize("net", ["conv 6 5", "lenet5", "model"])
def test_nothing_heavy_is_imported(net: str, view: list[str], model: Path) -> None:
    import foveal

    source = str(Path(foveal.__file__).parent.parent)
    arguments = ["show", str(model) if net == "model" else net, "--input", "1x32x32", *view]
    code = LOADED.format(source=source, arguments=arguments)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert (run.returncode, run.stderr) == (0, "\n")


def test_the_installed_command_prints_the_table(run_foveal: Callable) -> None:
    run = run_foveal("show", "conv 6 5", "--input", "3x32x32")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("Layer ")
