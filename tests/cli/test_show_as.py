"""`foveal show --as`: a net in another form, printed or written to a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import foveal
from foveal.cli import main
from foveal.engines import source
from foveal.model import Model
from foveal.net.notation import parse


@pytest.fixture
def model(tmp_path: Path) -> Path:
    net = parse("input uint8 -> normalise -> conv 4 3 -> flatten -> dense 2 -> softmax")
    path = tmp_path / "my pets.safetensors"
    Model.fresh(net, (3, 8, 8), ("cat", "dog")).save(path)
    return path


def test_a_net_is_printed_as_pytorch(capsys: pytest.CaptureFixture[str]) -> None:
    net = "conv 8 3 -> relu"
    assert main(["show", net, "--input", "3x8x8", "--as", "pytorch"]) == 0
    assert capsys.readouterr().out == source.write(parse(net).bind((3, 8, 8)))


def test_a_net_of_the_zoo_has_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "lenet5", "--as", "pytorch"]) == 0
    assert "class Lenet5(nn.Module):" in capsys.readouterr().out


def test_a_net_file_has_its_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "two layers.net").write_text("conv 6 5\nrelu\n", encoding="utf-8")
    file = str(tmp_path / "two layers.net")
    assert main(["show", file, "--input", "3x8x8", "--as", "pytorch"]) == 0
    assert "class TwoLayers(nn.Module):" in capsys.readouterr().out


def test_a_model_file_brings_its_classes_and_is_loaded(
    capsys: pytest.CaptureFixture[str], model: Path
) -> None:
    assert main(["show", str(model), "--as", "pytorch"]) == 0
    printed = capsys.readouterr().out
    assert 'CLASSES = ("cat", "dog")' in printed
    assert 'net = load("my pets.safetensors")' in printed
    assert "def load(path: str) -> MyPets:" in printed


def test_a_file_of_ours_is_written_anew(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    for net in ("lenet5", "resnet18"):
        assert main(["show", net, "--as", "pytorch", "-o", str(file)]) == 0
        lines = len(file.read_text(encoding="utf-8").splitlines())
        assert capsys.readouterr().out == f"written {file} ({lines} lines)\n"
    assert "class Resnet18" in file.read_text(encoding="utf-8")


def test_a_file_of_somebody_else_stays(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("print('mine')\n", encoding="utf-8")
    for target in (file, tmp_path):
        assert main(["show", "lenet5", "--as", "pytorch", "-o", str(target)]) == 2
        assert capsys.readouterr().err == (
            f"SpecError: {target}: is there already, and was not written by Foveal\n"
            "  fix:      -o another name\n"
        )
    assert file.read_text(encoding="utf-8") == "print('mine')\n"


REFUSALS = [
    (
        ("-o", "net.py"),
        "SpecError: --output: says where to write a form\n  fix:      --as pytorch, too\n",
    ),
    (
        ("--as", "pytorch", "--json"),
        "SpecError: --as: is not for --json\n  fix:      one of the two\n",
    ),
    (
        ("--as", "keras"),
        "UsageError: Invalid value for '--as': 'keras' is not one of 'pytorch', 'svg'.\n"
        "  help:     foveal show --help\n",
    ),
]


@pytest.mark.parametrize(("arguments", "printed"), REFUSALS)
def test_refusals(
    arguments: tuple[str, ...], printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "lenet5", *arguments]) == 2
    assert capsys.readouterr().err == printed


LOADED = """
import sys
sys.path.insert(0, {source!r})
from foveal.cli import main
assert main(["show", {net!r}, "--as", "pytorch"]) == 0
heavy = {{"numpy", "rich", "torch", "onnxruntime", "PIL", "safetensors"}}
print(*sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("net", ["resnet18", "model"])
def test_nothing_heavy_is_imported(net: str, model: Path) -> None:
    place = str(Path(foveal.__file__).parent.parent)
    code = LOADED.format(source=place, net=str(model) if net == "model" else net)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert (run.returncode, run.stderr) == (0, "\n")
