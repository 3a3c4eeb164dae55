"""What the Queue page shows to whom, and what it lets them do."""

from pathlib import Path
from typing import Any

import pytest

from svd_studio.core.clip import ClipRequest, ClipSettings, RenderedClip
from svd_studio.core.config import StudioConfig
from svd_studio.core.errors import BadInput, Message
from svd_studio.core.job import JobStatus
from svd_studio.engines.catalog import ENGINES
from svd_studio.studio import OWNER, Studio
from svd_studio.ui.queue_actions import QueueActions
from svd_studio.ui.queue_view import MOST_WAITING, kept_line, queue_view

SETTINGS = ClipSettings(seed=3, frames=14, steps=10, prompt="waves").resolve(ENGINES["svd-nano"]).settings


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    studio = Studio(StudioConfig(tmp_path))
    for title, owner in (("a", OWNER), ("b", OWNER), ("x", "guest"), ("c", OWNER), ("y", "guest")):
        studio.queue.add(ClipRequest(SETTINGS, tmp_path / "a.png"), title, owner)
    return studio


@pytest.fixture
def act(studio: Studio) -> Any:
    actions = QueueActions(studio)

    def act(what: str, owner: str = OWNER, **sent: object) -> dict[str, Any]:
        return actions.act({"what": what, **sent}, owner, "en")

    return act


def groups(studio: Studio, owner: str = OWNER) -> dict[str, str]:
    """The titles in each group."""
    shown = queue_view(studio, owner, "en")["queue"]["groups"]
    return {group["name"]: "".join(row["title"] for row in group["rows"]) for group in shown}


def remember(studio: Studio, seconds: float) -> None:
    """Let the library know how long such a clip takes."""
    clip = RenderedClip(studio.config.clips / "a.mp4", SETTINGS, "0" * 64, 14, 7.0, (256, 144), {"denoise": seconds})
    studio.clips.add(clip, "a", OWNER)


def test_every_job_stands_in_the_group_of_its_state(studio: Studio) -> None:
    queue = studio.queue
    queue.claim("me", 1)
    queue.finish(1, "clip")
    queue.claim("me", 2)
    queue.fail(2, Message("memory.ran_out"))
    queue.cancel(3)
    queue.claim("me", 4)
    assert groups(studio) == {"running": "c", "waiting": "y", "failed": "xb", "done": "a"}


def test_the_owner_sees_all_and_a_guest_his_own(studio: Studio) -> None:
    assert groups(studio)["waiting"] == "abxcy"
    assert groups(studio, "guest")["waiting"] == "xy"
    assert queue_view(studio, "guest", "en")["counts"] == {"queue": 2}
    rows = queue_view(studio, OWNER, "en")["queue"]["groups"][1]["rows"]
    assert rows[2]["facts"] == "SVD-Nano · 14 frames · 10 steps · seed 3 · from guest"


def test_each_row_says_when_it_is_ready_and_nothing_while_that_is_unknown_or_the_queue_stands(studio: Studio) -> None:
    def told() -> list[str]:
        view = queue_view(studio, OWNER, "en")["queue"]
        return [row["eta"] for row in view["groups"][1]["rows"]] + [view["summary"]]

    assert told() == [""] * 5 + ["Waiting: 5"]
    remember(studio, 20.0)
    assert told()[:2] == ["ready in about 20 s", "ready in about 40 s"]
    assert told()[-1] == "Waiting: 5. All done in about 2 min."
    guests = queue_view(studio, "guest", "en")["queue"]["groups"][1]["rows"]
    assert guests[0]["eta"] == "ready in about 60 s", "others' clips come first, though a guest does not see them"
    studio.queue.set_paused(True)
    assert told() == [""] * 5 + ["Waiting: 5"]


def test_a_failure_says_why_and_what_to_do(studio: Studio) -> None:
    studio.queue.claim("me", 1)
    studio.queue.fail(1, Message("memory.nothing_fits", {"needed": "14", "free": "7"}))
    failed = queue_view(studio, OWNER, "en")["queue"]["groups"][2]
    assert failed["rows"][0]["line"].startswith("This clip needs 14 GB of memory and 7 GB are free")


def test_thousands_of_waiting_jobs_are_counted_and_the_first_hundred_shown(studio: Studio) -> None:
    with studio.database.transaction():
        for seed in range(2000):
            request = ClipRequest(SETTINGS.changed(seed=seed), studio.config.data / "a.png")
            studio.queue.add(request, "z", OWNER)
    remember(studio, 2.0)
    view = queue_view(studio, OWNER, "en")
    waiting = view["queue"]["groups"][1]
    assert (len(waiting["rows"]), waiting["total"], waiting["more"]) == (MOST_WAITING, 2005, "and 1905 more")
    assert view["queue"]["summary"] == "Waiting: 2005. All done in about 1 h 7 min."


