"""A .pth becomes safetensors, and nothing in it is run."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import pickle
import subprocess
import sys
import traceback
import warnings
from collections import OrderedDict
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from foveal import files
from foveal.engines.pytorch import unpickling
from foveal.errors import MachineError, MissingExtra, ModelFileError, SpecError
from foveal.model import conversion
from foveal.model.conversion import convert

TENSORS = {
    "a.weight": torch.arange(6.0).reshape(2, 3),
    "a.bias": torch.tensor([1, 2], dtype=torch.bfloat16),
    "n": torch.tensor(7),
}


class Malicious:
    """What runs a command as soon as it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable, tuple[str]]:
        return os.system, (f"echo run > {self.trace}",)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process's work in this one, which has PyTorch loaded already."""

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
        assert command[:4] == [sys.executable, "-P", "-m", "foveal.engines.pytorch.unpickling"]
        assert options == {"capture_output": True, "timeout": 300}
        out, said = io.TextIOWrapper(io.BytesIO()), io.StringIO()
        with redirect_stdout(out), redirect_stderr(said), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch, about old files
            try:
                code = unpickling.main(command[4])
            except Exception:  # noqa: BLE001 - PyTorch raises what it likes
                code = 1
                traceback.print_exc()
        content = out.buffer.getvalue()  # type: ignore[attr-defined]
        return subprocess.CompletedProcess(command, code, content, said.getvalue().encode())

    monkeypatch.setattr(subprocess, "run", run)


def refusal(path: Path) -> str:
    """The sentence with which a file is refused, without its path; nothing is written."""
    output = path.with_name("out.safetensors")
    with pytest.raises(ModelFileError) as caught:
        convert(path, output)
    assert not output.exists()
    return str(caught.value).removeprefix(f"{path}: ")


def test_tensors_come_out_as_they_went_in(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "a.pth")
    (tmp_path / "torch.py").write_text("raise SystemExit('the wrong one')")
    with contextlib.chdir(tmp_path):
        digest = convert(Path("a.pth"), Path("a.safetensors"))
    assert files.sha256(tmp_path / "a.safetensors") == digest
    found = load_file(tmp_path / "a.safetensors")
    assert found.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


@pytest.mark.usefixtures("here")
def test_a_malicious_file_is_refused_and_nothing_runs(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    torch.save({**TENSORS, "b": Malicious(trace)}, tmp_path / "bad.pth")
    module = os.system.__module__
    assert refusal(tmp_path / "bad.pth") == (
        f"asks for {module}.system, and was read no further\n"
        "  expected: nothing but tensors and their names\n"
        "  fix:      where it was made: torch.save(model.state_dict(), FILE)"
    )
    assert not trace.exists()
    with (tmp_path / "bad.pth").open("rb") as file:
        torch.load(file, weights_only=False)  # it would have
    assert trace.exists()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "content",
    [
        {"epoch": 3, "state_dict": TENSORS, "optimizer": {}},
        {"model": TENSORS, "args": {"lr": 0.1}},
        {f"module.{name}": tensor for name, tensor in TENSORS.items()},
        OrderedDict((name, torch.nn.Parameter(t, False)) for name, t in TENSORS.items()),
    ],
    ids=["state_dict", "model", "parallel", "parameters"],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "pickle"])
