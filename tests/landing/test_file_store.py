"""The store of fetched files."""

import gzip
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.dirfs import DirFileSystem

from pteroassets.landing.files.store import LogStore, LogStoreError


@pytest.fixture(params=["folder", "file URL", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LogStore:
    """A store of each kind that needs no further package."""
    locations: dict[str, Callable[[], Path | str]] = {
        "folder": lambda: tmp_path / "store",
        "file URL": lambda: f"file://{tmp_path}/store",
        "memory": lambda: f"memory://{uuid.uuid4().hex}/logs",
    }
    return LogStore(locations[request.param]())


def test_content_comes_back_under_its_digest(store: LogStore) -> None:
    digest = store.put(b"[20:01:02] [Server thread/INFO]: hello\n")
    assert store.get(digest) == b"[20:01:02] [Server thread/INFO]: hello\n"
    assert digest in store


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    assert store.put(b"twice") == store.put(b"twice")
    assert len(list(tmp_path.rglob("*.gz"))) == 1


def test_a_file_of_the_memory_is_found_by_another_store_of_the_same_name() -> None:
    name = f"memory://{uuid.uuid4().hex}"
    digest = LogStore(name).put(b"shared")
    assert LogStore(name).get(digest) == b"shared"
    assert digest not in LogStore(f"{name}/elsewhere")


@pytest.mark.parametrize("as_url", [False, True])
def test_only_the_owner_may_read_it(tmp_path: Path, *, as_url: bool) -> None:
    store = LogStore(f"file://{tmp_path}/store" if as_url else tmp_path / "store")
    store.put(b"address 203.0.113.9")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")]}
    assert modes == {0o700, 0o600}


def test_a_file_that_is_not_there_names_the_store_and_the_remedy(store: LogStore) -> None:
    with pytest.raises(FileNotFoundError, match="reload that day's logs"):
        store.get("0" * 64)


def test_a_removal_can_be_repeated(store: LogStore) -> None:
    digest = store.put(b"gone")
    store.remove(digest)
    store.remove(digest)
    assert digest not in store


def test_it_is_plain_gzip_that_any_tool_reads(tmp_path: Path) -> None:
    digest = LogStore(tmp_path).put(b"plain")
    assert gzip.decompress((tmp_path / digest[:2] / f"{digest}.log.gz").read_bytes()) == b"plain"


def test_a_folder_whose_name_looks_like_a_chain_of_urls_is_a_folder(tmp_path: Path) -> None:
    digest = LogStore(tmp_path / "a::b").put(b"plain")
    assert (tmp_path / "a::b" / digest[:2] / f"{digest}.log.gz").exists()


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        LogStore(tmp_path / "store").put(b"too much")
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


class _Unsteady(DirFileSystem):  # type: ignore[misc] # fsspec ships no types
    """A store that is no object store, and whose line breaks while a file is written."""

    protocol = "unsteady"

    def __init__(self, **options: Any) -> None:
        super().__init__(path=f"/{uuid.uuid4().hex}", fs=fsspec.filesystem("memory"), **options)

    def pipe_file(self, path: str, value: bytes, **options: Any) -> None:
        broken = value == gzip.compress(b"lost", compresslevel=6, mtime=0)
        super().pipe_file(path, value[:5] if broken else value, **options)
        if broken:
            raise ConnectionError("the line broke")


def test_where_a_file_may_arrive_by_halves_it_is_written_aside_first() -> None:
    fsspec.register_implementation("unsteady", _Unsteady, clobber=True)
    store = LogStore("unsteady://logs")
    with pytest.raises(ConnectionError):
        store.put(b"lost")
    assert store._files.find("") == []
    digest = store.put(b"kept")
    assert store.get(digest) == b"kept"
    assert [path.rpartition("/")[2] for path in store._files.find("")] == [f"{digest}.log.gz"]


def test_a_store_without_its_driver_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.url_to_fs", missing)
    with pytest.raises(LogStoreError, match="Install s3fs") as caught:
        LogStore("s3://key:password@bucket/prefix")
    assert "password" not in str(caught.value)


def test_a_store_of_an_unknown_kind_is_told() -> None:
    with pytest.raises(LogStoreError, match="neither a folder nor a store"):
        LogStore("papyrus://library")
