"""What the System page shows: the doctor's findings as cards, heat and power, folders, and how the workers are."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from svd_studio import __version__
from svd_studio.core.errors import Message, Value
from svd_studio.core.job import JobStatus
from svd_studio.doctor import examine_studio
from svd_studio.gpu.telemetry import Snapshot
from svd_studio.gpu.thermal import BOUNDS
from svd_studio.jobs.stored import Stored, stored
from svd_studio.machine import Finding
from svd_studio.studio import GUEST, Studio
from svd_studio.ui.private_paths import without_home
from svd_studio.ui.rooms import View
from svd_studio.ui.texts import say, spoken_bytes

CARDS: dict[str, tuple[str, ...]] = {
    "card": ("card", "no_card", "driver", "power_limit"),
    "software": (
        *("python", "torch", "package", "versions", "ffmpeg", "no_ffmpeg"),
        *("sqlite", "xformers", "no_xformers", "no_pins"),
    ),
    "disk": ("data", "disk", "models.here"),
    "computer": ("",),
}
"""Which findings stand together, by how their codes begin behind "machine"; the last card takes the rest."""

ELSEWHERE = ("kept", "port", "heat.limits")
"""What other parts of the page say, or what is known because the page is open."""

MARKS = {"ok": "✓", "note": "·", "problem": "✗"}
WORST_FIRST = {"problem": 0, "note": 1, "ok": 2}

WORTH_TELLING_GB = 0.1

GENTLER = 0.8
"""Of a card's power limit: much cooler, and clips a few per cent slower."""


def system_view(studio: Studio, snapshot: Snapshot, language: str, is_open: bool = False) -> View:
    """The whole page; a look at everything, so not every second. `is_open` tells that guests can come in."""
    findings = examine_studio(studio, snapshot)
    problems = sum(finding.level == "problem" for finding in findings)
    sentence = Message("page.system.problems", {"n": problems}) if problems else Message("page.system.sound")
    return {
        "system": {
            "summary": say(sentence, language),
            "is_sound": not problems,
            "cards": _cards(findings, language),
            "report": _report(findings, language),
            "heat": heat_rows(studio, language),
            "power": _power(snapshot, language),
            "guests": _guests(studio, language, is_open),
            "folders": [_folder(one, language) for one in stored(studio.config)],
        },
        **workers_view(studio, language),
    }


def workers_view(studio: Studio, language: str) -> View:
    """How the render workers are now: who is up, what they do, what they hold."""
    alive = [card.index for card in studio.cards if studio.render_lock(card.index).holder()]
    counts = studio.queue.count()
    held_gb = sum(studio.queue.on(card.index).held_gb() for card in studio.cards)
    if not alive:
        line = Message("page.system.workers.starting")
    elif counts[JobStatus.RUNNING]:
        line = Message("page.system.workers.busy", {"n": counts[JobStatus.QUEUED]})
    elif held_gb < WORTH_TELLING_GB:
        line = Message("page.system.workers.idle")
    else:
        line = Message("page.system.workers.holding", {"gb": f"{held_gb:.1f}"})
    return {"workers": {"line": say(line, language), "busy": counts[JobStatus.RUNNING] > 0, "up": bool(alive)}}


def heat_rows(studio: Studio, language: str) -> list[dict[str, Any]]:
    """The limits with their words and bounds."""
    rows = []
    for name, value in asdict(studio.heat.limits()).items():
        low, high = BOUNDS["memory" if name.startswith("memory") else "core"]
        label = say(f"page.system.heat.{name}", language)
        rows.append({"name": name, "value": value, "low": low, "high": high, "label": label})
    return rows


def _cards(findings: Sequence[Finding], language: str) -> list[dict[str, Any]]:
    """The findings by what they are about, what needs doing first."""
    cards: dict[str, list[Finding]] = {name: [] for name in CARDS}
    for finding in findings:
        name = finding.code.removeprefix("machine.")
        if not name.startswith(ELSEWHERE):
            cards[next(card for card, begins in CARDS.items() if name.startswith(begins))].append(finding)
    return [
        {
            "title": say(f"page.system.card.{name}", language),
            "lines": [
                {"level": one.level, "text": without_home(say(one.message, language))}
                for one in sorted(found, key=lambda one: WORST_FIRST[one.level])
            ],
        }
        for name, found in cards.items()
        if found
    ]


def _report(findings: Sequence[Finding], language: str) -> str:
    """The same as plain text to send to somebody who helps: no names of people, no secrets."""
    lines = [f"{MARKS[one.level]} {without_home(say(one.message, language))}" for one in findings]
    return "\n".join([f"SVD Studio {__version__}", *lines])


def _power(snapshot: Snapshot, language: str) -> list[dict[str, str]]:
    """How a person sets a card's power limit himself; we only say it."""
    before = "" if sys.platform == "win32" else "sudo "
    told = []
    for card in snapshot.cards:
        if card.power_limit_w:
            watts = round(card.power_limit_w * GENTLER / 10) * 10
            values: dict[str, Value] = {"name": card.name, "watts": round(card.power_limit_w), "gentler": watts}
            command = f"{before}nvidia-smi -i {card.index} -pl {watts}"
            told.append({"text": say(Message("page.system.power.card", values), language), "command": command})
    return told


def _guests(studio: Studio, language: str, is_open: bool) -> str:
    """What guests take of what they may; nothing where there never were any.

    Pictures that nothing names count as theirs, so only clips tell that they were here.
    """
    if not (is_open or studio.clips.sizes(GUEST)):
        return ""
    held, limit = studio.guests.held_bytes(GUEST), studio.guests.limit_bytes
    return say(Message("page.system.guests", {"size": spoken_bytes(held), "limit": f"{limit / 1e9:g} GB"}), language)


def _folder(one: Stored, language: str) -> dict[str, Any]:
    limit = say(Message("page.system.at_most", {"size": spoken_bytes(one.limit_bytes or 0)}), language)
    return {
        "kind": one.kind,
        "label": say(f"page.system.folder.{one.kind}", language),
        "about": say(f"page.system.folder.{one.kind}.about", language),
        "path": str(one.folder),
        "size": spoken_bytes(one.bytes),
        "limit": limit if one.limit_bytes else "",
        "may_go": one.may_go and one.bytes > 0,
        "sure": say(f"page.system.sure.{one.kind}", language) if one.may_go else "",
    }
