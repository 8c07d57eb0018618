"""Records what MLPerf's own load generator says of a sleeping system: tests/oracles/loadgen.npz.

    python tests/oracles/loadgen.py     with mlcommons-loadgen 6.0.17 and NumPy

For each run: the latency of every query from its trace, its summary, and the results and keys of its log.
"""

import json
import queue
import re
import tempfile
import threading
import time
from pathlib import Path

import mlperf_loadgen
import numpy as np

RUNS = {
    # name: scenario, samples a second it expects, bound in ms
    "single": ("SingleStream", 1000, 15.0),
    "multi": ("MultiStream", 400, 15.0),
    "multi-short": ("MultiStream", 100, 15.0),
    "server": ("Server", 700, 15.0),
    "server-slow": ("Server", 700, 1.25),
    "offline": ("Offline", 20_000, 15.0),
}
SECONDS = {"multi": 1.6, "multi-short": 0.5}


def main() -> None:
    """Runs all scenarios and writes the file."""
    arrays: dict[str, np.ndarray] = {}
    for name, (scenario, rate, bound_ms) in RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            run(scenario, rate, bound_ms, SECONDS.get(name, 1.0), Path(folder))
            arrays |= {f"{name}/{key}": value for key, value in recorded(Path(folder)).items()}
    np.savez_compressed(Path(__file__).with_suffix(".npz"), **arrays)


def run(scenario: str, rate: float, bound_ms: float, seconds: float, folder: Path) -> None:
    """One run against four threads that sleep."""
    waiting: queue.Queue = queue.Queue()

    def work() -> None:
        while True:
            samples = waiting.get()
            time.sleep({"Offline": 2e-5, "MultiStream": 2e-4}.get(scenario, 1e-3) * len(samples))
            responses = [mlperf_loadgen.QuerySampleResponse(sample.id, 0, 0) for sample in samples]
            mlperf_loadgen.QuerySamplesComplete(responses)

    for _ in range(4):
        threading.Thread(target=work, daemon=True).start()
    settings = mlperf_loadgen.TestSettings()
    settings.scenario = getattr(mlperf_loadgen.TestScenario, scenario)
    settings.mode = mlperf_loadgen.TestMode.PerformanceOnly
    settings.min_duration_ms = int(seconds * 1000)
    settings.min_query_count = 1
    settings.multi_stream_expected_latency_ns = 500_000
    settings.server_target_qps = settings.offline_expected_qps = rate
    settings.server_target_latency_ns = int(bound_ms * 1e6)
    output = mlperf_loadgen.LogOutputSettings()
    output.outdir, output.copy_summary_to_stdout = str(folder), False
    logs = mlperf_loadgen.LogSettings()
    logs.log_output, logs.enable_trace = output, True
    system = mlperf_loadgen.ConstructSUT(waiting.put, lambda: None)
    library = mlperf_loadgen.ConstructQSL(64, 64, lambda _: None, lambda _: None)
    mlperf_loadgen.StartTestWithLogSettings(system, library, settings, logs)
    mlperf_loadgen.DestroyQSL(library)
    mlperf_loadgen.DestroySUT(system)


def recorded(folder: Path) -> dict[str, np.ndarray]:
    """What a run left in its folder."""
    trace = (folder / "mlperf_log_trace.json").read_text()
    by_query: dict[int, int] = {}
    for query, done in re.findall(r'"query_seq":(\d+).*?"complete_ns":(\d+)', trace):
        by_query[int(query)] = max(by_query.get(int(query), 0), int(done))
    lines = (folder / "mlperf_log_detail.txt").read_text().splitlines()
    entries = [json.loads(line.removeprefix(":::MLLOG ")) for line in lines if line]
    results = {
        e["key"]: e["value"] for e in entries if e["key"].startswith(("result_", "early_", "effective_"))
    }
    return {
        "latency_ns": np.array([by_query[query] for query in sorted(by_query)], np.int64),
        "summary": np.array((folder / "mlperf_log_summary.txt").read_text()),
        "results": np.array(json.dumps(results)),
        "entry": np.array(lines[-1]),
        "keys": np.array(sorted({entry["key"] for entry in entries})),
    }


if __name__ == "__main__":
    main()
