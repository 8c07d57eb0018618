"""A clock on which nothing takes time but what says so, and systems that take a given time on it."""

import heapq

import numpy as np

MS = 1_000_000


class SimulatedClock:
    """Nanoseconds that pass only when someone waits or works."""

    def __init__(self):
        self.moment = 0

    def now(self):
        return self.moment

    def wait_until(self, moment):
        self.moment = max(self.moment, moment)

    def work(self, ns):
        self.moment += int(ns)


class SimulatedWorkers:
    """So many workers, each of whom takes `service_ns(place)` for a query, first come first served."""

    def __init__(self, clock, number, service_ns):
        self.clock, self.service_ns = clock, service_ns
        self.free = [0] * number

    def submit(self, place, samples, recorder):
        begin = max(self.clock.now(), heapq.heappop(self.free))
        end = begin + int(self.service_ns(place))
        heapq.heappush(self.free, end)
        recorder.finish(place, end, None)

    def wait(self):
        self.clock.wait_until(max(self.free))


def waiting_ns(arrivals, service):
    """Lindley's recursion: how long each customer of a queue with one server waits before service."""
    waited, found = 0, []
    for place in range(len(arrivals)):
        if place:
            waited = max(0, waited + service[place - 1] - (arrivals[place] - arrivals[place - 1]))
        found.append(waited)
    return np.array(found)
