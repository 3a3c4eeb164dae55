"""The environment that Gradio may see: what we set, and nothing that would open a door."""

from collections.abc import Mapping

from svd_studio.core.config import StudioConfig

OURS = ("127.0.0.1", "localhost", "::1")


def clean_environment(environ: Mapping[str, str], config: StudioConfig) -> dict[str, str]:
    """The same environment with Gradio's variables replaced by ours; put it in place before gradio is imported.

    Gradio honours every GRADIO_* variable: GRADIO_ALLOWED_PATHS=/ alone would open the whole disk.
    The upload folder is only named here; `fresh_uploads` makes it.
    """
    kept = {name: value for name, value in environ.items() if not name.upper().startswith("GRADIO_")}
    around = _around_the_proxy(environ)
    return kept | {
        "GRADIO_TEMP_DIR": str(config.uploads),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": around,
        "no_proxy": around,
    }


def _around_the_proxy(environ: Mapping[str, str]) -> str:
    """Whom no proxy is asked for: what was there, and this computer's own page."""
    named = f"{environ.get('no_proxy', '')},{environ.get('NO_PROXY', '')}".split(",")
    return ",".join(dict.fromkeys([*filter(None, map(str.strip, named)), *OURS]))
