"""A plan on processes: a worker a device, forked, pinned to a core, values in shared memory."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait
from typing import Any, NoReturn

import torch
from torch.utils._pytree import tree_map_only

from pomona.compile.pipeline.processes import cores_of
from pomona.compile.placement.running.programs import Programs, stored_tensor
from pomona.compile.placement.running.shared_values import Mailbox, SharedExchange, SharedTensors
from pomona.compile.placement.running.worker import Values, Worker
from pomona.foundation.errors import PomonaError, SettingError

START, STOP = -1, -2
"""What the owner posts to workers. They post -2 - 2 · place when a step is done, one less when it failed."""

MESSAGE_BYTES, PATIENCE_S = 1024, 5.0


class Processes:
    """Workers as processes. They are forks of this one, so that nothing is loaded or copied for them."""

    def __init__(
        self,
        programs: Programs,
        weights: Mapping[str, Any],
        inputs: Sequence[str],
        cores: Sequence[int] | None,
    ):
        if not hasattr(os, "fork") or sys.platform == "darwin":
            raise SettingError("workers as processes are forked, which is not safe here: give devices")
        on = cores_of(programs.num_workers, cores)
        self._programs, self._weights = programs, weights
        names = [*inputs, *programs.crossing]
        shared = SharedTensors({name: stored_tensor(programs.nodes[name]) for name in names}).tensors
        self._inputs = {name: shared[name] for name in inputs}
        self._shared = shared
        most = max((len(units) for units in programs.units), default=0)
        self._told = SharedTensors(
            {
                "message": torch.zeros(programs.num_workers, MESSAGE_BYTES, dtype=torch.uint8),
                "ran": torch.zeros(programs.num_workers, most, dtype=torch.int64),
            }
        ).tensors
        self._mailboxes = [Mailbox() for _ in range(programs.num_workers + 1)]
        self._values = Values(weights, programs.views[-1])
        context = multiprocessing.get_context("fork")
        self._processes = [
            context.Process(target=self._work, args=(place, core, os.getpid()), daemon=True)
            for place, core in enumerate(on)
        ]
        for process in self._processes:
            process.start()

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The workers' processes as the system numbers them."""
        return tuple(process.pid or 0 for process in self._processes)

    @property
    def ran(self) -> tuple[tuple[int, ...], ...]:
        """Worker → the units of the last step, by their least node, in the order they ran."""
        units = self._programs.units
        return tuple(tuple(self._told["ran"][k, : len(own)].tolist()) for k, own in enumerate(units))

    def run(self, inputs: Mapping[str, torch.Tensor]) -> Any:
        """One step; the outputs, copied out of shared memory."""
        if not self._processes:
            raise PomonaError("the workers have ended: make them again")
        self._values.begin()
        for name, value in inputs.items():
            self._inputs[name].copy_(value)
            self._values.arrive(name, self._inputs[name])
        for mailbox in self._mailboxes[:-1]:
            mailbox.post(START)
        names, working = tuple(self._programs.crossing), len(self._processes)
        while working:
            for number in self._wait():
                if number >= 0:
                    self._values.arrive(names[number], self._shared[names[number]])
                    continue
                place, failed = divmod(STOP - number, 2)
                if failed:
                    self._fail(place, self._message(place))
                working -= 1
        outputs = self._values.read(self._programs.output.args[0])
        return tree_map_only(torch.Tensor, torch.clone, outputs)

    def close(self) -> None:
        """Ends the workers."""
        if not self._processes:
            return
        for mailbox in self._mailboxes[:-1]:
            mailbox.post(STOP)
        for process in self._processes:
            process.join(PATIENCE_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._processes = []
        for mailbox in self._mailboxes:
            mailbox.close()

    def _wait(self) -> list[int]:
        mailbox = self._mailboxes[-1]
        ready = wait([mailbox.file, *(process.sentinel for process in self._processes)])
        if mailbox.file in ready:
            return mailbox.read(wait=False, check=lambda: None)
        for place, process in enumerate(self._processes):
            if process.exitcode is not None:
                code = process.exitcode
                how = f"was ended by signal {-code} ({signal.Signals(-code).name})" if code < 0 else "ended"
                self._fail(place, how)
        return []

    def _fail(self, place: int, how: str) -> NoReturn:
        count = len(self._processes)
        for process in self._processes:
            process.kill()
        self.close()
        raise PomonaError(f"worker {place + 1} of {count} {how}: make the workers again")

    def _message(self, place: int) -> str:
        return bytes(self._told["message"][place].tolist()).rstrip(b"\0").decode(errors="replace")

    def _work(self, place: int, core: int | None, owner: int) -> None:
        """What a worker's process does until it is told to stop, or its owner is gone."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # threads of the owner do not exist in a fork
        torch.set_num_threads(1)
        if core is not None:
            os.sched_setaffinity(0, {core})

        def check() -> None:
            if os.getppid() != owner:
                os._exit(0)

        programs = self._programs
        exchange = SharedExchange(programs.crossing, self._shared, self._mailboxes, place, check)
        values = Values(self._weights, programs.views[place])
        worker = Worker(programs.units[place], values, programs.crossing)
        last = self._mailboxes[-1]
        with torch.inference_mode():
            while exchange.order() == START:
                try:
                    worker.step(self._inputs, exchange)
                except Exception as error:
                    content = f"cannot run its part: {' '.join(str(error).split())}".encode()[:MESSAGE_BYTES]
                    self._told["message"][place, : len(content)] = torch.tensor(list(content))
                    last.post(STOP - 2 * place - 1)
                    continue
                self._told["ran"][place, : len(worker.ran)] = torch.tensor(worker.ran)
                last.post(STOP - 2 * place)
