"""report.html: what a training came to, on one page that anybody can read and send on."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from foveal.files import write_atomically
from foveal.report.confusion import confusion_section
from foveal.report.learning import learning_section
from foveal.report.parts import glossary, table, term
from foveal.report.pictures import mistakes_section
from foveal.report.record import RunRecord
from foveal.report.svg import share_scale
from foveal.report.words import (
    NARROW,
    count,
    duration,
    name,
    number,
    percent,
    percent_number,
    quantity,
    text,
)
from foveal.tasks.classify import ClassScore, Evaluation

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Nothing on the page may run or be fetched, whatever a file is called."""
_UNSEEN = {"test": "it had never seen", "validation": "it did not learn from"}


def write_report(folder: Path, run: RunRecord) -> Path:
    """Write report.html into a folder: one file without scripts that needs nothing beside it.

    Use it at the end of a training; `run` holds everything that is said.

    Raises: MachineError if the file cannot be written
    """
    path = folder / "report.html"
    write_atomically(path, build_page(run).encode("utf-8"))
    return path


def build_page(run: RunRecord) -> str:
    """The report as HTML text."""
    evaluation = run.evaluation
    sections = (
        ("learning", "How it learned", learning_section(run)),
        ("confusion", "What it mixes up", confusion_section(evaluation)),
        ("mistakes", "Every mistake", mistakes_section(evaluation, run.pictures)),
        ("classes", "Class by class", _classes_section(evaluation)),
        ("data", "The pictures", _data_section(run)),
        ("net", "The net", _net_section(run)),
        ("use", "Use it", _use_section(run)),
        ("repeat", "Repeat it", _repeat_section(run)),
        ("words", "Words", glossary()),
    )
    links = "".join(f'<a href="#{key}">{heading}</a>' for key, heading, _ in sections)
    body = "".join(
        f'<section id="{key}"><h2>{heading}</h2>{content}</section>'
        for key, heading, content in sections
    )
    style = files("foveal.report").joinpath("style.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(run.title)} · {percent(evaluation.accuracy)}</title>"
        f"<style>{style}</style></head><body>{_header(run)}"
        f'<nav aria-label="Sections">{links}</nav><main>{body}</main>{_footer(run)}</body></html>\n'
    )


def result_sentence(evaluation: Evaluation) -> str:
    """The result with its interval and its baseline, as one sentence without markup.

    The same words head the report and end the training in the terminal.
    """
    low, high = map(percent_number, evaluation.accuracy_interval)
    return (
        f"{percent(evaluation.accuracy)} of {count(evaluation.n, 'picture')} "
        f"{_UNSEEN[evaluation.part]} {'was' if evaluation.n == 1 else 'were'} named right "
        f"(95{NARROW}% interval {low}–{high}); always saying “{evaluation.baseline.name}” "
        f"would get {percent(evaluation.baseline.accuracy)}."
    )


def _header(run: RunRecord) -> str:
    evaluation = run.evaluation
    low, high = map(percent_number, evaluation.accuracy_interval)
    scale = share_scale(
        "scale",
        evaluation.accuracy,
        evaluation.accuracy_interval,
        evaluation.baseline.accuracy,
        result_sentence(evaluation),
    )
    return (
        f'<header><p class="kicker">{name(run.title)} · {run.started:%d %B %Y}</p>'
        f"<h1><strong>{percent(evaluation.accuracy)}</strong> of {evaluation.n:,} "
        f"{'picture' if evaluation.n == 1 else 'pictures'} {_UNSEEN[evaluation.part]} "
        f"{'was' if evaluation.n == 1 else 'were'} named right.</h1>"
        f'<p class="lede">{term("interval", f"95{NARROW}% interval")} {low}–{high}. '
        f"{term('baseline', 'Always saying')} “{name(evaluation.baseline.name)}” would get "
        f"{percent(evaluation.baseline.accuracy)}. {_trust(evaluation)}</p>"
        f"{scale}{''.join(_cautions(run))}{_facts(run)}</header>"
    )


def _trust(evaluation: Evaluation) -> str:
    """How far its probabilities can be believed."""
    sure = evaluation.sure
    error = percent(evaluation.calibration_error)
    said = f"its {term('probability', 'probabilities')} are off by {error} on average."
    if not sure.n:
        return f"It was unsure of all of them; {said}"
    right = percent(sure.num_right / sure.n)
    return f"It was sure of {sure.n:,}, and right in {right} of these; {said}"


def _cautions(run: RunRecord) -> Iterable[str]:
    """What must stand beside the number lest it be misread."""
    evaluation = run.evaluation
    if evaluation.accuracy_interval[0] <= evaluation.baseline.accuracy:
        yield _caution("This is not clearly better than always giving the same answer.")
    if evaluation.part == "validation":
        yield _caution(
            f"There was no {term('test', 'test part')}: this is measured on the "
            f"{term('validation', 'validation part')}, which was watched while learning."
        )
        if run.refitted:
            yield _caution(
                "The model has since learned from these pictures too: it should be a little "
                "better than that, and what it says of them proves nothing."
            )
    if run.reached_goal:
        yield _caution("It stopped as soon as it was good enough: lucky numbers, no benchmark.")
    if not run.repeatable:
        yield _caution("The clock decided when to stop, so this run cannot be repeated exactly.")


def _caution(sentence: str) -> str:
    return f'<p class="caution">{sentence}</p>'


