"""Run a clean-up when this process ends suddenly, even by SIGKILL.

A short shell script reads from a pipe that only this process writes to. The pipe ends with the process, and then the
script cleans up; a process that ends in good order releases the script first. Unlike Linux's death signal this works on
every Unix, is not bound to a thread, and reaches children's children by their process group.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

_WAITING = """
while read -r word rest; do
    case "$word" in
        released) exit 0 ;;
        *) told="$told $word" ;;
    esac
done
"""


class CleanUpScript:
    """A waiting shell script; *script* runs when this process is gone, with the added words in ``$told``."""

    def __init__(self, script: str, *arguments: str | Path) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _WAITING + script, "pteroassets-leash", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # Ctrl-C and signals to our process group must not reach it
        )

    def tell(self, word: str | int) -> None:
        """Add *word*, without spaces, to ``$told``."""
        if self._shell.stdin is None or self._shell.poll() is not None:
            raise ChildProcessError("the process that would clean up after this one has ended")
        self._shell.stdin.write(f"{word}\n".encode())
        self._shell.stdin.flush()

    def release(self) -> None:
        """Let the script end without doing anything."""
        self._shell.communicate(b"released\n")
