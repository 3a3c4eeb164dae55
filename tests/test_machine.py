"""What doctor finds, on made-up computers and on this one."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from svd_studio import hardware, machine
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import Message
from svd_studio.core.vram import GIB
from svd_studio.gpu.telemetry import CardSample, MachineSample, Snapshot
from svd_studio.machine import Finding, examine
from svd_studio.ui.texts import LANGUAGES, say, words
from tests.gpu.scripted_card import BUSY, ScriptedCard

RTX_4090 = CardSample(
    index=0,
    name="NVIDIA GeForce RTX 4090",
    uuid="GPU-4090",
    total_gb=24.0,
    used_gb=1.0,
    free_gb=23.0,
    studio_gb=0.0,
    load_percent=0,
    temperature_c=40,
    memory_temperature_c=None,
    power_w=None,
    power_limit_w=None,
    throttle=(),
    compute=(8, 9),
    when=0.0,
)
GOOD = Snapshot((RTX_4090,), MachineSample(64.0, 50.0, None), "ok", None, "580.95.05", (13, 0), 0.0)
NO_DRIVER = replace(
    GOOD, cards=(), state="no_driver", problem=Message("card.no_driver", {"number": 12}), driver=None, cuda=None
)

DOCTOR = """
import json, os, sys, time
from pathlib import Path
from svd_studio.core.config import StudioConfig
from svd_studio.machine import examine
started = time.perf_counter()
findings = examine(StudioConfig(Path(sys.argv[1])))
seconds = time.perf_counter() - started
heavy = {"torch", "diffusers", "gradio", "apsw", "xformers", "cv2"} & set(sys.modules)
print(json.dumps([seconds, sorted(heavy), [[f.code, f.level, dict(f.values)] for f in findings]]))
"""

IMPORT_BLINDLY = """
import os, sys
import ctypes, importlib.metadata, platform, shutil, socket, subprocess, tempfile
import svd_studio.core.config, svd_studio.core.errors, svd_studio.core.vram

class Shut(dict):
    def refuse(self, *_):
        raise AssertionError("an import read the environment")
    __getitem__ = get = items = keys = __contains__ = __iter__ = refuse

