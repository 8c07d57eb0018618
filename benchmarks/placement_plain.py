"""One step of an unfused plan on serial links as plain Python does it well: lists and one heap of events.

The peer of `placement_simulator.py`: what one would write with heapq or SimPy, without SimPy's processes.
"""

import heapq
from collections import defaultdict


class PlainStep:
    """A problem as lists; `run` gives the step and each device's peak of memory."""

    def __init__(self, problem):
        graph = problem.graph
        self.num_nodes, self.num_devices = graph.num_nodes, problem.num_devices
        self.run_us = problem.run_us.tolist()
        self.readers = [problem.consumers_of.of(node).tolist() for node in range(graph.num_nodes)]
        self.sources = [problem.sources_of.of(node).tolist() for node in range(graph.num_nodes)]
        self.stored, self.free = graph.is_stored.tolist(), graph.is_free.tolist()
        self.size, self.resident = graph.output_bytes.tolist(), graph.resident_bytes.tolist()
        self.routes, self.latency = problem.routes.tolist(), problem.link_latency_us.tolist()
        self.rate = problem.link_bytes_per_us.tolist()
        groups = graph.groups.tolist()
        self.items = defaultdict(list)
        self.is_view = [
            self.free[n] and not self.stored[n] and bool(self.sources[n]) for n in range(graph.num_nodes)
        ]
        for node, sources in enumerate(self.sources):
            maker = sources[0] if len(sources) == 1 else node
            computes = not (self.free[maker] or self.stored[maker])
            if self.is_view[node] and computes and self.size[maker] == 0 and groups[node] == groups[maker]:
                self.items[maker].append(node)
                self.is_view[node] = False
        self.is_item = {node for items in self.items.values() for node in items}

    def run(self, device, priority):
        """`(step_us, peak bytes a device)`."""
        self.device, self.priority = device, priority
        self.waits = [len(sources) for sources in self.sources]
        self.ready = [[] for _ in range(self.num_devices)]
        self.queues, self.busy = defaultdict(list), set()
        self.events, self.memory = [], [0.0] * self.num_devices
        self.uses, self.copies = [0] * self.num_nodes, {}
        for node in range(self.num_nodes):
            home, away = device[node], defaultdict(int)
            for reader in self.readers[node]:
                if device[reader] == home:
                    self.uses[node] += 1
                else:
                    away[device[reader]] += 1
            self.uses[node] += len(away) + (self.stored[node] or not self.readers[node])
            for to, count in away.items():
                self.copies[node, to] = count
            self.memory[home] += self.resident[node] + (self.size[node] if self.stored[node] else 0.0)
        self.peak = list(self.memory)
        now = 0.0
        for node in range(self.num_nodes):
            if self.stored[node]:
                self.finish(now, node)
            elif not self.sources[node]:
                self.supply(now, node, 0)
        self.start(now)
        while self.events:
            now = self.events[0][0]
            while self.events and self.events[0][0] == now:
                _, what, node, to = heapq.heappop(self.events)
                self.busy.discard((what, to if what == "op" else self.routes[device[node]][to]))
                if what == "op":
                    self.finish(now, node)
                else:
                    self.arrive(now, node, to)
            self.start(now)
        return now, self.peak

    def take(self, where, size):
        self.memory[where] += size
        self.peak[where] = max(self.peak[where], self.memory[where])

    def supply(self, now, node, one=1):
        self.waits[node] -= one
        if self.waits[node] == 0:
            if self.free[node]:
                if not self.is_view[node] and node not in self.is_item:
                    self.take(self.device[node], self.size[node])
                self.finish(now, node)
            else:
                heapq.heappush(self.ready[self.device[node]], (-self.priority[node], node))

    def finish(self, now, node):
        home, sent = self.device[node], set()
        for reader in self.readers[node]:
            to = self.device[reader]
            if to == home:
                self.supply(now, reader)
            elif to not in sent:
                sent.add(to)
                heapq.heappush(self.queues[self.routes[home][to]], (now, -self.priority[node], node, to))
        if not self.is_view[node]:
            self.let_go_of_sources(node)

    def arrive(self, now, node, to):
        for reader in self.readers[node]:
            if self.device[reader] == to:
                self.supply(now, reader)
        self.let_go(node)

    def let_go(self, node):
        self.uses[node] -= 1
        if self.uses[node] == 0:
            if self.is_view[node]:
                self.let_go_of_sources(node)
            else:
                self.memory[self.device[node]] -= self.size[node]

    def let_go_of_sources(self, node):
        here = self.device[node]
        for source in self.sources[node]:
            if self.device[source] == here:
                self.let_go(source)
            else:
                self.copies[source, here] -= 1
                if self.copies[source, here] == 0:
                    self.memory[here] -= self.size[source]

    def start(self, now):
        for one, ready in enumerate(self.ready):
            if ready and ("op", one) not in self.busy:
                node = heapq.heappop(ready)[1]
                self.busy.add(("op", one))
                self.take(one, self.size[node] + sum(self.size[item] for item in self.items[node]))
                heapq.heappush(self.events, (now + self.run_us[one][node], "op", node, one))
        for link, queue in self.queues.items():
            if queue and ("move", link) not in self.busy:
                _, _, node, to = heapq.heappop(queue)
                self.busy.add(("move", link))
                self.take(to, self.size[node])
                takes_us = self.latency[link] + self.size[node] / self.rate[link]
                heapq.heappush(self.events, (now + takes_us, "move", node, to))
