"""Everything that can go wrong and be said to a person.

StudioError                a code with values; the words are in ui/texts
├── BadInput               what was given cannot be used (exit code 2)
│   ├── BadSetting         .field names the setting of the recipe
│   ├── BadPicture         not a picture that we can turn into video
│   └── MissingWeights     the engine is known, its files are not here
├── WeightsFailed          a download or a check of weights went wrong
├── OutOfMemory            no plan fits, or the card ran out while rendering
├── DiskFull               the disk cannot take the clip
└── RenderFailed           the engine or the encoder could not make the clip
Cancelled                  somebody asked to stop; not a failure (exit code 130)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float


@dataclass(frozen=True)
class Message:
    """Say one thing to a person: a code from ui/texts and the values for its blanks."""

    code: str
    values: Mapping[str, Value] = field(default_factory=dict)


class StudioError(Exception):
    """Carry a message that ends with what the person can do."""

    exit_code = 1

    def __init__(self, code: str, **values: Value) -> None:
        super().__init__(code, values)
        self.message = Message(code, values)

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.message.values.items())
        return f"{self.message.code} ({values})" if values else self.message.code


class BadInput(StudioError):
    """Refuse what was given; nothing was started and nothing was left behind."""

    exit_code = 2


class BadSetting(BadInput):
    """Refuse one setting of a recipe; `field` is its name in ClipSettings."""

    def __init__(self, code: str, field: str, **values: Value) -> None:
        super().__init__(code, field=field, **values)
        self.field = field


class BadPicture(BadInput):
    """Refuse a file that is not a picture we can animate."""


class MissingWeights(BadInput):
    """Refuse an engine whose weights are not installed; the message names the command that gets them."""


class WeightsFailed(StudioError):
    """Report a download or a check of weights that went wrong; nothing corrupt is kept."""


class OutOfMemory(StudioError):
    """Report that the clip does not fit into the memory at hand."""


class DiskFull(StudioError):
    """Report that the disk cannot take what was to be written."""


class RenderFailed(StudioError):
    """Report that the engine or the encoder could not make the clip."""


class Cancelled(Exception):
    """Leave a render because somebody asked to."""
