"""The local store keeps its promise."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from lotseal.trace.errors import NotFound, Unavailable
from lotseal.trace.files.storage import LocalStorage

ABC = hashlib.sha256(b"abc").hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "store")


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_bytes_streams_and_files_are_kept_under_their_sha256(store: LocalStorage, tmp_path: Path) -> None:
    (tmp_path / "report").write_bytes(b"abc")
    for source in (b"abc", BytesIO(b"abc"), tmp_path / "report"):
        stored = store.put(source)
        assert (stored.sha256, stored.size) == (ABC, 3)
    with store.open(ABC) as stream:
        assert stream.read() == b"abc"


def test_the_same_bytes_twice_are_one_file(store: LocalStorage, tmp_path: Path) -> None:
    store.put(b"abc")
    store.put(b"abc")
    assert files_below(tmp_path) == [tmp_path / "store" / "sha256" / ABC[:2] / ABC[2:4] / ABC]


def test_a_large_stream_is_kept_whole(store: LocalStorage) -> None:
    data = os.urandom(3_000_000)
    stored = store.put(BytesIO(data))
    assert (stored.sha256, stored.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert store.path(stored.sha256).read_bytes() == data


def test_only_the_owner_may_read(store: LocalStorage, tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        store.put(b"abc")
    finally:
        os.umask(previous)
    path = store.path(ABC)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in list(path.parents)[:3]} == {0o700}


@pytest.mark.parametrize(
    "name", ["", "abc", "../" * 10 + "etc/passwd", ABC.upper(), ABC + "\n", ABC[:-1] + "/", ABC[:-1], "\0" * 64]
)
def test_a_name_that_is_no_sha256_leads_nowhere(store: LocalStorage, name: str) -> None:
    assert not store.exists(name)
    for ask in (store.path, store.open, store.verify, store.delete):
        with pytest.raises(NotFound):
            ask(name)


def test_what_was_never_put_is_not_found(store: LocalStorage) -> None:
    assert not store.exists(ABC)
    for ask in (store.open, store.verify, store.delete):
        with pytest.raises(NotFound):
            ask(ABC)


def test_a_link_in_place_of_the_file_is_not_followed(store: LocalStorage, tmp_path: Path) -> None:
    store.put(b"abc")
    (tmp_path / "elsewhere").write_bytes(b"abc")
    store.path(ABC).unlink()
    store.path(ABC).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        store.open(ABC)


def test_an_orphan_can_be_deleted(store: LocalStorage) -> None:
    store.put(b"abc")
    store.delete(ABC)
    assert not store.exists(ABC)


def test_a_changed_file_is_found_and_mended_by_putting_it_again(store: LocalStorage) -> None:
    store.put(b"abc")
    store.verify(ABC)
    store.path(ABC).write_bytes(b"abd")
    with pytest.raises(Unavailable) as caught:
        store.verify(ABC)
    assert caught.value.problems[0].rule == "file.changed"
    store.put(b"abc")
    store.verify(ABC)


class BreaksHalfway(BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 0:
            raise OSError(28, "No space left on device")
        return super().read(2)


def test_a_store_that_fails_says_so_and_leaves_nothing_behind(store: LocalStorage, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        store.put(BreaksHalfway(b"abc"))
    assert caught.value.problems[0].rule == "file.store"
    assert files_below(tmp_path) == []


def test_bytes_are_synced_before_they_get_their_name_and_the_folders_after(
    store: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(descriptor: int) -> None:
        acts.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def noting_replace(source: Path, target: Path) -> None:
        acts.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", noting_replace)
    store.put(b"abc")
    assert acts == ["file", "rename", "folder", "folder", "folder", "folder"]


def test_what_killed_writers_left_aside_can_be_cleared(store: LocalStorage, tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    for name, age in (("old", timedelta(days=2)), ("new", timedelta(minutes=1))):
        left = tmp_path / "store" / "incoming" / name
        left.write_bytes(b"half")
        os.utime(left, times=((now - age).timestamp(),) * 2)
    assert store.forget_unfinished(before=now - timedelta(days=1)) == 1
    assert [path.name for path in files_below(tmp_path)] == ["new"]
