"""Run every check: ruff, mypy and pytest, whose slow tests need --all; further arguments go to pytest."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def checks(arguments: list[str]) -> list[list[str]]:
    """List the commands in order; the launchers pass their own verb along."""
    to_pytest = [argument for argument in arguments if argument != "--all"]
    quick = [] if "--all" in arguments else ["-m", "not slow"]
    return [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["pytest", *quick, *to_pytest]]


def main() -> int:
    """Run all of them, also after a failure, and return the first failure's code."""
    # Two torch threads on a busy machine spin: 83 seconds for what one does in 5.
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    failed = []
    for check in checks(sys.argv[2:] if sys.argv[1:2] == ["test"] else sys.argv[1:]):
        print("==", *check, flush=True)
        code = subprocess.run([sys.executable, "-m", *check], cwd=ROOT, env=environment, check=False).returncode
        if code:
            failed.append((" ".join(check[:2]), code))
    for name, code in failed:
        print(f"Failed with {code}: {name}", file=sys.stderr)
    return failed[0][1] if failed else 0


if __name__ == "__main__":
    sys.exit(main())
