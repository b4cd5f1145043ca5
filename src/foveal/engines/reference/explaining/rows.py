"""How every kind tells where its numbers come from: one row for each."""

from __future__ import annotations

from foveal.engines.reference.explaining.call import Explainer
from foveal.engines.reference.explaining.cells import (
    adaptive,
    everywhere,
    largest,
    mean,
    pieces,
    plain_sum,
    power,
    proportion,
    smallest,
    window,
    window_mean,
)
from foveal.engines.reference.explaining.cells import explainer as one_of
from foveal.engines.reference.explaining.functions import log_softmax, pointwise, softmax
from foveal.engines.reference.explaining.moves import (
    affine,
    combined,
    distance,
    distance_gradient,
    embedded,
    embedded_gradient,
    multiplied,
    padded,
    resized,
)
from foveal.engines.reference.explaining.norms import explainer as normalised
from foveal.engines.reference.explaining.norms import (
    local_response,
    of_channel,
    of_group,
    of_layer,
    of_map,
)
from foveal.engines.reference.explaining.scales import SCALE
from foveal.engines.reference.explaining.sums import Matrix, Shared, Transposed, Unshared
from foveal.engines.reference.explaining.sums import explainer as summed
from foveal.net import layers
from foveal.net.kind import Kind

LARGEST, SMALLEST = "the largest of all", "the smallest of all"
MEAN, SUM = "Σ value · 1 / their number", "Σ value"
POWER = "(Σ |value|^p)^(1/p), as Σ value · sign(value) (|value| / it)^(p - 1)"
PROPORTION = "Σ value · its chance, value / Σ values above 0"
MOVED = "moved"

EXPLAINERS: dict[type[Kind], Explainer] = {
    layers.Input: affine(MOVED),
    layers.Resize: Explainer(resized),
    layers.Crop: affine(MOVED),
    layers.Normalise: affine("value / std - mean / std"),
    layers.Expect: affine(MOVED),
    layers.Identity: affine(MOVED),
    layers.Conv: summed(Shared.of),
    layers.Depthwise: summed(Shared.of),
    layers.ConvTranspose: summed(Transposed.of),
    layers.LocallyConnected: summed(Unshared.of),
    layers.MaxPool: one_of(LARGEST, window, largest),
    layers.MinPool: one_of(SMALLEST, window, smallest),
    layers.AvgPool: one_of(MEAN, window, window_mean),
    layers.SumPool: one_of(SUM, window, plain_sum),
    layers.LpPool: one_of(POWER, window, power),
    layers.StochasticPool: one_of(PROPORTION, window, proportion),
    layers.GlobalMaxPool: one_of(LARGEST, everywhere, largest),
    layers.GlobalMinPool: one_of(SMALLEST, everywhere, smallest),
    layers.GlobalAvgPool: one_of(MEAN, everywhere, mean),
    layers.GlobalSumPool: one_of(SUM, everywhere, plain_sum),
    layers.GlobalLpPool: one_of(POWER, everywhere, power),
    layers.AdaptiveAvgPool: one_of(MEAN, adaptive, mean),
    layers.AdaptiveMaxPool: one_of(LARGEST, adaptive, largest),
    layers.MaxUnpool: affine("Σ value of each window whose largest was here"),
    layers.Upsample: affine("Σ value · nearness"),
    layers.BatchNorm: normalised(of_channel),
    layers.GroupNorm: normalised(of_group),
    layers.LayerNorm: normalised(of_layer),
    layers.InstanceNorm: normalised(of_map),
    layers.LocalResponseNorm: Explainer(local_response),
    layers.ReLU: pointwise(
        lambda kind: "max(x, 0)" if kind.max is None else f"min(max(x, 0), {kind.max:g})"
    ),
    layers.LeakyReLU: pointwise(lambda kind: f"x above 0, {kind.slope:g} x elsewhere"),
    layers.ELU: pointwise(lambda kind: f"x above 0, {kind.alpha:g} (e^x - 1) elsewhere"),
    layers.GELU: pointwise(
        lambda kind: (
            "x (1 + erf(x / √2)) / 2"
            if kind.approximate == "none"
            else "x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2"
        )
    ),
    layers.SiLU: pointwise(lambda kind: "x / (1 + e^-x)"),
    layers.HardSwish: pointwise(lambda kind: "x · (x / 6 + 1/2 cut to 0 … 1)"),
    layers.Softplus: pointwise(lambda kind: f"ln(1 + e^({kind.beta:g} x)) / {kind.beta:g}"),
    layers.Tanh: pointwise(
        lambda kind: (
            "tanh(x)"
            if kind.amplitude == kind.slope == 1
            else f"{kind.amplitude:g} tanh({kind.slope:g} x)"
        )
    ),
    layers.HardTanh: pointwise(lambda kind: f"x cut to {kind.min:g} … {kind.max:g}"),
    layers.Sigmoid: pointwise(lambda kind: "1 / (1 + e^-x)"),
    layers.HardSigmoid: pointwise(lambda kind: "x / 6 + 1/2 cut to 0 … 1"),
    layers.Softmax: Explainer(softmax),
    layers.LogSoftmax: Explainer(log_softmax),
    layers.Maxout: one_of(LARGEST, pieces, largest),
    layers.Dropout: affine("value; in training 0, or value / (1 - p)"),
    layers.DropPath: affine("value; in training 0, or value / (1 - p)"),
    layers.Flatten: affine(MOVED),
    layers.Reshape: affine(MOVED),
    layers.Pad: Explainer(padded),
    layers.Take: affine(MOVED),
    layers.Scale: SCALE,
    layers.Gain: affine("value · factor"),
    layers.Dense: summed(Matrix.of),
    layers.RBF: Explainer(distance, distance_gradient),
    layers.Embed: Explainer(embedded, embedded_gradient),
    layers.Add: affine("Σ branches"),
    layers.Concat: affine(MOVED),
    layers.Multiply: Explainer(multiplied),
    layers.Combine: Explainer(combined),
}
"""One row for each kind; a kind without one is refused, not guessed."""
