"""Every frame of a stream, in order, with the stages of neighbouring frames overlapping."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Literal

from pomona.perceive.graph.packet import Packet, Result
from pomona.perceive.graph.pool import Pool
from pomona.perceive.graph.schedule import Work
from pomona.perceive.graph.timings import Flow

OnError = Literal["stop", "skip"]


def run_all(
    pool: Pool, packets: Iterable[Packet], *, in_flight: int, on_error: OnError, flow: Flow
) -> Iterator[Result]:
    """A result a packet, in order; the answers do not depend on threads or on timing.

    At most `in_flight` frames are read and not yet given out, so a slow consumer stops the reading. An error
    of `packets` itself comes after the results of the frames before it. However the stream ends, the states
    are those after the last frame that was given out: frames begun after it are taken back.
    """
    source = iter(packets)
    window: deque[Work] = deque()
    failure: Exception | None = None
    is_exhausted = False
    try:
        while True:
            is_fed = False
            # a frame that is done does not wait for a slow source to bring more than one
            while not is_exhausted and len(window) < in_flight and not (is_fed and window[0].is_done):
                try:
                    packet = next(source)
                    pool.schedule.plan.check_packet(packet)
                except StopIteration:
                    is_exhausted = True
                except Exception as error:
                    is_exhausted, failure = True, error
                else:
                    window.append(pool.submit(packet))
                    flow.hold(len(window))
                    is_fed = True
            if not window:
                break
            pool.wait(window[0])
            error = window[0].result.error
            if error is not None and on_error == "stop":
                raise error
            flow.hold(len(window) - 1)
            yield window.popleft().result
        if failure is not None:
            raise failure
    finally:
        flow.hold(0)
        pool.take_back(window)
