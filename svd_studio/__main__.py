"""Run a verb, or open the studio when there is none: python -m svd_studio [VERB]."""

import runpy
import sys
from pathlib import Path

from svd_studio.cli import main

ASKS_FOR_HELP = ("-h", "--help", "--version")

if __name__ == "__main__":
    if sys.argv[1:2] and (not sys.argv[1].startswith("-") or sys.argv[1] in ASKS_FOR_HELP):
        sys.exit(main())
    runpy.run_path(str(Path(__file__).parents[1] / "app.py"), run_name="__main__")
