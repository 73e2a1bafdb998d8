"""Waits that end after a time, by one timer for all."""

from __future__ import annotations

import asyncio

import pytest

from pteroassets.collector.patience import Patience


async def never() -> None:
    await asyncio.Event().wait()


async def soon() -> str:
    await asyncio.sleep(0.01)
    return "done"


def test_what_takes_too_long_is_cancelled_and_the_rest_goes_on() -> None:
    async def run() -> list[object]:
        patience = Patience(0.2)
        first = asyncio.gather(*(patience.wait(one()) for one in (never, soon, never)), return_exceptions=True)
        await asyncio.sleep(0.1)
        # the timer is that of the first, and this one has its own time all the same
        begun = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await patience.wait(never())
        assert 0.15 < asyncio.get_running_loop().time() - begun < 5
        assert await patience.wait(soon()) == "done"
        assert patience._until == {}
        return [type(one) if isinstance(one, BaseException) else one for one in await first]

    assert asyncio.run(run()) == [TimeoutError, "done", TimeoutError]


def test_who_is_cancelled_by_others_is_not_told_of_time() -> None:
    async def run() -> None:
        patience = Patience(60)
        task = asyncio.ensure_future(patience.wait(never()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert patience._until == {}

    asyncio.run(run())
