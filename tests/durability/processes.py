"""Start the studio's processes around the fast engine, kill them, and look for what they leave."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from svd_studio.core.config import StudioConfig
from svd_studio.host import is_alive
from svd_studio.studio import Studio
from tests.durability.fast_studio import MODULE
from tests.waiting import until

ROOT = Path(__file__).parents[2]


class FastStudio:
    """A window process with its worker on one data folder; temporary files of both go to a folder of their own."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data, self.temp = data, data.parent / "temp"
        self.studio = Studio(StudioConfig(data))
        self.temp.mkdir(exist_ok=True)
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(self.temp), **environment}
        self.open()

    def open(self) -> None:
        command = [sys.executable, "-P", "-m", MODULE, "window", "--data", str(self.data)]
        with (self.data.parent / "window.log").open("ab") as log:
            self.window = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def worker(self, card: int = 0) -> int | None:
        """The process that holds a card's worker.lock."""
        holder = self.studio.render_lock(card).holder()
        return int(holder["pid"]) if holder else None

    def kill_worker(self, card: int = 0) -> None:
        pid = self.worker(card)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def kill_window(self) -> None:
        self.window.kill()
        self.window.wait()

    def close(self) -> None:
        self.window.terminate()
        self.window.wait(timeout=30)

    def processes(self) -> list[str]:
        """The command lines of all processes that work on this data folder."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.data) in line and is_alive(int(path.parent.name)):
                found.append(line)
        return found

    def assert_nothing_is_left(self) -> None:
        """No process and no temporary file, and what `assert_whole` asks for."""
        until(lambda: not self.processes(), 10)
        assert list(self.temp.iterdir()) == []
        assert_whole(self.studio)


def assert_whole(studio: Studio) -> None:
    """No half-written file, no clip without a row and no row without its clip."""
    config = studio.config
    assert [path for path in config.data.rglob("*") if "part" in path.suffix] == []
    assert list(config.previews.glob("*")) == []
    clips = [clip.rendered for clip in studio.clips.newest(10_000)]
    assert set(config.clips.glob("*")) == {clip.path for clip in clips} | {clip.poster for clip in clips}
    assert {path.suffix for path in config.parts.glob("*")} <= {".npy"}
