"""What stands beside a finished clip, on the Animate page and in the Gallery; assets/result.js makes it work."""

from svd_studio.library.clips import MOST_STARS

_STARS = "".join(
    f'<button type="button" class="icon" data-stars="{number}" aria-pressed="false"></button>'
    for number in range(1, MOST_STARS + 1)
)
STARS = f'<div class="stars" role="group" data-label="page.result.rating">{_STARS}</div>'

AS = """<button type="button" class="button as" data-result="as" aria-haspopup="menu"
  data-label="page.result.as"></button>"""

MORE = """
<button type="button" class="button quiet" data-result="before" data-t="page.result.before" hidden></button>
<button type="button" class="button quiet" data-result="longer" aria-haspopup="menu"
  data-t="page.result.longer"></button>
<button type="button" class="button quiet" data-result="frame" aria-haspopup="menu"
  data-t="page.result.frame"></button>
"""
