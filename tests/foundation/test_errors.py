import pytest

from pomona.foundation import errors
from pomona.foundation.errors import InputError, MissingExtraError, PomonaError, unknown_name


def test_the_tree_drawn_on_top_is_the_tree():
    drawn = {word for word in errors.__doc__.split() if word.endswith(("Error", "Interrupted"))} - {
        "ValueError"
    }
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, PomonaError)
    }
    assert drawn == classes


@pytest.mark.parametrize(
    ("name", "code"),
    [("DataError", 2), ("RunError", 2), ("GateError", 3), ("Interrupted", 130), ("PomonaError", 1)],
)
def test_exit_codes(name, code):
    assert getattr(errors, name).exit_code == code


def test_wrong_input_is_a_value_error():
    assert issubclass(InputError, ValueError)
    assert issubclass(MissingExtraError, ImportError)
    assert (
        str(MissingExtraError("onnx", "onnx"))
        == "onnx is needed here and not installed: pip install 'pomona-ml[onnx]'"
    )


def test_a_wrong_name_gets_the_nearest_one():
    message = str(unknown_name("task", "digit", ["mnist", "digits"]))
    assert message == "no task 'digit'; did you mean 'digits'? known: digits, mnist"
    assert str(unknown_name("task", "zzz", ["mnist"])) == "no task 'zzz'; known: mnist"
