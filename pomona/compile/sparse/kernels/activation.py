"""Activations as IR: what each does to a vector, after bias and residual."""

import numpy as np

from pomona.compile.sparse.kernels.text import Function

PARAMETER_BYTES = 8


def parameters(settings: dict) -> int:
    """The two numbers that an activation needs, as one entry of a kernel's argument table."""
    match settings.get("activation", "none"):
        case "clip":
            pair = (settings["lower"], settings["upper"])
        case "hard_sigmoid":
            pair = (settings.get("alpha", 1 / 6), settings.get("beta", 0.5))
        case _:
            pair = (-np.inf, np.inf)
    return int(np.array(pair, np.float32).view(np.int64)[0])


def kernel_activation(name: str) -> str:
    """Which activation the kernel has: doing nothing is clipping to infinite limits."""
    return "clip" if name == "none" else name


class Activation:
    """Emits one activation; `first` and `second` are its two numbers, loaded once from the argument table."""

    def __init__(self, function: Function, name: str, argument_index: int):
        self.function = function
        self.name = name
        entry = function.at("%arguments", PARAMETER_BYTES * argument_index)
        self.first = function.splat(function.load(entry, "float"))
        self.second = function.splat(function.load(function.at(entry, 4), "float"))

    def apply(self, value: str, slope: str | None = None) -> str:
        """The activation of a vector; `slope` is the channel's (a vector) for prelu."""
        match self.name:
            case "clip":
                return smaller(self.function, self.second, larger(self.function, self.first, value))
            case "sigmoid":
                return sigmoid(self.function, value)
            case "hard_sigmoid":
                return self._hard_sigmoid(value, self.first, self.second)
            case "hard_swish":
                return self._hard_swish(value)
            case "silu":
                return self.function.operate("fmul", value, sigmoid(self.function, value))
            case "tanh":
                return tanh(self.function, value)
            case "gelu":
                return gelu(self.function, value)
            case "prelu":
                return self._prelu(value, slope)
        raise AssertionError(self.name)

    def _hard_sigmoid(self, value: str, alpha: str, beta: str) -> str:
        function = self.function
        line = function.fma(value, alpha, beta)
        return smaller(function, function.constant(1.0), larger(function, function.constant(0.0), line))

    def _hard_swish(self, value: str) -> str:
        function = self.function
        gate = self._hard_sigmoid(value, function.constant(1 / 6), function.constant(0.5))
        return function.operate("fmul", value, gate)

    def _prelu(self, value: str, slope: str | None) -> str:
        function = self.function
        assert slope is not None
        zero = function.constant(0.0)
        is_positive = function.value(f"fcmp ogt {function.vector} {value}, {zero}")
        return select(function, is_positive, value, function.operate("fmul", value, slope))


def larger(function: Function, limit: str, value: str) -> str:
    """max(limit, value); a NaN value stays NaN. One instruction, unlike IEEE's maximum."""
    is_above = function.value(f"fcmp ogt {function.vector} {limit}, {value}")
    return select(function, is_above, limit, value)


def smaller(function: Function, limit: str, value: str) -> str:
    """min(limit, value); a NaN value stays NaN."""
    is_below = function.value(f"fcmp olt {function.vector} {limit}, {value}")
    return select(function, is_below, limit, value)


def select(function: Function, mask: str, yes: str, no: str) -> str:
    """Lanes of `yes` where the mask is on, else of `no`."""
    return function.value(f"select {function.mask} {mask}, {function.vector} {yes}, {function.vector} {no}")


def exponential(function: Function, value: str) -> str:
    """e^value to 2 units in the last place: a power of two times a polynomial of the rest (Cephes, expf)."""
    value = larger(function, function.constant(-87.0), smaller(function, function.constant(88.0), value))
    scaled = function.fma(value, function.constant(1.44269504088896341), function.constant(0.5))
    whole = function.intrinsic("floor", scaled)
    rest = function.fma(whole, function.constant(-0.693359375), value)
    rest = function.fma(whole, function.constant(2.12194440e-4), rest)
    result = function.constant(1.9875691500e-4)
    for coefficient in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5, 1.0, 1.0):
        result = function.fma(result, rest, function.constant(coefficient))
    integers = f"<{function.lanes} x i32>"
    power = function.value(f"fptosi {function.vector} {whole} to {integers}")
    shifted = function.value(f"shl {integers} {power}, {function.splat('23', 'i32')}")
    bits = function.value(f"bitcast {function.vector} {result} to {integers}")
    total = function.value(f"add {integers} {bits}, {shifted}")
    return function.value(f"bitcast {integers} {total} to {function.vector}")


def sigmoid(function: Function, value: str) -> str:
    """1 / (1 + e^-value)."""
    negative = function.value(f"fneg {function.vector} {value}")
    one = function.constant(1.0)
    return function.operate("fdiv", one, function.operate("fadd", one, exponential(function, negative)))


def tanh(function: Function, value: str) -> str:
    """2 / (1 + e^-2value) - 1: absolute error about 1e-7."""
    twice = function.operate("fadd", value, value)
    return function.fma(sigmoid(function, twice), function.constant(2.0), function.constant(-1.0))


def gelu(function: Function, value: str) -> str:
    """value times the normal distribution function (Abramowitz and Stegun 7.1.26, error 1.5e-7)."""
    scaled = function.operate("fmul", value, function.constant(0.70710678118654752))
    size = function.intrinsic("fabs", scaled)
    one = function.constant(1.0)
    inverse = function.operate("fdiv", one, function.fma(size, function.constant(0.3275911), one))
    series = function.constant(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = function.fma(series, inverse, function.constant(coefficient))
    series = function.operate("fmul", series, inverse)
    square = function.operate("fmul", scaled, scaled)
    tail = function.operate(
        "fmul", series, exponential(function, function.value(f"fneg {function.vector} {square}"))
    )
    error = function.operate("fsub", one, tail)
    signed = function.intrinsic("copysign", error, scaled)
    half = function.operate("fmul", value, function.constant(0.5))
    return function.fma(half, signed, half)
