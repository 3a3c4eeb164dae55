"""The look of the page: colours and letters in one place, and what launch() needs to hear of them.

Dark and light follow the system. No font and no script comes from another machine.
"""

import json
from pathlib import Path
from typing import Any

import gradio as gr

from svd_studio.ui.texts import LANGUAGES, words

ASSETS = Path(__file__).parent / "assets"
SESSIONS_KEPT = 100
"""Gradio makes some 230 kB for each name that a visitor gives his session; we keep nothing there."""

LETTERS = (
    *("system-ui", "-apple-system", "Segoe UI Variable Text", "Segoe UI", "Roboto", "Noto Sans"),
    *("PingFang SC", "Microsoft YaHei UI", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", "sans-serif"),
)
MONO = ("ui-monospace", "SF Mono", "Cascadia Mono", "JetBrains Mono", "Consolas", "monospace")

LIGHT = {
    "ground": "#f4f3f0",
    "panel": "#ffffff",
    "raised": "#faf9f7",
    "line": "#e2dfd8",
    "ink": "#1d1c1a",
    "soft": "#65615a",
    "faint": "#8b867c",
    "accent": "#b4481e",
    "accent-hover": "#9a3b16",
    "on-accent": "#ffffff",
    "tint": "#fbe9df",
    "studio": "#b4481e",
    "others": "#b9b3a7",
    "track": "#e8e5de",
    "good": "#2d7a4b",
    "warm": "#9a6700",
    "bad": "#b3261e",
    "bad-tint": "#fdecea",
    "screen": "#191816",
    "on-screen": "#f1efe9",
    "star": "#ffb27f",
    "veil": "rgb(0 0 0 / 0.55)",
}
DARK = {
    "ground": "#151412",
    "panel": "#1e1d1a",
    "raised": "#262521",
    "line": "#38362f",
    "ink": "#f1efe9",
    "soft": "#b3aea2",
    "faint": "#8d887c",
    "accent": "#f08a56",
    "accent-hover": "#f6a075",
    "on-accent": "#21110a",
    "tint": "#3a251a",
    "studio": "#f08a56",
    "others": "#6f6a5f",
    "track": "#35332d",
    "good": "#6cc28d",
    "warm": "#e0b04a",
    "bad": "#ff8a80",
    "bad-tint": "#3b1f1c",
    "screen": "#0c0b0a",
    "on-screen": "#f1efe9",
    "star": "#ffb27f",
    "veil": "rgb(0 0 0 / 0.62)",
}


class StudioTheme(gr.themes.Base):  # type: ignore[misc]  # gradio is not typed
    """Hand our colours to Gradio's own variables, so that its parts look like ours."""

    def __init__(self) -> None:
        super().__init__(
            font=[gr.themes.Font(name) for name in LETTERS], font_mono=[gr.themes.Font(name) for name in MONO]
        )
        self.name = "svd-studio"
        colours = {
            "body_background_fill": "ground",
            "body_text_color": "ink",
            "body_text_color_subdued": "soft",
            "block_background_fill": "panel",
            "block_border_color": "line",
            "block_label_text_color": "soft",
            "block_title_text_color": "ink",
            "block_info_text_color": "soft",
            "border_color_primary": "line",
            "input_background_fill": "raised",
            "input_border_color": "line",
            "input_border_color_focus": "accent",
            "input_placeholder_color": "faint",
            "slider_color": "accent",
            "color_accent": "accent",
            "color_accent_soft": "tint",
            "button_primary_background_fill": "accent",
            "button_primary_background_fill_hover": "accent-hover",
            "button_primary_text_color": "on-accent",
            "button_secondary_background_fill": "raised",
            "button_secondary_background_fill_hover": "tint",
            "button_secondary_text_color": "ink",
            "button_secondary_border_color": "line",
            "checkbox_label_text_color": "ink",
            "link_text_color": "accent",
        }
        ours = {name: f"var(--{colour})" for name, colour in colours.items()}
        dark = {f"{name}_dark": value for name, value in ours.items() if hasattr(self, f"{name}_dark")}
        super().set(**ours, **dark)

    def _get_theme_css(self) -> str:
        """Gradio's own variables and our colours behind them: also for the page that asks for the password."""
        return f"{super()._get_theme_css()}\n{colour_css()}"


def launch_options() -> dict[str, Any]:
    """What launch() needs for the look: theme, style sheet, script, no footer; and how many pages it remembers."""
    return {
        "theme": StudioTheme(),
        "css": _assets("css"),
        "head": head_html(),
        "footer_links": [],
        "favicon_path": ASSETS / "icon.svg",
        "state_session_capacity": SESSIONS_KEPT,
    }


def colour_css() -> str:
    """Both palettes as custom properties."""
    light, dark = ("".join(f"--{name}:{value};" for name, value in palette.items()) for palette in (LIGHT, DARK))
    return f":root,.gradio-container{{{light}}}\n.dark,.dark .gradio-container{{{dark}}}\n"


def head_html() -> str:
    """The script of the page, with the texts that it puts in itself."""
    texts = {
        language: {code: text for code, text in words(language).items() if code.startswith("page.")}
        for language in LANGUAGES
    }
    script = _assets("js")
    shown = json.dumps(texts, ensure_ascii=False).replace("</", "<\\/")
    return f'<meta name="color-scheme" content="light dark"><script>window.STUDIO_WORDS = {shown};\n{script}</script>'


def _assets(kind: str) -> str:
    """Every style sheet or script, the page's own first and then each room's."""
    files = sorted(ASSETS.glob(f"*.{kind}"), key=lambda path: (not path.stem.startswith("studio"), path.stem))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)
