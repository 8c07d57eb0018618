"""The house's word for an operator of torch, by its name without namespace and overload."""

from pomona.compile.placement.op_names import OP_NAMES

_TABLE = """
matmul: mm addmm linear addmv mv dot vdot einsum matmul _linear bilinear
batch_matmul: bmm baddbmm
convolution: convolution conv1d conv2d conv3d conv_transpose1d conv_transpose2d
convolution: conv_transpose3d _convolution mkldnn_convolution
convolution_backward: convolution_backward
attention: scaled_dot_product_attention _scaled_dot_product_flash_attention_for_cpu
attention: _scaled_dot_product_flash_attention _scaled_dot_product_efficient_attention
attention: _scaled_dot_product_cudnn_attention _scaled_dot_product_attention_math
attention: flex_attention
attention_backward: _scaled_dot_product_flash_attention_for_cpu_backward
attention_backward: _scaled_dot_product_flash_attention_backward
attention_backward: _scaled_dot_product_efficient_attention_backward
attention_backward: _scaled_dot_product_cudnn_attention_backward
attention_backward: flex_attention_backward
recurrent: lstm gru rnn_tanh rnn_relu mkldnn_rnn_layer _cudnn_rnn lstm_cell gru_cell
recurrent: _thnn_fused_lstm_cell _thnn_fused_gru_cell
recurrent_backward: mkldnn_rnn_layer_backward _cudnn_rnn_backward
add: add addcmul lerp
subtract: sub rsub diff
multiply: mul
divide: div addcdiv reciprocal remainder fmod floor_divide
negate: neg
power: pow
exponential: exp expm1 exp2
logarithm: log log1p log2 log10
square_root: sqrt rsqrt
absolute: abs
minimum: minimum clamp_max
maximum: maximum clamp_min clamp
compare: __and__ __or__ __xor__ eq ne lt le gt ge logical_and logical_or logical_not bitwise_and bitwise_or
compare: bitwise_not isnan isinf
select: where masked_fill tril triu
sigmoid: sigmoid hardsigmoid log_sigmoid log_sigmoid_forward
sigmoid_backward: sigmoid_backward hardsigmoid_backward log_sigmoid_backward
tanh: tanh hardtanh relu6
tanh_backward: tanh_backward hardtanh_backward
relu: relu leaky_relu elu prelu threshold
relu_backward: threshold_backward leaky_relu_backward elu_backward prelu_backward
silu_backward: silu_backward hardswish_backward mish_backward
silu: silu hardswish mish
gelu: gelu softplus
gelu_backward: gelu_backward softplus_backward
dropout: dropout native_dropout feature_dropout native_dropout_backward
random: rand randn rand_like randn_like bernoulli randint randperm
fill: full full_like zeros zeros_like ones ones_like empty empty_like empty_strided new_zeros
fill: new_ones new_full arange scalar_tensor linspace eye fill
cast: _to_copy to type_as
copy: clone contiguous copy lift_fresh_copy reshape _reshape_copy expand_copy
concat: cat stack concat hstack vstack
pad: constant_pad_nd pad reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d
broadcast: repeat tile repeat_interleave
resize: upsample_nearest1d upsample_nearest2d upsample_bilinear2d upsample_bicubic2d
resize: interpolate upsample_bilinear2d_backward upsample_nearest2d_backward grid_sampler_2d
transpose: flip roll pixel_shuffle channel_shuffle
gather: embedding index index_select gather take _unsafe_index take_along_dim embedding_bag
scatter: embedding_dense_backward index_put scatter scatter_add scatter_reduce index_add
scatter: select_scatter slice_scatter select_backward slice_backward _unsafe_index_put
scatter: index_copy masked_scatter gather_backward
sort: sort topk argsort unique
sum: sum nansum prod linalg_vector_norm norm
mean: mean var var_mean std std_mean
reduce_maximum: amax amin max min any all aminmax logsumexp
argmax: argmax argmin
cumulative: cumsum cumprod logcumsumexp
softmax: _softmax softmax _log_softmax log_softmax _safe_softmax
softmax_backward: _softmax_backward_data _log_softmax_backward_data
normalisation: native_layer_norm layer_norm native_group_norm group_norm
normalisation: native_batch_norm batch_norm _native_batch_norm_legit
normalisation: _native_batch_norm_legit_functional _native_batch_norm_legit_no_training
normalisation: cudnn_batch_norm instance_norm rms_norm _fused_rms_norm
normalisation: _batch_norm_with_update _batch_norm_with_update_functional
normalisation: _batch_norm_no_update
normalisation_backward: native_layer_norm_backward native_group_norm_backward
normalisation_backward: native_batch_norm_backward cudnn_batch_norm_backward
normalisation_backward: _fused_rms_norm_backward batch_norm_backward
pool_maximum: max_pool1d max_pool2d max_pool2d_with_indices max_pool3d
pool_maximum: adaptive_max_pool2d max_pool3d_with_indices adaptive_max_pool1d
pool_maximum_backward: max_pool2d_with_indices_backward
pool_maximum_backward: adaptive_max_pool2d_backward
pool_maximum_backward: max_pool3d_with_indices_backward
pool_mean: avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d
pool_mean: _adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool3d
pool_mean_backward: avg_pool2d_backward _adaptive_avg_pool2d_backward
pool_mean_backward: avg_pool3d_backward
loss: nll_loss_forward nll_loss nll_loss2d_forward cross_entropy_loss mse_loss l1_loss
loss: smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits
loss_backward: nll_loss_backward nll_loss2d_backward mse_loss_backward
loss_backward: smooth_l1_loss_backward huber_loss_backward
loss_backward: binary_cross_entropy_backward
elementwise: sin cos tan asin acos atan atan2 sinh cosh erf erfinv erfc floor ceil round
elementwise: trunc sign sgn isfinite nan_to_num polar view_as_complex view_as_real logit
scan: scan while_loop associative_scan map_impl
"""
_WORD_OF = {
    name: word
    for word, _, names in (line.partition(": ") for line in _TABLE.split("\n"))
    for name in names.split()
}


def torch_word(operator: str) -> str:
    """The word for an operator such as "addmm"; its own name where the house has no word for it.

    >>> torch_word("addmm"), torch_word("special_i0")
    ('matmul', 'special_i0')
    """
    word = _WORD_OF.get(operator) or _WORD_OF.get(operator.removesuffix("_"))
    return word or (operator if operator not in OP_NAMES else "other")
