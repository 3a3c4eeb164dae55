"""Whole paths as a person types them: real processes, the bundled checkpoint, real ffmpeg."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from svd_studio.video.metadata import probe, read_frames

Run = Callable[..., subprocess.CompletedProcess[str]]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
SMALL = ("--engine", "svd-nano", "--width", "64", "--height", "64", "--frames", "3", "--steps", "2", "--seed", "7")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data 数据")


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, picture) -> Path:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("pictures") / "海 photo.png"
    picture.save(path)
    return path


@pytest.fixture(scope="module")
def run(data: Path) -> Run:
    return run_in(data)


def command(folder: Path, *arguments: object) -> list[str]:
    verb, *rest = map(str, arguments)
    return [sys.executable, "-m", "svd_studio", verb, "--data", str(folder), *rest]


def run_in(folder: Path) -> Run:
    def run(
        *arguments: object, check: bool = False, extra: Mapping[str, str] | None = None, **options: object
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            command(folder, *arguments),
            env=ENVIRONMENT | dict(extra or {}),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=check,
            **options,
        )

    return run


@pytest.fixture(scope="module")
def first(run: Run, photo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:  # type: ignore[type-arg]
    """The report of a first clip."""
    out = tmp_path_factory.mktemp("out") / "a.mp4"
    done = run("animate", photo, *SMALL, "--prompt", "海浪 “waves”", "-o", out, "--json", check=True)
    report: dict[str, object] = json.loads(done.stdout)
    assert Path(str(report["path"])) == out
    return report


def test_a_picture_becomes_a_clip_with_exactly_the_frames_asked_for(first: dict) -> None:  # type: ignore[type-arg]
    facts = probe(Path(first["path"]))
    assert (facts.frames, facts.width, facts.height, facts.fps) == (3, 64, 64, 7.0)
    assert (facts.codec, facts.pix_fmt.split("(")[0]) == ("h264", "yuv420p")
    assert first["settings"]["prompt"] == "海浪 “waves”"
    assert {"load", "encode_inputs", "denoise", "decode", "finish", "encode"} == set(first["seconds"])
    assert first["peak_memory_gb"] > 0


@pytest.mark.slow
def test_inspect_tells_the_recipe_and_recipe_gives_the_same_frames(
    run: Run,
    photo: Path,
    first: dict,
    tmp_path: Path,
) -> None:
    told = run("inspect", first["path"], "--json", check=True)
    assert json.loads(told.stdout)["settings"] == first["settings"]
    text = run("inspect", first["path"], "--text", check=True).stdout
    assert text.startswith("海浪 “waves”\nSteps: ")
    (tmp_path / "recipe.txt").write_text(text, encoding="utf-8")
    again = run_in(tmp_path / "other data")
    again("animate", photo, "--recipe", tmp_path / "recipe.txt", "-o", tmp_path / "b.mp4", check=True)
    ours, theirs = (np.stack(list(read_frames(Path(path)))) for path in (first["path"], tmp_path / "b.mp4"))
    assert np.array_equal(ours, theirs)


@pytest.mark.slow
def test_adopted_weights_make_a_clip(photo: Path, tiny_folder: Path, tmp_path: Path) -> None:
    run = run_in(tmp_path / "data")
    run("models", "use", "svd", tiny_folder, check=True)
    asked = ("--engine", "svd", "--width", 320, "--height", 320, "--frames", 2, "--steps", 1, "--guidance", "1:1")
    run("animate", photo, *asked, "-o", tmp_path / "a.mp4", check=True)
    assert probe(tmp_path / "a.mp4").frames == 2


def test_another_frame_rate_renders_nothing(
    run: Run,
    photo: Path,
    first: dict,
    tmp_path: Path,  # type: ignore[type-arg]
) -> None:
    report = json.loads(run("animate", photo, "--recipe", first["path"], "--fps", 12, "--json", check=True).stdout)
    assert "denoise" not in report["seconds"]
    assert probe(Path(report["path"])).fps == 12.0


@pytest.mark.slow
def test_a_cancel_ends_with_130_and_leaves_nothing(data: Path, photo: Path, tmp_path: Path) -> None:
    before = sorted((data / "clips").iterdir())
    arguments = command(data, "animate", photo, *SMALL, "--steps", 90, "-o", tmp_path / "c.mp4")
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("read picture"):
            break
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert time.monotonic() - started < 10
    assert "Cancelled" in errors
    assert sorted((data / "clips").iterdir()) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_killed_render_waits_again_and_its_row_is_kept(data: Path, run: Run, photo: Path) -> None:
    arguments = command(data, "animate", photo, *SMALL, "--steps", 91)
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("read picture"):
            break
    process.kill()
    process.wait()
    process.stderr.close()
    run("animate", photo, *SMALL, check=True)
    jobs = json.loads(run("jobs", "--json", check=True).stdout)
    assert jobs[0]["status"] == "queued"


REFUSALS = {
    "no file": (["missing.png"], "missing.png"),
    "a folder": (["folder"], "folder"),
    "text": (["text.png"], "picture"),
    "empty": (["empty.png"], "empty"),
    "tiny": (["tiny.png"], "small"),
    "frames": (["good.png", "--frames", "0"], "--frames"),
    "steps": (["good.png", "--steps", "101"], "--steps"),
    "bucket": (["good.png", "--motion-bucket", "256"], "--motion-bucket"),
    "nan": (["good.png", "--image-noise", "nan"], "--image-noise"),
    "word": (["good.png", "--frames", "many"], "--frames"),
    "half a size": (["good.png", "--width", "256"], "height"),
    "engine": (["good.png", "--engine", "dalle"], "svd-nano"),
    "preset": (["good.png", "--preset", "sepia"], "gentle-drift"),
    "scheduler": (["good.png", "--scheduler", "ddim"], "euler"),
    "guidance": (["good.png", "--guidance", "a:b"], "--guidance"),
    "weights": (["good.png", "--engine", "svd-xt"], "models get svd-xt"),
    "output": (["good.png", "-o", "nowhere/at/all.mp4"], "nowhere"),
    "not mp4": (["good.png", "-o", "clip.avi"], ".mp4"),
    "recipe": (["good.png", "--recipe", "text.png"], "recipe"),
    "flag": (["good.png", "--sparkle"], "--help"),
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, picture) -> Path:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("refusals")
    picture.save(folder / "good.png")
    picture.resize((1, 1)).save(folder / "tiny.png")
    (folder / "text.png").write_text("this is not a picture")
    (folder / "empty.png").touch()
    (folder / "folder").mkdir()
    return folder


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_input_gets_one_sentence_and_leaves_nothing(pictures: Path, tmp_path: Path, case: str) -> None:
    arguments, told = REFUSALS[case]
    before = sorted(pictures.iterdir())
    done = run_in(tmp_path / "data")("animate", *arguments, cwd=pictures)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(pictures.iterdir()) == before
    assert not (tmp_path / "data").exists(), "a refusal does not even make the data folder"


@pytest.mark.parametrize("verb", [["inspect"], ["jobs"], ["clips"], ["models"], ["animate", "missing.png"]])
def test_quick_verbs_import_no_torch(run: Run, first: dict, verb: list[str]) -> None:  # type: ignore[type-arg]
    arguments = [*verb, first["path"]] if verb == ["inspect"] else verb
    done = run(*arguments, extra={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "svd_studio.studio" in imported
    assert not imported & {"torch", "diffusers", "transformers", "gradio", "cv2"}
    assert done.returncode in (0, 2)


def test_help_says_what_the_verbs_are() -> None:
    done = subprocess.run([sys.executable, "-m", "svd_studio", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for verb in ("animate", "inspect", "models", "doctor", "bench"):
        assert verb in done.stdout


def test_the_doctor_reports(run: Run) -> None:
    done = run("doctor")
    assert done.returncode in (0, 1)
    assert "svd-nano" in done.stdout
    assert "Traceback" not in done.stderr
