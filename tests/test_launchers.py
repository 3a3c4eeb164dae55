"""The launchers from outside: real shells, Pythons that pretend to be another version.

launch.bat needs Windows to run, so here it is only read; all that it decides stands in tools/, which is run.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launcher_clone import ROOT, Clone, on_posix, pretend_python, write_program


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "my films 汉字 $HOME")


# ---- which Python


@on_posix
def test_the_first_python_that_fits_is_picked_among_broken_and_old_ones(clone: Clone) -> None:
    write_program(clone.bin / "python3.13", "#!/bin/sh\nexit 127\n")  # what a version switcher leaves behind
    pretend_python(clone.bin, "python3", "3.10.13")
    pretend_python(clone.bin, "python3.11", "3.11.7")
    pretend_python(clone.bin, "python3.12", "3.12.1")
    assert clone.start().returncode == 0
    assert "python3.12 -I -X utf8 install.py" in clone.log.read_text()
    assert "python3.11" not in clone.log.read_text()


@on_posix
def test_a_second_python_of_the_same_name_further_down_the_path_counts(clone: Clone) -> None:
    write_program(clone.bin.parent / "shims" / "python3.12", "#!/bin/sh\nexit 127\n")
    pretend_python(clone.bin, "python3.12", "3.12.1")
    done = clone.start(PATH=f"{clone.bin.parent / 'shims'}:{clone.bin}")
    assert done.returncode == 0, done.stderr


@on_posix
def test_python_3_10_alone_is_refused_with_a_sentence(clone: Clone) -> None:
    pretend_python(clone.bin, "python3", "3.10.13")
    done = clone.start()
    assert done.returncode == 1
    assert "Python 3.10 was found, but 3.11, 3.12, 3.13 or 3.14 is needed." in done.stderr
    assert "sudo apt install python3 python3-venv" in done.stderr
    assert not (clone.folder / ".venv").exists()


@on_posix
def test_without_any_python_a_pinned_uv_fetches_one(clone: Clone) -> None:
    kept = pretend_python(clone.bin.parent / "uv python", "python3.12", "3.12.9")
    uv = f'echo "uv $*" >>"$PRETEND_LOG"\nif [ "$2" = find ]; then echo "{kept}"; fi\n'
    installer = f'mkdir -p "$UV_UNMANAGED_INSTALL"\ncat >"$UV_UNMANAGED_INSTALL/uv" <<"END"\n#!/bin/sh\n{uv}END\n'
    installer += 'chmod 755 "$UV_UNMANAGED_INSTALL/uv"\n'
    (clone.bin.parent / "installer").write_text(installer, "utf-8")
    curl = f'#!/bin/sh\necho "curl $*" >>"$PRETEND_LOG"\ncat "{clone.bin.parent / "installer"}"\n'
    write_program(clone.bin / "curl", curl)
    done = clone.start("jobs")
    assert done.returncode == 0, done.stderr
    log = clone.log.read_text()
    assert re.search(r"curl .*https://astral\.sh/uv/\d+\.\d+\.\d+/install\.sh", log)
    assert "uv python install 3.12" in log
    assert "python3.12 -I -X utf8 install.py" in log


@on_posix
def test_without_python_and_network_one_sentence_says_what_to_install(clone: Clone) -> None:
    write_program(clone.bin / "curl", "#!/bin/sh\nexit 6\n")
    done = clone.start()
    assert done.returncode == 1
    assert "install Python 3.12" in done.stderr
    assert "not found" not in done.stderr  # no shell errors


# ---- what is passed on


@on_posix
def test_arguments_folder_and_exit_code_pass_through_untouched(clone: Clone, tmp_path: Path) -> None:
    pretend_python(clone.bin, "python3.12", "3.12.1")
    arguments = ["animate", "my picture.jpg", "汉字.png", "", "*", 'say "hi"', "$HOME", "--seed=1"]
    pictures = tmp_path / "图 片"
    pictures.mkdir()
    done = clone.start(*arguments, cwd=pictures, STUDIO_CODE="7")
    assert done.returncode == 7
    got, cwd, environment = json.loads(done.stdout)
    assert got == arguments
    assert Path(cwd) == pictures
    expected = {"PYTHONUTF8": "1", "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_DISABLE_TELEMETRY": "1"}
    assert expected.items() <= environment.items()
    assert environment["GRADIO_ANALYTICS_ENABLED"] == "False"


@on_posix
def test_a_link_to_the_launcher_starts_the_studio_beside_the_launcher(clone: Clone) -> None:
    pretend_python(clone.bin, "python3.12", "3.12.1")
    link = clone.folder.parent / "svd"
    link.symlink_to(clone.folder / "launch.sh")
    done = subprocess.run([str(link)], env=clone.environment, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)[0] == []


# ---- the checks

CHECK = """
import json, os, sys
with open(os.environ["PRETEND_LOG"], "a") as log:
    log.write(json.dumps([os.path.basename(__file__), *sys.argv[1:], os.environ["OMP_NUM_THREADS"]]) + "\\n")
