"""The verbs that every face shares. All wiring is here; no torch until a job is rendered."""

import secrets
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from svd_studio.core.clip import MAX_SEED, ClipRequest, ClipSettings, ResolvedSettings
from svd_studio.core.config import StudioConfig
from svd_studio.core.engine import EngineInfo, Resolved
from svd_studio.core.errors import BadInput, Message, MissingWeights, StudioError
from svd_studio.core.infotext import Recalled, holds_recipe, read_record, read_text
from svd_studio.core.sweep import differing
from svd_studio.database import Database
from svd_studio.engines.catalog import ENGINES, NANO_FOLDER, engine_info
from svd_studio.gpu.cards import Card
from svd_studio.gpu.fit import Fit, fit_clip, freest
from svd_studio.gpu.telemetry import Snapshot, Telemetry
from svd_studio.hardware import network_drive
from svd_studio.host import FileLock, private_folder
from svd_studio.jobs import place
from svd_studio.jobs.adoption import adopt
from svd_studio.jobs.arrange import Arrangement
from svd_studio.jobs.comparisons import Comparison, Comparisons
from svd_studio.jobs.cooling import HeatSettings
from svd_studio.jobs.forecast import Forecast, forecast
from svd_studio.jobs.guests import Guests
from svd_studio.jobs.hiring import hire
from svd_studio.jobs.mending import mend, needs_mending
from svd_studio.jobs.neighbours import take_over
from svd_studio.jobs.outlook import Outlook, outlook
from svd_studio.jobs.queue import JobQueue
from svd_studio.jobs.room import make_room
from svd_studio.jobs.wishes import Wishes
from svd_studio.jobs.worker import Worker
from svd_studio.library.absent import with_what_is_here
from svd_studio.library.certificates import Certificates, Figures
from svd_studio.library.clips import ClipLibrary
from svd_studio.library.enlarging import enlarging_weights
from svd_studio.library.errands import Errands
from svd_studio.library.exports import Exports
from svd_studio.library.inputs import Inputs
from svd_studio.library.presets import PresetLibrary
from svd_studio.library.rebuild import Rebuild, Rebuilt
from svd_studio.library.trash import Trash
from svd_studio.library.uploads import trim_uploads
from svd_studio.library.weights import WeightsLibrary, verify_before_load, verify_files
from svd_studio.rendering.parts import PartStore, fingerprint
from svd_studio.video import metadata, pictures

OWNER, GUEST = "owner", "guest"

TEXT_FILES = (".json", ".txt")
"""What a recipe's text or JSON is saved as."""


@dataclass(frozen=True)
class Submitted:
    """An accepted job, its recipe as it will run and what had to be changed, and its picture as it is kept."""

    job_id: int
    resolved: Resolved
    picture: Path


