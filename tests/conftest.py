"""What all tests stand on."""

import os
import signal

# whoever starts the tests in the background of a shell gives them a Ctrl-C that is ignored
signal.signal(signal.SIGINT, signal.default_int_handler)

# several workers share the cores; read by torch when it is imported
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
