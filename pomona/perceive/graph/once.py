"""One frame now."""

from pomona.perceive.graph.packet import Packet, Result
from pomona.perceive.graph.pool import Pool
from pomona.perceive.graph.schedule import Work


def run_one(pool: Pool, packet: Packet) -> Result:
    """The result of a frame, its independent stages side by side.

    Raises StageError when a stage fails; then, and when interrupted, every state is as before the frame.
    """
    pool.schedule.plan.check_packet(packet)
    works: list[Work] = []
    try:
        pool.run(packet, works)
        result = works[0].result
        if result.error is not None:
            raise result.error
    except BaseException:
        pool.take_back(works)
        raise
    return result