def test_moves_duplicates_retries_and_removals_arrive(studio: Studio, act: Any) -> None:
    act("shift", job=4, way="top")
    act("shift", job=4, way="down")
    assert groups(studio)["waiting"] == "acbxy"
    act("move", job=1, behind=5)
    act("move", job=5, before=4)
    assert groups(studio)["waiting"] == "ycbxa"
    act("duplicate", job=1)
    assert groups(studio)["waiting"] == "ycbxaa"
    assert studio.queue.get(6).request.settings.seed != 3  # type: ignore[union-attr]
    act("cancel", job=6)
    act("retry", job=6)
    assert groups(studio)["waiting"] == "ycbxaa"
    assert act("remove", job=2)["removed"] == "Taken off the list: 1. Finished clips stay."
    assert groups(studio)["waiting"] == "ycxaa"
    act("undo")
    assert groups(studio)["waiting"] == "ycbxaa"
    act("undo")
    assert groups(studio)["waiting"] == "ycbxaa"


def test_what_ended_is_cleared_by_group_and_what_failed_retried_at_once(studio: Studio, act: Any) -> None:
    for number in (1, 2, 3):
        studio.queue.claim("me", number)
    studio.queue.finish(1, "clip")
    studio.queue.fail(2, Message("memory.ran_out"))
    studio.queue.fail(3, Message("memory.ran_out"))
    act("clear", group="done")
    act("retry_failed", owner="guest")
    assert groups(studio) == {"running": "", "waiting": "cyx", "failed": "b", "done": ""}
    act("clear", group="waiting")
    act("clear", group="nonsense")
    assert groups(studio)["waiting"] == "cyx", "what waits is never cleared"


def test_a_guest_reaches_only_his_own_jobs_and_never_the_pause(studio: Studio, act: Any) -> None:
    for what in ("duplicate", "cancel", "retry", "remove"):
        with pytest.raises(BadInput, match=r"job\.unknown"):
            act(what, owner="guest", job=1)
    with pytest.raises(BadInput, match=r"job\.unknown"):
        act("move", owner="guest", job=5, before=1)
    act("shift", owner="guest", job=5, way="top")
    assert groups(studio)["waiting"] == "abycx"
    for what in ("pause", "resume"):
        with pytest.raises(BadInput, match="pause_is_the_owners"):
            act(what, owner="guest")
    act("remove", job=1)
    act("undo", owner="guest")
    assert groups(studio)["waiting"] == "bycx", "nobody undoes what another removed"


def test_of_a_heap_only_what_still_waits_is_taken_back(studio: Studio, act: Any) -> None:
    act("remove", job=1)
    studio.queue.claim("me", 2)
    studio.queue.claim("me", 4)
    studio.queue.finish(4, "clip")
    assert act("take_back", jobs=[1, 2, 3, 4, "5", True, {}, 99])["removed"].startswith("Taken off the list: 1.")
    assert groups(studio) == {"running": "b", "waiting": "y", "failed": "", "done": "c"}
    act("undo")
    assert groups(studio)["waiting"] == "xy"
    assert act("take_back", owner="guest", jobs=[2, 3])["removed"].startswith("Taken off the list: 1.")
    assert act("take_back", jobs="all") == {}


def test_an_undo_that_failed_can_be_tried_again(studio: Studio, act: Any) -> None:
    act("remove", job=2)
    studio.database.connection.execute("PRAGMA query_only = 1")
    with pytest.raises(BadInput, match="cannot_open"):
        act("undo")
    studio.database.connection.execute("PRAGMA query_only = 0")
    act("undo")
    assert groups(studio)["waiting"] == "abxcy"


def test_pause_and_resume_are_the_queues(studio: Studio, act: Any) -> None:
    act("pause")
    assert studio.queue.is_paused()
    assert queue_view(studio, OWNER, "en")["queue"]["paused"]
    act("resume")
    assert not studio.queue.is_paused()


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"what": "drop table"},
        {"what": ["remove"], "job": 1},
        {"what": "shift", "job": 1, "way": "sideways"},
        {"what": "shift", "job": 1, "way": ["up"]},
        {"what": "remove"},
        {"what": "remove", "job": True},
        {"what": "remove", "job": "1"},
        {"what": "remove", "job": -1},
        {"what": "remove", "job": 10**30},
        {"what": "remove", "job": 1.0},
        {"what": "move", "job": 1, "before": {"$": 2}},
        {"what": "move", "job": 1},
    ],
)
def test_what_a_stranger_sends_is_refused_with_a_sentence(studio: Studio, sent: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="job"):
        QueueActions(studio).act(sent, OWNER, "en")
    assert groups(studio)["waiting"] == "abxcy"


def test_what_runs_is_neither_moved_nor_removed_nor_retried(studio: Studio, act: Any) -> None:
    studio.queue.claim("me", 1)
    for what, why in (("remove", "still_running"), ("retry", "not_ended")):
        with pytest.raises(BadInput, match=why):
            act(what, job=1)
    with pytest.raises(BadInput, match="not_waiting"):
        act("shift", job=1, way="top")
    act("cancel", job=1)
    studio.queue.mark_cancelled(1)
    with pytest.raises(BadInput, match="has_ended"):
        act("cancel", job=1)
    assert studio.queue.get(1).status is JobStatus.CANCELLED  # type: ignore[union-attr]


def test_what_takes_room_besides_clips_is_shown_with_its_bounds(studio: Studio) -> None:
    (studio.config.data / "trash").mkdir()
    (studio.config.data / "trash" / "a.mp4").write_bytes(bytes(3_200_000))
    for language in ("en", "zh-CN"):
        line = kept_line(studio, language)
        assert "3.2 MB" in line
        assert "8.6 GB" in line, "what kept frames may take"
        assert "30" in line
