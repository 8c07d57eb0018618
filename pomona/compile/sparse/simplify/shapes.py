"""Rules for steps that move values about."""

import math
from dataclasses import replace

from pomona.compile.sparse.plan import Step, numbers
from pomona.compile.sparse.simplify.surroundings import Change, Surroundings


def without_no_op(around: Surroundings, position: int) -> Change | None:
    """Steps that change nothing are left out."""
    step = around.steps[position]
    if not isinstance(step, Step) or not _changes_nothing(around, step):
        return None
    return Change({position: ()}, {step.output: step.inputs[0]})


def _changes_nothing(around: Surroundings, step: Step) -> bool:
    old, new = around.shape(step.inputs[0]), around.shape(step.output)
    if step.op == "reshape":
        return old == new
    if step.op == "transpose":
        return step.settings["order"] == (0, 1, 2)
    if step.op == "concat":
        return len(step.inputs) == 1
    if step.op == "select":
        return old == new and list(step.weights["channels"]) == list(range(new[0]))
    if step.op == "activation":
        bounds = (step.settings.get("lower"), step.settings.get("upper"))
        return step.activation == "none" or (step.activation == "clip" and bounds == (-math.inf, math.inf))
    return False


def without_two_reshapes(around: Surroundings, position: int) -> Change | None:
    """A reshape of a reshape reads what the first one reads."""
    step = around.step(position, "reshape")
    if step is None:
        return None
    before = around.position(step.inputs[0])
    first = around.step(before, "reshape") if before >= 0 else None
    if first is None:
        return None
    return Change({position: (replace(step, inputs=first.inputs),)})


def without_two_transposes(around: Surroundings, position: int) -> Change | None:
    """A transposition of a transposition is one."""
    step = around.step(position, "transpose")
    if step is None:
        return None
    before = around.position(step.inputs[0])
    first = around.step(before, "transpose") if before >= 0 else None
    if first is None:
        return None
    order = tuple(numbers(first, "order")[axis] for axis in numbers(step, "order"))
    return Change({position: (replace(step, inputs=first.inputs, settings={"order": order}),)})
