"""What all tests stand on."""

import signal

# whoever starts the tests in the background of a shell gives them a Ctrl-C that is ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
