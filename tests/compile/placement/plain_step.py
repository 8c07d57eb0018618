"""The rules of a step in plain Python, written from the contract and not from the compiled loop."""

import math
from collections import defaultdict


def plain_step(problem, device, priority, cluster=None):
    """`(step_us, {node: (start, end)}, {(node, device): (start, end)}, peak bytes a device)`."""
    graph = problem.graph
    nodes = range(graph.num_nodes)
    cluster = list(nodes) if cluster is None else [int(one) for one in cluster]
    readers, sources = defaultdict(list), defaultdict(list)
    for source, target in graph.edges.tolist():
        readers[source].append(target)
        sources[target].append(source)
    members = defaultdict(list)
    for node in nodes:
        members[cluster[node]].append(node)
    costs = {
        unit: unit_us(problem, some, device[some[0]], readers, sources) for unit, some in members.items()
    }
    is_free = {
        unit: all(graph.is_free[n] or graph.is_stored[n] for n in some) for unit, some in members.items()
    }
    arrived = defaultdict(dict)  # node -> {device: time}
    spans, moves = {}, {}
    running, on_link = {}, defaultdict(list)  # on_link: [remaining bytes or None, join time, node, to]
    waiting_units, waiting_moves = set(members), defaultdict(list)
    now = 0.0

    def is_ready(unit):
        return all(
            cluster[s] == unit or device[unit] in arrived[s] for node in members[unit] for s in sources[node]
        )

    def complete(unit):
        spans[unit] = (spans.get(unit, (now,))[0], now)
        for node in members[unit]:
            arrived[node][device[node]] = now
            for to in sorted({device[r] for r in readers[node]} - {device[node]}):
                link = problem.routes[device[node], to]
                waiting_moves[link].append((now, -priority[node], node, to))

    while True:
        while True:
            free = [u for u in waiting_units if is_free[u] and is_ready(u)]
            for unit in free:
                waiting_units.discard(unit)
                complete(unit)
            if not free:
                break
        for one in range(problem.num_devices):
            ready = [u for u in waiting_units if device[u] == one and is_ready(u)]
            if one not in running and ready:
                unit = min(ready, key=lambda u: (-max(priority[n] for n in members[u]), u))
                waiting_units.discard(unit)
                running[one] = (now + costs[unit], unit)
                spans[unit] = (now,)
        for link, queue in waiting_moves.items():
            queue.sort()
            while queue and (problem.link_is_shared[link] or not on_link[link]):
                _, _, node, to = queue.pop(0)
                moves[node, to] = (now,)
                size, latency = float(graph.output_bytes[node]), float(problem.link_latency_us[link])
                if problem.link_is_shared[link]:
                    on_link[link].append([size, now + latency, node, to])
                else:
                    end = now + (latency + size / problem.link_bytes_per_us[link])
                    on_link[link].append([None, end, node, to])
        then = min(
            [end for end, _ in running.values()]
            + [next_on(problem, link, on_link[link], now) for link in on_link],
            default=math.inf,
        )
        if then == math.inf:
            break
        for link, flights in on_link.items():
            flying = [one for one in flights if one[0] is not None and one[1] <= now]
            for one in flying:
                one[0] -= (then - now) * problem.link_bytes_per_us[link] / len(flying)
            tiny = 1e-9 * max([1.0, *graph.output_bytes.tolist()])
            done = [
                one
                for one in flights
                if (one[1] <= then if one[0] is None else (one in flying and one[0] <= tiny))
            ]
            for one in done:
                flights.remove(one)
                moves[one[2], one[3]] = (moves[one[2], one[3]][0], then)
                arrived[one[2]][one[3]] = then
        now = then
        for one, (end, unit) in list(running.items()):
            if end == now:
                del running[one]
                complete(unit)
    assert not waiting_units
    node_spans = {node: spans[cluster[node]] for node in nodes}
    return now, node_spans, moves, peaks(problem, device, cluster, node_spans, moves, readers, sources)


def next_on(problem, link, flights, now):
    """When something next happens on a link."""
    flying = [one for one in flights if one[0] is not None and one[1] <= now]
    times = [one[1] for one in flights if one not in flying]
    rate = problem.link_bytes_per_us[link]
    return min([*times, *(now + max(one[0], 0.0) * len(flying) / rate for one in flying)], default=math.inf)


