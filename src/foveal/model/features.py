"""What a net makes of pictures at any of its steps, and a cache so that it is computed once."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import batched, chain
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foveal import cache, engines
from foveal.data.samples import Skipped, refuse_if_many
from foveal.engines import Engine
from foveal.errors import DataError, MachineError, ModelFileError
from foveal.model import container
from foveal.model.preprocessing import Split, split
from foveal.net import Net
from foveal.net.heads import head
from foveal.net.kind import Shape
from foveal.net.program import Program
