"""Where PyTorch computes: read from the machine, set while training, restored afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from foveal import zoo
from foveal.engines.pytorch import machine
from foveal.engines.pytorch.machine import Machine

CPU = torch.device("cpu")


INTEL, AMD = "vendor_id : GenuineIntel", "vendor_id : AuthenticAMD"


@pytest.mark.parametrize(
    ("said", "fast"),
    [
        (f"{INTEL}\nflags : avx512f avx512_bf16 amx_bf16 amx_tile", True),
        (f"{INTEL}\nflags : avx512f avx512_bf16", False),
        (f"{AMD}\nflags : avx512f avx512_bf16", True),
        (f"{AMD}\nflags : avx2", False),
    ],
)
def test_bfloat16_is_chosen_where_the_processor_says_that_it_is_fast(
    monkeypatch: pytest.MonkeyPatch, said: str, fast: bool
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: said)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert machine.is_bfloat16_fast(CPU) is fast
    assert Machine.find("auto").precision == ("bfloat16" if fast else "float32")
    assert Machine.find("float32").precision == "float32"
    assert Machine.find("bfloat16").precision == "bfloat16"


@pytest.mark.parametrize(
    ("name", "shape", "precision"),
    [
        ("resnet18", (3, 32, 32), "bfloat16"),
        ("quick", (1, 28, 28), "bfloat16"),
        ("lenet5", (1, 32, 32), "float32"),
        ("mobilenet_v2", (3, 96, 96), "float32"),
    ],
)
def test_a_net_that_multiplies_little_learns_in_float32_on_a_processor(
    monkeypatch: pytest.MonkeyPatch, name: str, shape: tuple[int, ...], precision: str
) -> None:
    monkeypatch.setattr(machine, "is_bfloat16_fast", lambda _: True)
    program = zoo.ENTRIES[name].build(shape, 10).bind(shape)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Machine.find("auto", program).precision == precision
    assert Machine.find("bfloat16", program).precision == "bfloat16"
    assert machine.multiplies_much(program, torch.device("cuda"))


def test_a_machine_that_says_nothing_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", refuse)
    assert not machine.is_bfloat16_fast(CPU)
    assert machine.num_cores() >= 1


@pytest.mark.parametrize(
    ("text", "cores"), [("150000 100000", 2), ("max 100000", None), ("", None), ("50000 100000", 1)]
)
def test_the_quota_of_a_container_is_read(text: str, cores: int | None) -> None:
    assert machine._quota(text) == cores


def test_hyperthreads_of_one_core_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    siblings = {0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3"}

    def read(path: Path) -> str:
        number = path.parts[-3].removeprefix("cpu")
        return siblings[int(number)] if number.isdigit() else "max 100000"

    monkeypatch.setattr(machine, "_read", read)
    assert machine.num_cores() == 2


def test_settings_are_restored_also_when_something_fails() -> None:
    threads = torch.get_num_threads()
    other = Machine(CPU, "float32", threads + 1)

    def fail() -> None:
        with other.steady():
            assert torch.get_num_threads() == threads + 1
            assert torch.are_deterministic_algorithms_enabled()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_layers_compute_in_the_precision_of_the_machine() -> None:
    x, weight = torch.ones(2, 3), torch.ones(4, 3)
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with Machine(CPU, precision, 1).autocast():
            assert torch.nn.functional.linear(x, weight).dtype == dtype


def test_the_device_is_named_with_its_threads() -> None:
    assert Machine(CPU, "float32", 1).name() == "CPU, 1 thread"
    assert Machine(CPU, "float32", 2).name() == "CPU, 2 threads"
