"""The pictures that SVD-Nano learns from, and the camera moves over them.

Knows nothing of networks: it gathers freely licensed photographs and renders small windows of them as clips.
"""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

DEBIAN = ("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "plasma-workspace-wallpapers")
WHEELS = ("scikit-image", "scikit-learn")
LONG_SIDE = 1600
FRAMES = 14

# At motion bucket 127 and 7 fps the last frame has gone this far: pixels of pan, natural log of zoom, radians of turn.
PAN_PIXELS, ZOOM_LOG, TURN_RADIANS = 6.0, 0.05, 0.045
# Clouds go so many pixels at the top of the picture; water waves so many pixels up and down at its bottom.
CLOUD_PIXELS, RIPPLE_PIXELS, RIPPLE_ROWS = 9.0, 1.2, 7.0
# What is low in a picture is near, and passes faster than what is high: 1 +- this, around its middle.
PARALLAX = 0.3


@dataclass(frozen=True)
class Photo:
    """Name one picture, who made it and under which licence; held-out ones are never trained on."""

    name: str
    member: str
    author: str
    licence: str
    package: str
    held_out: bool = False


def _lomiri(stem: str, author: str, licence: str, held_out: bool = False) -> Photo:
    year = "20.04" if licence == "CC-BY-SA-3.0" else "16.04"
    return Photo(stem, f"backgrounds/{stem}.jpg", author, licence, f"lomiri-wallpapers-{year}", held_out)


def _plasma(stem: str, file: str, author: str) -> Photo:
    member = f"wallpapers/{stem}/contents/images/{file}"
    return Photo(stem, member, author, "CC-BY-SA-4.0", "plasma-workspace-wallpapers")


def _skimage(stem: str, file: str, author: str, licence: str, held_out: bool = False) -> Photo:
    return Photo(stem, f"skimage/data/{file}", author, licence, "scikit-image", held_out)


PHOTOS = (
    _lomiri("aitzgorri_by_Aitzol_Berasategi", "Aitzol Berasategi", "CC-BY-4.0"),
    _lomiri("analogpattern_by_Peter_Nerlich", "Peter Nerlich", "CC-BY-SA-4.0"),
    _lomiri("Bridge_by_Sander_Klootwijk", "Sander Klootwijk", "CC-BY-SA-4.0", True),
    _lomiri("Dragonfly_by_Bolly", "Bolly", "CC-BY-SA-4.0"),
    _lomiri("free_by_Peter_Nerlich", "Peter Nerlich", "CC-BY-SA-4.0"),
    _lomiri("friends_by_Aitzol_Berasategi", "Aitzol Berasategi", "CC-BY-4.0"),
    _lomiri("greentock_by_Peter_Nerlich", "Peter Nerlich", "CC-BY-SA-4.0"),
    _lomiri("life_by_Aitzol_Berasategi", "Aitzol Berasategi", "CC-BY-4.0"),
    _lomiri("picosdeeuropa_by_Aitzol_Berasategi", "Aitzol Berasategi", "CC-BY-4.0", True),
    _lomiri("Picture_0B_by_freespace", 'Trevor "Freespace"', "CC-BY-4.0"),
    _lomiri("Picture_1A_by_freespace", 'Trevor "Freespace"', "CC-BY-4.0"),
    _lomiri("seeding_by_Clements_Engelhardt", "Clemens Engelhardt", "CC0-1.0"),
    _lomiri("sunset_by_Aitzol_Berasategi", "Aitzol Berasategi", "CC-BY-4.0", True),
    _lomiri("umang_by_Abhishek_Mudgal", "Abhishek Mudgal", "CC-BY-4.0"),
    _lomiri("Wine_by_Jakkub_Mede", "Jakub Mede", "CC-BY-4.0"),
    _lomiri("Fossa_by_Jasper_Roks", "Jasper Roks", "CC-BY-SA-3.0"),
    _lomiri("Infinite-Sea_by_Aury88", "Aury88", "CC-BY-SA-3.0"),
    _lomiri("Kleiber_by_Lukas_Baubkus", "Lukas Baubkus", "CC-BY-SA-3.0"),
    _lomiri("Painting-Colors_by__herobrine7gamer", "HEROBRINE7GAMER", "CC-BY-SA-3.0"),
    _plasma("Altai", "5120x2880.png", "Alesya Khoteeva"),
    _plasma("IceCold", "5120x2880.png", "Santiago Cézar"),
    _plasma("Flow", "5120x2880.jpg", "Sandra Smukaste"),
    _plasma("Volna", "5120x2880.jpg", "Nikita Babin"),
    _skimage("astronaut", "astronaut.png", "NASA", "public domain", True),
    _skimage("coffee", "coffee.png", "Rachel Michetti (pikolo espresso bar)", "CC0-1.0", True),
    _skimage("chelsea", "chelsea.png", "Stefan van der Walt", "CC0-1.0", True),
    _skimage("rocket", "rocket.jpg", "SpaceX (through NASA)", "CC0-1.0", True),
    _skimage("hubble", "hubble_deep_field.jpg", "NASA", "public domain"),
    Photo("china", "sklearn/datasets/images/china.jpg", "danielbuechele", "CC-BY-2.0", "scikit-learn", True),
    Photo("flower", "sklearn/datasets/images/flower.jpg", "vultilion", "CC-BY-2.0", "scikit-learn"),
)


def gather(state: Path, own_photos: Path | None = None) -> list[Path]:
    """Fill state/photos with pictures of at most 1600 pixels and a credits file; return those to train on."""
    folder = state / "photos"
    if not (folder / "credits.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        if own_photos:
            credits = [
                _keep(folder, path.read_bytes(), Photo(path.stem, path.name, "", "", "own"))
                for path in sorted(own_photos.iterdir())
            ]
        else:
            credits = _gather_packages(state / "packages", folder)
        found = [asdict(photo) for photo in credits if photo]
        (folder / "credits.json").write_text(json.dumps(found, indent=1, ensure_ascii=False))
    listed = json.loads((folder / "credits.json").read_text())
    return [folder / f"{photo['name']}.jpg" for photo in listed if not photo["held_out"]]


def _gather_packages(packages: Path, folder: Path) -> list[Photo | None]:
    packages.mkdir(exist_ok=True)
    for name in DEBIAN:
        if not list(packages.glob(f"{name}_*.deb")):
            subprocess.run(["apt-get", "download", name], cwd=packages, check=False)
    for name in WHEELS:
        if not list(packages.glob(f"{name.replace('-', '_')}-*.whl")):
            subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "-q", name], cwd=packages, check=True)
    for deb in packages.glob("*.deb"):
        subprocess.run(["dpkg", "-x", deb.name, deb.name.split("_")[0]], cwd=packages, check=True)
    return [_keep(folder, data, photo) for photo in PHOTOS if (data := _read(packages, photo))]


