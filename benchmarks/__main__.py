"""Start the benchmarks: ``python -m benchmarks``."""

import signal
import sys

from benchmarks.frame.command import main

# as Ctrl-C does, so that what is under way is ended too
signal.signal(signal.SIGTERM, signal.default_int_handler)
sys.exit(main())