class Studio:
    """One data folder with its queue, clips, presets and models."""

    def __init__(self, config: StudioConfig) -> None:
        self.config = config
        self.mended: Message | None = None

    @cached_property
    def database(self) -> Database:
        refuse_network_drive(self.config.data)
        private_folder(self.config.data)
        return Database(self.config.database)

    @cached_property
    def queue(self) -> JobQueue:
        return JobQueue(self.database)

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """Where workers render, as the driver told when this was first asked; never empty."""
        return place.cards_here()

    @cached_property
    def arrangement(self) -> Arrangement:
        return Arrangement(self.queue)

    @cached_property
    def comparisons(self) -> Comparisons:
        return Comparisons(self.database)

    @cached_property
    def heat(self) -> HeatSettings:
        return HeatSettings(self.queue)

    @cached_property
    def wishes(self) -> Wishes:
        return Wishes(self.queue)

    @cached_property
    def clips(self) -> ClipLibrary:
        return ClipLibrary(self.config.clips, self.database)

    @cached_property
    def trash(self) -> Trash:
        return Trash(self.clips)

    @cached_property
    def exports(self) -> Exports:
        return Exports(self.config.exports)

    @cached_property
    def inputs(self) -> Inputs:
        return Inputs(self.config.inputs, self.database)

    @cached_property
    def guests(self) -> Guests:
        return Guests(self.queue, self.inputs, self.clips, self.exports, self.config.room_for_guests)

    @cached_property
    def presets(self) -> PresetLibrary:
        return PresetLibrary(self.config.presets)

    @cached_property
    def weights(self) -> WeightsLibrary:
        hub, index = (self.config.hub_endpoint, self.config.hub_token), self.config.package_index
        return WeightsLibrary(self.config.models, *hub, is_offline=lambda: self.wishes.stays_offline(), index=index)

    @cached_property
    def errands(self) -> Errands:
        return Errands(self.weights)

    def weights_folder(self, info: EngineInfo) -> Path:
        """Where an engine's weights are. Raises MissingWeights naming the command that gets them."""
        if info.weights is None:
            return NANO_FOLDER
        folder = self.weights.installed(info.weights)
        if folder is None:
            raise MissingWeights("weights.missing", engine=info.name, size=f"{info.weights.size_gb:.1f}")
        return folder

    def sound_weights(self, info: EngineInfo) -> Path:
        """The same folder, once its files have shown to be what they say; nothing corrupt is ever loaded."""
        folder = self.weights_folder(info)
        verify_before_load(folder)
        return folder

    def refuse_without_weights(self, settings: ResolvedSettings) -> None:
        """Raise BadInput naming the way to what a recipe needs and is not here."""
        self.weights_folder(engine_info(settings.engine))
        if settings.finish.enlarge > 1:
            enlarging_weights(self.weights)

    def text_tower(self, info: EngineInfo) -> Path | None:
        """Where words for an engine can be read, its files looked at; None when it is not here or not needed."""
        folder = self.weights.installed(info.text) if info.text else None
        if folder is not None:
            verify_files(folder)
        return folder

    @cached_property
    def certificates(self) -> Certificates:
        return Certificates(self.config.certificates)

    def certified(self, info: EngineInfo) -> Figures:
        """What each speed costs on the weights that are here; empty where nobody measured."""
        if not self.is_installed(info):
            return {}
        return self.certificates.of(info.name, fingerprint(self.weights_folder(info)))

    def is_installed(self, info: EngineInfo) -> bool:
        """Whether an engine's weights are here."""
        return info.weights is None or self.weights.installed(info.weights) is not None

    def default_engine(self) -> EngineInfo:
        """The best engine that is installed and fits the largest card; without a card, the bundled one."""
        cards = Telemetry().sample().cards if place.torch_has_cuda() else ()
        card_gb = max((card.total_gb or 0.0 for card in cards), default=0.0)
        for info in ENGINES.values():
            if info.weights is not None and self.is_installed(info) and _fits(info, card_gb):
                return info
        return ENGINES["svd-nano"]

    def resolve(self, settings: ClipSettings, picture_size: tuple[int, int] | None = None) -> Resolved:
        """Fill a recipe's gaps: engine, seed, native values."""
        info = engine_info(settings.engine) if settings.engine else self.default_engine()
        if settings.seed is None:
            settings = settings.changed(seed=secrets.randbelow(MAX_SEED + 1))
        return with_what_is_here(settings.resolve(info, picture_size), info, self.weights.installed)

    def submit(self, settings: ClipSettings, picture: Path, title: str | None = None, owner: str = OWNER) -> Submitted:
        """Accept a job: check everything that can be checked now, keep the picture, write the row."""
        size = pictures.picture_size(picture)
        resolved = self.resolve(settings, size)
        self.refuse_without_weights(resolved.settings)
        self.guests.refuse(seen_by(owner), picture=picture)  # before it is kept; their number once more with the row
        private_folder(self.config.data)
        make_room(self.config.data, self.config.room_for_a_clip, PartStore(self.config.parts))
        kept = self.keep_picture(picture)
        with self.database.transaction():
            self.guests.refuse_too_many(seen_by(owner))
            kept = self.inputs.still_kept(kept, picture)
            number = self.queue.add(ClipRequest(resolved.settings, kept), title or picture.stem, owner)
        return Submitted(number, resolved, kept)

    def compare(
        self, recipes: Sequence[ClipSettings], picture: Path, title: str | None = None, owner: str = OWNER
    ) -> Comparison:
        """Accept one picture with many recipes, all of them or none, to be seen side by side."""
        self.guests.refuse(seen_by(owner), len(recipes), picture)
        kept, title = self.keep_picture(picture), title or picture.stem  # slow, so before the database is held
        with self.database.transaction():
            jobs = [self.submit(recipe, kept, title, owner).job_id for recipe in recipes]
            return self.comparisons.add(jobs, differing(recipes), title, owner)

    def keep_picture(self, picture: Path) -> Path:
        """Copy a picture into the library under its hash, once; refuses what cannot be decoded."""
        return self.inputs.keep(picture)

    def replace(self, job_id: int, settings: ClipSettings, picture: Path, title: str | None = None) -> Submitted:
        """Give a waiting job another recipe and picture, checked as a new one is; it keeps its place."""
        resolved = self.resolve(settings, pictures.picture_size(picture))
        self.refuse_without_weights(resolved.settings)
        if job := self.queue.get(job_id):
            self.guests.refuse_full(seen_by(job.owner), picture)
        kept = self.keep_picture(picture)
        with self.database.transaction():
            kept = self.inputs.still_kept(kept, picture)
            self.arrangement.edit(job_id, ClipRequest(resolved.settings, kept), title or picture.stem)
        return Submitted(job_id, resolved, kept)

    def duplicate(self, job_id: int, seed: int | None = None) -> int:
        """Ask for a job's clip once more, with that seed or another one; returns the new job. Raises BadInput."""
        if job := self.queue.get(job_id):
            self.guests.refuse(seen_by(job.owner))
        if seed is not None:
            seed = ClipSettings.from_person({"seed": seed}).seed  # within its bounds
        return self.arrangement.duplicate(job_id, seed=secrets.randbelow(MAX_SEED + 1) if seed is None else seed)

    def outlook(self) -> Outlook:
        """When each waiting clip will be ready, as far as it can be known."""
        return outlook(self.queue, self.clips, len(self.cards))

    def forecast(self, settings: ResolvedSettings) -> Forecast | None:
        """How long a clip will take here; None when nothing like it was made yet."""
        return forecast(settings, self.clips.seconds_of(settings.engine))

    def fit(self, settings: ResolvedSettings, snapshot: Snapshot) -> Fit | None:
        """What a clip needs of this machine's memory, on the freest card; None where that cannot be known."""
        wide = self.config.precision == "fp32"
        held = {card.index: self.queue.on(card.index).held_gb() for card in self.cards}
        card = freest([card for card in snapshot.cards if card.index in held], held)
        snapshot = replace(snapshot, cards=(card,)) if card else snapshot
        held_gb = held.get(card.index, 0.0) if card else 0.0
        info, on_card = engine_info(settings.engine), place.renders_on(snapshot)
        return fit_clip(info, settings, snapshot, on_card=on_card, wide=wide, held_gb=held_gb)

    def rebuild_clips(self) -> Rebuilt:
        """Make the index of the clips again from their files. Raises DiskFull."""
        return Rebuild(self.clips, OWNER).run()

    def mend(self) -> None:
        """Make a new database when it is damaged or gone; `mended` then says what was found again.

        Only the holder of studio.lock may call this, before anything else. Raises StudioError while somebody renders.
        """
        refuse_network_drive(self.config.data)
        if needs_mending(self.config.database, self.config.clips):
            with ExitStack() as alone:
                for lock in self.render_locks():
                    alone.enter_context(lock)
                self.mended = mend(self.config.database, self.config.clips, OWNER)

    def tidy(self) -> None:
        """Keep small what comes and goes: uploads, exports, trash, guests' ended jobs, unused pictures."""
        trim_uploads(self.config)
        self.guests.tidy(GUEST)
        self.exports.trim()
        self.trash.expire()
        self.inputs.tidy()

    def cancel(self, job_id: int) -> bool:
        """Stop a job; False when it had ended already."""
        return self.queue.cancel(job_id)

    def recall(self, source: Path) -> Recalled:
        """Read the recipe inside a clip or poster, or from a text file. Raises BadInput when there is none."""
        if not source.is_file():
            raise BadInput("recipe.no_file", name=source.name)
        if source.suffix.lower() in TEXT_FILES:
            return read_text(metadata.recipe_text(source))
        record = metadata.read_record(source)
        if record is None or not holds_recipe(record):
            raise BadInput("recipe.none_inside", name=source.name)
        return read_record(record)

    def worker(self, card: int = 0) -> Worker:
        """Everything that renders, on one card. Imports torch; only the process that renders calls this.

        Raises StudioError when the card that this process is shown is not there.
        """
        queue = JobQueue(self.database, card=card)
        return hire(self.config, queue, self.clips, self.heat, self.sound_weights, self.text_tower, self.weights)

    def let_go(self) -> None:
        """Put back what ended workers were rendering, unless somebody else renders there already."""
        for card in self.queue.cards_at_work():
            lock = self.render_lock(card)
            if lock.try_acquire():
                with suppress(StudioError):  # the next worker finds it, too
                    adopt(self.queue.on(card), self.clips)
                    self.queue.on(card).release()
                lock.release()
        with suppress(StudioError):  # it costs a measurement one of its tries
            self.wishes.measures.settle()

    def take_over(self) -> None:
        """Let jobs wait again whose worker is gone; those of the living go on."""
        take_over(self.config, self.queue, self.clips, self.queue.cards_at_work())

    def render_lock(self, card: int = 0) -> FileLock:
        """The lock that whoever renders on a card holds."""
        return FileLock(self.config.worker_lock(card))

    def render_locks(self) -> list[FileLock]:
        """The locks of all cards that render here or ever did."""
        known = {self.config.worker_lock(card.index) for card in self.cards}
        return [FileLock(path) for path in sorted(known | set(self.config.data.glob("worker*.lock")))]


def seen_by(owner: str) -> str | None:
    """Whose jobs somebody sees and arranges: a guest his own, the owner everybody's (None)."""
    return None if owner == OWNER else owner


def refuse_network_drive(folder: Path) -> None:
    """Raise BadInput for a folder behind a network, where SQLite's log and our locks do not hold."""
    if kind := network_drive(folder):
        raise BadInput("database.on_network", path=str(folder), kind=kind)


def _fits(info: EngineInfo, card_gb: float) -> bool:
    plans = info.plans(ClipSettings().resolve(info).settings)
    return min(plan.peak_gb for plan in plans) <= card_gb