def _read(packages: Path, photo: Photo) -> bytes | None:
    if photo.package in DEBIAN:
        path = packages / photo.package / "usr/share" / photo.member
        return path.read_bytes() if path.exists() else None
    wheel = next(iter(packages.glob(f"{photo.package.replace('-', '_')}-*.whl")), None)
    return zipfile.ZipFile(wheel).read(photo.member) if wheel else None


def _keep(folder: Path, data: bytes, photo: Photo) -> Photo | None:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return None
    scale = LONG_SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / f"{photo.name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
    return photo


@dataclass(frozen=True)
class Move:
    """One move: a unit direction over (pan right, pan down, zoom in, turn right, clouds right, ripples), and how far.

    `bucket` is how much moves; `fps` is the frame rate that the model is told.
    """

    direction: tuple[float, ...]
    bucket: float
    fps: float

    def at(self, frame: float) -> tuple[float, float, float, float]:
        """Tell the pan in pixels (x, y), the log zoom and the turn in radians at one frame."""
        amount = frame / (FRAMES - 1) * self.rate
        x, y, zoom, turn = self.direction[:4]
        return PAN_PIXELS * amount * x, PAN_PIXELS * amount * y, ZOOM_LOG * amount * zoom, TURN_RADIANS * amount * turn

    @property
    def rate(self) -> float:
        """How fast it goes, 1 being the usual: frames that are nearer in time differ less, as SVD was taught."""
        return self.bucket / 127 * 7 / self.fps

    def stirs(self, frame: float, down: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tell how far (x, y) in pixels each row is off the camera's move; `down` is 0 at the top, 1 at the bottom."""
        share, (x, y), (clouds, ripples) = frame / (FRAMES - 1), self.direction[:2], self.direction[4:]
        near = PARALLAX * (2 * down - 1) * share * self.rate
        sky, water = _step((0.5 - down) / 0.2), _step((down - 0.5) / 0.2)
        waves = 2 * np.pi * RIPPLE_ROWS * down**1.5
        swing = (np.sin(waves + 2 * np.pi * share) - np.sin(waves)) * min(1.6, self.rate**0.5)
        across = PAN_PIXELS * x * near - CLOUD_PIXELS * clouds * share * self.rate * sky
        return across, PAN_PIXELS * y * near + RIPPLE_PIXELS * ripples * swing * water


class Photographs:
    """All training pictures as pyramids, to cut windows and clips from."""

    def __init__(self, paths: Iterable[Path], seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.pyramids = [_pyramid(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)) for path in paths]

    def clip(self, move: Move, frames: Sequence[int], height: int, width: int) -> np.ndarray:
        """Render the first frame, then the wanted ones, of a move over a random window: [1 + n, h, w, 3] uint8."""
        level, scale = self._level(height, width)
        room = [max(0.0, side - scale * wanted) for side, wanted in zip(level.shape[:2], (height, width), strict=True)]
        # A quarter of the windows may touch the picture's edge; there the border is mirrored.
        centre = [
            0.5 * side + (self.random.random() - 0.5) * space for side, space in zip(level.shape[:2], room, strict=True)
        ]
        shots = [_shot(level, centre, scale, move, frame, height, width) for frame in (0, *frames)]
        return np.stack(shots)

    def _level(self, height: int, width: int) -> tuple[np.ndarray, float]:
        """Pick a picture, turned or mirrored, and how many of its pixels make one of ours (1.4 to 2.8)."""
        pyramid = self.pyramids[self.random.integers(len(self.pyramids))]
        turns = int(self.random.integers(4)) if self.random.random() < 0.5 else 0
        largest = (
            min(pyramid[0].shape[0] / height, pyramid[0].shape[1] / width)
            if turns % 2 == 0
            else min(pyramid[0].shape[1] / height, pyramid[0].shape[0] / width)
        )
        # The picture as a whole, shrunk to about 256 pixels, matters most: that is what the app shows.
        whole = max(pyramid[0].shape) / 256
        zoom_out = min(largest, whole * float(np.exp(self.random.uniform(-1.1, 0.15))))
        index = int(np.clip(np.floor(2 * np.log2(max(zoom_out / 1.4, 1))), 0, len(pyramid) - 1))
        level = np.rot90(pyramid[index], turns)
        if self.random.random() < 0.5:
            level = level[:, ::-1]
        return np.ascontiguousarray(level), max(zoom_out / 2 ** (index / 2), 0.7)


def _step(x: np.ndarray) -> np.ndarray:
    """From 0 to 1, smoothly, while x does."""
    inside: np.ndarray = np.clip(x, 0, 1)
    smooth: np.ndarray = inside * inside * (3 - 2 * inside)
    return smooth


def _pyramid(picture: np.ndarray) -> list[np.ndarray]:
    levels = [picture]
    while min(levels[-1].shape[:2]) > 200:
        scale = 2 ** (-len(levels) / 2)
        levels.append(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    return levels


def _shot(
    level: np.ndarray,
    centre: Sequence[float],
    scale: float,
    move: Move,
    frame: float,
    height: int,
    width: int,
) -> np.ndarray:
    """Photograph one window at twice the size and shrink it, so that nothing aliases."""
    x, y, zoom, turn = move.at(frame)
    size = 0.5 * scale * np.exp(-zoom)
    cosine, sine = size * np.cos(turn), size * np.sin(turn)
    # Turning the camera right turns the content left, so the sampling grid turns right (clockwise on screen).
    grid = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0]])
    middle = np.array([width - 0.5, height - 0.5])
    grid[:, 2] = np.array([centre[1] + scale * x - 0.5, centre[0] + scale * y - 0.5]) - grid[:, :2] @ middle
    across, down = np.meshgrid(np.arange(2.0 * width), np.arange(2.0 * height))
    stir_x, stir_y = move.stirs(frame, (down + 0.5) / (2 * height))
    across, down = across + 2 * stir_x, down + 2 * stir_y
    (a, b, c), (d, e, f) = grid
    places = np.stack([a * across + b * down + c, d * across + e * down + f]).astype(np.float32)
    large = cv2.remap(level, places[0], places[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    shot: np.ndarray = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    return shot
