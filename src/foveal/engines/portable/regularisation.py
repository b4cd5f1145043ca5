"""What only training does leaves no node in the graph."""

from __future__ import annotations

from foveal.engines.portable.graph import Row, pass_on
from foveal.net.kind import Kind
from foveal.net.layers import Dropout, DropPath

ROWS: dict[type[Kind], Row] = {Dropout: pass_on, DropPath: pass_on}
