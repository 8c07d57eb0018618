"""A program that runs a model again and again when it is told to: `python -m …loop_process JSON`.

It is what a pipeline is compared with: one process on one core, on several with as many threads, or several
such processes. It says "ready"; to a line with seconds it answers with three numbers: how often the model
ran, in how many seconds, and how many of them it had the processor.
"""

import json
import os
import signal
import sys
import time

import numpy as np

from pomona.compile.pipeline.part_session import PartSession
from pomona.compile.pipeline.profile import aligned


def main() -> None:
    """Answers lines until there are none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = json.loads(sys.argv[1])
    if asked["cores"]:
        os.sched_setaffinity(0, set(asked["cores"]))
    session = PartSession(asked["model"], threads=asked["threads"])
    with np.load(asked["inputs"]) as loaded:
        inputs = {name: aligned(loaded[name]) for name in session.inputs}
    outputs = {name: aligned(array) for name, array in session.run(inputs).items()}
    call = session.bound(inputs, outputs)
    for _ in range(3):
        call()
    print("ready", flush=True)
    for line in sys.stdin:
        began, count, began_processor = time.perf_counter(), 0, time.thread_time()
        deadline = began + float(line)
        while time.perf_counter() < deadline:
            call()
            count += 1
        spent = time.perf_counter() - began
        print(json.dumps([count, spent, time.thread_time() - began_processor]), flush=True)


if __name__ == "__main__":
    main()
