"""Have something done when this process ends without a word, even by SIGKILL.

A shell script of a few lines reads from a pipe that only this process writes to. The pipe ends with the process, and
then the script goes on to clean up; a process that ends in good order lets the script go first. Unlike the death signal
of Linux this works on every Unix, is not bound to a thread, and reaches children's children by their process group.
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


class Leash:
    """A waiting shell script; *script* runs when this process is gone, with what it was told in ``$told``."""

    def __init__(self, script: str, *arguments: str | Path) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _WAITING + script, "pteroassets-leash", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # Ctrl-C and what is sent to our process group are not for it
        )

    def tell(self, word: str | int) -> None:
        """Add *word*, which holds no space, to ``$told``."""
        if self._shell.stdin is None or self._shell.poll() is not None:
            raise ChildProcessError("the process that would clean up after this one has ended")
        self._shell.stdin.write(f"{word}\n".encode())
        self._shell.stdin.flush()

    def release(self) -> None:
        """Let the script end without doing anything."""
        self._shell.communicate(b"released\n")
