"""The disk of a machine without power: what of a folder's files would be there, by the log of what was done to them.

A file has what was synced, and changes since then, of which a power cut keeps some: none, the first ones, or any of
their sectors. A folder is the same with names: one that was made, renamed or removed is so for good once the folder
itself was synced. Nothing is assumed of one file because of another's sync: less than any real file system promises.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from bench.powercut.writelog import Kind, Record

SECTOR = 512


class Loss(Enum):
    """What a power cut leaves of changes that were not synced."""

    ALL = "lost"
    """Nothing."""
    END = "torn"
    """The first ones of each file, in order, the last of them perhaps in part."""
    ANY = "shuffled"
    """Any sectors of any of them, and the first changes of each folder."""


@dataclass(frozen=True, slots=True)
class Change:
    """A write at ``offset``, or, without ``data``, a new size."""

    index: int
    offset: int
    data: bytes | None

    def sectors(self) -> Iterator["Change"]:
        """The parts of it that a disk writes each as a whole or not at all."""
        if self.data is None:
            yield self
            return
        begin = 0
        while begin < len(self.data):
            end = begin + SECTOR - (self.offset + begin) % SECTOR
            yield Change(self.index, self.offset + begin, self.data[begin:end])
            begin = end


@dataclass(eq=False)
class File:
    """``synced`` is on the disk, ``changes`` may be. A ``mapped`` one has been written to in ways that nobody saw."""

    synced: bytearray = field(default_factory=bytearray)
    changes: list[Change] = field(default_factory=list)
    mapped: bool = False

    def sync(self, before: int) -> None:
        """Put what was done before record ``before`` on the disk."""
        while self.changes and self.changes[0].index < before:
            apply(self.synced, self.changes.pop(0))

    def after(self, changes: Sequence[Change]) -> bytearray:
        """Return what it holds with some of its changes."""
        content = bytearray(self.synced)
        for change in changes:
            apply(content, change)
        return content


@dataclass(frozen=True, slots=True)
class Naming:
    """A name that stands for something else from record ``index`` on; None: for nothing."""

    index: int
    name: str
    node: "File | Folder | None"


@dataclass(eq=False)
class Folder:
    """Names as they are on the disk, as programs see them, and what was done to them since the last sync."""

    synced: dict[str, "File | Folder"] = field(default_factory=dict)
    seen: dict[str, "File | Folder"] = field(default_factory=dict)
    changes: list[Naming] = field(default_factory=list)

    def name(self, index: int, name: str, node: "File | Folder | None") -> None:
        """Let ``name`` stand for ``node`` from now on."""
        naming = Naming(index, name, node)
        self.changes.append(naming)
        _rename(self.seen, naming)

    def sync(self, before: int) -> None:
        """Put what was done before record ``before`` on the disk."""
        while self.changes and self.changes[0].index < before:
            _rename(self.synced, self.changes.pop(0))

    def after(self, count: int) -> dict[str, "File | Folder"]:
        """Return its names with the first ``count`` changes."""
        names = dict(self.synced)
        for naming in self.changes[:count]:
            _rename(names, naming)
        return names


def _rename(names: dict[str, File | Folder], naming: Naming) -> None:
    names.pop(naming.name, None)
    if naming.node is not None:
        names[naming.name] = naming.node


def apply(content: bytearray, change: Change) -> None:
    """Do to ``content`` what ``change`` does to a file."""
    size = change.offset + len(change.data or b"")
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if change.data is None:
        del content[change.offset :]
    else:
        content[change.offset : size] = change.data


class Disk:
    """The folder ``root`` as it lies there now, all of it synced, and then what the log says of it, record by record.

    ``copy`` is a copy of it as it was, where it has changed since, with the ``inodes`` that its files had.
    """

    def __init__(self, root: Path, *, copy: Path | None = None, inodes: Mapping[str, int] | None = None) -> None:
        self._root = root
        self._files: dict[int, File] = {}
        self._begun: dict[int, int] = {}
        self._last: dict[int, tuple[File, Change]] = {}
        self.folder = self._found(copy or root, "", inodes_of(root) if inodes is None else inodes)
        self.count = 0

    def _found(self, path: Path, prefix: str, inodes: Mapping[str, int]) -> Folder:
        found = Folder()
        for entry in sorted(path.iterdir()):
            name = f"{prefix}{entry.name}"
            if entry.is_dir():
                found.synced[entry.name] = self._found(entry, f"{name}/", inodes)
            elif entry.is_file():
                file = self._files[inodes[name]] = File(bytearray(entry.read_bytes()))
                found.synced[entry.name] = file
        found.seen = dict(found.synced)
        return found

    def play(self, records: Sequence[Record]) -> None:
        """Go on by ``records``. Raises ``ValueError`` for what cannot be followed."""
        for record in records:
            self._play(record)
            self.count += 1

    def _play(self, record: Record) -> None:
        match record.kind:
            case Kind.WRITE:
                self._change(record, record.data)
            case Kind.TRUNCATE:
                self._change(record, None)
            case Kind.SYNC_BEGINS | Kind.FOLDER_SYNC_BEGINS:
                self._begun[record.thread] = self.count
            case Kind.SYNC_ENDS:
                self._file(record).sync(self._begun.pop(record.thread))
            case Kind.FOLDER_SYNC_ENDS:
                self._sync_folder(Path(record.path), self._begun.pop(record.thread))
            case Kind.MAP:
                self._file(record).mapped = True
            case Kind.FAILED:
                raise ValueError(f"a write or sync did not do what it should: {record.path}")
            case Kind.MARK:
                pass
            case _:
                self._name(record)

    def _file(self, record: Record) -> File:
        try:
            return self._files[record.inode]
        except KeyError:
            raise ValueError(f"record {self.count} is about a file that nobody made: inode {record.inode}") from None

    def _change(self, record: Record, data: bytes | None) -> None:
        file, change = self._file(record), Change(self.count, record.offset, data)
        file.changes.append(change)
        self._last[record.thread] = file, change

    def _name(self, record: Record) -> None:
        path, _, second = record.path.partition("\n")
        folder, name = self._folder(Path(path).parent), Path(path).name
        match record.kind:
            case Kind.CREATE:
                known = self._files.get(record.inode)
                if known is None or folder.seen.get(name) is not known:  # else two processes made it at the same time
                    self._files[record.inode] = File()
                    folder.name(self.count, name, self._files[record.inode])
            case Kind.MAKE_FOLDER:
                folder.name(self.count, name, Folder())
            case Kind.UNLINK | Kind.REMOVE_FOLDER:
                folder.name(self.count, name, None)
            case Kind.RENAME:
                node = folder.seen.get(name)
                folder.name(self.count, name, None)
                self._folder(Path(second).parent).name(self.count, Path(second).name, node)

    def _folder(self, path: Path) -> Folder:
        found = self.folder
        for name in path.relative_to(self._root).parts:
            inner = found.seen.get(name)
            if not isinstance(inner, Folder):
                raise ValueError(f"record {self.count} is about a folder that nobody made: {path}")
            found = inner
        return found

    def _sync_folder(self, path: Path, before: int) -> None:
        """What has been removed since it was opened has nothing to sync."""
        try:
            folder = self._folder(path)
        except ValueError:
            return
        folder.sync(before)

    # what a power cut leaves

    def write_out(self, target: Path, loss: Loss, seed: str) -> None:
        """Make the folder ``target`` as the disk would be if the power went now. The same ``seed``, the same disk."""
        _write_out(self.folder, target, Choice(loss, random.Random(seed)))

    def contents_without_unsynced(self) -> Iterator[tuple[Path, Sequence[bytes]]]:
        """Yield each file that is not mapped, and what it may hold when all is lost that was not synced.

        That is one content, or two where a sync was under way, which may have been done.
        """
        begun = max(self._begun.values(), default=0)
        for path, file in _files_of(self.folder, self._root):
            if not file.mapped:
                done = file.after([change for change in file.changes if change.index < begun])
                yield path, (bytes(file.synced), bytes(done))

    def differences(self) -> Sequence[str]:
        """Files that are not as the log says: the shim has missed something. What was under way does not count."""
        under_way = list(self._last.values())
        return [
            str(path)
            for path, file in _files_of(self.folder, self._root)
            if not file.mapped and path.is_file() and not _could_be(file, path.read_bytes(), under_way)
        ]


def inodes_of(root: Path) -> Mapping[str, int]:
    """Return the inodes of the files below ``root``, by their paths from there."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.stat().st_ino for path in files}


