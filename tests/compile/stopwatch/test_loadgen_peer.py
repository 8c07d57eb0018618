"""MLPerf's load generator, run here and now, says of its latencies what the stopwatch says of them."""

import importlib.util
import json
from pathlib import Path

import pytest

from pomona.compile.stopwatch.early_stopping import latency_bound, queries_needed

ORACLE = Path(__file__).parents[2] / "oracles" / "loadgen.py"


@pytest.fixture(scope="module")
def oracle():
    pytest.importorskip("mlperf_loadgen")
    found = importlib.util.spec_from_file_location("loadgen_oracle", ORACLE)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.peers
@pytest.mark.parametrize("scenario", ["SingleStream", "Server"])
def test_the_same_latencies_get_the_same_verdict(oracle, tmp_path, scenario):
    oracle.run(scenario, 700, 15.0, 1.0, tmp_path)
    found = oracle.recorded(tmp_path)
    results = json.loads(str(found["results"]))
    if scenario == "SingleStream":
        assert latency_bound(found["latency_ns"], 0.9) == results["early_stopping_latency_ss"]
    else:
        over = int((found["latency_ns"] > 15e6).sum())
        assert over == results["result_overlatency_query_count"]
        enough = len(found["latency_ns"]) >= queries_needed(over, 0.99)
        assert enough == results["early_stopping_met"]