os.environ = Shut()
os.getenv = os.environ.refuse
import svd_studio.machine
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put made-up packages before the real ones; nothing imports them."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def put(name: str, version: str, **files: str) -> None:
        records = site / f"{name}-{version}.dist-info"
        records.mkdir()
        (records / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        for file, text in files.items():
            (site / name).mkdir(exist_ok=True)
            (site / name / file.replace("__", ".")).write_text(text)

    return put


def install_torch(install: Install, cuda: str | None) -> None:
    shown = f"'{cuda}'" if cuda else "None"
    flavour = f"cu{cuda.replace('.', '')}" if cuda else "cpu"
    text = f"__version__ = '2.13.0+{flavour}'\ncuda: Optional[str] = {shown}\nhip: Optional[str] = None\n"
    install("torch", f"2.13.0+{flavour}", version__py=text)


def found(tmp_path: Path, snapshot: Snapshot = GOOD, **given: Any) -> dict[str, Finding]:
    """Examine a computer with an empty environment; findings by code, all of them sayable."""
    given = {"environment": {}, **given}
    findings = examine(StudioConfig(tmp_path), snapshot=snapshot, **given)
    for finding in findings:
        for language in LANGUAGES:
            assert say(finding.message, language)
    return {finding.code: finding for finding in findings}


def problems(findings: dict[str, Finding]) -> set[str]:
    return {code for code, finding in findings.items() if finding.level == "problem"}


def test_a_fresh_process_answers_within_a_second_and_without_torch(tmp_path: Path) -> None:
    card = ScriptedCard(tmp_path)
    card.set([BUSY])
    answer = subprocess.check_output(
        [sys.executable, "-c", DOCTOR, str(tmp_path)], env=os.environ | card.environment(), text=True
    )
    seconds, heavy, findings = json.loads(answer)
    assert seconds < 1
    assert heavy == []
    assert ["machine.card", "ok"] in [finding[:2] for finding in findings]
    (seen,) = (values for code, _, values in findings if code == "machine.card")
    assert seen == {
        "index": 0,
        "name": "NVIDIA GeForce RTX 4090",
        "total_gb": 24.0,
        "free_gb": 9.0,
        "driver": "580.95.05",
    }


def test_importing_reads_no_environment() -> None:
    subprocess.run([sys.executable, "-c", IMPORT_BLINDLY], check=True)


def test_every_code_has_words_with_the_same_blanks_in_both_languages() -> None:
    package = Path(machine.__file__).parent
    text = "".join(
        (package / name).read_text() for name in ("machine.py", "host.py", "gpu/nvml.py", "gpu/telemetry.py")
    )
    codes = set(re.findall(r'"((?:machine|card|host)\.\w+)"', text))
    assert len(codes) > 40
    blanks = [
        {code: {part[1] for part in Formatter().parse(words(lang)[code])} for code in codes} for lang in LANGUAGES
    ]
    assert blanks[0] == blanks[1]


def test_a_good_computer_has_no_problems(tmp_path: Path, install: Install) -> None:
    install_torch(install, "13.0")
    findings = found(tmp_path)
    assert problems(findings) == set()
    assert {"machine.card", "machine.torch", "machine.ffmpeg", "machine.sqlite", "machine.ram"} <= set(findings)
    assert "machine.no_card" not in findings


def test_a_cards_power_limit_is_told_where_it_is_known(tmp_path: Path) -> None:
    assert "machine.power_limit" not in found(tmp_path)
    limited = replace(GOOD, cards=(replace(RTX_4090, power_limit_w=449.6),))
    assert found(tmp_path, limited)["machine.power_limit"].values == {"index": 0, "watts": 450}


def test_a_card_beside_a_cpu_torch_is_a_problem_with_its_cure(tmp_path: Path, install: Install) -> None:
    install_torch(install, None)
    findings = found(tmp_path)
    assert problems(findings) == {"machine.card_idle"}
    sentence = say(findings["machine.card_idle"].message)
    assert "RTX 4090" in sentence
    assert machine.LAUNCHER in sentence


@pytest.mark.parametrize(
    ("cuda", "driver_cuda", "compute", "expected"),
    [
        ("13.0", (12, 8), (8, 9), {"machine.driver_too_old"}),
        ("13.0", (13, 2), (6, 1), {"machine.card_too_old"}),
        ("12.6", (12, 6), (6, 1), set()),
        ("13.0", (13, 0), (7, 5), set()),
        ("13.0", None, None, set()),
    ],
)
def test_torch_must_fit_driver_and_card(
    tmp_path: Path,
    install: Install,
    cuda: str,
    driver_cuda: tuple[int, int] | None,
    compute: tuple[int, int] | None,
    expected: set[str],
) -> None:
    install_torch(install, cuda)
    snapshot = replace(GOOD, cards=(replace(RTX_4090, compute=compute),), cuda=driver_cuda)
    assert problems(found(tmp_path, snapshot)) == expected


@pytest.mark.parametrize(
    ("built_for", "code"),
    [(1300, "machine.xformers"), (1208, "machine.xformers_for_other_cuda"), (None, "machine.no_xformers")],
)
def test_xformers_is_judged_by_what_it_was_built_for(
    tmp_path: Path, install: Install, built_for: int | None, code: str
) -> None:
    install_torch(install, "13.0")
    install("xformers", "0.0.35", cpp_lib__json=json.dumps({"version": {"cuda": built_for, "torch": "2.13.0"}}))
    findings = found(tmp_path)
    assert [other for other in findings if "xformers" in other] == [code]
    assert problems(findings) == set()


def test_xformers_is_no_topic_without_cuda(tmp_path: Path, install: Install) -> None:
    install_torch(install, None)
    assert not any("xformers" in code for code in found(tmp_path, NO_DRIVER))


def test_a_missing_driver_is_a_problem_only_where_a_card_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "has_nvidia_hardware", lambda: False)
    findings = found(tmp_path, NO_DRIVER)
    assert findings["machine.no_card"].level == "note"
    assert problems(findings) == set()
    monkeypatch.setattr(machine, "has_nvidia_hardware", lambda: True)
    assert problems(found(tmp_path, NO_DRIVER)) == {"card.no_driver"}


