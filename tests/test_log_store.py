"""The store of fetched files."""

import gzip
import stat
from pathlib import Path

import pytest

from pteroassets.log_store import LogStore


def test_content_comes_back_under_its_digest(tmp_path: Path) -> None:
    store = LogStore(tmp_path / "store")
    digest = store.put(b"[20:01:02] [Server thread/INFO]: hello\n")
    assert store.get(digest) == b"[20:01:02] [Server thread/INFO]: hello\n"
    assert digest in store


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    assert store.put(b"twice") == store.put(b"twice")
    assert len(list(tmp_path.rglob("*.gz"))) == 1


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    store = LogStore(tmp_path / "store")
    store.put(b"address 203.0.113.9")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")]}
    assert modes == {0o700, 0o600}


def test_a_file_that_is_not_there_names_the_store_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="reload that day's logs"):
        LogStore(tmp_path).get("0" * 64)


def test_a_removal_can_be_repeated(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    digest = store.put(b"gone")
    store.remove(digest)
    store.remove(digest)
    assert digest not in store


def test_it_is_plain_gzip_that_any_tool_reads(tmp_path: Path) -> None:
    digest = LogStore(tmp_path).put(b"plain")
    assert gzip.decompress((tmp_path / digest[:2] / f"{digest}.log.gz").read_bytes()) == b"plain"
