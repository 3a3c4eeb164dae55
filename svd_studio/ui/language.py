"""Which language a browser gets: what was chosen on the page, else what it asks for."""

from svd_studio.ui.texts import LANGUAGES

ENDONYMS = {"en": "English", "zh-CN": "中文"}


def spoken_by(accept_language: str | None) -> str:
    """The first language of an Accept-Language header that we speak; English when there is none."""
    wanted = [_weighted(part) for part in (accept_language or "").split(",")]
    for _, tag in sorted(wanted, key=lambda pair: -pair[0]):
        for language in LANGUAGES:
            if tag.split("-")[0] == language.split("-")[0].lower():
                return language
    return LANGUAGES[0]


def known(language: object) -> str:
    """The language itself if we speak it, else English: what comes from a page is a stranger's."""
    return language if language in LANGUAGES else LANGUAGES[0]  # type: ignore[return-value]


def _weighted(part: str) -> tuple[float, str]:
    tag, _, weight = part.strip().lower().partition(";q=")
    try:
        return float(weight or 1), tag
    except ValueError:
        return 0.0, tag
