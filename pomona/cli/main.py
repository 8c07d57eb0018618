"""The command line: `pomona VERB SUBJECT …`. Verbs are imported when they are called."""

import sys
import traceback
import warnings

from cyclopts import App, CycloptsError, Parameter

from pomona.cli.verbs import VERBS
from pomona.foundation.errors import Interrupted, PomonaError
from pomona.foundation.version import version

app = App(
    name="pomona",
    help="One toolkit in which a model's whole life happens. `pomona VERB --help` tells more.",
    version=version,
    help_format="plaintext",
    default_parameter=Parameter(negative=()),
)
for _verb, (_target, _help) in VERBS.items():
    app.command(_target, name=_verb, help=_help)


def main(arguments: list[str] | None = None) -> None:
    """Runs one command and exits: 0 done, 2 wrong input, 3 gate not met, 1 a bug, 130 interrupted."""
    sys.exit(exit_code(arguments))


def exit_code(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code; errors and warnings are one line on standard error."""
    warnings.showwarning = _note
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _fail(str(error), 2)
    except PomonaError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail("stopped at once; what was saved is kept", Interrupted.exit_code)
    except BrokenPipeError:
        return 0
    except Exception:
        traceback.print_exc()
        return _fail("this is a bug in Pomona; the lines above say where", 1)
    return 0


def _note(message: Warning | str, *_: object) -> None:
    print(f"pomona: {' '.join(str(message).split())}", file=sys.stderr)


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    print(f"pomona: {line}", file=sys.stderr)
    return code
