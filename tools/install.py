"""Fill .venv with what fits this machine, once; a later start finds the stamp and does nothing.

Runs before anything is installed, so it knows the standard library only.
"""

import hashlib
import json
import locale
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "svd-studio.json"
TORCH_INDEX = "https://download.pytorch.org/whl/"
# From pip 25.2 on, a download of gigabytes goes on where it broke off.
PIP = "26.3"
# CUDA 13 needs driver 580, and knows no card before Turing (7.5); CUDA 12.6 knows no card from Blackwell (10.0) on.
CUDA_13_DRIVER, TURING, BLACKWELL = 580, 7.5, 10.0


@dataclass(frozen=True)
class Stamp:
    """What .venv holds: torch's build, the Python it is for, and the requirement files by their hash."""

    torch: str
    python: str
    files: dict[str, str]


@dataclass(frozen=True)
class Card:
    """What decides torch's build: an NVIDIA card's compute capability and its driver's major version."""

    capability: float
    driver: int

    @property
    def torch(self) -> str:
        """Name the folder of PyTorch's index."""
        wants_cuda_12 = self.capability < TURING or (self.driver < CUDA_13_DRIVER and self.capability < BLACKWELL)
        return "cu126" if wants_cuda_12 else "cu130"


def say(code: str, **values: object) -> None:
    """Print the sentence of a code in the person's language."""
    texts = ROOT / "svd_studio" / "ui" / "texts" / f"{language()}.json"
    print(json.loads(texts.read_text("utf-8"))[code].format(**values), flush=True)


def language() -> str:
    """Tell zh-CN from everything else by the system's own setting."""
    if sys.platform == "win32":
        import ctypes

        name = locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")
    else:
        name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh-CN" if name.startswith("zh") else "en"


def parse_cards(answer: str) -> Card | None:
    """Read nvidia-smi's lines 'capability, driver'; of several cards the newest counts."""
    rows = re.findall(r"^\s*(\d+\.\d+),\s*(\d+)\.", answer, re.MULTILINE)
    cards = [Card(float(capability), int(driver)) for capability, driver in rows]
    return max(cards, key=lambda card: card.capability, default=None)


def find_card() -> Card | None:
    """Ask nvidia-smi; on Windows the driver's own library is proof enough of a recent card."""
    if asked := shutil.which("nvidia-smi"):
        query = [asked, "--query-gpu=compute_cap,driver_version", "--format=csv,noheader"]
        with suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
            # A driver that does not know the field compute_cap is older than CUDA 11.6.
            return parse_cards(done.stdout) or (Card(0.0, 0) if "compute_cap" in done.stdout + done.stderr else None)
    if sys.platform == "win32":
        import ctypes

        with suppress(OSError):
            ctypes.WinDLL("nvcuda.dll")
            return Card(TURING, CUDA_13_DRIVER)
    return None


def build_for(installed: str) -> str:
    """Name torch's build; one for a card is kept when the card does not answer today, as after a driver update."""
    if installed == "cu130":
        return installed
    if card := find_card():
        return card.torch
    if installed == "cu126":
        return installed
    return "cpu" if sys.platform == "linux" else "plain"


def wanted(installed: Stamp | None, python: str, tests: bool) -> Stamp:
    """Describe what .venv should hold."""
    torch = build_for(installed.torch if installed else "")
    names = ["constraints.txt", "requirements.txt"]
    if torch.startswith("cu"):
        names.append("requirements-cuda.txt")
    if tests:
        names.append("requirements-dev.txt")
    return Stamp(torch, python, {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in names})