def unit_us(problem, members, device, readers, sources):
    """The time of one operation or of several fused into one."""
    graph, machine = problem.graph, problem.machine.devices[device]
    if len(members) == 1:
        return float(problem.run_us[device, members[0]])
    inside = set(members)

    def is_outside(node):
        return not readers[node] or any(
            r not in inside or (looks(graph, r, sources) and is_outside(r)) for r in readers[node]
        )

    def is_made_inside(node):
        if node not in inside or graph.is_stored[node]:
            return False
        return is_made_inside(sources[node][0]) if looks(graph, node, sources) else True

    calculate, traffic, runs = 0.0, 0.0, False
    for node in members:
        if graph.is_free[node]:
            continue
        runs = True
        efficiency = machine.efficiency.get(graph.op_names[graph.op[node]], 1.0)
        calculate += graph.flops[node] * 1e6 / (machine.flops_per_s * efficiency)
        saved = sum(graph.output_bytes[s] for s in sources[node] if is_made_inside(s))
        written = [node, *(r for r in readers[node] if r in inside and is_item(graph, r, sources))]
        saved += sum(graph.output_bytes[w] for w in written if not is_outside(w))
        traffic += max(graph.traffic_bytes[node] - saved, 0.0)
    return max(calculate, traffic / (machine.bytes_per_s / 1e6)) + machine.launch_us if runs else 0.0


def looks(graph, node, sources):
    """A view or item: a node that only looks at what another made."""
    return bool(graph.is_free[node] and not graph.is_stored[node] and sources[node])


def is_item(graph, node, sources):
    """One of several outputs of an operation, which has none itself and is of the same group."""
    if not looks(graph, node, sources) or len(sources[node]) != 1:
        return False
    maker = sources[node][0]
    is_empty = graph.output_bytes[maker] == 0 and not (graph.is_stored[maker] or graph.is_free[maker])
    return bool(is_empty and graph.groups[maker] == graph.groups[node])


def is_view(graph, node, sources):
    """A node that looks at another's output and has no memory of its own."""
    return looks(graph, node, sources) and not is_item(graph, node, sources)


def peaks(problem, device, cluster, spans, moves, readers, sources):
    """The most memory each device needs at once, recounted from when everything ran."""
    graph = problem.graph

    def last_use(node, here, first):
        # inf: a result; else the last end of what reads it here, or sends it away from here
        if here == device[node] and (not readers[node] or graph.is_stored[node]):
            return math.inf
        ends = [first]
        for reader in readers[node]:
            if device[reader] == here:
                viewed = is_view(graph, reader, sources)
                ends.append(last_use(reader, here, spans[reader][1]) if viewed else spans[reader][1])
        if here == device[node]:
            ends += [end for (sent, _), (_, end) in moves.items() if sent == node]
        return max(ends)

    def leaves_cluster(node):
        return not readers[node] or any(
            cluster[r] != cluster[node] or (looks(graph, r, sources) and leaves_cluster(r))
            for r in readers[node]
        )

    changes = defaultdict(list)
    for node in range(graph.num_nodes):
        here, size = device[node], float(graph.output_bytes[node])
        changes[here].append((-1.0, 1, float(graph.resident_bytes[node])))
        if graph.is_stored[node]:
            changes[here].append((-1.0, 1, size))
        elif not is_view(graph, node, sources):
            maker = sources[node][0] if is_item(graph, node, sources) else node
            if cluster[maker] == cluster[node] and not leaves_cluster(node):
                continue
            changes[here] += [(spans[maker][0], 1, size), (last_use(node, here, spans[node][1]), 0, -size)]
    for (node, to), (start, end) in moves.items():
        size = float(graph.output_bytes[node])
        changes[to] += [(start, 1, size), (last_use(node, to, end), 0, -size)]
    result = []
    for one in range(problem.num_devices):
        held = most = 0.0
        for _, _, change in sorted(changes[one]):
            held += change
            most = max(most, held)
        result.append(most)
    return result
