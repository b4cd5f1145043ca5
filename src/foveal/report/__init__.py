"""Pages and tables about a run, for people and for programs."""

from __future__ import annotations

from foveal.report.html import result_sentence, write_report
from foveal.report.record import DataFacts, EpochRow, FittedRow, LayerRow, RunRecord, Use
from foveal.report.tables import write_args, write_results_csv, write_wrong_csv

__all__ = [
    "DataFacts",
    "EpochRow",
    "FittedRow",
    "LayerRow",
    "RunRecord",
    "Use",
    "result_sentence",
    "write_args",
    "write_report",
    "write_results_csv",
    "write_wrong_csv",
]
