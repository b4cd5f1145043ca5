"""Which node tests are left out, and why."""

from __future__ import annotations

from support.nodes.cases import SEVERAL, Node

OPERATORS: dict[str, str] = {
    "the operator of another test, written as several nodes": SEVERAL,
    "attention and what belongs to it": (
        "Attention FlexAttention LinearAttention RotaryEmbedding TensorScatter"
    ),
    "recurrent, or keeps a state between calls": (
        "RNN LSTM GRU CausalConvWithState ReverseSequence"
    ),
    "control flow": "If Loop Scan",
    "sequences and optional values": (
        "SequenceInsert SequenceMap SplitToSequence OptionalGetElement OptionalHasElement"
    ),
    "text": (
        "RegexFullMatch StringConcat StringNormalizer StringSplit TfIdfVectorizer LabelEncoder"
    ),
    "trees, features and labels of classical machine learning": (
        "ArrayFeatureExtractor Binarizer TreeEnsemble"
    ),
    "numbers of 8 bits and fewer with a scale": (
        "ConvInteger MatMulInteger QLinearConv QLinearMatMul QuantizeLinear DequantizeLinear "
        "DynamicQuantizeLinear"
    ),
    "another type of number": "Cast CastLike BitCast",
    "bits and truth values": (
        "And Or Xor Not BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Equal Greater "
        "GreaterOrEqual Less LessOrEqual IsInf IsNaN Where"
    ),
    "losses and optimisers, which training has outside of the net": (
        "Adagrad Adam Momentum NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss"
    ),
    "random numbers": "Bernoulli",
    "sound and spectra": "BlackmanWindow HammingWindow HannWindow DFT STFT MelWeightMatrix",
    "reads an image file": "ImageDecoder",
    "a formula that no layer has": (
        "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Det Div Einsum Erf Exp Floor Log Max "
        "Mean Min Mod Neg Pow Reciprocal Round Sign Sin Sinh Sqrt Sub Tan Trilu"
    ),
    "an activation that no layer is": (
        "Celu Hardmax Mish PRelu Selu Shrink Softsign SwiGLU ThresholdedRelu"
    ),
    "a normalisation that no layer is": (
        "LpNormalization MeanVarianceNormalization RMSNormalization"
    ),
    "sums and extremes along any axis": (
        "ArgMax ArgMin CumProd CumSum ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax "
        "ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare"
    ),
    "values into other places, as no layer puts them": (
        "CenterCropPad Col2Im Compress DepthToSpace Expand GatherElements GatherND OneHot Scatter "
        "ScatterElements ScatterND Slice SpaceToDepth Split Tile Transpose"
    ),
    "the window lies where another input says": ("AffineGrid DeformConv GridSample RoiAlign"),
    "an answer of another length each time": "NonMaxSuppression NonZero TopK Unique",
    "makes values without reading any": ("Constant ConstantOfShape EyeLike Range Shape Size"),
}
"""Operators without a layer, by the reason, with spaces between them."""

TESTS: dict[str, str] = {
    "draws from another random generator": (
        "training_dropout training_dropout_default training_dropout_mask "
        "training_dropout_default_mask"
    ),
    "wants the mask as well, which no layer gives away": (
        "dropout_default_mask dropout_default_mask_ratio training_dropout_zero_ratio_mask"
    ),
    "adds a branch of another shape": "add_bcast",
    "bounds the wrong way round": "clip_min_greater_than_max",
    "a bias of its own for each sample": "gemm_default_matrix_bias",
    "no array but a list, or nothing": "identity_sequence identity_opt",
    "an array without values": "reshape_allowzero_reordered",
    "more than three spatial axes": "unsqueeze_three_axes unsqueeze_unsorted_axes",
    "cubic": (
        "resize_upsample_scales_cubic resize_upsample_scales_cubic_align_corners "
        "resize_upsample_scales_cubic_A_n0p5_exclude_outside "
        "resize_upsample_scales_cubic_asymmetric resize_upsample_sizes_cubic "
        "resize_downsample_scales_cubic resize_downsample_scales_cubic_align_corners "
        "resize_downsample_scales_cubic_A_n0p5_exclude_outside resize_downsample_sizes_cubic "
        "resize_downsample_scales_cubic_antialias resize_downsample_sizes_cubic_antialias"
    ),
    "makes maps smaller, which `resize` only does to pictures, and rounds": (
        "resize_downsample_scales_nearest resize_downsample_sizes_nearest "
        "resize_downsample_scales_linear resize_downsample_scales_linear_align_corners "
        "resize_downsample_sizes_linear_pytorch_half_pixel "
        "resize_downsample_scales_linear_antialias resize_downsample_sizes_linear_antialias "
        "resize_downsample_sizes_nearest_not_larger resize_downsample_sizes_nearest_not_smaller "
        "resize_downsample_scales_linear_half_pixel_symmetric"
    ),
    "by a factor that is not whole": (
        "resize_upsample_sizes_nearest resize_upsample_sizes_nearest_axes_2_3 "
        "resize_upsample_sizes_nearest_axes_3_2 resize_upsample_sizes_nearest_not_larger "
        "resize_upsample_scales_linear_half_pixel_symmetric"
    ),
    "cuts a region out first": (
        "resize_tf_crop_and_resize resize_tf_crop_and_resize_extrapolation_value "
        "resize_tf_crop_and_resize_axes_2_3 resize_tf_crop_and_resize_axes_3_2"
    ),
    "the nearest by another rule of rounding": (
        "resize_upsample_sizes_nearest_floor_align_corners "
        "resize_upsample_sizes_nearest_round_prefer_ceil_asymmetric "
        "resize_upsample_sizes_nearest_ceil_half_pixel"
    ),
}
"""Tests of operators that have a layer, by the reason why they cannot be said in one."""

_BY_OPERATOR = {op: reason for reason, ops in OPERATORS.items() for op in ops.split()}
_BY_NAME = {name: reason for reason, names in TESTS.items() for name in names.split()}


def why_not(node: Node) -> str | None:
    """The reason why a test is left out; None if it is run."""
    return _BY_OPERATOR.get(node.op) or _BY_NAME.get(node.name)
