"""Locks and child death with real processes and real kills."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from svd_studio.core.errors import BadInput, StudioError
from svd_studio.host import (
    ORPHANED,
    FileLock,
    fsync_folder,
    is_alive,
    open_many_files,
    private_folder,
    spawn_child,
    user_data_folder,
)
from svd_studio.ui.texts import say

HOLD = """
import sys, time
from pathlib import Path
from svd_studio.host import FileLock
lock = FileLock(Path(sys.argv[1]))
print(lock.try_acquire("http://127.0.0.1:7860"), flush=True)
time.sleep(60)
"""

WATCH = """
import sys, time
from svd_studio import host
{first}
print("ready", flush=True)
{then}
"""

PARENT = """
import os, subprocess, sys, time
from pathlib import Path
from svd_studio.host import spawn_child
child = spawn_child([sys.executable, "-c", sys.argv[1]], os.environ, Path(sys.argv[2]))
print(child.pid, flush=True)
time.sleep(60)
"""


def eventually(check: Callable[[], object], within_s: float = 10.0) -> float:
    """Wait for a fact; the seconds it took."""
    started = time.monotonic()
    while not check():
        assert time.monotonic() - started < within_s, "it never happened"
        time.sleep(0.005)
    return time.monotonic() - started


def hold_elsewhere(path: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, process.stdout.readline().strip()


def test_a_lock_is_held_once_even_within_one_process(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "studio.lock"), FileLock(tmp_path / "studio.lock")
    assert first.try_acquire()
    assert not second.try_acquire()
    assert not first.try_acquire()
    first.release()
    first.release()
    assert second.try_acquire()
    second.release()


def test_the_holder_is_readable_while_locked_and_gone_after(tmp_path: Path) -> None:
    lock, onlooker = FileLock(tmp_path / "studio.lock"), FileLock(tmp_path / "studio.lock")
    assert onlooker.holder() is None
    with lock:
        assert onlooker.holder() == {"pid": os.getpid(), "url": ""}
        lock.announce("http://127.0.0.1:7860")
        assert onlooker.holder() == lock.holder() == {"pid": os.getpid(), "url": "http://127.0.0.1:7860"}
        assert json.loads((tmp_path / "studio.lock").read_text())["pid"] == os.getpid()
        assert not onlooker.try_acquire(), "looking must not take it away"
    assert onlooker.holder() is None


def test_a_killed_holder_lets_go_at_once(tmp_path: Path) -> None:
    path = tmp_path / "studio.lock"
    lock = FileLock(path)
    for _ in range(3):
        process, took_it = hold_elsewhere(path)
        assert took_it == "True"
        assert not lock.try_acquire()
        assert lock.holder() == {"pid": process.pid, "url": "http://127.0.0.1:7860"}
        process.kill()
        assert eventually(lock.try_acquire) < 1.0
        lock.release()
        process.communicate()


def test_a_dead_holders_note_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "studio.lock"
    process, _ = hold_elsewhere(path)
    process.kill()
    eventually(lambda: FileLock(path).holder() is None, 1.0)  # still a zombie: nobody has waited for it
    assert path.read_text().strip(), "the note itself is still there"
    process.communicate()
    path.write_text(json.dumps({"pid": os.getpid(), "url": "a pid that was given away again"}))
    assert FileLock(path).holder() is None
    for nonsense in ("", "{", "[1]", '{"pid": "1"}', '{"pid": -1}', '{"pid": 99999999999}', "\x00"):
        path.write_text(nonsense)
        assert FileLock(path).holder() is None


def test_a_lock_as_a_block_refuses_in_words_when_it_is_held(tmp_path: Path) -> None:
    with FileLock(tmp_path / "worker.lock"):
        with pytest.raises(StudioError) as caught, FileLock(tmp_path / "worker.lock"):
            pass
        assert caught.value.message.values["pid"] == os.getpid()
        for language in ("en", "zh-CN"):
            assert str(os.getpid()) in say(caught.value.message, language)


def test_a_lock_is_not_inherited_by_children(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "studio.lock")
    assert lock.try_acquire()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    lock.release()
    assert FileLock(tmp_path / "studio.lock").try_acquire()
    child.kill()
    child.wait()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("host.exit_when_parent_dies()", "time.sleep(60)"),
        ("host.exit_when_parent_dies()", "while True: pass"),
        pytest.param(
            "host.die_with_parent()",
            "import ctypes; ctypes.PyDLL(None).sleep(60)  # holds the interpreter: no thread can run",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children of the dead"),
        ),
    ],
)
def test_a_child_notices_within_a_second_that_its_parent_was_killed(tmp_path: Path, first: str, then: str) -> None:
    log = tmp_path / "worker.log"
    code = WATCH.format(first=first, then=then)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, code, str(log)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child_pid = int(parent.stdout.readline())
    eventually(lambda: "ready" in log.read_text())
    time.sleep(0.1)
    assert is_alive(child_pid)
    parent.kill()
    assert eventually(lambda: not is_alive(child_pid)) < 1.0
    parent.communicate()


def test_a_stopped_child_ends_by_itself_and_a_deaf_one_by_force(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    code = WATCH.format(first="host.exit_when_parent_dies()", then="time.sleep(60)")
    listening = spawn_child([sys.executable, "-c", code], os.environ, log)
    eventually(lambda: "ready" in log.read_text())
    assert listening.poll() is None
    assert listening.stop() == ORPHANED
    deaf = spawn_child([sys.executable, "-c", "import time; time.sleep(60)"], os.environ, log)
    assert deaf.stop(patience_s=0.1) == -signal.SIGKILL
    assert deaf.stop() == -signal.SIGKILL


def test_a_childs_words_and_crashes_are_appended_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    for word in ("first", "second"):
        child = spawn_child([sys.executable, "-c", f"print('{word}'); 1 / 0"], os.environ, log)
        assert child.wait(10) == 1
        child.stop()
    text = log.read_text()
    assert text.index("first") < text.index("ZeroDivisionError") < text.index("second")


def test_a_grandchild_never_meets_the_watched_pipe(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    look = "import os, stat; print('a pipe' if stat.S_ISFIFO(os.fstat(0).st_mode) else 'no pipe', flush=True)"
    code = WATCH.format(
        first="host.exit_when_parent_dies()",
        then=f"import subprocess; subprocess.run([sys.executable, '-c', {look!r}]); time.sleep(60)",
    )
    child = spawn_child([sys.executable, "-c", code], os.environ, log)
    eventually(lambda: "pipe" in log.read_text())
    assert "no pipe" in log.read_text()
    child.stop()


def test_only_running_processes_are_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"], stdin=subprocess.PIPE)
    assert is_alive(os.getpid())
    eventually(lambda: not is_alive(child.pid))  # ended, though nobody waited for it yet
    child.communicate()
    assert not is_alive(child.pid)
    assert is_alive(1), "somebody else's"
    for nobody in (0, -1, 2**40):
        assert not is_alive(nobody)


def test_a_private_folder_is_closed_to_others_even_when_it_was_open(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "studio" / "data")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    assert stat.S_IMODE(private_folder(folder).stat().st_mode) == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(BadInput) as caught:
        private_folder(tmp_path / "file" / "data")
    assert "file" in say(caught.value.message, "zh-CN")


def test_the_data_folder_follows_the_system_and_is_not_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_data_folder() == tmp_path / "svd-studio"
    assert not user_data_folder().exists()


def test_a_folder_can_be_flushed(tmp_path: Path) -> None:
    fsync_folder(tmp_path)
    with pytest.raises(OSError, match="file"):
        fsync_folder(tmp_path / "no such file")


def test_nothing_heavy_comes_along() -> None:
    code = "import sys, svd_studio.host; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert "svd_studio.host" in loaded
    assert not {"torch", "gradio", "apsw", "pydantic", "numpy", "platformdirs"} & set(loaded)


def test_peak_memory_is_what_was_really_used() -> None:
    code = "from svd_studio.host import peak_memory_gb; print(peak_memory_gb()); b'x' * 2**28; print(peak_memory_gb())"
    before, after = map(float, subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert 0.005 < before < 0.1
    assert 0.24 < after - before < 0.27


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_process_may_open_as_many_files_as_the_system_allows() -> None:
    asked = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 600));"
        "from svd_studio.host import open_many_files; print(open_many_files(), open_many_files())"
    )
    assert (
        subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "600 600\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_no_limit_of_open_files_is_more_than_any(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    endless = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)  # -1 on Linux
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: endless)
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, _limits: None)
    assert open_many_files() == sys.maxsize
