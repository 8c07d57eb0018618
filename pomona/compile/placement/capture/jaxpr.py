"""Graphs of JAX functions, from their jaxprs. JAX is not a dependency: the user's own is taken.

Calls (jit, custom derivatives, checkpoints) are inlined. A scan is one node with the FLOPs and traffic of all
its iterations; of a while loop the body counts once, of a cond the costliest branch.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from pomona.compile.placement.graph import Graph
from pomona.compile.placement.node_list import NodeList
from pomona.compile.placement.op_costs import light_flops
from pomona.foundation.errors import InputError

_TABLE = """
matmul: ragged_dot
convolution: conv_general_dilated
add: add add_any
subtract: sub
multiply: mul
divide: div rem
negate: neg
power: pow integer_pow square
exponential: exp exp2 expm1
logarithm: log log1p
square_root: sqrt rsqrt cbrt
absolute: abs
minimum: min
maximum: max clamp
compare: eq ne lt le gt ge and or not xor is_finite
select: select_n
sigmoid: logistic
tanh: tanh
elementwise: sin cos tan asin acos atan atan2 sinh cosh asinh acosh atanh erf erfc erf_inv floor ceil round
elementwise: shift_left shift_right_logical shift_right_arithmetic population_count clz
elementwise: sign nextafter real imag complex conj
random: random_bits random_seed random_wrap random_unwrap threefry2x32 random_fold_in random_split
fill: iota broadcast_in_dim
cast: convert_element_type bitcast_convert_type reduce_precision
copy: copy copy_p
transpose: transpose rev
concat: concatenate
split: split
slice: slice dynamic_slice
pad: pad
gather: gather
scatter: scatter scatter-add scatter_add scatter_mul dynamic_update_slice
sort: sort top_k
sum: reduce_sum reduce_prod
reduce_maximum: reduce_max reduce_min reduce_and reduce_or
argmax: argmax argmin
cumulative: cumsum cumprod cummax cummin cumlogsumexp
pool_maximum: reduce_window_max select_and_scatter_add select_and_gather_add
pool_mean: reduce_window_sum reduce_window
scan: scan while cond
"""
_WORD_OF = {
    name: word
    for word, _, names in (line.partition(": ") for line in _TABLE.split("\n"))
    for name in names.split()
}
_VIEWS = ("reshape", "squeeze", "expand_dims", "broadcast_in_dim", "stop_gradient", "optimization_barrier")
_LOOPS = ("scan", "while", "cond")


def capture_jax(function: Callable, args: Sequence[Any], *, name: str = "") -> Graph:
    """The graph of `function(*args)`; arguments and constants are stored. Raises InputError where JAX cannot
    trace it."""
    try:
        import jax
    except ImportError as error:
        raise InputError("JAX is needed for a function of JAX and not installed: pip install jax") from error
    title = name or getattr(function, "__name__", "jax")
    try:
        closed = jax.make_jaxpr(function)(*args)
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"a function that JAX can trace was wanted, {title} is not: {reason}") from error
    walk = _Walk()
    inner = closed.jaxpr
    known = {
        variable: walk.stored("constant" if index < len(inner.constvars) else "input", variable, index)
        for index, variable in enumerate((*inner.constvars, *inner.invars))
    }
    walk.run(inner, known, "")
    return walk.nodes.graph(title)


class _Walk:
    """Adds the equations of jaxprs; `known` maps the variables of one jaxpr to nodes, literals to nothing."""

    def __init__(self) -> None:
        self.nodes = NodeList()

    def stored(self, op: str, variable: Any, index: int) -> int:
        aval = variable.aval
        return self.nodes.add(op, f"{op}{index}", _shape(aval), _size_bytes(aval), is_stored=True)

    def run(self, jaxpr: Any, known: dict[Any, int], path: str) -> None:
        for equation in jaxpr.eqns:
            operator = equation.primitive.name
            inner = _called(equation)
            sources = [known.get(one) for one in equation.invars if not _is_literal(one)]
            if inner is not None:
                self._call(equation, inner, known, path)
            elif operator in _VIEWS and sources and sources[0] is not None:
                known[equation.outvars[0]] = sources[0]
            else:
                self._add(equation, known, path)

    def _call(self, equation: Any, inner: Any, known: dict[Any, int], path: str) -> None:
        body = getattr(inner, "jaxpr", inner)
        label = equation.params.get("name") or equation.primitive.name
        inside = {
            variable: self.nodes.add(
                "constant",
                f"{path}{label}/constant",
                _shape(variable.aval),
                _size_bytes(variable.aval),
                is_stored=True,
            )
            for variable in body.constvars
        }
        # custom derivatives pass constants first: the last arguments are those of the body
        given = equation.invars[len(equation.invars) - len(body.invars) :]
        for variable, value in zip(body.invars, given, strict=True):
            if not _is_literal(value) and value in known:
                inside[variable] = known[value]
        self.run(body, inside, f"{path}{label}/")
        for outer, value in zip(equation.outvars, body.outvars, strict=True):
            if not _is_literal(value) and value in inside:
                known[outer] = inside[value]

    def _add(self, equation: Any, known: dict[Any, int], path: str) -> None:
        made = equation.outvars
        flops, traffic_bytes = _costs(equation)
        whole = self.nodes.add(
            jax_word(equation),
            f"{path}{equation.primitive.name}",
            _shape(made[0].aval) if made else (),
            sum(_size_bytes(one.aval) for one in made),
            sources=sorted({known[one] for one in equation.invars if not _is_literal(one) and one in known}),
            flops=flops,
            traffic_bytes=traffic_bytes,
        )
        used = [one for one in made if type(one).__name__ != "DropVar"]
        for variable in used:
            known[variable] = whole
            if len(used) > 1:
                known[variable] = self.nodes.add_item(
                    whole, _shape(variable.aval), _size_bytes(variable.aval)
                )


def jax_word(equation: Any) -> str:
    """The house's word for an equation's primitive; its own name where there is none."""
    operator = str(equation.primitive.name)
    if operator == "dot_general":
        (_, _), (batched, _) = equation.params["dimension_numbers"]
        return "batch_matmul" if batched else "matmul"
    return _WORD_OF.get(operator, operator)


def _costs(equation: Any) -> tuple[float, float]:
    """(FLOPs, bytes read and written) of one equation."""
    operator, made = equation.primitive.name, [one.aval for one in equation.outvars]
    if operator in _LOOPS:
        return _loop_costs(equation)
    read = [one.aval for one in equation.invars]
    written = sum(map(_size_bytes, made))
    traffic_bytes = written + sum(map(_size_bytes, read))
    if operator in ("gather", "dynamic_slice"):
        traffic_bytes = 2 * written + sum(map(_size_bytes, read[1:]))
    if operator == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2.0 * prod(made[0].shape) * prod(read[0].shape[axis] for axis in contracted), traffic_bytes
    if operator == "conv_general_dilated":
        kernel = read[1].shape
        outputs = kernel[equation.params["dimension_numbers"].rhs_spec[0]]
        return 2.0 * prod(made[0].shape) * prod(kernel) / outputs, traffic_bytes
    if operator.startswith("reduce_window"):
        return float(prod(made[0].shape) * prod(equation.params["window_dimensions"])), traffic_bytes
    elements = max((prod(_shape(aval)) for aval in read), default=0)
    size = max((prod(_shape(aval)) for aval in made), default=0)
    return light_flops(jax_word(equation), elements, size, num_inputs=len(read)), traffic_bytes


def _loop_costs(equation: Any) -> tuple[float, float]:
    params = equation.params
    if equation.primitive.name == "cond":
        return max((_body_costs(branch.jaxpr) for branch in params["branches"]), default=(0.0, 0.0))
    if equation.primitive.name == "while":
        return _body_costs(params["body_jaxpr"].jaxpr)
    flops, traffic_bytes = _body_costs(params["jaxpr"].jaxpr)
    return flops * params["length"], traffic_bytes * params["length"]


def _body_costs(jaxpr: Any) -> tuple[float, float]:
    flops = traffic_bytes = 0.0
    for equation in jaxpr.eqns:
        inner = _called(equation)
        if inner is not None:
            more = _body_costs(getattr(inner, "jaxpr", inner))
        elif equation.primitive.name in _VIEWS:
            continue
        else:
            more = _costs(equation)
        flops, traffic_bytes = flops + more[0], traffic_bytes + more[1]
    return flops, traffic_bytes


def _called(equation: Any) -> Any:
    """The jaxpr that an equation only calls; None where it is no call."""
    if equation.primitive.name in _LOOPS:
        return None
    for key in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        inner = equation.params.get(key)
        if inner is not None and hasattr(getattr(inner, "jaxpr", inner), "eqns"):
            return inner
    return None


def _is_literal(value: Any) -> bool:
    return hasattr(value, "val")


def _shape(aval: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in getattr(aval, "shape", ()))


def _size_bytes(aval: Any) -> float:
    dtype = getattr(aval, "dtype", None)
    # a key of random numbers has a type of its own
    return float(prod(_shape(aval)) * (getattr(dtype, "itemsize", 4) or 4))
