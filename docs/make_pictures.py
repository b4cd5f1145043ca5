"""Draw the pictures of the pages from real output: python docs/make_pictures.py

The table is what `foveal show` prints; the report is that of LeNet-5 on the built-in digits, as a
browser shows it. Without Chromium or Chrome the old picture of the report is kept. What explains
layers is drawn by a script of its own for each picture, `draw_NAME.py` beside this one.
"""

from __future__ import annotations

import io
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from rich.text import Text

PICTURES = Path(__file__).parent / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SIZE = (920, 1180)
"""Width and height of the report's picture, in pixels."""


def foveal(*arguments: str) -> str:
    """What the command prints on standard output."""
    command = [sys.executable, "-m", "foveal", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def draw_table(path: Path) -> None:
    """A terminal with `foveal show lenet5`."""
    printed = f"$ foveal show lenet5\n{foveal('show', 'lenet5')}"
    width = max(map(len, printed.splitlines()))
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(Text(printed.rstrip()))
    drawing = console.export_svg(title="foveal show lenet5", theme=DEFAULT_TERMINAL_THEME)
    # The font would be fetched from elsewhere; any font of fixed width will do.
    drawing = re.sub(r"\s*@font-face \{.*?\}", "", drawing, flags=re.S)
    path.write_text(drawing, encoding="utf-8")


def draw_report(path: Path) -> bool:
    """The top of a report as a browser shows it; False if there is no browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        foveal("train", "digits", "--net", "lenet5", "--runs", folder, "--name", "digits")
        page = Path(folder, "classify", "digits", "report.html")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        options += [f"--user-data-dir={folder}/browser", f"--screenshot={path}"]
        options += ["--window-size={},{}".format(*SIZE)]
        subprocess.run([browser, *options, page.as_uri()], check=True, capture_output=True)
    Image.open(path).quantize(96).save(path, optimize=True)
    return True


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    draw_table(PICTURES / "show.svg")
    for script in sorted(Path(__file__).parent.glob("draw_*.py")):
        runpy.run_path(str(script), run_name="__main__")
    if not draw_report(PICTURES / "report.png"):
        print("no browser found: the picture of the report is the old one")


if __name__ == "__main__":
    main()
