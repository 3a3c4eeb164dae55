"""Run three jobs on a small disk that another program fills during the first: `full_disk.py FOLDER BYTES_LEFT`.

Runs in a mount namespace of its own, where it may mount a disk. Prints how the jobs stood while
the disk was full and how they ended.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import types
from pathlib import Path

import numpy as np
from PIL import Image

from svd_studio.core.clip import ClipSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.progress import Progress
from svd_studio.core.vram import VramPlan
from svd_studio.engines.base import Latents, Scene
from svd_studio.jobs.worker import Worker
from svd_studio.rendering.loaded import LoadedEngine
from svd_studio.rendering.parts import PartStore
from svd_studio.rendering.render import Bench
from svd_studio.studio import Studio
from svd_studio.video.metadata import probe
from tests.durability.processes import assert_whole
from tests.fakes import FakeEngine
from tests.waiting import until

DISK, ROOM = 96_000_000, 30_000_000
FULL = threading.Event()


class FillingEngine(FakeEngine):
    """Fill the disk during the first clip, all but some bytes; latents take 11 MB, frames 2.8 and the file 1.5."""

    folder: Path
    left = 0

    def denoise(self, scene: Scene, plan: VramPlan, progress: Progress) -> Latents:
        shape = super().denoise(scene, plan, progress).shape
        latents = np.random.default_rng(1).integers(0, 255, shape).astype(np.float32)  # noise makes a large file
        if not FULL.is_set():
            fill(self.folder / "filler", self.left)
            FULL.set()
        return latents


def fill(path: Path, left: int) -> None:
    """Write until only this many bytes are free, page by page, as long as any goes in."""
    with path.open("wb", buffering=0) as file:
        while shutil.disk_usage(path.parent).free > left:
            try:
                file.write(bytes(min(65536, shutil.disk_usage(path.parent).free - left)))
            except OSError:
                return


def worker_of(studio: Studio, left: int) -> Worker:
    svd = types.ModuleType("svd_studio.engines.svd")
    svd.SvdEngine = FillingEngine  # type: ignore[attr-defined]
    sys.modules["svd_studio.engines.svd"] = svd
    data = FillingEngine.folder = studio.config.data
    FillingEngine.left = left
    bench = Bench(LoadedEngine("cpu", "fp32"), PartStore(studio.config.parts), lambda info: data, lambda: 64, lambda: 1)
    return Worker(studio.config, studio.queue, studio.clips, bench)


def submit(studio: Studio, seed: int) -> int:
    """Accept a clip of noise, which does not compress."""
    picture = studio.config.data.parent / f"{seed}.png"
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (256, 256, 3), np.uint8)).save(picture)
    asked = {"engine": "svd-nano", "width": 256, "height": 256, "frames": 14, "steps": 2, "seed": seed}
    return studio.submit(ClipSettings.from_person(asked), picture).job_id


def main(folder: Path, left: int) -> dict[str, object]:
    """Fill, look, make room, and wait for the end."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], check=True)
    studio = Studio(StudioConfig(folder, room_for_a_clip=ROOM))
    queue = studio.queue
    numbers = [submit(studio, seed) for seed in (1, 2, 3)]
    stopping = threading.Event()
    working = threading.Thread(target=worker_of(studio, left).work, args=(stopping,))
    working.start()
    until(lambda: FULL.is_set() and (left < 1_000_000 or queue.blocked()), 30)
    stopping.wait(3)  # long enough to try the second one, if it did not wait
    waits = queue.blocked()
    during = [str(queue.get(number).status) for number in numbers]  # type: ignore[union-attr]
    (folder / "filler").unlink()
    until(lambda: all(queue.get(number).status.is_final for number in numbers), 60)  # type: ignore[union-attr]
    stopping.set()
    working.join()
    ended = [queue.get(number) for number in numbers]
    for job in ended:
        if job and job.clip_id:
            assert probe(studio.clips.get(job.clip_id).rendered.path).frames == 14  # type: ignore[union-attr]
    assert_whole(studio)
    return {
        "during": during,
        "waits": waits.code if waits else None,
        "ended": [str(job.status) for job in ended if job],
        "reason": next((job.message.code for job in ended if job and job.message), None),
        "still_waits": queue.blocked() is not None,
    }


if __name__ == "__main__":
    result = main(Path(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(result), flush=True)
    os._exit(0)
