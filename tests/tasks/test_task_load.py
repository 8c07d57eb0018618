import subprocess
import sys

import pytest

from pomona.foundation.errors import DataError, SettingError
from pomona.tasks import load_task
from pomona.tasks.builtin import TASKS
from pomona.tasks.feature import Feature
from pomona.tasks.task import Task


def test_names_may_be_written_with_underscores_and_capitals():
    assert load_task("Breast_Cancer").name == "breast-cancer"


def test_a_wrong_name_is_refused_with_a_near_one():
    with pytest.raises(SettingError, match="did you mean 'digits'"):
        load_task("digit")


@pytest.mark.parametrize("subject", ["nothing.csv", "folder/of/nothing"])
def test_a_missing_file_is_no_wrong_name(subject):
    with pytest.raises(DataError, match="no such file or folder"):
        load_task(subject)


def test_options_that_a_task_does_not_take_are_refused_and_none_is_no_option():
    with pytest.raises(SettingError, match="option of the task iris 'target'"):
        load_task("iris", target="species")
    assert load_task("iris", target=None).name == "iris"


def test_the_table_of_tasks_names_modules_that_exist():
    for name, module in TASKS.items():
        assert module == f"pomona.tasks.builtin.{name.replace('-', '_')}"


def test_loading_a_task_imports_nothing_heavy():
    code = (
        "import sys; from pomona.tasks import load_task; load_task('shapes');"
        "heavy = ('torch', 'sklearn', 'pandas', 'PIL', 'matplotlib', 'soundfile', 'scipy', 'pyarrow');"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_name_cannot_be_input_and_target():
    iris = load_task("iris")
    feature = Feature("columns", "category", (), classes=("a", "b"))
    with pytest.raises(DataError, match="'columns' is an input and a target"):
        Task(
            "twice",
            "classify",
            iris.inputs,
            {"columns": feature},
            iris.splits,
            (),
            iris.preprocessing,
            fingerprint="",
        )
