"""Whatever happens while a model is saved, the old one or the new one is there, and whole."""

import json
import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from foveal import files
from foveal.model import container

SAVE = """
import itertools, pathlib, sys
import numpy as np
from foveal.model import container
path = pathlib.Path(sys.argv[1])
for version in itertools.count(1):
    container.write(path, {"version": version}, {"a": np.full(50_000, version, np.float32)})
    print(version, flush=True)
"""

KILLED_AT = """
import os, pathlib, signal, sys
import numpy as np
from foveal.model import container
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
owner, name, nth = sys.argv[2], sys.argv[3], int(sys.argv[4])
owner = {"os": os, "Path": pathlib.Path}[owner]
kept, calls = getattr(owner, name), []
def call(*arguments, **options):
    calls.append(name)
    return die() if len(calls) == nth else kept(*arguments, **options)
setattr(owner, name, call)
tensors = {"a": np.full(50_000, 2, np.float32)}
container.write(pathlib.Path(sys.argv[1]), {"version": 2}, tensors)
"""


def version_in(path):
    """Which version a file holds: its document and its weights must agree."""
    header = container.read_header(path)
    numbers = np.unique(container.read_tensors(path, header)["a"])
    assert numbers.tolist() == [header.document["version"]]
    return header.document["version"]


def save(path, version):
    container.write(path, {"version": version}, {"a": np.full(50_000, version, np.float32)})


def test_a_save_that_is_killed_leaves_the_old_model_or_the_new_one(tmp_path):
    path = tmp_path / "m.safetensors"
    save(path, 0)
    instant = random.Random(0)
    for _ in range(15):
        command = [sys.executable, "-c", SAVE, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            time.sleep(instant.uniform(0, 0.02))
            process.kill()
            said = int((process.stdout.read().split() or ["1"])[-1])
        assert version_in(path) in (said, said + 1)
        files.sweep(tmp_path)
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot kill itself as hard there")
@pytest.mark.parametrize(
    ("owner", "name", "nth", "version"),
    [
        ("Path", "touch", 1, 1),
        ("Path", "open", 2, 1),
        ("os", "fsync", 1, 1),
        ("Path", "replace", 1, 1),
        ("os", "fsync", 2, 2),
    ],
    ids=[
        "before the first byte",
        "with an empty part",
        "unsynced",
        "before the rename",
        "after it",
    ],
)
def test_each_step_of_a_save_may_be_the_last(tmp_path, owner, name, nth, version):
    path = tmp_path / "m.safetensors"
    save(path, 1)
    command = [sys.executable, "-c", KILLED_AT, str(path), owner, name, str(nth)]
    assert subprocess.run(command).returncode == -9
    assert version_in(path) == version
    files.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


FULL = """
import json, pathlib, subprocess, sys
import numpy as np
from foveal.errors import MachineError
from foveal.model import container
folder = pathlib.Path(sys.argv[1])
path = folder / "m.safetensors"

def outcome(numbers):
    try:
        container.write(path, {}, {"a": np.zeros(numbers, np.float32)})
        message = "saved"
    except MachineError as error:
        assert error.exit_code == 3
        message = str(error)
    there = [entry.name for entry in folder.iterdir()]
    return [message, there, container.read_tensors(path)["a"].size]

outcomes = [outcome(1_000), outcome(2**19), outcome(2_000)]
subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
print(json.dumps([*outcomes, outcome(3_000)]))
"""


def on_a_small_disk(folder, program):
    """What a program prints that has a disk of 1 MiB at `folder`, which goes when it ends."""
    own = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    script = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" -c "$3" "$1"'
    begun = [*own, "sh", "-c", script, "sh", str(folder), sys.executable, program]
    probe = [*own, "mount", "-t", "tmpfs", "none", str(folder)]
    try:
        refusal = subprocess.run(probe, capture_output=True, text=True).stderr
    except FileNotFoundError as error:
        refusal = str(error)
    if refusal and os.environ.get("CI"):
        pytest.fail(f"no disk can be filled here: {refusal}")
    if refusal:
        pytest.skip(f"no disk can be filled here: {refusal}")
    return subprocess.run(begun, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there is no small disk to be had")
def test_a_full_or_read_only_disk_leaves_the_old_model_and_says_what_is_needed(tmp_path):
    path = tmp_path / "m.safetensors"
    saved, full, again, read_only = json.loads(on_a_small_disk(tmp_path, FULL))
    assert saved == ["saved", [path.name], 1_000]
    assert full == [
        f"{path}: cannot be saved: No space left on device\n"
        "  expected: 2,097,416 bytes to be written\n"
        "  fix:      free 2,097,416 bytes on that disk, or save elsewhere",
        [path.name],
        1_000,
    ]
    assert again == ["saved", [path.name], 2_000]
    assert read_only == [
        f"{path}: cannot be saved: Read-only file system\n"
        "  expected: 12,264 bytes to be written\n"
        "  fix:      save to a disk that can be written",
        [path.name],
        2_000,
    ]
    assert list(tmp_path.iterdir()) == []
