"""A whole studio in its own process, as a person starts it."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from svd_studio.core.config import StudioConfig
from svd_studio.studio import Studio
from tests.waiting import until

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Window:
    """Start app.py on a data folder; stop it at the end of a with block."""

    def __init__(self, data: Path, *arguments: str, environment: Mapping[str, str] = {}, health: bool = True) -> None:
        self.data, self.port, self.asks_health = data, free_port(), health
        self.url = f"http://127.0.0.1:{self.port}"
        self.studio = Studio(StudioConfig(data))
        command = [sys.executable, str(ROOT / "app.py"), "--data", str(data), "--port", str(self.port), "--no-browser"]
        data.mkdir(parents=True, exist_ok=True)
        self.log = data / "window.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *arguments],
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    **environment,
                    "PYTHONPATH": os.pathsep.join([str(ROOT), environment.get("PYTHONPATH", "")]),
                },
            )

    def __enter__(self) -> "Window":
        if self.asks_health:  # behind a password it cannot
            try:
                until(self.is_open, 60)
            except BaseException:  # a with block that is not entered is not left either
                self.__exit__()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def is_open(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return bool(self.health()["ok"])
        except OSError:
            return False

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
            return json.loads(answer.read())  # type: ignore[no-any-return]

    def worker_pid(self) -> int | None:
        """The process that holds worker.lock."""
        holder = self.studio.render_lock().holder()
        return int(holder["pid"]) if holder else None
