"""Sentences about a recipe, with its fields and models called as the page calls them."""

from svd_studio.core.errors import Message, Value
from svd_studio.engines.catalog import ENGINES
from svd_studio.ui.settings_form import ROWS
from svd_studio.ui.texts import say


def spoken(message: Message, language: str) -> str:
    """The sentence, with the field's label for its name and the model's title for its."""
    values: dict[str, Value] = dict(message.values)
    if name := field_name(str(values.get("field"))):
        values["field"] = say(f"page.field.{name}", language)
    for blank in ("engine", "present"):
        if info := ENGINES.get(str(values.get(blank))):
            values[blank] = info.title.partition(" (")[0]
    return say(Message(message.code, values), language)


def field_name(name: str) -> str:
    """A field's name in the form, finish.smooth for smooth as pydantic calls it; empty when it has none there."""
    return name if name in ROWS else next((row for row in ROWS if row.endswith(f".{name}")), "")