@dataclass
class Choice:
    """Which of the changes that were not synced a power cut keeps."""

    loss: Loss
    random: random.Random

    def content(self, file: File) -> bytearray:
        """What is left of a file; what was written to its mapped memory may have come to the disk as anything."""
        content = file.after(list(self._kept(file)))
        if file.mapped and self.loss is not Loss.ALL and self.random.random() < 0.5:
            return bytearray(self.random.randbytes(len(content)))
        return content

    def _kept(self, file: File) -> Iterator[Change]:
        if self.loss is Loss.ALL:
            return
        sectors = [sector for change in file.changes for sector in change.sectors()]
        if self.loss is Loss.END:
            yield from sectors[: self.random.randint(0, len(sectors))]
            return
        share = self.random.random()
        yield from (sector for sector in sectors if self.random.random() < share)

    def names(self, folder: Folder) -> dict[str, File | Folder]:
        """What is left of a folder."""
        count = 0 if self.loss is Loss.ALL else self.random.randint(0, len(folder.changes))
        return folder.after(count)


def _write_out(folder: Folder, target: Path, choice: Choice) -> None:
    target.mkdir(mode=0o700)
    for name, node in sorted(choice.names(folder).items()):
        if isinstance(node, Folder):
            _write_out(node, target / name, choice)
        else:
            (target / name).write_bytes(choice.content(node))
            (target / name).chmod(0o600)


def _files_of(folder: Folder, path: Path) -> Iterator[tuple[Path, File]]:
    """Yield the files as programs see them, with their paths."""
    for name, node in folder.seen.items():
        if isinstance(node, Folder):
            yield from _files_of(node, path / name)
        else:
            yield path / name, node


def _could_be(file: File, found: bytes, under_way: Sequence[tuple[File, Change]]) -> bool:
    """Whether ``found`` is what the log says, but for changes that were ``under_way``."""
    pending = {change.index for of, change in under_way if of is file}
    unsure = [change for change in file.changes if change.index in pending]
    if found == file.after(file.changes) or any(change.data is None for change in unsure):
        return True
    done = file.after([change for change in file.changes if change.index not in pending])
    for change in unsure:
        if part := found[change.offset : change.offset + len(change.data or b"")]:
            apply(done, replace(change, data=part))
    return found == done
