"""What the launchers install, by the real .venv and pip, from wheels of nothing."""

import base64
import ensurepip
import functools
import hashlib
import http.server
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

from tests.launcher_clone import ROOT, Clone, on_posix, write_program


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"launcher_{name}", ROOT / "tools" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def make_wheel(folder: Path, name: str, version: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record += f"{path},sha256={digest},{len(text)}\n"
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")


def make_torch_index(folder: Path, build: str) -> None:
    for name, version in {"torch": f"2.13.0+{build}", "xformers": "0.0.35"}.items():
        make_wheel(folder / build / name, name, version)
        wheel = next((folder / build / name).iterdir()).name
        (folder / build / name / "index.html").write_text(f'<a href="{wheel.replace("+", "%2B")}">{wheel}</a>')
    (folder / build / "index.html").write_text("")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Keep a folder of wheels in place of the usual index, and serve PyTorch's with builds for a card and without."""
    folder = tmp_path_factory.mktemp("packages")
    for name, version in {"torch": "2.13.0", "thing": "1.0"}.items():
        make_wheel(folder / "wheels", name, version)
    for build in ("cpu", "cu126"):
        make_torch_index(folder / "whl", build)
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    serve = functools.partial(quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder / "wheels", f"http://127.0.0.1:{server.server_address[1]}/whl/"
        server.shutdown()


def prepare(clone: Clone, packages: tuple[Path, str]) -> Clone:
    """Give a clone these packages and a real Python; what pip it brings is new enough for it."""
    clone.environment["PIP_FIND_LINKS"] = str(packages[0])
    set_constant(clone, "TORCH_INDEX", packages[1])
    set_constant(clone, "PIP", ensurepip.version())
    clone.bin.joinpath("python3").symlink_to(Path(sys.executable).resolve())
    return clone


def set_constant(clone: Clone, name: str, value: str) -> None:
    script = clone.folder / "tools" / "install.py"
    changed, count = re.subn(rf'^{name} = ".*"', f'{name} = "{value}"', script.read_text("utf-8"), flags=re.MULTILINE)
    assert count == 1
    script.write_text(changed, "utf-8")


@pytest.fixture(scope="module")
def installed(
    packages: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Clone, subprocess.CompletedProcess[str]]:
    """Make one .venv by a whole first start; the tests below copy it."""
    clone = prepare(Clone(tmp_path_factory.mktemp("installed") / "first start 汉字"), packages)
    return clone, clone.start("jobs", "a b")


@pytest.fixture
def second(installed: tuple[Clone, object], packages: tuple[Path, str], tmp_path: Path) -> Clone:
    """Copy the installed clone, so that each test may spoil its own; a moved .venv has to work anyway."""
    clone = prepare(Clone(tmp_path / "moved 汉字"), packages)
    shutil.copytree(installed[0].folder / ".venv", clone.folder / ".venv", symlinks=True)
    return clone


def require(clone: Clone, *lines: str) -> None:
    with (clone.folder / "requirements.txt").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


@on_posix
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes the CPU build from PyTorch's index")
def test_a_first_start_installs_the_cpu_build_and_then_runs(
    installed: tuple[Clone, subprocess.CompletedProcess[str]],
) -> None:
    clone, done = installed
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0] == ["jobs", "a b"]  # pip's words do not mix with the studio's
    assert clone.version_of("torch") == "2.13.0+cpu"
    assert json.loads(clone.stamp.read_text())["torch"] == "cpu"


@on_posix
def test_a_later_start_installs_nothing_and_needs_neither_network_nor_another_python(second: Clone) -> None:
    before = second.stamp.stat().st_mtime_ns
    (second.bin / "python3").unlink()
    done = second.start("jobs", PIP_FIND_LINKS="/nowhere")
    assert done.returncode == 0
    assert done.stderr == ""
    assert second.stamp.stat().st_mtime_ns == before


@on_posix
def test_changed_requirements_are_installed_at_the_next_start(second: Clone) -> None:
    require(second, "thing==1.0")
    assert second.start("jobs").returncode == 0
    assert second.version_of("thing") == "1.0"
    assert second.start("jobs", PIP_FIND_LINKS="/nowhere").stderr == ""


@on_posix
def test_a_failed_install_leaves_no_stamp_and_says_what_to_do(second: Clone) -> None:
    require(second, "nowhere-to-be-found==1.0")
    done = second.start("jobs", LANG="zh_CN.UTF-8")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "安装没有完成" in done.stderr
    assert not second.stamp.exists()


@on_posix
def test_an_interrupted_install_leaves_no_stamp(second: Clone) -> None:
    require(second, "thing==1.0")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # an index that takes the call and never answers
        silent.settimeout(30)
        environment = second.environment | {"PIP_INDEX_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/simple"}
        running = subprocess.Popen(
            second.command("jobs"), env=environment, start_new_session=True, stderr=subprocess.DEVNULL
        )
        caller, _ = silent.accept()
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        caller.close()
    assert not second.stamp.exists()
    check = [sys.executable, "-I", str(second.folder / "tools" / "install.py"), "--check"]
    assert subprocess.run(check, check=False).returncode == 1


@on_posix
def test_a_card_that_appears_gets_its_build_and_keeps_it_while_it_does_not_answer(second: Clone) -> None:
    card = second.bin / "nvidia-smi"
    write_program(card, "#!/bin/sh\necho 6.1, 571.96\n")
    done = second.start("jobs")
    assert done.returncode == 0, done.stderr
    assert second.version_of("torch") == "2.13.0+cu126"
    assert second.version_of("xformers") == "0.0.35"
    write_program(card, "#!/bin/sh\necho 'Failed to initialize NVML: Driver/library version mismatch'\nexit 18\n")
    assert second.start("jobs").stderr == ""


@on_posix
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes the CPU build from PyTorch's index")
def test_without_pytorchs_server_the_usual_index_is_taken_at_once(second: Clone) -> None:
    shutil.rmtree(next(second.folder.glob(".venv/lib/python*/site-packages/torch-*.dist-info")))
    second.stamp.unlink()
    set_constant(second, "TORCH_INDEX", "http://127.0.0.1:9/whl/")
    done = second.start("jobs")
    assert done.returncode == 0, done.stderr
    assert "PyTorch's own server does not answer" in done.stderr
    assert second.version_of("torch") == "2.13.0"


def test_a_server_that_hangs_costs_no_more_than_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as dripping:
        # A byte now and then keeps every socket's own time limit from ending it.
        threading.Thread(target=drip, args=(dripping,), daemon=True).start()
        began = time.monotonic()
        assert not load("install").answers(f"http://127.0.0.1:{dripping.getsockname()[1]}/", seconds=0.4)
        assert time.monotonic() - began < 4


def drip(server: socket.socket) -> None:
    caller, _ = server.accept()
    with caller, suppress(OSError):
        for _ in range(60):
            caller.sendall(b"H")
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("answer", "build"),
    [
        ("8.9, 591.44\n", "cu130"),
        ("8.9, 570.86.16\n", "cu126"),  # an older driver
        ("7.0, 591.44\n", "cu126"),  # Volta
        ("12.0, 572.16\n", "cu130"),  # Blackwell has no CUDA 12.6: its driver has to be renewed
        ("6.1, 591.44\n8.9, 591.44\n", "cu130"),  # an old second card
    ],
)
def test_the_card_and_its_driver_decide_torchs_build(answer: str, build: str) -> None:
    assert load("install").parse_cards(answer).torch == build


def test_an_nvidia_smi_without_drivers_is_no_card() -> None:
    assert load("install").parse_cards("NVIDIA-SMI has failed because it couldn't talk to the driver\n") is None
