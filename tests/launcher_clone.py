"""A copy of the launcher to start for real, and Pythons that pretend to be another version."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COPIED = ["launch.sh", ".ci/tools", "tools/install.py", "tools/fits.py", "tools/check.py"]
COPIED += [f"svd_studio/ui/texts/{language}.json" for language in ("en", "zh-CN")]
NEEDED_PROGRAMS = ["sh", "dirname", "readlink", "env", "cat", "mkdir", "chmod", "id", "grep"]
on_posix = pytest.mark.skipif(os.name == "nt", reason="launch.sh is for Linux and macOS")

# Runs the script that it is given, as a Python of another version would; what it installs is a link to itself.
PRETEND = """
import os, runpy, sys
version, me, *arguments = sys.argv[1:]
log = os.environ["PRETEND_LOG"]
script = next((a for a in arguments if a.endswith(".py")), "")
with open(log, "a", encoding="utf-8") as lines:
    lines.write(" ".join([os.path.basename(me), *(os.path.basename(a) for a in arguments)]) + "\\n")
if script.endswith("fits.py"):
    sys.version_info = tuple(int(part) for part in version.split("."))
    sys.executable = me
    runpy.run_path(script, run_name="__main__")
elif script.endswith("install.py") and "--check" not in arguments:
    home = os.path.join(os.path.dirname(os.path.dirname(script)), ".venv", "bin")
    os.makedirs(home)
    os.symlink(os.environ["REAL_PYTHON"], os.path.join(home, "python"))
elif "pip" in arguments:
    sys.exit(os.environ.get("PRETEND_PIP", "no network"))
"""

STUDIO = """
import json, os, sys
print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]))
sys.exit(int(os.environ.get("STUDIO_CODE", "0")))
"""


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o755)
    return path


def pretend_python(folder: Path, name: str, version: str) -> Path:
    script = folder.parent / "pretend.py"
    script.write_text(PRETEND, "utf-8")
    return write_program(folder / name, f'#!/bin/sh\nexec "{sys.executable}" -I "{script}" {version} "$0" "$@"\n')


class Clone:
    """A copy of the launcher with a studio that only tells how it was started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder.parent / "bin"
        self.log = folder.parent / "log"
        for name in COPIED:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        write_program(folder / "svd_studio" / "__main__.py", STUDIO)
        for program in NEEDED_PROGRAMS:
            self.bin.mkdir(exist_ok=True)
            (self.bin / program).symlink_to(str(shutil.which(program)))
        for name in ("constraints.txt", "requirements-dev.txt"):
            (folder / name).write_text("", "utf-8")
        (folder / "requirements.txt").write_text("-c constraints.txt\ntorch==2.13.0\n", "utf-8")
        (folder / "requirements-cuda.txt").write_text("xformers==0.0.35\n", "utf-8")
        self.environment = {
            "PATH": str(self.bin),
            "HOME": str(folder.parent),
            "PRETEND_LOG": str(self.log),
            "REAL_PYTHON": sys.executable,
            # No network, whatever this machine has: what a request meets is a closed port.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_RETRIES": "0",
        }

    @property
    def stamp(self) -> Path:
        return self.folder / ".venv" / "svd-studio.json"

    def command(self, *arguments: str) -> list[str]:
        return [str(self.folder / "launch.sh"), *arguments]

    def start(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment | environment,
            cwd=cwd,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def version_of(self, package: str) -> str:
        found = list(self.folder.glob(f".venv/lib/python*/site-packages/{package}-*.dist-info"))
        return found[0].name.removeprefix(f"{package}-").removesuffix(".dist-info") if found else ""