def test_forms_of_a_file(content: object, zipped: bool, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    convert(tmp_path / "a.pth", tmp_path / "a.safetensors")
    found = load_file(tmp_path / "a.safetensors")
    assert {name: t.tolist() for name, t in found.items()} == {
        name: t.tolist() for name, t in TENSORS.items()
    }


@pytest.mark.usefixtures("here")
def test_tensors_that_share_numbers_get_their_own(tmp_path: Path) -> None:
    whole = torch.arange(1000.0).reshape(10, 100)
    torch.save({"a": whole, "b": whole, "row": whole[3], "turned": whole.T}, tmp_path / "a.pth")
    convert(tmp_path / "a.pth", tmp_path / "a.safetensors")
    found = load_file(tmp_path / "a.safetensors")
    assert torch.equal(found["a"], whole)
    assert torch.equal(found["b"], whole)
    assert torch.equal(found["row"], whole[3])
    assert torch.equal(found["turned"], whole.T)


SAVE = "  fix:      where it was made: torch.save(model.state_dict(), FILE)"
REFUSED = [
    (
        "a whole module",
        torch.nn.Linear(2, 2),
        "asks for torch.nn.modules.linear.Linear, and was read no further\n"
        f"  expected: nothing but tensors and their names\n{SAVE}",
    ),
    (
        "a number",
        {**TENSORS, "epoch": 3},
        f"its entry 'epoch' is no tensor\n  arrives:  int\n  expected: a tensor\n{SAVE}",
    ),
    (
        "a list",
        [torch.zeros(2)],
        f"holds no tensors with names\n  arrives:  list\n  expected: a state_dict\n{SAVE}",
    ),
    (
        "nothing",
        {},
        f"holds no tensors with names\n  arrives:  dict\n  expected: a state_dict\n{SAVE}",
    ),
    (
        "numbered",
        {1: torch.zeros(2)},
        f"has an entry without a name\n  arrives:  1\n  expected: a printable text\n{SAVE}",
    ),
    (
        "an escape",
        {"a\x1b[2J": torch.zeros(2)},
        "has an entry without a name\n  arrives:  'a\\x1b[2J'\n"
        f"  expected: a printable text\n{SAVE}",
    ),
    (
        "complex",
        {"a": torch.zeros(2, dtype=torch.complex64)},
        "its tensor 'a' is no plain array\n  arrives:  complex64, strided\n"
        f"  expected: numbers, strided\n{SAVE}",
    ),
    (
        "sparse",
        {"a": torch.eye(3).to_sparse()},
        "its tensor 'a' is no plain array\n  arrives:  float32, sparse_coo\n"
        f"  expected: numbers, strided\n{SAVE}",
    ),
]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("content", "sentence"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_no_state_dict(content: object, sentence: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth") == sentence


@pytest.mark.usefixtures("here")
def test_tensors_that_claim_terabytes(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "a.pth")
    size = (tmp_path / "a.pth").stat().st_size
    assert refusal(tmp_path / "a.pth") == (
        "claims larger tensors than it holds numbers for\n"
        "  arrives:  tensors of 4,000,000,000,000 bytes\n"
        f"  expected: at most {4 * size:,} in such a file"
    )


def script(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(torch.nn.Linear(2, 2)).save(str(path))


def cut(path: Path) -> None:
    torch.save(TENSORS, path)
    path.write_bytes(path.read_bytes()[:-600])


def cut_pickle(path: Path) -> None:
    torch.save({"a": torch.zeros(9)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-6])


AGAIN = "  fix:      fetch or make the file once more"
OTHERS = [
    (lambda path: path.write_bytes(b""), f"is empty\n{AGAIN}"),
    (
        lambda path: path.write_text("hello"),
        "is no .pth but a text\n  fix:      give the .pth itself",
    ),
    (
        lambda path: path.write_bytes(pickle.dumps({"a": [1.0]}, protocol=4)),
        f"is a pickle, but none of PyTorch's\n  expected: weights\n{SAVE}",
    ),
    (script, f"is a TorchScript program\n  expected: weights\n{SAVE}"),
    (
        cut_pickle,
        "is damaged or cut\n  arrives:  RuntimeError: unexpected EOF, expected 6 more bytes. "
        f"The file might be corrupted.\n{AGAIN}",
    ),
    (
        lambda path: save_file(TENSORS, path),
        "is safetensors already\n  fix:      foveal cache add {path}",
    ),
]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("make", "sentence"), OTHERS, ids=["empty", "text", "pickle", "script", "cut", "safetensors"]
)
def test_what_is_no_pth(make: Callable, sentence: str, tmp_path: Path) -> None:
    make(tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth") == sentence.format(path=tmp_path / "a.pth")


@pytest.mark.usefixtures("here")
def test_a_cut_archive(tmp_path: Path) -> None:
    cut(tmp_path / "a.pth")
    first, arrives, fix = refusal(tmp_path / "a.pth").split("\n")
    assert (first, fix) == ("is damaged or cut", AGAIN)
    assert arrives.startswith("  arrives:  ")  # PyTorch's own words, with places in its source


def test_what_is_not_there(tmp_path: Path) -> None:
    reason = os.strerror(errno.ENOENT)
    assert refusal(tmp_path / "a.pth") == f"cannot be read: {reason}"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "a.pth")
    (tmp_path / "a.safetensors").write_text("mine")
    with pytest.raises(SpecError) as caught:
        convert(tmp_path / "a.pth", tmp_path / "a.safetensors")
    assert str(caught.value) == (
        f"{tmp_path / 'a.safetensors'}: is there already\n  fix:      -o another.safetensors"
    )


def test_without_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        convert(tmp_path / "a.pth", tmp_path / "a.safetensors")
    assert str(caught.value) == (
        "reading a .pth needs the extra 'train'\n  fix:      pip install 'foveal[train]'"
    )


def test_a_file_that_takes_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(TENSORS, tmp_path / "a.pth")
    monkeypatch.setattr(conversion, "LONGEST", 0.001)
    assert refusal(tmp_path / "a.pth") == (
        "was not read after 0.001 seconds\n  fix:      take another file"
    )


def test_a_process_that_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(TENSORS, tmp_path / "a.pth")
    ended = subprocess.CompletedProcess([], -9, b"", b"")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(MachineError) as caught:
        convert(tmp_path / "a.pth", tmp_path / "out.safetensors")
    assert str(caught.value) == (
        f"{tmp_path / 'a.pth'}: the process that read it was ended by signal 9\n"
        "  fix:      close other programs, and try again"
    )
