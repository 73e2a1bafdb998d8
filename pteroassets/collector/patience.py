"""Waits that end after a time, with one timer for all of them.

`asyncio.timeout` makes a timer for each wait and takes it back, which costs an event a tenth of what it costs in all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

_T = TypeVar("_T")


class Patience:
    """How long each of many waits may take."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until: dict[asyncio.Task[Any], float] = {}  # in the order in which they end
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, awaitable: Awaitable[_T]) -> _T:
        """Return what *awaitable* returns; a task waits for one at a time.

        Raises:
            TimeoutError: It took too long, and was cancelled.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine is run by one
        loop = asyncio.get_running_loop()
        self._until[task] = until = loop.time() + self.seconds
        if self._timer is None:
            self._timer = loop.call_at(until, self._look, loop)
        try:
            return await awaitable
        except asyncio.CancelledError:
            if task in self._until:
                raise  # somebody else's
            task.uncancel()
            raise TimeoutError from None
        finally:
            self._until.pop(task, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        while self._until:
            task, until = next(iter(self._until.items()))
            if until > now:
                self._timer = loop.call_at(until, self._look, loop)
                return
            del self._until[task]
            task.cancel()
        self._timer = None
