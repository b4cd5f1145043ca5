"""foveal features: what a net makes of pictures, as a file of numbers."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("features")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("pictures", nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="A file that ends in .npz, .npy, .csv or .parquet.",
)  # fmt: skip
@click.option("--layer", help="A step of the net.  [default: what the last layer reads]")
@click.option("--pool", type=click.Choice(("mean", "max")), help="One number for each map.")
def command(
    model: Path, pictures: tuple[str, ...], output: Path, layer: str | None, pool: str | None
) -> int:
    """Write what MODEL makes of PICTURES at one of its layers: a row of numbers for each.

    `foveal show MODEL` lists the layers. PICTURES are files, folders, globs, or a list.txt.
    Exits 1 if some of them cannot be read, 2 if none can.
    """
    from foveal.cli.inputs import expand
    from foveal.cli.progress import Bar
    from foveal.errors import DataError
    from foveal.model import feature_files, load
    from foveal.model.features import Extractor
    from foveal.net.kind import shape_text

    loaded, files = load(model), expand(pictures)
    shape = Extractor(loaded.net, loaded.input, loaded.weights, layer).shape
    feature_files.checked(output, shape[:1] if pool else shape)
    bar = Bar(sys.stderr)
    try:
        found = loaded.features(
            files,
            layer,
            progress=lambda done, of: bar.show("computing", done / of),
            cached=len(shape) == 1,  # maps are large, and asked for once
        )
    finally:
        bar.close()
    for skipped in found.skipped:
        print(f"DataError: {skipped.path}: {skipped.reason}", file=sys.stderr)
    if not len(found):
        return DataError.exit_code
    values = feature_files.pooled(found.values, pool) if pool else found.values
    written = feature_files.write(output, values, found.names)
    click.echo(
        f"{found.layer}: {shape_text(values.shape[1:])} numbers for each of {len(values):,} "
        f"pictures, in {' and '.join(map(str, written))}"
    )
    return 1 if found.skipped else 0
