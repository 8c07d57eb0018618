"""What the operators of ONNX are called here, and their FLOPs."""

from collections.abc import Sequence
from math import prod
from typing import Any

from pomona.compile.placement.op_costs import light_flops
from pomona.compile.placement.op_names import HEAVY

Shape = tuple[int, ...]

_TABLE = """
matmul: MatMul Gemm MatMulInteger QLinearMatMul FusedMatMul FusedGemm MatMulNBits Einsum QGemm
convolution: Conv ConvTranspose ConvInteger QLinearConv FusedConv NhwcConv DeformConv
attention: Attention MultiHeadAttention GroupQueryAttention
recurrent: LSTM GRU RNN DynamicQuantizeLSTM
add: Add Sum BiasAdd
subtract: Sub
multiply: Mul
divide: Div Mod Reciprocal
negate: Neg
power: Pow
exponential: Exp
logarithm: Log
square_root: Sqrt
absolute: Abs
minimum: Min
maximum: Max Clip
compare: Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Not IsNaN IsInf
select: Where Trilu
sigmoid: Sigmoid HardSigmoid
tanh: Tanh
relu: Relu LeakyRelu PRelu Elu Selu ThresholdedRelu Celu Softsign
gelu: Gelu FastGelu BiasGelu Softplus QuickGelu
silu: Swish HardSwish Mish
elementwise: Erf Sin Cos Tan Asin Acos Atan Sinh Cosh Floor Ceil Round Sign DequantizeLinear
elementwise: QuantizeLinear DynamicQuantizeLinear BitShift
random: RandomNormal RandomUniform RandomNormalLike RandomUniformLike Bernoulli Multinomial
fill: ConstantOfShape Range EyeLike OneHot
cast: Cast CastLike
concat: Concat
split: Split
slice: Slice
pad: Pad
broadcast: Expand Tile
resize: Resize Upsample GridSample
transpose: Transpose DepthToSpace SpaceToDepth ReverseSequence
gather: Gather GatherElements GatherND Compress
scatter: ScatterElements ScatterND Scatter
sort: TopK Unique NonZero NonMaxSuppression
sum: ReduceSum ReduceSumSquare ReduceL1 ReduceL2 ReduceProd ReduceLogSum
mean: ReduceMean
reduce_maximum: ReduceMax ReduceMin ReduceLogSumExp
argmax: ArgMax ArgMin Hardmax
cumulative: CumSum
softmax: Softmax LogSoftmax
normalisation: BatchNormalization LayerNormalization InstanceNormalization GroupNormalization LRN
normalisation: LpNormalization MeanVarianceNormalization SimplifiedLayerNormalization RMSNormalization
normalisation: SkipLayerNormalization SkipSimplifiedLayerNormalization EmbedLayerNormalization
pool_maximum: MaxPool GlobalMaxPool
pool_mean: AveragePool GlobalAveragePool LpPool QLinearAveragePool QLinearGlobalAveragePool
loss: SoftmaxCrossEntropyLoss NegativeLogLikelihoodLoss
scan: Scan Loop If
"""
_WORD_OF = {
    name: word
    for word, _, names in (line.partition(": ") for line in _TABLE.split("\n"))
    for name in names.split()
}
_WEIGHT_AT = {"QLinearConv": 3, "QLinearMatMul": 3, "QGemm": 3}

VIEWS = ("Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Dropout")
"""Operators that leave the elements where they are. Dropout does nothing in a model that answers."""

SHAPE_ONLY = ("Shape", "Size")
"""Operators that need nothing but the shape of their input, which is known here."""


def onnx_word(operator: str) -> str:
    """The word for an operator; its own name where the house has no word for it."""
    return _WORD_OF.get(operator, operator)


def onnx_flops(
    operator: str, attributes: dict[str, Any], inputs: Sequence[Shape], outputs: Sequence[Shape]
) -> float:
    """FLOPs of a node with these shapes, two a multiply-add; empty shapes stand for missing inputs.

    An einsum counts the product of all its axes; of Loop, Scan and If the body is not counted.
    """
    word = onnx_word(operator)
    if word not in HEAVY:
        if word in ("pool_maximum", "pool_mean"):
            kernel = prod(attributes.get("kernel_shape", ())) if "Global" not in operator else 0
            return float(prod(outputs[0]) * kernel or prod(inputs[0]))
        elements = max((prod(shape) for shape in inputs), default=0)
        return light_flops(word, elements, prod(outputs[0]), num_inputs=len(inputs))
    weight = inputs[_WEIGHT_AT.get(operator, 1)] if len(inputs) > 1 else ()
    if word == "convolution":
        # a transposed convolution spreads each input element, a plain one gathers each output element
        reached = inputs[0] if operator == "ConvTranspose" else outputs[0]
        return 2.0 * prod(reached) * prod(weight[1:])
    if word == "recurrent":
        steps_and_batch = prod(inputs[0][:2])
        return 2.0 * steps_and_batch * (prod(weight) + prod(inputs[2]))
    if word == "attention":
        return _attention_flops(inputs)
    if operator == "Einsum":
        return _einsum_flops(_text(attributes["equation"]), inputs)
    left = inputs[0]
    return 2.0 * prod(outputs[0]) * left[-2 if attributes.get("transA") else -1]


def _attention_flops(inputs: Sequence[Shape]) -> float:
    # (batch, heads, steps, width) or (batch, steps, all widths): heads times width is in both
    if len(inputs) > 2 and inputs[1]:
        query, key, value = inputs[0], inputs[1], inputs[2]
    else:
        # the three stand packed in one
        query = key = value = (*inputs[0][:-1], inputs[0][-1] // 3)
    return 2.0 * prod(query) * key[-2] + 2.0 * prod(query[:-1]) * key[-2] * value[-1]


def _einsum_flops(equation: str, inputs: Sequence[Shape]) -> float:
    sizes: dict[str, int] = {}
    terms = equation.replace(" ", "").split("->")[0].split(",")
    for term, shape in zip(terms, inputs, strict=True):
        # an ellipsis stands for the leading axes
        letters = term.replace("...", "")
        leading = len(shape) - len(letters)
        sizes.update(zip(letters, shape[leading:], strict=True))
        sizes["..."] = max(sizes.get("...", 1), prod(shape[:leading]))
    return (2.0 if len(terms) > 1 else 1.0) * prod(sizes.values())


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
