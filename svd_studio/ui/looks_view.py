"""The looks as the page shows them. assets/looks.js draws the row: the shipped ones, then a person's own."""

from typing import Any

from svd_studio.core.errors import Message
from svd_studio.library.preset_file import LONGEST_TITLE
from svd_studio.library.presets import PresetLibrary
from svd_studio.ui.texts import say

LOOKS = f"""
<div class="looks-head"><h3 class="looks-title" data-t="page.looks"></h3>
  <button type="button" class="link save-look" data-t="page.look.save"></button>
  <button type="button" class="icon dots looks-more" aria-haspopup="menu" data-label="page.look.more"></button></div>
<div class="looks" role="group" data-label="page.looks"></div>
<p class="look-about" role="status"></p>
<input type="file" class="look-file" accept=".json,application/json" data-label="page.look.import" hidden>
<dialog class="sheet look-dialog" aria-labelledby="look-dialog-title"><form method="dialog" novalidate>
  <h3 id="look-dialog-title"></h3>
  <label><span data-t="page.look.name"></span><input type="text" maxlength="{LONGEST_TITLE}" autocomplete="off"></label>
  <p class="sheet-note" data-t="page.look.keeps"></p>
  <p class="sheet-problem" role="alert"></p>
  <div class="sheet-buttons"><button type="submit" class="button"></button>
    <button type="button" class="button quiet sheet-close" data-t="page.sheet.close"></button></div>
</form></dialog>
"""


PICTURES = {
    "gentle-drift": "sunset",
    "portrait-alive": "astronaut",
    "product-turn": "coffee",
    "landscape": "mountains",
    "water-and-smoke": "mountain-path",
    "hyper-motion": "mountains",
    "draft": "sunset",
    "social": "pagoda",
}
"""The shipped picture that stands for a shipped look; assets/looks.css moves it as the look would."""

OWN_PICTURE = "coffee"


def looks_view(presets: PresetLibrary, language: str) -> dict[str, Any]:
    """Every look with its words, and which of a person's own files cannot be read."""
    broken = ", ".join(presets.broken()[:5])
    return {
        "looks": {
            "list": [
                {
                    "name": preset.name,
                    "title": preset.titled(language),
                    "about": preset.described(language),
                    "picture": PICTURES.get(preset.name, OWN_PICTURE),
                    "own": presets.is_own(preset.name),
                }
                for preset in presets.all()
            ],
            "broken": say(Message("page.look.broken", {"names": broken}), language) if broken else "",
        }
    }
