"""Fixtures: a real Slurm (support.slurm_cluster), synthetic records (support.trial_factory)."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest
from support.slurm_cluster import Cluster, cluster
from support.slurm_detached_sweep import LeftAlone, leave_alone
from support.slurm_disturbed_sweep import Disturbed, disturb
from support.trial_factory import Ladder, Runs, write_ladder
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


@pytest.fixture(scope="session")
def written_ladder(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """34 of 35 trials of a ladder, to copy."""
    runs = Runs(tmp_path_factory.mktemp("written") / "runs")
    return Ladder(runs, write_ladder(runs, skip=(("ema", 4),)))


@pytest.fixture
def ladder(written_ladder: Ladder, tmp_path: Path) -> Ladder:
    """The same in `runs` of a folder of its own."""
    shutil.copytree(written_ladder.runs.folder, tmp_path / "runs")
    return Ladder(Runs(tmp_path / "runs"), written_ladder.truth)


@cache
def on_slurm(file: str) -> bool:
    """Whether tests of this file, as pytest names it, wait for a scheduler most of their time."""
    return "from support.slurm_" in (Path(__file__).parents[1] / file).read_text()


class Apart(LoadScopeScheduling):
    """For several workers (make test): what shares a Slurm goes to one, as does each other file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "cluster" if on_slurm(file) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Apart:
    config.option.loadscopereorder = False  # else files with many tests would come first
    return Apart(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first."""
    items.sort(key=lambda item: not on_slurm(item.nodeid.partition("::")[0]))


Clusters = Callable[[bool], Cluster]


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """Brings up a Slurm on first call: without accounting, as many labs have it, or with it."""
    with ExitStack() as stack:

        @cache
        def up(accounting: bool) -> Cluster:
            return stack.enter_context(cluster(tmp_path_factory.mktemp("slurm"), accounting))

        yield up


@pytest.fixture(scope="session", params=[False, True], ids=["no accounting", "accounting"])
def accounting(request: pytest.FixtureRequest) -> bool:
    """For what is to hold on both kinds of Slurm."""
    return bool(request.param)


@pytest.fixture
def slurm(clusters: Clusters, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A Slurm without accounting, empty, and the one that commands of this test reach."""
    with emptied(clusters(False), monkeypatch):
        yield clusters(False)


@pytest.fixture
def accounted(clusters: Clusters, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The same, with accounting."""
    with emptied(clusters(True), monkeypatch):
        yield clusters(True)


@pytest.fixture
def either(
    clusters: Clusters, accounting: bool, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """The same, one after the other."""
    with emptied(clusters(accounting), monkeypatch):
        yield clusters(accounting)


@contextmanager
def emptied(one: Cluster, patch: pytest.MonkeyPatch) -> Iterator[None]:
    patch.setenv("SLURM_CONF", one.conf)
    one.ready()
    yield
    one.ready()


@pytest.fixture(scope="session")
def disturbed(
    clusters: Clusters, accounting: bool, tmp_path_factory: pytest.TempPathFactory
) -> Disturbed:
    names = ("disturbed", "moved", "peace")
    with pytest.MonkeyPatch.context() as patch, emptied(clusters(accounting), patch):
        return disturb(clusters(accounting), *map(tmp_path_factory.mktemp, names))


@pytest.fixture(scope="session")
def left_alone(
    clusters: Clusters, accounting: bool, tmp_path_factory: pytest.TempPathFactory
) -> LeftAlone:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", clusters(accounting).conf)
        return leave_alone(clusters(accounting), tmp_path_factory.mktemp("left_alone"))