def read_stamp() -> Stamp | None:
    """Read what the last whole install left; None when there was none."""
    try:
        return Stamp(**json.loads(STAMP.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_stamp(stamp: Stamp) -> None:
    """Leave the proof of a whole install, in one step."""
    part = STAMP.with_suffix(".part")
    part.write_text(json.dumps(asdict(stamp), indent=2), "utf-8")
    part.replace(STAMP)


def is_current(python: str, tests: bool) -> bool:
    """Tell whether a start may go straight on."""
    if not (installed := read_stamp()):
        return False
    want = wanted(installed, python, tests)
    same_build = (installed.torch, installed.python) == (want.torch, want.python)
    return same_build and want.files.items() <= installed.files.items()


def venv_version() -> str | None:
    """Ask .venv's own Python for its version; None when it does not fit, does not run or lacks pip."""
    fits = [str(VENV_PYTHON), "-I", str(ROOT / "tools" / "fits.py")]
    with suppress(OSError):
        if subprocess.run(fits, capture_output=True, check=False).returncode == 0:
            return ask_venv("import sys, pip; print(*sys.version_info[:2], sep='.')")
    return None


def ask_venv(question: str) -> str | None:
    """Run one line in .venv and return what it prints; None when it fails."""
    done = subprocess.run([str(VENV_PYTHON), "-I", "-c", question], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def pip(*arguments: str) -> bool:
    """Run .venv's pip; its words go to the terminal."""
    environment = os.environ | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    command = [str(VENV_PYTHON), "-I", "-m", "pip", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode == 0


def has_own_index() -> bool:
    """Tell whether the person chose a package index, which is then the only one asked where it will do."""
    if os.environ.get("PIP_INDEX_URL"):
        return True
    asked = [str(VENV_PYTHON), "-I", "-m", "pip", "config", "list"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return any(re.match(r"\w+\.index-url=", line) for line in listed.splitlines())


def answers(url: str, seconds: float = 5.0) -> bool:
    """Tell whether a server answers at all; no network, however it hangs, costs more than these seconds."""
    import urllib.request  # a third of what a start without anything to do would cost

    heard = threading.Event()

    def ask() -> None:
        with suppress(OSError, ValueError):
            urllib.request.urlopen(url, timeout=seconds).close()
            heard.set()

    # In a thread, because looking a name up knows no time limit.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    return heard.is_set()


def torch_pin() -> str:
    """Read torch's version where it is pinned."""
    found = re.search(r"^torch==(\S+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert found
    return found[1]


def usual_index_has(build: str) -> bool:
    """Tell whether plain `pip install torch` brings a build that runs here: for Windows it has no CUDA at all."""
    return build in ("plain", "cpu") or (build == "cu130" and sys.platform == "linux")


def install_torch(build: str) -> bool:
    """Install the build that fits, before anything else can bring another one."""
    pin = torch_pin()
    present = ask_venv("from importlib.metadata import version; print(version('torch'))")
    if present == f"{pin}+{build}" or (present == pin and usual_index_has(build)):
        return True
    if build != "plain" and not (usual_index_has(build) and has_own_index()):
        if from_torch_index(build, pin):
            return True
        say("launch.usual_index" if usual_index_has(build) else "launch.no_torch_index", build=build)
    # pip takes another build of the same version for good enough, so that has to go first.
    ready = usual_index_has(build) and (not present or pip("uninstall", "--quiet", "--yes", "torch"))
    return ready and pip("install", f"torch=={pin}")


def from_torch_index(build: str, pin: str) -> bool:
    """Take torch from PyTorch's own index; where the usual one will do as well, be quick to give up."""
    index = TORCH_INDEX + build
    impatient = ["--retries", "0", "--timeout", "10"] if build == "cpu" else []
    return answers(index + "/") and pip("install", *impatient, "--index-url", index, f"torch=={pin}+{build}")


def install_xformers(build: str) -> None:
    """Add what only cards use; without it the studio runs all the same."""
    source = ["--index-url", TORCH_INDEX + build]
    if not pip("install", "--retries", "1", "--no-deps", *source, "-r", str(ROOT / "requirements-cuda.txt")):
        say("launch.no_xformers")


def fill(want: Stamp) -> bool:
    """Install everything; the stamp is gone until all of it is there."""
    STAMP.unlink(missing_ok=True)
    say(f"launch.torch_{'cuda' if want.torch.startswith('cu') else 'cpu'}", build=want.torch)
    if ask_venv("import pip; print(pip.__version__)") != PIP:
        pip("install", "--quiet", "--retries", "1", f"pip=={PIP}")
    if not install_torch(want.torch):
        return False
    lists = [name for name in want.files if name in ("requirements.txt", "requirements-dev.txt")]
    if not pip("install", *(part for name in lists for part in ("-r", str(ROOT / name)))):
        return False
    if want.torch.startswith("cu"):
        install_xformers(want.torch)
    write_stamp(want)
    return True


def make_venv() -> str | None:
    """Make .venv anew with the Python that runs this file."""
    say("launch.first_time", folder=ROOT)
    subprocess.run([sys.executable, "-I", "-m", "venv", "--clear", str(VENV)], check=False)
    return venv_version()


@contextmanager
def alone() -> Iterator[None]:
    """Let a second launcher wait: two installs at once would spoil one folder."""
    with (ROOT / ".venv.lock").open("a+b") as lock:
        if sys.platform == "win32":
            import msvcrt

            while True:
                with suppress(OSError):  # it gives up after ten seconds
                    msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
                    break
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(tests: bool) -> int:
    """Bring .venv up to date and return the exit code."""
    with alone():
        version = venv_version()
        if version and is_current(version, tests):
            return 0
        version = version or make_venv()
        if not version:
            say("launch.no_venv", folder=VENV)
            return 1
        if not fill(wanted(read_stamp(), version, tests)):
            say("launch.install_failed")
            return 1
        return 0


def main() -> int:
    """Answer --check by the exit code alone, else install; --tests adds what the checks need."""
    tests = "--tests" in sys.argv
    if "--check" in sys.argv:
        return int(not is_current(f"{sys.version_info[0]}.{sys.version_info[1]}", tests))
    try:
        return install(tests)
    except KeyboardInterrupt:
        say("launch.interrupted")
        return 130
    except OSError as problem:
        say("launch.cannot_write", problem=problem)
        return 1


if __name__ == "__main__":
    sys.exit(main())
