"""`pomona uncertainty` as a user runs it."""

import numpy as np
import pytest

from pomona.cli.main import exit_code


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    from pomona.question.uncertainty.command import uncertainty

    out = tmp_path_factory.mktemp("uncertainty") / "run"
    options = {"methods": "deterministic,deep-ensemble,conformal", "seeds": 2, "steps": 30, "quiet": True}
    return uncertainty("wine", out=out, **options), out, options


def test_every_number_of_the_contract_is_there(compared):
    result, out, _ = compared
    assert result["task"] == "wine"
    assert set(result["methods"]) == {"deterministic", "deep-ensemble", "conformal"}
    wanted = {"nll", "brier", "accuracy", "ece", "ece_interval", "parameters", "seconds_per_1000", "flops"}
    for row in result["methods"].values():
        assert wanted <= set(row)
        assert row["nll_interval"][0] <= row["nll"] <= row["nll_interval"][1]
    assert (out / "report.html").stat().st_size > 10_000


def test_what_has_no_meaning_is_absent(compared):
    rows = compared[0]["methods"]
    assert "coverage" in rows["conformal"]
    assert "coverage" not in rows["deterministic"]
    assert "disagreement" in rows["deep-ensemble"]
    assert "disagreement" not in rows["deterministic"]
    assert "nll_gain" not in rows["deterministic"]


def test_outside_examples_are_scored_by_name(compared):
    found = compared[0]["ood"]["shuffled-columns"]
    assert set(found["deterministic"]) >= {"max-probability", "entropy"}
    assert set(found["deep-ensemble"]) >= {"max-probability", "entropy", "mutual-information"}
    for scores in found.values():
        for one in scores.values():
            assert set(one) == {"auroc", "aupr", "fpr95"}
            assert all(0 <= value <= 1 for value in one.values())


def test_the_same_network_gives_the_same_answers_under_another_method(compared):
    rows = compared[0]["methods"]
    assert rows["conformal"]["nll"] == pytest.approx(rows["deterministic"]["nll"], rel=1e-6)
    assert rows["conformal"]["nll_gain"] == pytest.approx(0, abs=1e-5)


def test_a_run_that_was_cut_off_keeps_its_cells(compared, tmp_path):
    from pomona.question.uncertainty.command import uncertainty

    result, out, options = compared
    (out / "result.json").unlink()
    (out / "state" / "cell-conformal-1.json").unlink()
    kept = (out / "state" / "cell-deep-ensemble-0.json").stat().st_mtime_ns
    again = uncertainty("wine", out=out, **options)
    assert (out / "state" / "cell-deep-ensemble-0.json").stat().st_mtime_ns == kept
    assert np.isclose(again["methods"]["conformal"]["nll"], result["methods"]["conformal"]["nll"], rtol=1e-6)


def test_values_and_an_artifact_are_compared_too(pomona, tmp_path):
    fitted = pomona("fit", "diabetes", "--epochs", 5, "--out", tmp_path / "fit", "--json")
    assert fitted.code == 0, fitted.err
    asked = pomona(
        *("uncertainty", tmp_path / "fit" / "artifact", "--methods", "deterministic,conformal-residual"),
        *("--out", tmp_path / "run", "--json"),
    )
    assert asked.code == 0, asked.err
    rows = asked.json["methods"]
    assert set(rows) == {"deterministic", "conformal-residual", "as-it-is"}
    assert {"nll", "crps", "rmse", "width"} <= set(rows["as-it-is"])
    assert asked.json["best"] != "as-it-is"
    again = pomona("report", tmp_path / "fit" / "artifact")
    assert again.code == 0, again.err
    assert "how sure is it?" in (tmp_path / "fit" / "artifact" / "report.html").read_text()


def test_tuning_is_of_the_same_budget_for_every_method(tmp_path):
    from pomona.foundation.files import read_json
    from pomona.question.uncertainty.command import uncertainty

    result = uncertainty(
        "wine", methods="deterministic,focal", tune=3, steps=15, quiet=True, out=tmp_path / "run"
    )
    for name in ("deterministic", "focal"):
        best = read_json(tmp_path / "run" / "state" / f"tuned-{name}.json")["state"]
        tried = [
            read_json(path)["state"] for path in (tmp_path / "run" / "state").glob(f"tune-{name}-*.json")
        ]
        assert len(tried) == best["trials"] == 3
        assert best["valid"] == pytest.approx(min(one["loss"] for one in tried))
    assert set(result["methods"]["focal"]["settings"]) == {"exponent"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("wine", "--methods", "focla"), "did you mean 'focal'"),
        (("diabetes", "--methods", "focal"), "this task is regress"),
        (("wine", "--seeds", "0"), "seeds must be at least 1"),
        (("shapes",), "is segment"),
        (("linnerud",), "one target"),
        (("wine", "--leave-out", "nothing", "--methods", "deterministic", "--steps", "5"), "no class of"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(capsys, tmp_path, arguments, said):
    assert exit_code(["uncertainty", *arguments, "--out", str(tmp_path / "run"), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
