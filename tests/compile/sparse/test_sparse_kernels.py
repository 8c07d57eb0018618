import numpy as np
import pytest
from hypothesis import given, settings, strategies
from one_step import ACTIVATIONS, activated, normal, plan_of, sparse, window_size
from plan_reference import run_plan

from pomona.compile.sparse.choice import Choice, kernel_candidates
from pomona.compile.sparse.layout import num_vectors, tiles
from pomona.compile.sparse.machine import this_machine
from pomona.compile.sparse.plan import Plan, Step, Tensor
from pomona.compile.sparse.program import compile_plan

numbers = strategies.integers
seeds = numbers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None, derandomize=True)


def agrees(plan: Plan, generator: np.random.Generator, **settings) -> None:
    inputs = [normal(generator, *tensor.shape) for tensor in plan.inputs]
    program = compile_plan(plan, **settings)
    for ours, reference in zip(program.run(*inputs), run_plan(plan, *inputs), strict=True):
        np.testing.assert_allclose(ours, reference, rtol=2e-5, atol=2e-5)
    program.close()


@few
@given(
    seeds,
    numbers(1, 40),
    numbers(1, 40),
    numbers(1, 9),
    numbers(1, 40),
    strategies.sampled_from([0.0, 0.5, 0.9, 1.0]),
    strategies.sampled_from([1, 2, 4]),
    strategies.sampled_from(["clip", "prelu"]),
    strategies.booleans(),
    numbers(1, 2),
)
def test_pointwise_is_a_matrix_product(
    seed, inputs, outputs, height, width, sparsity, block, activation, has_residual, threads
):
    generator = np.random.default_rng(seed)
    weights, chosen = activated(activation, outputs, generator)
    weights |= {
        "weight": sparse(generator, (outputs, inputs), sparsity, block),
        "bias": normal(generator, outputs),
    }
    shapes = [(inputs, height, width)] + [(outputs, height, width)] * has_residual
    plan = plan_of(
        "pointwise",
        shapes,
        (outputs, height, width),
        inputs=("x0",),
        weights=weights,
        settings=chosen,
        residual="x1" if has_residual else None,
    )
    agrees(plan, generator, threads=threads)


@pytest.mark.parametrize("size", [(7, 7), (5, 28), (1, 300)])
def test_every_choice_computes_the_same_product(size):
    generator = np.random.default_rng(0)
    weight = sparse(generator, (13, 50), 0.7, 1)
    weight[3], weight[5] = 0, 1
    plan = plan_of(
        "pointwise", [(50, *size)], (13, *size), weights={"weight": weight, "bias": normal(generator, 13)}
    )
    lanes = this_machine().lanes
    for tile in tiles(*size, lanes, 8)[-2:]:
        candidates = kernel_candidates(weight, num_vectors(tile, lanes), lanes)
        for kernel, rows in {candidates[0], candidates[-1], ("sparse", 2)} & set(candidates):
            for chunk in (7, 64):
                agrees(plan, generator, choices={"y": Choice(kernel, rows, tile, chunk)})


@few
@given(
    seeds,
    numbers(1, 20),
    numbers(1, 12),
    numbers(1, 40),
    strategies.sampled_from([(3, 1, 1), (3, 2, 1), (5, 1, 1), (5, 2, 1), (3, 1, 2), (7, 3, 1)]),
    strategies.tuples(*[numbers(0, 3)] * 4),
)
def test_depthwise_is_the_reference(seed, channels, height, width, window, padding):
    kernel, stride, dilation = window
    generator = np.random.default_rng(seed)
    sizes = [
        window_size(size, kernel, stride, before, after, dilation)
        for size, before, after in zip((height, width), padding[:2], padding[2:], strict=True)
    ]
    if min(sizes) < 1:
        return
    plan = plan_of(
        "depthwise",
        [(channels, height, width)],
        (channels, *sizes),
        weights={"weight": normal(generator, channels, kernel, kernel), "bias": normal(generator, channels)},
        settings={
            "stride": (stride, stride),
            "padding": padding,
            "dilation": (dilation, dilation),
            "activation": "clip",
            "lower": 0.0,
            "upper": 6.0,
        },
    )
    agrees(plan, generator, threads=1 + seed % 2)


