"""How much disk the base install of Foveal takes: python benchmarks/base_size.py

Installs this checkout without extras into a throw-away environment and prints the megabytes
(10^6 bytes) in site-packages, without pip and setuptools, the largest first.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
NOT_COUNTED = re.compile(r"(pip|setuptools|pkg_resources|_distutils_hack|distutils-precedence)\b")


def bytes_of(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def measure() -> dict[str, int]:
    """Bytes of each entry of site-packages."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "Scripts" if os.name == "nt" else "bin", "python")
        install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        constraints = ["-c", str(PROJECT / "constraints.txt")]
        subprocess.run([python, *install, *constraints, str(PROJECT)], check=True)
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        answer = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True)
        entries = Path(answer.stdout.strip()).iterdir()
        return {path.name: bytes_of(path) for path in entries if not NOT_COUNTED.match(path.name)}


def main() -> None:
    sizes = measure()
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True)[:12]:
        print(f"{sizes[name] / 1e6:8.1f} MB  {name}")
    print(f"{sum(sizes.values()) / 1e6:8.1f} MB  in all, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
