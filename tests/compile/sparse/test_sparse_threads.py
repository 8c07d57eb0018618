"""What a thread of a program may still touch outlives the program."""

import gc
import threading
import weakref

import numpy as np
import pytest
from one_step import normal, plan_of

from pomona.compile.sparse import program as programs
from pomona.compile.sparse.program import compile_plan


@pytest.fixture
def late(monkeypatch):
    """Makes a program of two threads whose second thread is away until the event is set."""
    generator, back = np.random.default_rng(0), threading.Event()

    class LateCrew(programs.Crew):
        def __init__(self, walk, wait, *tables):
            super().__init__(walk, lambda watch: (back.wait(), wait(watch)), *tables)

    monkeypatch.setattr(programs, "Crew", LateCrew)
    weights = {"weight": normal(generator, 8, 4), "bias": normal(generator, 8)}
    plan = plan_of("pointwise", [(4, 6, 6)], (8, 6, 6), weights=weights)
    yield lambda: compile_plan(plan, threads=2)
    back.set()


def test_a_late_thread_keeps_all_memory_that_it_may_touch(late):
    program = late()
    program.run(np.ones((4, 6, 6), np.float32))
    touched = [
        weakref.ref(array)
        for array in (program._arena, program._stamps, program._queues._lines, *program._constants)
    ]
    gone = weakref.ref(program)
    del program
    gc.collect()
    assert gone() is None
    assert all(reference() is not None for reference in touched)
