"""A recording takes the memory of its document and of one entity, packed or not."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from pteroassets.simulator.arma3.recordings import large

_READ = """
import resource, sys
from pathlib import Path
from pteroassets.sources.arma3.ocap import read_recording
from pteroassets.sources.arma3.records import ListedReplay

listed = ListedReplay(source="ocap", replay_id="a", url="http://ocap.test", data_urls=(), position=0)
read_recording(b"{}", listed)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reading = read_recording(Path(sys.argv[1]).read_bytes(), listed)
print(reading.replay.outcome, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.fixture(scope="module")
def document() -> bytes:
    return large(40)


@pytest.mark.parametrize("is_packed", [False, True])
def test_memory_is_the_document_and_a_little(tmp_path: Path, document: bytes, *, is_packed: bool) -> None:
    path = tmp_path / "recording"
    path.write_bytes(gzip.compress(document, 1) if is_packed else document)
    answer = subprocess.run([sys.executable, "-c", _READ, path], check=True, capture_output=True, text=True)
    outcome, kibibytes = answer.stdout.split()
    assert outcome == "ok"
    # json.loads of it takes ten times its size
    assert int(kibibytes) * 1024 < len(document) * 1.25 + (16 << 20)
