"""What some fields do to others: a shape ends an exact size, a speed brings its steps, and all can be put back."""

from svd_studio.ui.animate_handlers import FormVerbs, told
from svd_studio.ui.settings_form import Updates, Values


class FormHandlers(FormVerbs):
    """The verbs of the form itself."""

    @told
    def choose_shape(self, values: Values) -> Updates:
        """Take a shape instead of an exact size."""
        return {**self.parts.form.show({"width": None, "height": None}), self.parts.view: {}}

    @told
    def change_speed(self, values: Values) -> Updates:
        """Follow another speed."""
        return {**self.parts.form.change_speed(self.page.engine(values), values), self.parts.view: {}}

    @told
    def put_back(self, values: Values) -> Updates:
        """Bring the engine's own values back; no look is chosen any more."""
        updates = self.parts.form.show_native(self.page.engine(values))
        return {**updates, self.parts.chosen: None, self.parts.view: {"look": ""}}
