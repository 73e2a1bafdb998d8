"""What is forked copies few pages, and memory that it freed goes back to the kernel."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

# a parent with gaps in its pages, and children that fill them with objects of their own
GAPS = textwrap.dedent(
    """
    import json, os, re
    from pathlib import Path
    from pteroassets.platform.dagster import shared_pages

    def shared():
        text = Path("/proc/self/smaps_rollup").read_text()
        return int(re.search(r"^Shared_Dirty: +([0-9]+)", text, re.MULTILINE)[1])

    def lost_by_a_child():
        told, tell = os.pipe()
        if os.fork() == 0:
            before = shared()
            objects = [float(number) for number in range(300_000)]
            os.write(tell, str(before - shared()).encode())
            os._exit(0)
        os.wait()
        return int(os.read(told, 99))

    def free():
        return sum(size * number for size, number in shared_pages.free_blocks())

    objects = [float(number) for number in range(600_000)]
    del objects[::2]
    found = {"free": [free()], "lost": [lost_by_a_child()]}
    found["taken"] = shared_pages.occupy_gaps()
    found["free"].append(free())
    found["lost"].append(lost_by_a_child())
    print(json.dumps(found))
    """
)
# a thread frees the greater part of what it took of the C library's heap, in pieces too small to be mapped
FREED = textwrap.dedent(
    """
    import re, threading, time
    from pathlib import Path
    from pteroassets.platform.dagster import shared_pages

    def weight():
        return int(re.search(r"^Anonymous: +([0-9]+)", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)[1])

    kept = []

    def take_and_free():
        pieces = [bytearray(2_000) for _ in range(20_000)]
        kept.extend(pieces[::100])

    thread = threading.Thread(target=take_and_free)
    before = weight()
    thread.start()
    thread.join()
    after = weight()
    shared_pages._SECONDS = 0.05
    shared_pages.keep_giving_back()
    deadline = time.monotonic() + 20
    while weight() - before > (after - before) / 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    print((after - before) // 1024, (weight() - before) // 1024)
    """
)


def run(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_what_a_child_makes_does_not_fill_gaps_in_the_pages_that_it_shares() -> None:
    found = json.loads(run(GAPS))
    assert found["taken"] > 6_000_000
    assert found["free"][1] < found["free"][0] / 20
    assert found["lost"][0] > 6_000  # kilobytes: the gaps are as large as what the child makes
    assert found["lost"][1] < found["lost"][0] / 4


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_memory_that_was_freed_is_given_back() -> None:
    after, at_last = (int(part) for part in run(FREED).split())
    assert after > 20
    assert at_last < after / 2
