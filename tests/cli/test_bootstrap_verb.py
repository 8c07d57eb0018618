"""`pomona bootstrap` as a user runs it."""

FIELDS = {"steps", "real", "ideal", "gap", "gap_interval", "train_error"}


def test_one_json_object_and_a_report(pomona, tmp_path):
    command = (
        "bootstrap",
        "mixture",
        "--network",
        "dense",
        "--sizes",
        "100,300",
        "--seeds",
        2,
        "--steps",
        20,
    )
    said = pomona(*command, "--points", 4, "--test-examples", 200, "--out", tmp_path / "run", "--json")
    assert said.code == 0, said.err
    assert {"task", "sizes", "report"} <= said.json.keys()
    assert all(one.keys() >= FIELDS for one in said.json["sizes"].values())
    assert (tmp_path / "run" / "report.html").exists()


def test_a_world_that_repeats_is_refused_in_one_line(pomona, tmp_path):
    (tmp_path / "world.py").write_text(
        "import numpy as np\n\n"
        "def draw(generator, num_examples):\n"
        "    x = generator.integers(0, 30, (num_examples, 2))\n"
        "    return {'x': x.astype(float), 'label': np.where(x[:, 0] > 15, 'a', 'b').astype(object)}\n"
    )
    said = pomona("bootstrap", "world.py", "--steps", 5, "--network", "dense")
    assert said.code == 2
    assert len(said.err.splitlines()) == 1
    assert "repeats itself" in said.err


def test_one_model_only_is_refused(pomona):
    said = pomona("bootstrap", "glyphs", "--seeds", 1)
    assert (said.code, said.out) == (2, "")
    assert "seeds must be at least 2" in said.err
