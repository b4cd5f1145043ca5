"""foveal data: look at pictures and labels before training."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

SHOWN = 20
GROUP_BY = "What stays together: folder, time, time:SECONDS or name:PATTERN."


@click.group("data")
def command() -> None:
    """Look at pictures and labels before training."""


@command.command("check")
@click.argument("data")
@click.option("--json", "as_json", is_flag=True, help="Print all findings as JSON.")
@click.option("--group-by", default=None, help=GROUP_BY)
@click.pass_context
def check(ctx: click.Context, data: str, as_json: bool, group_by: str | None) -> None:
    """Decode everything in DATA and say what would hurt a training.

    Exits 1 if something would.
    """
    from foveal import data as sources

    findings = sources.check(data, group_by=group_by)
    counts = {
        severity: sum(finding.severity == severity for finding in findings)
        for severity in ("error", "warning", "note")
    }
    if as_json:
        click.echo(json.dumps({"findings": [asdict(f) for f in findings], "summary": counts}))
    else:
        for severity in counts:
            of_kind = [finding for finding in findings if finding.severity == severity]
            for finding in of_kind[:SHOWN]:
                place = finding.file + (f":{finding.line}" if finding.line else "")
                click.echo(f"{severity:<8} {place + ': ' if place else ''}{finding.message}")
            if len(of_kind) > SHOWN:
                click.echo(f"{severity:<8} … and {len(of_kind) - SHOWN:,} more (--json lists all)")
        said = (f"{n:,} {severity}{'' if n == 1 else 's'}" for severity, n in counts.items())
        click.echo(", ".join(said))
    ctx.exit(1 if counts["error"] else 0)
