"""Weights that lie in a wheel: a real wheel, built here, from a real index on 127.0.0.1 that can misbehave."""

import hashlib
import io
import os
import pickle
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from svd_studio.core.engine import Member, WeightSet, Wheel
from svd_studio.core.errors import StudioError
from svd_studio.engines.catalog import EXTRAS
from svd_studio.library.pickled_tensors import as_safetensors
from svd_studio.library.weights import WeightsLibrary
from tests.library.fake_checkpoint import nothing
from tests.library.fake_hub import FakeHub, fake_hub

NAME = "tiny-1.0-py3-none-any.whl"
TENSORS = {"module.weight": torch.arange(20_000.0).reshape(2, -1), "module.bias": torch.ones(3)}
PLAIN = bytes(range(256)) * 300


def pickled(tensors: object) -> bytes:
    stream = io.BytesIO()
    torch.save(tensors, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def build(folder: Path) -> WeightSet:
    """A wheel with weights in it, and code that must never be taken."""
    packed = {"tiny/flownet.pkl": pickled(TENSORS), "tiny/plain.bin": PLAIN, "tiny/__init__.py": b"raise SystemExit"}
    folder.mkdir()
    with zipfile.ZipFile(folder / NAME, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in packed.items():
            wheel.writestr(name, content)
    content = (folder / NAME).read_bytes()
    members = tuple(Member(name, sha256(packed[name])) for name in packed if not name.endswith(".py"))
    pinned = Wheel("tiny", "1.0", NAME, len(content), sha256(content), members)
    return WeightSet.from_wheel("tiny", pinned, "MIT", "https://example.org/licence")


@pytest.fixture
def weights(tmp_path: Path) -> WeightSet:
    return build(tmp_path / "there")


@pytest.fixture
def index(weights: WeightSet, tmp_path: Path) -> Iterator[FakeHub]:
    with fake_hub(tmp_path / "there") as index:
        yield index


@pytest.fixture
def library(index: FakeHub, tmp_path: Path) -> WeightsLibrary:
    folder, token = tmp_path / "models", "hf_never_for_an_index"
    return WeightsLibrary(folder, token=token, index=f"{index.url}/simple", stall_s=2.0, pause_s=0.02)


def refused(library: WeightsLibrary, weights: WeightSet) -> StudioError:
    with pytest.raises(StudioError) as caught:
        library.get(weights, nothing)
    assert library.installed(weights) is None
    return caught.value


def test_only_the_named_files_are_kept_and_a_pickle_becomes_safetensors(
    library: WeightsLibrary, index: FakeHub, weights: WeightSet
) -> None:
    heard: list[tuple[int, int, str]] = []
    folder = library.get(weights, lambda *news: heard.append(news))
    kept = {path.name for path in folder.iterdir()}
    assert kept == {"flownet.safetensors", "plain.bin", "installed.json"} == {*weights.files, "installed.json"}
    assert (folder / "plain.bin").read_bytes() == PLAIN
    loaded = load_file(folder / "flownet.safetensors")
    assert loaded.keys() == TENSORS.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in TENSORS.items())
    assert heard[-1][0] == heard[-1][1] == weights.wheel.size  # type: ignore[union-attr]  # it has one
    assert library.check(weights) == []
    assert {request.token for request in index.requests} == {None}


def test_a_wheel_that_is_another_is_refused_and_deleted(
    library: WeightsLibrary, index: FakeHub, weights: WeightSet
) -> None:
    index.faults = {NAME: "corrupt"}
    assert refused(library, weights).message.code == "weights.corrupt"
    assert not list(library.folder_for(weights).iterdir())


def test_a_cut_connection_goes_on_where_it_stopped(library: WeightsLibrary, index: FakeHub, weights: WeightSet) -> None:
    index.faults = {NAME: ["half"]}
    library.get(weights, nothing)
    assert [request.start > 0 for request in index.asked_for(NAME)] == [False, True]


@pytest.mark.parametrize(
    ("members", "problem"),
    [((Member("tiny/not_there.bin", "0" * 64),), "gone"), ((Member("tiny/plain.bin", "0" * 64),), "another hash")],
)
def test_a_member_that_is_missing_or_another_is_refused(
    library: WeightsLibrary, weights: WeightSet, members: tuple[Member, ...], problem: str
) -> None:
    assert weights.wheel is not None
    odd = replace(weights, wheel=replace(weights.wheel, members=members))
    assert refused(library, odd).message.code == "weights.odd_wheel", problem
    assert not list(library.folder_for(weights).glob("*.part"))


@pytest.mark.parametrize(
    ("faults", "code"),
    [({"index": "404"}, "not_found"), ({"index": "html"}, "nonsense"), ({"index": ["503"] * 9}, "overloaded")],
)
def test_an_index_that_misbehaves_ends_in_words(
    library: WeightsLibrary, index: FakeHub, weights: WeightSet, faults: dict[str, str], code: str
) -> None:
    index.faults = dict(faults)
    message = refused(library, weights).message
    assert message.code == f"weights.{code}"
    assert message.values.get("setting", "PIP_INDEX_URL") == "PIP_INDEX_URL"


def test_an_index_without_the_wheel_and_an_address_that_is_none_end_in_words(
    library: WeightsLibrary, index: FakeHub, weights: WeightSet
) -> None:
    (index.folder / NAME).rename(index.folder / "tiny-2.0-py3-none-any.whl")
    assert refused(library, weights).message.code == "weights.lacks_file"
    assert refused(replace(library, index="file:///opt"), weights).message.code == "weights.bad_index"


def test_staying_offline_asks_nobody(library: WeightsLibrary, index: FakeHub, weights: WeightSet) -> None:
    assert refused(replace(library, is_offline=lambda: True), weights).message.code == "weights.switched_off"
    assert not index.requests


def test_a_wheel_that_somebody_already_has_is_used(library: WeightsLibrary, index: FakeHub, weights: WeightSet) -> None:
    library.use(weights, index.folder)
    assert library.installed(weights)
    assert (index.folder / NAME).is_file()
    assert library.remove(weights) > 0
    (index.folder / NAME).write_bytes(b"0" * (index.folder / NAME).stat().st_size)
    for given in (index.folder, index.folder / NAME, index.folder / "nowhere"):
        with pytest.raises(StudioError, match="no_such_wheel"):
            library.use(weights, given)
    assert not index.requests


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: pickle.dumps(print), id="a function"),
        pytest.param(lambda: pickled(TENSORS)[:5000], id="torn"),
        pytest.param(lambda: pickled({"weight": torch.ones(2, dtype=torch.int64)}), id="other numbers"),
        pytest.param(lambda: pickled([print]), id="code in a checkpoint"),
        pytest.param(lambda: b"", id="nothing"),
    ],
)
def test_no_pickle_but_plain_tensors_is_read(content: Callable[[], bytes], tmp_path: Path) -> None:
    (tmp_path / "odd.pkl").write_bytes(content())
    with pytest.raises(StudioError, match="torn_file"):
        as_safetensors(tmp_path / "odd.pkl")


class Harm:
    """What a hostile pickle does when it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_no_pickle_runs_code(tmp_path: Path) -> None:
    (tmp_path / "odd.pkl").write_bytes(pickle.dumps(Harm(tmp_path / "harm")))
    with pytest.raises(StudioError, match="torn_file"):
        as_safetensors(tmp_path / "odd.pkl")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("weights", EXTRAS.values(), ids=lambda weights: weights.name)
def test_every_wheel_of_the_catalog_is_pinned(weights: WeightSet) -> None:
    if wheel := weights.wheel:
        assert len({member.kept_as for member in wheel.members}) == len(wheel.members)
        assert all(len(hash_) == 64 for hash_ in (wheel.sha256, *(member.sha256 for member in wheel.members)))
        assert f"-{wheel.version}-" in wheel.file