@few
@given(
    seeds,
    strategies.sampled_from([(3, 24, 1), (4, 6, 2), (5, 1, 1)]),
    numbers(1, 9),
    numbers(1, 36),
    strategies.sampled_from([((3, 3), (2, 2), (1, 1)), ((1, 3), (1, 1), (1, 2)), ((3, 3), (1, 3), (2, 1))]),
    strategies.tuples(*[numbers(0, 2)] * 4),
    strategies.booleans(),
)
def test_convolution_is_the_reference(seed, channels, height, width, window, padding, has_residual):
    inputs, outputs, groups = channels
    kernel, stride, dilation = window
    generator = np.random.default_rng(seed)
    sizes = [
        window_size(size, kernel[axis], stride[axis], padding[axis], padding[axis + 2], dilation[axis])
        for axis, size in enumerate((height, width))
    ]
    if min(sizes) < 1:
        return
    plan = plan_of(
        "convolution",
        [(inputs, height, width)] + [(outputs, *sizes)] * has_residual,
        (outputs, *sizes),
        inputs=("x0",),
        weights={
            "weight": normal(generator, outputs, inputs // groups, *kernel),
            "bias": normal(generator, outputs),
        },
        settings={"stride": stride, "padding": padding, "dilation": dilation, "groups": groups},
        residual="x1" if has_residual else None,
    )
    agrees(plan, generator, threads=1 + seed % 2)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_the_reference(activation):
    generator = np.random.default_rng(1)
    weights, chosen = activated(activation, 5, generator)
    plan = plan_of("activation", [(5, 3, 7)], (5, 3, 7), weights=weights, settings=chosen)
    inputs = 8 * normal(generator, 5, 3, 7)
    np.testing.assert_allclose(
        compile_plan(plan).run(inputs)[0], run_plan(plan, inputs)[0], rtol=1e-5, atol=3e-6
    )


@pytest.mark.parametrize("operation", ["add", "multiply"])
@pytest.mark.parametrize("second", [(6, 5, 9), (6,)])
def test_sums_and_products_are_the_reference(operation, second):
    generator = np.random.default_rng(2)
    weights, chosen = activated("prelu", 6, generator)
    plan = plan_of(operation, [(6, 5, 9), second], (6, 5, 9), weights=weights, settings=chosen)
    agrees(plan, generator, threads=2)


def windows(stride: int, padding: tuple[int, ...], counts: bool) -> dict:
    return {"kernel": (3, 2), "stride": (stride, stride), "padding": padding, "counts_padding": counts}


@pytest.mark.parametrize("operation", ["max_pool", "average_pool"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("counts", [False, True])
def test_pools_are_the_reference(operation, stride, counts):
    padding = (1, 0, 1, 1)
    sizes = (window_size(11, 3, stride, 1, 1), window_size(20, 2, stride, 0, 1))
    plan = plan_of(operation, [(3, 11, 20)], (3, *sizes), settings=windows(stride, padding, counts))
    agrees(plan, np.random.default_rng(3))


def resize_weights(generator: np.random.Generator) -> dict:
    weights = {}
    for axis, (size, results) in {"row": (4, 9), "column": (5, 21)}.items():
        low = generator.integers(0, size, results).astype(np.int32)
        weights[f"{axis}_low"] = low
        weights[f"{axis}_high"] = np.minimum(low + 1, size - 1).astype(np.int32)
        weights[f"{axis}_fraction"] = generator.random(results).astype(np.float32)
    return weights


MOVES = {
    "resize": ([(3, 4, 5)], (3, 9, 21), resize_weights, {"mode": "linear"}),
    "concat": ([(3, 4, 5), (2, 4, 5)], (5, 4, 5), None, {}),
    "select": ([(4, 3, 6)], (3, 3, 6), lambda _: {"channels": np.array([3, 0, 3])}, {}),
    "pad": ([(2, 3, 4)], (5, 6, 20), None, {"padding": (1, 7, 2, 9), "channels": (1, 2), "value": 2.5}),
    "reshape": ([(2, 3, 4)], (24,), None, {}),
    "transpose": ([(2, 3, 4)], (4, 2, 3), None, {"order": (2, 0, 1)}),
    "softmax": ([(7, 3, 6)], (7, 3, 6), None, {}),
    "global_average_pool": ([(5, 3, 7)], (5,), None, {}),
    "group_normalisation": (
        [(6, 3, 7)],
        (6, 3, 7),
        lambda generator: {"scale": normal(generator, 6), "bias": normal(generator, 6)},
        {"groups": 2, "epsilon": 1e-5},
    ),
    "linear": (
        [(37,)],
        (11,),
        lambda generator: {"weight": normal(generator, 11, 37), "bias": normal(generator, 11)},
        {"activation": "tanh"},
    ),
    "transposed_convolution": (
        [(4, 5, 6)],
        (6, 11, 13),
        lambda generator: {"weight": normal(generator, 4, 3, 3, 4), "bias": normal(generator, 6)},
        {"stride": (2, 2), "padding": (0, 1, 0, 0), "dilation": (1, 1), "groups": 2},
    ),
}


@pytest.mark.parametrize("operation", MOVES)
@pytest.mark.parametrize("threads", [1, 3])
def test_other_operations_are_the_reference(operation, threads):
    shapes, output, weights, chosen = MOVES[operation]
    generator = np.random.default_rng(4)
    made = weights(generator) if weights else {}
    agrees(plan_of(operation, shapes, output, weights=made, settings=chosen), generator, threads=threads)


def network(generator: np.random.Generator) -> Plan:
    """A small network of what mobile ones are made of, with a gate and a residual."""
    size, half = (14, 9), (7, 5)
    shapes = {
        "x": (3, 28, 18), "a": (13, *size), "b": (13, *size), "p": (21, *size), "q": (21, *size),
        "d": (21, *half), "g": (21,), "s": (21,), "e": (34, *half), "m": (34,), "y": (10,),
    }  # fmt: skip

    def layer(outputs: int, *rest: int) -> dict:
        return {"weight": normal(generator, outputs, *rest), "bias": normal(generator, outputs)}

    def thin(outputs: int, inputs: int) -> dict:
        return {"weight": sparse(generator, (outputs, inputs), 0.8, 1), "bias": normal(generator, outputs)}

    def window(stride: int, padding: int, name: str) -> dict:
        around = {"stride": (stride, stride), "padding": (padding,) * 4, "dilation": (1, 1), "groups": 1}
        return {**around, "activation": name, **ACTIVATIONS[name]}

    steps = (
        Step("convolution", ("x",), "a", layer(13, 3, 3, 3), window(2, 1, "clip")),
        Step("depthwise", ("a",), "b", layer(13, 3, 3), window(1, 1, "hard_swish")),
        Step("pointwise", ("b",), "p", thin(21, 13), {"activation": "none"}),
        Step("pointwise", ("p",), "q", thin(21, 21), {"activation": "silu"}, residual="p"),
        Step("depthwise", ("q",), "d", layer(21, 5, 5), window(2, 2, "none")),
        Step("global_average_pool", ("d",), "g"),
        Step("linear", ("g",), "s", layer(21, 21), {"activation": "sigmoid"}),
        Step("pointwise", ("d",), "e", thin(34, 21), {"activation": "none"}, scale="s"),
        Step("global_average_pool", ("e",), "m"),
        Step("linear", ("m",), "y", layer(10, 34), {"activation": "none"}),
    )
    tensors = {name: Tensor(name, shape) for name, shape in shapes.items()}
    return Plan((tensors["x"],), tensors, steps, ("y", "q"))


def test_a_network_is_the_reference():
    generator = np.random.default_rng(5)
    agrees(network(generator), generator)


def test_threads_give_the_same_bits():
    generator = np.random.default_rng(6)
    plan = network(generator)
    image = normal(generator, 3, 28, 18)
    one, *others = [compile_plan(plan, threads=threads).run(image) for threads in (1, 2, 3)]
    for other in others:
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("width", ["avx2", "generic"])
def test_narrower_vectors_agree(width):
    generator = np.random.default_rng(7)
    agrees(network(generator), generator, machine=this_machine(width))


def test_a_second_run_does_not_see_the_first():
    generator = np.random.default_rng(8)
    program = compile_plan(network(generator))
    image = normal(generator, 3, 28, 18)
    first = program.run(image)
    program.run(1e6 * normal(generator, 3, 28, 18))
    for before, after in zip(first, program.run(image), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("threads", [1, 2])
def test_times_of_steps_are_those_of_a_whole_run(threads):
    program = compile_plan(network(np.random.default_rng(11)), threads=threads)
    program.run(np.zeros((3, 28, 18), np.float32))
    times = program.step_times(repeats=3)
    assert [time.output for time in times][:3] == ["a", "b", "p"]
    assert all(time.microseconds >= 0 for time in times)
    assert sum(time.microseconds for time in times) > 0