def test_a_lost_card_is_a_problem_beside_the_one_that_works(tmp_path: Path, install: Install) -> None:
    install_torch(install, "13.0")
    findings = found(tmp_path, replace(GOOD, state="lost", problem=Message("card.lost")))
    assert problems(findings) == {"card.lost"}
    assert "machine.card" in findings


@pytest.mark.parametrize(("vendor", "kind", "expected"), [("0x10de", "0x030000", True), ("0x10de", "0x040300", False)])
def test_a_card_is_seen_in_its_slot_and_not_mistaken_for_its_sound(
    tmp_path: Path, vendor: str, kind: str, expected: bool
) -> None:
    for slot, (made_by, what) in enumerate([("0x8086", "0x030000"), (vendor, kind)]):
        device = tmp_path / f"0000:0{slot}:00.0"
        device.mkdir()
        (device / "vendor").write_text(f"{made_by}\n")
        (device / "class").write_text(f"{what}\n")
    assert hardware.has_nvidia_hardware(tmp_path) is expected
    assert hardware.has_nvidia_hardware(tmp_path / "none") is False


def test_packages_are_compared_with_their_pins(tmp_path: Path, install: Install) -> None:
    install_torch(install, None)
    install("diffusers", "0.41.0")
    pins = tmp_path / "requirements.txt"
    pins.write_text(
        "# tested together\n--extra-index-url https://example.org\n\ntorch==2.13.0  # any flavour\n"
        'diffusers==0.42.1\nno-such-package-here==1.0\nno-such-package-there==1.0; sys_platform == "amiga"\n'
    )
    findings = found(tmp_path, NO_DRIVER, requirements=pins)
    assert problems(findings) == {"machine.package_other", "machine.package_missing"}
    assert findings["machine.package_other"].values["found"] == "0.41.0"
    assert findings["machine.package_missing"].values["name"] == "no-such-package-here"
    pins.write_text("torch==2.13.0\n")
    assert "machine.packages" in found(tmp_path, NO_DRIVER, requirements=pins)
    pins.unlink()
    assert found(tmp_path, NO_DRIVER, requirements=pins)["machine.no_pins"].level == "note"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("echo ffmpeg version 7.1 --enable-libx264", "machine.ffmpeg"),
        ("echo ffmpeg version 7.1 --enable-nothing", "machine.ffmpeg_without_h264"),
        ("exit 1", "machine.no_ffmpeg"),
        (None, "machine.no_ffmpeg"),
    ],
)
def test_an_ffmpeg_that_cannot_write_clips_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, code: str
) -> None:
    program = tmp_path / "ffmpeg"
    if script is not None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    findings = found(tmp_path)
    assert [other for other in findings if "ffmpeg" in other] == [code]
    assert findings[code].level == ("ok" if code == "machine.ffmpeg" else "problem")


def test_an_old_sqlite_is_a_problem(tmp_path: Path, install: Install) -> None:
    install("apsw", "3.51.2.0")
    assert "machine.sqlite_unsafe" in problems(found(tmp_path))


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ((3, 10, 9), "machine.python_unsupported"),
        ((3, 15, 0), "machine.python_unsupported"),
        ((3, 11, 0), "machine.python"),
    ],
)
def test_only_tested_pythons_are_good(version: tuple[int, ...], code: str) -> None:
    finding = machine._python(version)
    assert finding.code == code
    assert ".".join(map(str, version)) in say(finding.message)


def test_a_folder_that_takes_no_files_is_a_problem_and_a_good_one_stays_empty(tmp_path: Path) -> None:
    assert "machine.data_read_only" in problems(found(Path("/proc")))  # read-only even for root
    data = tmp_path / "data"
    assert "machine.data_folder" in found(data)
    assert not data.exists()
    data.mkdir()
    assert "machine.data_folder" in found(data)
    assert list(data.iterdir()) == []


