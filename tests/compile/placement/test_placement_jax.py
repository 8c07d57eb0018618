import sys

import pytest

from pomona.compile.placement.capture.jaxpr import capture_jax
from pomona.foundation.errors import InputError


def test_without_jax_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(InputError, match="pip install jax"):
        capture_jax(lambda x: x, (1.0,))


@pytest.fixture
def jax():
    return pytest.importorskip("jax")


def flops_of(graph, op):
    return graph.flops[graph.op == graph.op_names.index(op)].tolist()


def test_calls_are_inlined_and_gradients_are_nodes(jax):
    def loss(weight, x):
        return jax.nn.relu(x @ weight).sum()

    graph = capture_jax(jax.jit(jax.grad(loss)), (jax.numpy.ones((3, 4)), jax.numpy.ones((2, 3))))
    # forward, and the gradient of the weight
    assert flops_of(graph, "matmul") == [48, 48]
    assert graph.is_stored.sum() == 2


def test_a_scan_is_one_node_with_the_work_of_all_steps(jax):
    def step(carry, x):
        return jax.numpy.tanh(carry @ jax.numpy.ones((8, 8)) + x), carry

    graph = capture_jax(
        lambda xs: jax.lax.scan(step, jax.numpy.zeros((4, 8)), xs), (jax.numpy.ones((10, 4, 8)),)
    )
    (flops,) = flops_of(graph, "scan")
    # a product, a sum and a tanh a step, and the constant that is filled in it
    assert flops == pytest.approx(10 * (2 * 4 * 8 * 8 + 2 * 32), rel=0.01)


def test_convolutions_match_the_closed_form(jax):
    graph = capture_jax(
        lambda x, w: jax.lax.conv_general_dilated(x, w, (1, 1), "SAME"),
        (jax.numpy.ones((2, 3, 8, 8)), jax.numpy.ones((5, 3, 3, 3))),
    )
    assert flops_of(graph, "convolution") == [2 * 2 * 5 * 64 * 27]


def test_what_cannot_be_traced_is_refused_in_one_line(jax):
    with pytest.raises(InputError, match="JAX can trace") as caught:
        capture_jax(lambda x: float(x), (1.0,))
    assert "\n" not in str(caught.value)