def _facts(run: RunRecord) -> str:
    num_classes = len(run.evaluation.classes)
    facts = (
        ("learned from", f"{run.data.num_training:,}", f"pictures of {num_classes:,} classes"),
        ("in", duration(run.training_seconds), f"{duration(run.total_seconds)} with everything"),
        ("holds", quantity(run.parameters), term("parameter", "parameters")),
        ("on", text(run.device), f"in {term('number-format', text(run.precision))}"),
    )
    items = "".join(
        f"<div><dt>{label}</dt><dd><b>{value}</b> {rest}</dd></div>" for label, value, rest in facts
    )
    return f'<dl class="facts">{items}</dl>'


def _classes_section(evaluation: Evaluation) -> str:
    def share(value: float | None) -> str:
        return "–" if value is None else percent(value)

    def row(score: ClassScore) -> tuple[str, ...]:
        bar = f'<span class="bar" style="--share:{score.recall or 0:.3f}"></span>'
        return (
            name(score.name),
            f"{score.support:,}",
            share(score.recall) + bar,
            share(score.precision),
            share(score.f1),
        )

    weakest_first = sorted(evaluation.per_class, key=lambda score: score.f1 or 0.0)
    columns = (
        "Class",
        "Pictures",
        f"Found ({term('recall', 'recall')})",
        f"Trusted ({term('precision', 'precision')})",
        term("f1", "F1"),
    )
    caption = (
        "The weakest class first. Found: how many of its pictures were called by its name. "
        "Trusted: how many pictures called by its name are one."
    )
    return table(caption, columns, map(row, weakest_first), style="classes")


def _data_section(run: RunRecord) -> str:
    data, classes = run.data, run.evaluation.classes
    parts = list(data.counts)
    rows = (
        (name(one), *(f"{data.counts[part][i]:,}" for part in parts), f"{sum(each):,}")
        for i, (one, each) in enumerate(
            zip(classes, zip(*data.counts.values(), strict=True), strict=True)
        )
    )
    totals = [sum(counts) for counts in data.counts.values()]
    total = ("together", *(f"{n:,}" for n in totals), f"{sum(totals):,}")
    heads = (term(part, text(part)) for part in parts)
    notes = "".join(f"<li>{text(note)}</li>" for note in data.notes)
    return (
        table(f"Pictures in {name(data.name)}", ("Class", *heads, "together"), rows, total)
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
        + _skipped(data.skipped)
    )


def _skipped(skipped: tuple[tuple[str, str], ...]) -> str:
    if not skipped:
        return "<p>No file was left out.</p>"
    rows = ((name(file), text(reason)) for file, reason in skipped)
    caption = f"{count(len(skipped), 'file')} left out"
    return table(caption, ("File", " Reason"), rows, style="files")


def _net_section(run: RunRecord) -> str:
    rows = (
        (
            text(row["name"]),
            text(row["kind"]),
            "×".join(map(str, row["output"])),
            f"{row['parameters']:,}",
            f"{row['macs']:,}",
        )
        for row in run.layers
    )
    columns = (
        "Layer",
        " Kind",
        "Output",
        term("parameter", "Parameters"),
        term("mac", "MACs"),
    )
    total = ("together", "", "", f"{run.parameters:,}", f"{run.macs:,}")
    return (
        f"<p>{count(len(run.layers), 'step')} turn a picture into {len(run.evaluation.classes)} "
        f"probabilities with {quantity(run.macs)} multiplications. The whole plan:</p>"
        f"<pre>{_lines(run.net)}</pre>"
        + table("Output is channels × height × width.", columns, rows, total, style="files")
    )


def _use_section(run: RunRecord) -> str:
    uses = "".join(f"<p>{text(use.says)}</p><pre>{_lines(use.line)}</pre>" for use in run.uses)
    return (
        f"<p>The trained net is the file <b>{name(run.model_file)}</b>: one file, no code in it. "
        f"Predicting needs no PyTorch.</p>{uses}"
    )


def _repeat_section(run: RunRecord) -> str:
    facts = {
        term("seed", "seed"): text(run.seed),
        "device": text(run.device),
        term("number-format", "number format"): text(run.precision),
        "started": f"{run.started:%Y-%m-%d %H:%M}",
        **{text(key): text(value) for key, value in run.versions.items()},
    }
    args = ((text(key), text(value)) for key, value in run.args.items() if value is not None)
    return (
        (f"<p>What was typed:</p><pre>{_lines(run.command)}</pre>" if run.command else "")
        + "<p>Beside this page lie <b>args.toml</b> (what was asked), <b>results.csv</b> (a row "
        "per epoch) and <b>wrong.csv</b> (a row per mistake).</p><div class='pair'>"
        + table("What was asked", ("Option", " Value"), args)
        + table("Where it ran", ("Fact", " Value"), facts.items())
        + "</div>"
    )


def _lines(value: str) -> str:
    return "\n".join(map(text, value.splitlines()))


def _footer(run: RunRecord) -> str:
    evaluation = run.evaluation
    return (
        f"<footer>Made by Foveal on {run.started:%d %B %Y}. "
        f"{term('loss', 'Loss')} on the {evaluation.part} part {number(evaluation.loss)}, "
        f"n = {evaluation.n:,}, {term('seed', 'seed')} {run.seed}, {text(run.device)}. "
        "Nothing on this page was fetched or sent.</footer>"
    )
