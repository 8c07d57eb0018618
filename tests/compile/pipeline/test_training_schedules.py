import itertools

import numpy as np
import pytest

from pomona.compile.pipeline.scheduled import scheduled
from pomona.compile.pipeline.schedules import SCHEDULES
from pomona.foundation.errors import SettingError

SIZES = [(1, 1), (1, 5), (2, 1), (2, 2), (3, 7), (4, 4), (4, 8), (5, 20), (8, 64)]


def run(name, num_devices, num_micro_batches, *, per_device=1, forward=1.0, backward=2.0, transfer_us=0.0):
    count = num_devices * per_device
    return scheduled(
        name,
        [forward / per_device] * count,
        [backward / per_device] * count,
        num_devices=num_devices,
        num_micro_batches=num_micro_batches,
        transfer_us=transfer_us,
    )


@pytest.mark.parametrize("name", ["GPipe", "1F1B"])
@pytest.mark.parametrize(("p", "m"), SIZES)
def test_equal_stages_wait_p_minus_1_of_m_plus_p_minus_1(name, p, m):
    found = run(name, p, m)
    assert found.step_us == pytest.approx((m + p - 1) * 3.0)
    assert found.bubble == pytest.approx((p - 1) / (m + p - 1))


@pytest.mark.parametrize(("p", "m"), [(p, m) for p, m in SIZES if m % p == 0 and p > 1])
@pytest.mark.parametrize("v", [2, 3])
def test_interleaved_stages_wait_a_vth_as_long(p, m, v):
    found = run("interleaved", p, m, per_device=v)
    assert found.step_us == pytest.approx(3.0 * (m + (p - 1) / v))
    assert found.bubble == pytest.approx((p - 1) / (v * m + p - 1))


@pytest.mark.parametrize(("p", "m"), SIZES)
def test_gpipe_keeps_all_micro_batches_and_1f1b_as_many_as_devices_come_after(p, m):
    assert run("GPipe", p, m).most_kept == (m,) * p
    assert run("1F1B", p, m).most_kept == tuple(min(m, p - device) for device in range(p))


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_pass_runs_once_after_what_it_needs_and_devices_do_one_thing_at_a_time(name):
    p, m, v = 4, 8, 2 if name == "interleaved" else 1
    generator = np.random.default_rng(0)
    forward, backward = generator.uniform(1, 3, (2, p * v))
    found = scheduled(name, forward, backward, num_devices=p, num_micro_batches=m, transfer_us=0.25)
    ends = {one.what: one.end_us for one in found.passes}
    assert len(ends) == len(found.passes) == 2 * p * v * m
    starts = {one.what: one.start_us for one in found.passes}
    for what, start in starts.items():
        step = -1 if what.is_forward else 1
        neighbour = type(what)(what.is_forward, what.stage + step, what.micro_batch)
        if neighbour in ends:
            assert start >= ends[neighbour] + 0.25 - 1e-9
        if not what.is_forward:
            assert start >= ends[type(what)(True, what.stage, what.micro_batch)] - 1e-9
    for device in range(p):
        own = sorted((one.start_us, one.end_us) for one in found.passes if one.device == device)
        assert all(end <= start + 1e-9 for (_, end), (start, _) in itertools.pairwise(own))
    busy = m * (forward.sum() + backward.sum())
    assert found.bubble == pytest.approx(1 - busy / (p * found.step_us))


def test_the_slowest_stage_sets_the_pace_of_a_long_step():
    times = [1.0, 1.0, 4.0]
    for name in ("GPipe", "1F1B"):
        found = scheduled(name, times, times, num_devices=3, num_micro_batches=200)
        assert found.step_us == pytest.approx(200 * 8, rel=0.02)


def test_what_a_schedule_cannot_serve_is_refused():
    with pytest.raises(SettingError, match="multiple of 4 micro-batches, got 6"):
        run("interleaved", 4, 6, per_device=2)
    with pytest.raises(SettingError, match="no schedule '1f1b'"):
        run("1f1b", 2, 2)
    with pytest.raises(SettingError, match="one stage a device"):
        run("1F1B", 2, 2, per_device=2)
