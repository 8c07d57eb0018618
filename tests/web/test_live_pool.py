"""The threads are shared in fair parts."""

import asyncio
import threading
from collections import Counter

import pytest

from pomona.web.live.allowance import Allowance
from pomona.web.live.pool import FairPool


def share(costs: dict[str, float], *, until: float, joins: dict[str, float] | None = None) -> Counter:
    """The time each client got of one thread, on a clock that only the clients' work moves."""
    now, used = [0.0], Counter()

    def work(name):
        threading.Event().wait(0.001)  # the others ask again meanwhile
        now[0] += costs[name]
        used[name] += costs[name]

    async def client(pool, name):
        while now[0] < (joins or {}).get(name, 0.0):
            await asyncio.sleep(0)
        while now[0] < until:
            await pool.run(name, lambda: work(name))

    async def everyone():
        pool = FairPool(1, clock=lambda: now[0])
        await asyncio.gather(*(client(pool, name) for name in costs))
        pool.close()

    asyncio.run(everyone())
    return used


@pytest.mark.parametrize(
    "costs", [{"a": 1, "b": 1}, {"a": 10, "b": 1, "c": 1}, {"a": 7, "b": 3, "c": 1, "d": 1}], ids=str
)
def test_everyone_gets_the_same_time_whatever_one_piece_costs(costs):
    used = share(costs, until=300)
    assert max(used.values()) - min(used.values()) <= 3 * max(costs.values())


def test_the_thread_does_not_stand_still_for_the_sake_of_fairness():
    """Of two, the one that did not just finish is the only one that waits: they take turns."""
    used = share({"a": 10, "b": 1}, until=400)
    assert used["a"] / 10 == pytest.approx(used["b"], abs=2)


def test_who_comes_late_gets_a_share_and_no_arrears():
    used = share({"a": 2, "b": 2}, until=400, joins={"b": 200})
    assert used["a"] - used["b"] == pytest.approx(200, abs=6)


def test_one_client_alone_gets_all():
    assert share({"a": 1}, until=50)["a"] == 50


def test_no_more_work_is_under_way_than_there_are_threads():
    under_way, most, lock = [0], [0], threading.Lock()

    def work():
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        threading.Event().wait(0.002)
        with lock:
            under_way[0] -= 1

    async def everyone():
        pool = FairPool(2)
        for _ in range(5):
            await asyncio.gather(*(pool.run(number, work) for number in range(6)))
        pool.close()

    asyncio.run(everyone())
    assert most[0] == 2


def test_an_error_reaches_its_client_and_frees_the_thread():
    async def everyone():
        pool = FairPool(1)
        with pytest.raises(ZeroDivisionError):
            await pool.run("a", lambda: 1 / 0)
        assert await pool.run("b", lambda: 5) == 5
        pool.close()

    asyncio.run(everyone())


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_who_leaves_while_waiting_or_working_holds_nothing_up(turns):
    async def everyone():
        pool, gate = FairPool(1), threading.Event()
        first = asyncio.create_task(pool.run("a", gate.wait))
        second = asyncio.create_task(pool.run("b", lambda: 2))
        for _ in range(turns):
            await asyncio.sleep(0)
        second.cancel()
        if turns == 3:
            first.cancel()
        gate.set()
        await asyncio.gather(first, second, return_exceptions=True)
        pool.leave("a")
        async with asyncio.timeout(20):
            assert await pool.run("c", lambda: 3) == 3
            assert await pool.run("b", lambda: 4) == 4
        pool.close()

    asyncio.run(everyone())


def test_an_allowance_bounds_every_stretch_of_time():
    now = [0.0]
    allowance = Allowance(10, clock=lambda: now[0])
    taken = []
    for step in range(400):
        now[0] = step / 100
        if allowance.take():
            taken.append(now[0])
    for start in taken:
        for length in (0.5, 1, 2):
            assert sum(start <= time < start + length for time in taken) <= 10 + 10 * length
    assert len(taken) == pytest.approx(10 + 4 * 10, abs=1)
    assert not allowance.take(11)
