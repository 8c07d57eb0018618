"""The one-euro filter against its definition, one number at a time."""

import math

import numpy as np

from pomona.perceive.smoothing import OneEuro, averaged, steady

SETTINGS = OneEuro(min_cutoff=0.4, beta=3.0)


def by_definition(values, times, settings, size=1.0):
    """Casiez and others, algorithm 1, with the speed in sizes a second and taken from the raw values."""
    given, speed = values[0], 0.0
    answers = [given]
    share = lambda cutoff, rate: 1 / (1 + rate / (2 * math.pi * cutoff))  # noqa: E731
    for i in range(1, len(values)):
        rate = 1 / (times[i] - times[i - 1])
        now = (values[i] - values[i - 1]) * rate / size
        alpha = share(settings.derivative_cutoff, rate)
        speed = alpha * now + (1 - alpha) * speed
        alpha = share(settings.min_cutoff + settings.beta * abs(speed), rate)
        given = alpha * values[i] + (1 - alpha) * given
        answers.append(given)
    return answers


def filtered(points, times, settings, size=1.0):
    state, answers = None, []
    for point, time_s in zip(points, times, strict=True):
        given, state = steady(settings, point, time_s, state, size)
        answers.append(given)
    return np.array(answers)


def test_every_coordinate_follows_the_definition_at_uneven_times():
    generator = np.random.default_rng(1)
    points = generator.normal(0, 5, (40, 4, 3)).cumsum(axis=0)
    times = generator.uniform(0.005, 0.2, 40).cumsum()
    answers = filtered(points, times, SETTINGS, size=7.0)
    for landmark in range(4):
        for axis in range(3):
            wanted = by_definition(points[:, landmark, axis], times, SETTINGS, 7.0)
            np.testing.assert_allclose(answers[:, landmark, axis], wanted)


def test_a_point_at_rest_stays_and_noise_shrinks():
    times = np.arange(300) / 30
    rest = np.full((300, 1, 2), 12.0)
    np.testing.assert_allclose(filtered(rest, times, SETTINGS), rest)
    noise = np.random.default_rng(2).normal(0, 1, (300, 50, 2))
    calm = OneEuro(min_cutoff=0.05, beta=0.0)
    assert filtered(noise, times, calm)[100:].std() < noise.std() / 5


def test_the_answer_depends_on_seconds_not_on_frames():
    speed = 30.0
    slow = np.arange(0, 4, 1 / 15)
    fast = np.arange(0, 4, 1 / 60)
    lags = [
        (speed * times - filtered((speed * times)[:, None, None], times, SETTINGS, 10.0)[:, 0, 0])[-1]
        for times in (slow, fast)
    ]
    assert abs(lags[0] - lags[1]) < 0.2 * speed / 15


def test_a_clock_that_does_not_go_on_changes_nothing():
    point = np.array([[1.0, 2.0]])
    _, state = steady(SETTINGS, point, 1.0, None)
    moved = np.array([[5.0, 5.0]])
    for time_s in (1.0, 0.5):
        given, after = steady(SETTINGS, moved, time_s, state)
        assert given is moved
        assert after is state


def test_averaging_starts_with_what_is_there():
    first = np.array([1.0, 3.0])
    assert averaged(first, None, 0.1) is first
    np.testing.assert_allclose(averaged(first * 0, first, 0.1), first * 0.9)
