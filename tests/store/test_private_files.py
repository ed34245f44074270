"""Nobody but the gateway's own user reads what it keeps."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.config.tables import Config
from gateway.logins.attempts import Attempts
from gateway.server.bootstrap import build
from gateway.store import private_files
from gateway.store.private_files import open_private, prepare
from gateway.store.shared import files as shared


@dataclass(frozen=True)
class Pair:
    """A small shared value."""

    count: int = 0


@pytest.fixture(params=[0o000, 0o022, 0o077])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


def fill(data: Path) -> dict[str, int]:
    """Use every kind of file that a gateway keeps; their rights while they are in use."""
    with build(Config(), data) as gateway, closing(Attempts(shared.FileCounts(data / "logins.db"))) as attempts:
        assert gateway.diagnostic_log
        gateway.diagnostic_log.flush()
        attempts.remember(b"mark", 60)
        record = shared.Record(Pair, shared.path_of(data, "acme", "pbx"))
        record.change(lambda value: (Pair(value.count + 1), None))
        give_back = shared.Slots(shared.path_of(data, "acme", "pbx"), 1).take(1)
        found = modes(data)
        if give_back:
            give_back()
        record.close()
    return found


@pytest.mark.usefixtures("_umask")
@pytest.mark.parametrize("there", [None, 0o755, 0o777])
def test_all_files_are_made_for_their_owner_only(tmp_path: Path, there: int | None) -> None:
    data = tmp_path / "data"
    if there:
        data.mkdir()
        data.chmod(there)
    found = fill(data)
    assert {"gateway.db", "gateway.db-wal", "gateway.db-shm", "traffic.db", "logins.db", "gateway.lock"} <= set(found)
    assert {name: mode for name, mode in found.items() if mode not in (0o600, 0o700)} == {}
    assert not stat.S_IMODE(data.stat().st_mode) & 0o022
    if there is None:
        assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_what_an_earlier_version_left_open_is_closed_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path)
    (tmp_path / "gateway.toml").touch(mode=0o644)
    (tmp_path / "traffic.db.broken").touch(mode=0o644)
    for path in tmp_path.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    capsys.readouterr()
    prepare(tmp_path)
    open_still = {name for name, mode in modes(tmp_path).items() if mode & 0o077}
    assert open_still == {"gateway.toml"}, "what the operator made is the operator's"
    told = capsys.readouterr().out
    assert "files_closed_to_others" in told
    assert "traffic.db.broken" in told
    prepare(tmp_path)
    assert "files_closed" not in capsys.readouterr().out


def test_what_cannot_be_closed_is_named_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gateway.db"
    path.touch()
    path.chmod(0o644)

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refused)
    prepare(tmp_path)
    told = capsys.readouterr().out
    assert "file_open_to_others" in told
    assert f"chmod 600 {path}" in told


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch()
    elsewhere.chmod(0o644)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gateway.db").symlink_to(elsewhere)
    prepare(tmp_path / "data")
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of other users")
def test_what_root_makes_belongs_to_the_folder_s_owner(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    os.close(open_private(tmp_path / "gateway.lock"))
    private_files.make_folder(tmp_path / "appliances")
    assert {path.stat().st_uid for path in tmp_path.iterdir()} == {12345}


def test_a_new_data_folder_is_synced_with_those_above_it_before_anything_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")))
    prepare(tmp_path / "var" / "data")
    assert sorted(synced) == [str(tmp_path), str(tmp_path / "var")]
    prepare(tmp_path / "var" / "data")
    assert len(synced) == 2


def test_a_folder_that_cannot_be_synced_is_used_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int) -> None:
        raise OSError(errno.EINVAL, "this file system syncs no folders")

    monkeypatch.setattr(os, "fsync", refuse)
    prepare(tmp_path / "data")
    assert (tmp_path / "data").is_dir()