sys.exit(int(os.environ.get(os.path.basename(__file__)[:-3], "0")))
"""


def run_checks(folder: Path, *arguments: str, **codes: str) -> tuple[int, list[list[str]]]:
    """Run check.py with a ruff, mypy and pytest that only tell how they were called."""
    write_program(folder / "tools" / "check.py", (ROOT / "tools" / "check.py").read_text("utf-8"))
    for name in ("ruff", "mypy", "pytest"):
        (folder / f"{name}.py").write_text(CHECK, "utf-8")
    log = folder / "log"
    log.write_text("")
    environment = os.environ | {"PRETEND_LOG": str(log), "PYTHONPATH": str(folder)} | codes
    command = [sys.executable, str(folder / "tools" / "check.py"), "test", *arguments]
    code = subprocess.run(command, env=environment, capture_output=True, check=False).returncode
    return code, [json.loads(line) for line in log.read_text().splitlines()]


def test_the_checks_run_in_order_and_leave_slow_tests_to_all(tmp_path: Path) -> None:
    code, calls = run_checks(tmp_path, "-k", "a b")
    assert code == 0
    assert calls == [
        ["ruff.py", "check", ".", "1"],
        ["ruff.py", "format", "--check", ".", "1"],
        ["mypy.py", "1"],
        ["pytest.py", "-m", "not slow", "-k", "a b", "1"],
    ]
    assert run_checks(tmp_path, "--all", "tests/core")[1][-1] == ["pytest.py", "tests/core", "1"]


def test_the_first_failure_decides_the_exit_code_and_the_rest_still_runs(tmp_path: Path) -> None:
    code, calls = run_checks(tmp_path, mypy="2", pytest="1")
    assert code == 2
    assert len(calls) == 4


@on_posix
def test_missing_programs_are_named_and_in_ci_installed(clone: Clone) -> None:
    command = ["sh", str(clone.folder / ".ci" / "tools")]
    named = subprocess.run(command, env=clone.environment, capture_output=True, text=True, check=False)
    assert named.returncode == 0
    for package in ("python3-venv", "chromium", "fonts-noto-cjk", "gcc libc6-dev", "util-linux", "git"):
        assert package in named.stdout
    write_program(clone.bin / "sudo", '#!/bin/sh\nshift\nexec "$@"\n')
    write_program(clone.bin / "true", "#!/bin/sh\n")
    write_program(clone.bin / "apt-get", '#!/bin/sh\necho "$*" >>"$PRETEND_LOG"\n')
    assert subprocess.run(command, env=clone.environment | {"CI": "true"}, check=False).returncode == 0
    update, install = clone.log.read_text().splitlines()
    assert update.startswith("update")
    assert "install -y" in install
    assert "chromium" in install


# ---- what is written: launch.bat, the pins


def setting(script: str, name: str) -> str:
    """Read an assignment of either shell."""
    found = re.search(rf"\b{name}=\"?([^\s\"]+)", script, re.IGNORECASE)
    assert found, name
    return found[1]


def test_launch_bat_is_ascii_with_windows_line_ends_and_launch_sh_is_not() -> None:
    batch = (ROOT / "launch.bat").read_bytes()
    assert batch.isascii()
    assert batch.count(b"\n") == batch.count(b"\r\n")
    assert b"\r" not in (ROOT / "launch.sh").read_bytes()
    if os.name != "nt":
        assert os.access(ROOT / "launch.sh", os.X_OK)


def test_both_launchers_set_the_same_and_leave_the_rest_to_the_same_files() -> None:
    shell, batch = ((ROOT / name).read_text("utf-8") for name in ("launch.sh", "launch.bat"))
    for name in ("PYTHONUTF8", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_ANALYTICS_ENABLED", "uv_version"):
        assert setting(shell, name) == setting(batch, name)
    for text in (shell, batch):
        for name in ("install.py", "fits.py", "check.py", "-P -m svd_studio", "PASSIVE", "astral.sh/uv/"):
            assert name in text
        assert re.search(r"python3\.13 python3\.12 python3\.11 python3\.14 python3 python\b", text)
        assert "download.pytorch.org" not in text
    assert "HF_ENDPOINT" not in shell + batch


def test_launch_bat_shows_utf8_and_keeps_its_window_open_on_failure() -> None:
    batch = (ROOT / "launch.bat").read_text("utf-8")
    assert "chcp 65001" in batch
    assert re.search(r"^:failed$.*\bpause$", batch, re.MULTILINE | re.DOTALL)
    jumps, labels = re.findall(r"(?:goto|call) :?([a-z_]+)", batch), re.findall(r"^:([a-z_]+)", batch, re.MULTILINE)
    assert set(jumps) - {"try"} <= set(labels)


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    wanted = [line.split(";")[0] for line in lines if line and not line.startswith(("#", "-c"))]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line) for line in wanted), name
    return {key.lower().replace("_", "-"): version for key, version in (line.split("==") for line in wanted)}


def test_every_requirement_is_pinned_once_and_torchvision_stays_out() -> None:
    lists = [pins(f"{name}.txt") for name in ("requirements", "requirements-dev", "requirements-cuda", "constraints")]
    names = [package for one in lists for package in one]
    assert len(names) == len(set(names))
    assert not {"torchvision", "torchaudio"} & set(names)
    asked = {"gradio", "torch", "diffusers", "transformers", "accelerate", "pillow", "moviepy", "nvidia-ml-py"}
    assert asked <= lists[0].keys()
    assert lists[2].keys() == {"xformers"}
