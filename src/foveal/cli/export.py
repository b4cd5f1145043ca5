"""foveal export: a model as ONNX, with everything from bytes to probabilities inside."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("export")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Default: MODEL.onnx")
@click.option("--pictures", multiple=True, help="Real pictures to compare the engines on.")
def command(model: Path, output: Path | None, pictures: tuple[str, ...]) -> int:
    """Write MODEL as an ONNX file, after comparing its engines.

    The file takes pictures of any size, uint8 N,H,W,C, and gives probabilities N,classes; the
    class names are in its metadata. It is not written, and the exit code is 1, if two engines
    differ by more than the tolerance.
    """
    from foveal.cli.inputs import expand
    from foveal.errors import SpecError
    from foveal.model import load
    from foveal.model.shipped import find
    from foveal.model.views import ONE

    loaded = load(model)
    target = output or model.with_suffix(".onnx")
    if target.exists() and target.samefile(find(model)):
        raise SpecError("is the model itself", where=str(target), fix="-o another.onnx")
    for agreement in loaded.export(target, expand(pictures) if pictures else ()):
        click.echo(
            f"{' = '.join(agreement.engines)}: on {agreement.num_inputs} pictures they differ by "
            f"{agreement.difference:.1e} of the largest output (tolerance "
            f"{agreement.tolerance:.0e}), {agreement.num_same} of {agreement.num_answers} answers "
            "are the same"
        )
    if loaded.views != ONE:
        click.echo(
            "it looks at every picture once; the model also at its mirror image, where it is unsure"
        )
    click.echo(f"written {target} ({target.stat().st_size / 2**20:.1f} MiB)")
    return 0
