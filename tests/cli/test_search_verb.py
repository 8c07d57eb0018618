"""`pomona search` as a user runs it: what it prints, and what it refuses."""

SMALL = ("--trials", 4, "--steps", 5, "--starts", 2, "--finalists", 1, "--finalist-seeds", 2)


def test_it_tells_the_front_and_what_to_expect_and_prints_the_finished_result_again(pomona, tmp_path):
    asked = (
        "search", "iris", *SMALL, "--objectives", "score", "--objectives", "parameters",
        "--pruner", "median", "--no-surrogate", "--out", tmp_path / "run",
    )  # fmt: skip
    told = pomona(*asked)
    assert told.code == 0, told.err
    assert "no other model beats" in told.out
    assert "expected  " in told.out
    result = pomona(*asked, "--json").json
    assert [set(model) for model in result["pareto"]]
    assert all(set(model) == {"trial", "accuracy", "parameters", "interval"} for model in result["pareto"])
    corrected = result["best"]["corrected"]
    assert corrected["trainings"] == 3
    assert corrected["interval"][0] <= corrected["valid"] <= corrected["interval"][1]
    sections = {path.stem[3:] for path in (tmp_path / "run" / "sections").glob("*.json")}
    assert sections >= {"finalists", "leaders", "pareto", "pruning", "leaderboard"}


def test_an_unknown_strategy_is_one_line_with_the_nearest_name(pomona):
    refused = pomona("search", "iris", "--strategy", "beem")
    assert refused.code == 2
    assert "no strategy 'beem'; did you mean 'beam'" in refused.err
    assert len(refused.err.strip().splitlines()) == 1


def test_a_benchmark_is_replayed_and_told_as_regrets(pomona, tmp_path):
    told = pomona(
        "search", "--benchmark", "nas201-cifar10", "--strategy", "evolve", "--trials", 20,
        "--repetitions", 3, "--out", tmp_path / "run", "--json",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert [row["strategy"] for row in told.json["tables"]] == ["evolve", "random"]
    assert all(0.0 <= row["regret"] < 100.0 for row in told.json["tables"])


def test_models_of_a_search_are_trained_again_to_the_last_bit(pomona, tmp_path):
    searched = pomona("search", "iris", *SMALL, "--out", tmp_path / "run", "--json")
    assert searched.code == 0, searched.err
    replayed = pomona("search", "--replay", tmp_path / "run", "--json")
    assert replayed.code == 0, replayed.err
    assert replayed.json["is_same"]
    assert {model["model"] for model in replayed.json["models"]} >= set(searched.json["ensemble"]["members"])


def test_a_search_wants_exactly_one_subject(pomona, tmp_path):
    for asked in ((), ("iris", "--benchmark", "nas201"), ("--benchmark", "nas201", "--replay", tmp_path)):
        refused = pomona("search", *asked)
        assert refused.code == 2
        assert "one of" in refused.err
