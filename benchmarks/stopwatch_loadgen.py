"""MLPerf's own load generator before a sleeping system: the peer of benchmarks/stopwatch.py.

    python benchmarks/stopwatch_loadgen.py '{"scenario": "SingleStream", …}'

In the environment of benchmarks/peers/loadgen.txt. Prints the results of its log as one JSON line.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import mlperf_loadgen


def main() -> None:
    """Runs once and prints what was found."""
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(run(json.loads(sys.argv[1]), Path(folder))))


def run(wanted: dict, folder: Path) -> dict:
    """The results of one run, and the seconds that went into handing answers over.

    The system answers in the thread that asks, as ours does.
    """
    handing_over = []

    def answer(samples: list) -> None:
        for start in range(0, len(samples), wanted["at_once"]):
            time.sleep(wanted["sample_s"] * len(samples[start : start + wanted["at_once"]]))
        answered = time.perf_counter()
        responses = [mlperf_loadgen.QuerySampleResponse(sample.id, 0, 0) for sample in samples]
        mlperf_loadgen.QuerySamplesComplete(responses)
        handing_over.append(time.perf_counter() - answered)

    settings = mlperf_loadgen.TestSettings()
    settings.scenario = getattr(mlperf_loadgen.TestScenario, wanted["scenario"])
    settings.mode = mlperf_loadgen.TestMode.PerformanceOnly
    settings.min_duration_ms = int(wanted["seconds"] * 1000)
    settings.min_query_count = wanted["min_queries"]
    settings.single_stream_expected_latency_ns = settings.multi_stream_expected_latency_ns = 100_000
    settings.server_target_qps = wanted["rate"]
    settings.offline_expected_qps = 1 / wanted["sample_s"]
    settings.server_target_latency_ns = int(wanted["bound_ms"] * 1e6)
    settings.schedule_rng_seed = settings.sample_index_rng_seed = wanted["seed"]
    output = mlperf_loadgen.LogOutputSettings()
    output.outdir, output.copy_summary_to_stdout = str(folder), False
    logs = mlperf_loadgen.LogSettings()
    logs.log_output, logs.enable_trace = output, False
    system = mlperf_loadgen.ConstructSUT(answer, lambda: None)
    library = mlperf_loadgen.ConstructQSL(64, 64, lambda _: None, lambda _: None)
    time.sleep(max(0.0, wanted["begin"] - time.time()))
    mlperf_loadgen.StartTestWithLogSettings(system, library, settings, logs)
    mlperf_loadgen.DestroyQSL(library)
    mlperf_loadgen.DestroySUT(system)
    lines = (folder / "mlperf_log_detail.txt").read_text().splitlines()
    entries = [json.loads(line.removeprefix(":::MLLOG ")) for line in lines if line]
    found = {e["key"]: e["value"] for e in entries if e["key"].startswith(("result_", "early_stopping_lat"))}
    return {**found, "handing_over_s": sum(handing_over)}


if __name__ == "__main__":
    main()
