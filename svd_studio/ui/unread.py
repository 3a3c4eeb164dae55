"""Answers that programs asked for and do not fetch: Gradio keeps every one until it ends, we keep a thousand."""

from typing import Any

import gradio as gr
from gradio.queueing import Queue

from svd_studio.ui.texts import say

MOST_UNREAD = 1000


def bound_unread(page: gr.Blocks, most: int = MOST_UNREAD) -> None:
    """Forget the oldest answers that nobody fetches, and take no more calls where none can be forgotten."""
    queue = page._queue
    push = queue.push

    async def pushing(*given: Any, **named: Any) -> Any:
        if not _has_room(queue, most):
            return False, say("door.unread"), "queue_full"
        return await push(*given, **named)

    queue.push = pushing  # type: ignore[method-assign]  # Gradio has no door for this


def _has_room(queue: Queue, most: int) -> bool:
    """Whether fewer are kept, once sessions were forgotten in which nothing waits or runs."""
    sessions = queue.pending_event_ids_session
    kept = sum(1 + len(events) for events in sessions.values())
    for session, events in list(sessions.items()):
        if kept < most:
            break
        if not any(event in queue.event_ids_to_events for event in events):
            kept -= 1 + len(events)
            del sessions[session]
            queue.pending_messages_per_session.pop(session, None)
    return kept < most
