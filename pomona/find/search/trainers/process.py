"""A trainer as a process: told on standard input what to do, it ends when that is closed."""

import json
import os
import signal
import sys
import threading

from pomona.foundation.errors import PomonaError


def main() -> int:
    """Trains as the first line of standard input says; the exit code is that of the command line."""
    line = sys.stdin.readline()
    threading.Thread(target=_end_with_the_search, daemon=True).start()
    # torch is imported from here on, with the threads that the environment says
    from pomona.find.search.trainers.assignment import Assignment
    from pomona.find.search.trainers.work import work

    try:
        work(Assignment.from_json(json.loads(line)))
    except PomonaError as error:
        print(f"pomona: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


def _end_with_the_search() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
