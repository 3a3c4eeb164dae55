"""installed.json: what was installed, from where, with which hashes; a folder without it is not installed."""

import contextlib
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from svd_studio.core.engine import WeightSet

RECORD_NAME = "installed.json"


class FileRecord(BaseModel):
    """One file as it was when it was installed."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str


class InstallRecord(BaseModel):
    """One installation; `folder` is set when the files are somebody else's, elsewhere on this machine."""

    model_config = ConfigDict(frozen=True)

    name: str
    repo: str
    revision: str
    licence: str
    licence_url: str
    installed_at: str
    files: dict[str, FileRecord]
    folder: Path | None = None
    is_sound: bool = True

    @classmethod
    def of(
        cls, weights: WeightSet, revision: str, root: Path, hashes: dict[str, str], folder: Path | None = None
    ) -> "InstallRecord":
        """Describe the files below `root` that were just hashed (path → sha256)."""
        return cls(
            name=weights.name,
            repo=weights.repo,
            revision=revision,
            licence=weights.licence,
            licence_url=weights.licence_url,
            installed_at=datetime.now(UTC).isoformat(timespec="seconds"),
            files={path: FileRecord(size=(root / path).stat().st_size, sha256=hash_) for path, hash_ in hashes.items()},
            folder=folder,
        )


def read_record(own_folder: Path) -> InstallRecord | None:
    """The record in a weight set's own folder; None when there is none that can be read."""
    try:
        return InstallRecord.model_validate_json((own_folder / RECORD_NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def write_record(own_folder: Path, record: InstallRecord) -> None:
    """Put the record in place, whole or not at all, also when the power goes."""
    own_folder.mkdir(parents=True, exist_ok=True)
    write_atomically(own_folder / RECORD_NAME, record.model_dump_json(indent=1).encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a small file in one step; nobody but the owner can read it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
