"""What a recipe asks for and is not here: it becomes what will be done, and a person is told."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from svd_studio.core.engine import EngineInfo, Resolved, WeightSet
from svd_studio.core.errors import Message
from svd_studio.engines.catalog import RIFE
from svd_studio.library.weights import WeightsLibrary, verify_files

Installed = Callable[[WeightSet], Path | None]


def with_what_is_here(resolved: Resolved, info: EngineInfo, installed: Installed) -> Resolved:
    """The recipe as it can run with the extras that are installed, and notes about the others.

    Words that nobody hears stay in it; frames drawn by a network that is not here become the flow's, so that
    the recipe in the clip gives the same clip again.
    """
    return _drawn(_heard(resolved, info, installed), installed)


def rife_weights(library: WeightsLibrary) -> Path | None:
    """Where RIFE is, its file looked at; None when it is not here. Raises WeightsFailed."""
    folder = library.installed(RIFE)
    if folder is not None:
        verify_files(folder)
    return folder


def _heard(resolved: Resolved, info: EngineInfo, installed: Installed) -> Resolved:
    text = info.text
    if not resolved.settings.has_words or text is None or installed(text) is not None:
        return resolved
    unheard = Message("note.words_unheard", {"engine": info.name, "text": text.name, "gb": text.size_gb})
    return replace(resolved, notes=(*resolved.notes, unheard))


def _drawn(resolved: Resolved, installed: Installed) -> Resolved:
    finish = resolved.settings.finish
    if finish.smooth == 1 or finish.between == "flow" or installed(RIFE) is not None:
        return resolved
    settings = resolved.settings.model_copy(update={"finish": finish.model_copy(update={"between": "flow"})})
    return Resolved(settings, (*resolved.notes, Message("note.rife_missing")))
