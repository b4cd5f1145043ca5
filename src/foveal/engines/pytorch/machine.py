"""Where and how PyTorch computes: what the machine says it has, never what a timing says."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Literal

import torch

from foveal.net.arithmetic import arithmetic
from foveal.net.program import Program

Precision = Literal["float32", "bfloat16"]

WORTH = 10
"""Multiplications per byte of a net's outputs from which a processor learns faster in bfloat16.

On an AMD EPYC: ResNet-18 (62) 1.6 times as fast, Keras' net (21) 1.4, `quick` (18) 1.25,
DenseNet-121 (12) 1.2; LeNet-5 (7) 0.86, MobileNet v2 (4) 0.7.
"""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
_CPUINFO = Path("/proc/cpuinfo")
_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
_CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Machine:
    """The device, the precision and the number of threads of a training."""

    device: torch.device
    precision: Precision
    threads: int

    @staticmethod
    def find(precision: str = "auto", program: Program | None = None) -> Machine:
        """This machine: its GPU if PyTorch has one, else the cores this process may use.

        `auto` asks the device for its precision, and the program whether it makes use of it.
        """
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        chosen: Precision = "float32"
        if precision == "bfloat16" or (
            precision == "auto" and is_bfloat16_fast(device) and multiplies_much(program, device)
        ):
            chosen = "bfloat16"
        return Machine(device, chosen, num_cores())

    def name(self) -> str:
        """The device in words."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"CPU, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def autocast(self) -> AbstractContextManager[object]:
        """Inside, layers compute in bfloat16 if that is the precision; weights stay float32."""
        enabled = self.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Inside, PyTorch has this many threads and gives the same bits for the same seed."""
        keep_memory()
        threads = torch.get_num_threads()
        deterministic = torch.are_deterministic_algorithms_enabled()
        memory: Any = torch.utils.deterministic
        fill = memory.fill_uninitialized_memory
        benchmark = torch.backends.cudnn.benchmark
        if self.device.type == "cuda":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # asked for by cuBLAS
        try:
            torch.set_num_threads(self.threads)
            torch.use_deterministic_algorithms(True, warn_only=True)
            memory.fill_uninitialized_memory = False
            torch.backends.cudnn.benchmark = False
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic)
            memory.fill_uninitialized_memory = fill
            torch.backends.cudnn.benchmark = benchmark


def is_bfloat16_fast(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 faster than float32, by what it says of itself.

    GPUs since Ampere, processors with AMX, and AMD's with AVX-512's own bfloat16. With that
    Intel's multiply at half the rate of float32.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    try:
        said = _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "amx_bf16" in said or ("AuthenticAMD" in said and "avx512_bf16" in said)


def multiplies_much(program: Program | None, device: torch.device) -> bool:
    """Whether a program multiplies so much for what it writes that half the bytes of it pay."""
    if program is None or device.type != "cpu":
        return True
    found = arithmetic(program)
    return found.macs >= WORTH * found.memory


def num_cores() -> int:
    """Physical cores this process may use, by its affinity and the quota of its container."""
    if sys.platform != "linux":
        return os.cpu_count() or 1
    allowed = os.sched_getaffinity(0)
    siblings = {_read(_CPUS / f"cpu{n}/topology/thread_siblings_list") or str(n) for n in allowed}
    return max(1, min(len(siblings), _quota(_read(_CPU_MAX)) or len(siblings)))


def keep_memory() -> None:
    """Let glibc keep freed memory, instead of returning it and faulting it in again every step."""
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(_M_MMAP_THRESHOLD, 1 << 30)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def _quota(text: str) -> int | None:
    """Cores of a container's `cpu.max`, which is `MICROSECONDS PERIOD` or `max PERIOD`."""
    quota, _, period = text.partition(" ")
    return ceil(int(quota) / int(period)) if quota.isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
