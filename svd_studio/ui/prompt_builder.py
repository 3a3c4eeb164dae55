"""The prompt builder's skeleton: four parts that become plain words in the prompt. assets/builder.js fills it."""

PARTS = ("subject", "scene", "style", "camera")

_FIELDS = "".join(
    f'<label><span data-t="page.builder.{part}"></span>'
    f'<input type="text" maxlength="200" data-builder-part="{part}"></label>'
    f'<div class="chips" role="group" data-label="page.builder.{part}" data-builder-chips="{part}"></div>'
    for part in PARTS
)

BUILDER = f"""
<p class="prompt-note"></p>
<p class="prompt-tools">
  <button type="button" class="link" data-builder="open" data-t="page.builder.open"></button>
  <button type="button" class="link" data-builder="negatives" data-t="page.builder.negatives"></button></p>
<dialog class="sheet builder-dialog" aria-labelledby="builder-title"><form method="dialog" novalidate>
  <h3 id="builder-title" data-t="page.builder.title"></h3>
  <p class="builder-note"></p>
  {_FIELDS}
  <p class="builder-words" role="status"></p>
  <div class="sheet-buttons"><button type="submit" class="button" data-t="page.builder.use"></button>
    <button type="button" class="button quiet sheet-close" data-t="page.sheet.close"></button></div>
</form></dialog>
"""
