"""The constants of a device that explain the times of its operations best.

The cost model is that of `problem_of`: the larger of FLOPs / (peak · efficiency) and bytes / bandwidth, and a
launch. Every operation with FLOPs has an efficiency of its own, so that one that is slow for its bytes
(random numbers, exponentials) is explained by it; moves tell the bandwidth. The constants are positive and
minimise the squared logarithm of predicted over measured time, large misses counting less (soft L1) and long
operations more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.optimize import least_squares

from pomona.compile.placement.machine.machine import Device
from pomona.compile.placement.machine.timings import Timing
from pomona.foundation.errors import InputError
from pomona.foundation.randomness import stream

HELD_OUT = 0.25
WEIGHT_POWER = 0.25
"""An operation that takes 16 times the median counts twice."""
FEWEST = 8


@dataclass(frozen=True)
class Fit:
    """A device, and how far its times are off for operations that it was not fitted to."""

    device: Device
    num_fitted: int
    num_held_out: int
    median_error: float
    """Median of |predicted / measured - 1| over held-out operations."""
    total_error: float
    """Predicted over measured sum of all held-out operations' times, less 1."""


def fit_device(timings: Sequence[Timing], *, name: str, memory_bytes: float) -> Fit:
    """The device fitted to all timings; its errors are those of one fitted to three quarters of them.

    Raises InputError for fewer than eight timings.
    """
    if len(timings) < FEWEST:
        raise InputError(f"at least {FEWEST} timed operations are needed to fit a device, got {len(timings)}")
    order = stream(0, "held-out operations").permutation(len(timings))
    cut = max(1, round(HELD_OUT * len(timings)))
    held, kept = ([timings[index] for index in part] for part in (order[:cut], order[cut:]))
    partial = _fitted(kept, name, memory_bytes)
    predicted, measured = predicted_us(partial, held), np.array([one.run_us for one in held])
    return Fit(
        device=_fitted(timings, name, memory_bytes),
        num_fitted=len(timings),
        num_held_out=len(held),
        median_error=float(np.median(np.abs(predicted / measured - 1))),
        total_error=float(predicted.sum() / measured.sum() - 1),
    )


def predicted_us(device: Device, timings: Sequence[Timing]) -> Float64[np.ndarray, " operation"]:
    """What the cost model says of operations."""
    return np.array(
        [
            max(
                one.flops / (device.flops_per_s * device.efficiency.get(one.op, 1.0)),
                one.traffic_bytes / device.bytes_per_s,
            )
            * 1e6
            + device.launch_us
            for one in timings
        ]
    )


def _fitted(timings: Sequence[Timing], name: str, memory_bytes: float) -> Device:
    ops = sorted({one.op for one in timings if one.flops > 0})
    flops, traffic, run_us = (
        np.array([getattr(one, field) for one in timings]) for field in ("flops", "traffic_bytes", "run_us")
    )
    column = np.array([ops.index(one.op) if one.flops > 0 else -1 for one in timings])

    weight = np.clip(run_us / np.median(run_us), 1.0, None) ** WEIGHT_POWER

    def parts(logs: Float64[np.ndarray, " constant"]) -> tuple[np.ndarray, np.ndarray, float]:
        constants = np.exp(logs)
        calculate = np.where(column >= 0, flops * constants[2:][column], 0.0)
        return calculate, traffic * constants[1], float(constants[0])

    def misses(logs: Float64[np.ndarray, " constant"]) -> Float64[np.ndarray, " operation"]:
        calculate, move, launch_us = parts(logs)
        return weight * np.log((np.maximum(calculate, move) + launch_us) / run_us)

    def slopes(logs: Float64[np.ndarray, " constant"]) -> Float64[np.ndarray, "operation constant"]:
        calculate, move, launch_us = parts(logs)
        predicted = np.maximum(calculate, move) + launch_us
        matrix = np.zeros((len(run_us), len(logs)))
        matrix[:, 0] = launch_us / predicted
        matrix[:, 1] = np.where(calculate > move, 0.0, move / predicted)
        rows = np.flatnonzero(calculate > move)
        matrix[rows, 2 + column[rows]] = calculate[rows] / predicted[rows]
        return weight[:, None] * matrix

    start = _start(ops, column, flops, traffic, run_us)
    found = least_squares(misses, start, jac=slopes, loss="soft_l1", f_scale=0.5)  # pyright: ignore[reportArgumentType]
    calculate, move, _ = parts(found.x)
    binding = {ops[index] for index in column[calculate > move]}
    return _device(np.exp(found.x), ops, binding, name, memory_bytes)


def _start(
    ops: list[str],
    column: np.ndarray,
    flops: Float64[np.ndarray, " operation"],
    traffic: Float64[np.ndarray, " operation"],
    run_us: Float64[np.ndarray, " operation"],
) -> Float64[np.ndarray, " constant"]:
    """Logarithms of (launch, us a byte, us a FLOP of each op), the fastest that was seen."""
    launch_us = max(float(run_us.min()) / 2, 1e-3)
    us_a_byte = float(np.min(run_us[traffic > 0] / traffic[traffic > 0]))
    us_a_flop = [float(np.min(run_us[column == index] / flops[column == index])) for index in range(len(ops))]
    return np.log([launch_us, us_a_byte, *us_a_flop])


def _device(
    constants: Float64[np.ndarray, " constant"],
    ops: list[str],
    binding: set[str],
    name: str,
    memory_bytes: float,
) -> Device:
    # an op that is never bound by calculating may be as fast as the fastest
    rates = {op: float(1e6 / us) for op, us in zip(ops, constants[2:], strict=True) if op in binding}
    peak = max(rates.values(), default=float(1e6 / constants[2:].min(initial=1.0)))
    return Device(
        name=name,
        flops_per_s=peak,
        bytes_per_s=float(1e6 / constants[1]),
        memory_bytes=memory_bytes,
        launch_us=float(constants[0]),
        efficiency={op: rate / peak for op, rate in rates.items()},
    )
