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
