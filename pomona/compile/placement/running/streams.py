"""A plan on torch devices in this process: a thread a worker, and a stream of its own on a GPU."""

import contextlib
import queue
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from pomona.compile.placement.running.programs import Programs
from pomona.compile.placement.running.worker import Values, Worker
from pomona.foundation.errors import PomonaError, SettingError


class Streams:
    """Workers as threads. Copies to and from a GPU are queued on the receiver's stream, after the value's."""

    def __init__(self, programs: Programs, weights: Mapping[str, Any], devices: Sequence[str]):
        if len(devices) != programs.num_workers:
            raise SettingError(f"the plan has {programs.num_workers} devices, {len(devices)} are given")
        self._programs = programs
        self._devices = [_device(name) for name in devices]
        self._streams = [torch.cuda.Stream(one) if one.type == "cuda" else None for one in self._devices]
        self._workers = []
        for place, device in enumerate(self._devices):
            values = Values(_moved(weights, device), programs.views[place], device)
            self._workers.append(Worker(programs.units[place], values, programs.crossing))
        if any(self._streams):
            # weights are there before a stream reads them
            torch.cuda.synchronize()
        self._values = Values(weights, programs.views[-1])
        self._pool = ThreadPoolExecutor(len(devices), "pomona-worker")

    @property
    def ran(self) -> tuple[tuple[int, ...], ...]:
        """Worker → the units of the last step, by their least node, in the order they ran."""
        return tuple(tuple(worker.ran) for worker in self._workers)

    def run(self, inputs: Mapping[str, torch.Tensor]) -> Any:
        """One step; the outputs in the processor's memory."""
        mailboxes: list[queue.SimpleQueue] = [queue.SimpleQueue() for _ in range(len(self._workers) + 1)]
        steps = [
            self._pool.submit(self._step, place, inputs, mailboxes) for place in range(len(self._workers))
        ]
        failures = [error for step in steps if (error := step.exception()) is not None]
        if failures:
            # the first cause, not one of those who waited for it
            raise next((error for error in failures if not isinstance(error, _GivenUp)), failures[0])
        self._values.begin()
        for name, value in inputs.items():
            self._values.arrive(name, value)
        last = _QueueExchange(self._programs.crossing, mailboxes, -1, torch.device("cpu"), None)
        while not mailboxes[-1].empty():
            for name, value in last.receive(wait=True).items():
                self._values.arrive(name, value)
        return self._values.read(self._programs.output.args[0])

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown()

    def _step(
        self, place: int, inputs: Mapping[str, torch.Tensor], mailboxes: Sequence[queue.SimpleQueue]
    ) -> None:
        device, stream = self._devices[place], self._streams[place]
        exchange = _QueueExchange(self._programs.crossing, mailboxes, place, device, stream)
        try:
            with torch.inference_mode(), _on(stream):
                self._workers[place].step(_moved(inputs, device), exchange)
        except BaseException:
            for mailbox in mailboxes[:-1]:
                mailbox.put(None)
            raise


class _GivenUp(PomonaError):
    """Another worker failed."""


class _QueueExchange:
    """One worker's end: values in queues, with the event after which they may be read."""

    def __init__(
        self,
        crossing: Mapping[str, tuple[int, ...]],
        mailboxes: Sequence[queue.SimpleQueue],
        place: int,
        device: torch.device,
        stream: "torch.cuda.Stream | None",
    ):
        self._crossing, self._mailboxes, self._own = crossing, mailboxes, mailboxes[place]
        self._device, self._stream = device, stream

    def send(self, name: str, value: torch.Tensor) -> None:
        """Puts a value into the queues of those that need it."""
        event = None
        if self._stream is not None:
            event = torch.cuda.Event()
            event.record(self._stream)
        for place in self._crossing[name]:
            self._mailboxes[place].put((name, value, event))

    def receive(self, *, wait: bool) -> dict[str, torch.Tensor]:
        """Values that have come, on this worker's device."""
        found: dict[str, torch.Tensor] = {}
        while (wait and not found) or not self._own.empty():
            entry = self._own.get()
            if entry is None:
                raise _GivenUp("another worker failed")
            name, value, event = entry
            if event is not None:
                self._wait_for(event, value)
            found[name] = value.to(self._device, non_blocking=self._stream is not None)
        return found

    def _wait_for(self, event: "torch.cuda.Event", value: torch.Tensor) -> None:
        if self._stream is None:
            event.synchronize()
            return
        self._stream.wait_event(event)
        # its memory is not given to another tensor before this stream has read it
        value.record_stream(self._stream)


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        raise SettingError(f"no device {name!r}: such as cpu, cuda:0") from None
    if device.type not in ("cpu", "cuda"):
        raise SettingError(f"plans run on cpu and cuda, not on {name}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SettingError(f"there is no {name} here: {torch.cuda.device_count()} GPUs are found")
    return device


def _moved(values: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    return {name: one.to(device) if isinstance(one, torch.Tensor) else one for name, one in values.items()}


def _on(stream: "torch.cuda.Stream | None") -> contextlib.AbstractContextManager[Any]:
    return contextlib.nullcontext() if stream is None else torch.cuda.stream(stream)
