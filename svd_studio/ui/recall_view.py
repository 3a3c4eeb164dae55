"""The skeleton of recall: the line that says what came back, and the two dialogs. assets/recall.js fills them."""

from svd_studio.core.infotext import LONGEST

CHOICES = ("all", "but_seed", "motion", "picture")
"""What can be taken of a recipe; the first is the one that most people want."""

_BUTTONS = "".join(
    f'<button type="button" class="recall-choice" data-take="{what}"><b data-t="page.recall.{what}"></b>'
    f'<span data-t="page.recall.{what}_more"></span></button>'
    for what in CHOICES
)

RECALL = f"""
<div class="recalled" role="status" hidden><p></p><ul></ul>
  <button type="button" class="link" data-recalled="back" data-t="page.look.undo"></button>
  <button type="button" class="link" data-recalled="close" data-t="page.recall.dismiss"></button></div>
<dialog class="sheet recall-dialog" aria-labelledby="recall-title">
  <h3 id="recall-title"></h3>
  <p class="recall-recipe"></p><ul class="recall-notes"></ul>
  <div class="recall-choices">{_BUTTONS}</div>
  <div class="sheet-buttons">
    <button type="button" class="button quiet sheet-close" data-t="page.recall.dismiss"></button></div>
</dialog>
<dialog class="sheet paste-dialog" aria-labelledby="paste-title"><form method="dialog" novalidate>
  <h3 id="paste-title" data-t="page.recall.paste_title"></h3>
  <label><span data-t="page.recall.paste_label"></span>
    <textarea rows="7" maxlength="{LONGEST}" spellcheck="false"></textarea></label>
  <p class="sheet-problem" role="alert"></p>
  <div class="sheet-buttons"><button type="submit" class="button" data-t="page.recall.read"></button>
    <button type="button" class="button quiet sheet-close" data-t="page.sheet.close"></button></div>
</form></dialog>
"""