@pytest.mark.parametrize(
    ("free_gb", "code", "level"),
    [(1.0, "machine.disk_full", "problem"), (12.0, "machine.disk_little", "note"), (90.0, "machine.data_folder", "ok")],
)
def test_a_small_disk_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_gb: float, code: str, level: str
) -> None:
    usage = type(machine.shutil.disk_usage(tmp_path))(0, 0, int(free_gb * GIB))
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    assert found(tmp_path)[code].level == level


MOUNTS = """\
/dev/sda2 / ext4 rw 0 0
/dev/sdb1 /home/me/fast ext4 rw 0 0
nas:/home /home nfs4 rw,vers=4.2 0 0
//nas/films /media/my\\040films cifs rw 0 0
me@host: /home/me/far fuse.sshfs rw 0 0
C:\\134 /mnt/c 9p rw,aname=drvfs;path=C:\\134 0 0
share /mnt/host 9p rw,trans=virtio 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data", None),
        ("/home", "nfs4"),
        ("/home/me/clips", "nfs4"),
        ("/homework", None),
        ("/home/me/fast/clips", None),
        ("/home/me/far/clips", "fuse.sshfs"),
        ("/media/my films/clips", "cifs"),
        ("/mnt/c/Users/me", "9p"),
        ("/mnt/host/data", None),
    ],
)
def test_network_drives_are_told_from_local_disks(path: str, kind: str | None) -> None:
    assert hardware.mounted_network_filesystem(path, MOUNTS) == kind


def test_a_data_folder_on_a_network_drive_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "machine.data_on_network" not in found(tmp_path)
    monkeypatch.setattr(machine, "network_drive", lambda folder: "nfs4" if folder == tmp_path else None)
    assert "machine.data_on_network" in problems(found(tmp_path / "data"))


def test_a_port_in_use_is_noted(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert found(tmp_path, port=port)["machine.port_taken"].level == "note"
    assert "machine.port_free" in found(tmp_path, port=port)


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({}, None),
        ({"HTTP_PROXY": ""}, None),
        ({"HTTP_PROXY": "http://me:secret@proxy"}, "machine.proxy_for_all"),
        ({"https_proxy": "http://proxy", "no_proxy": "localhost"}, "machine.proxy_for_all"),
        ({"all_proxy": "socks5://proxy", "NO_PROXY": "127.0.0.1, localhost, .lan"}, "machine.proxy"),
        ({"HTTP_PROXY": "http://proxy", "no_proxy": "*"}, "machine.proxy"),
    ],
)
def test_a_proxy_must_leave_this_computer_alone(tmp_path: Path, environment: dict[str, str], code: str | None) -> None:
    findings = found(tmp_path, environment=environment)
    assert [other for other in findings if "proxy" in other] == ([code] if code else [])
    assert not any("secret" in say(finding.message) for finding in findings.values())


def test_a_clock_that_cannot_be_right_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "machine.clock_wrong" not in found(tmp_path)
    later = time.time() + 3 * 86_400
    os.utime(tmp_path, (later, later))
    assert "machine.clock_wrong" in problems(found(tmp_path))
    monkeypatch.setattr(machine.time, "time", lambda: 0.0)
    assert say(found(tmp_path / "new")["machine.clock_wrong"].message).count("1970") == 1


def test_little_memory_is_noted_and_unknown_memory_passed_over(tmp_path: Path) -> None:
    small = replace(GOOD, machine=MachineSample(7.7, 2.0, None))
    assert found(tmp_path, small)["machine.little_ram"].level == "note"
    unknown = replace(GOOD, machine=MachineSample(None, None, None))
    assert not any("ram" in code for code in found(tmp_path, unknown))


def test_findings_about_weights_come_last(tmp_path: Path) -> None:
    mine = [Finding("machine.packages", "note"), Finding("machine.no_card")]
    assert examine(StudioConfig(tmp_path), snapshot=GOOD, weights=mine, environment={})[-2:] == mine
