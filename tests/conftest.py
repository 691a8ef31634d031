"""A real Slurm (slurm/cluster.py) and synthetic records (synthetic.py) for those who need them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm.cluster import Cluster, cluster
from slurm.disturbed import Disturbed, disturb
from slurm.left_alone import LeftAlone, leave_alone
from synthetic import Ladder, Runs, write_ladder
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


CLUSTER = ("faults", "slurm")  # folders of tests that wait for a scheduler most of their time


class Apart(LoadScopeScheduling):
    """For two workers (make test): all that share a Slurm go to one, as does each other file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "cluster" if Path(file).parent.name in CLUSTER else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Apart:
    config.option.loadscopereorder = False  # else files with many tests would come first
    return Apart(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first."""
    items.sort(key=lambda item: item.path.parent.name not in CLUSTER)


@pytest.fixture(scope="session")
def plain_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Without accounting, as many labs have it: sacct answers nothing."""
    with cluster(tmp_path_factory.mktemp("slurm"), accounting=False) as one:
        yield one


@pytest.fixture(scope="session")
def accounting_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("accounting"), accounting=True) as one:
        yield one


@pytest.fixture
def slurm(plain_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The plain cluster, empty, and the one that commands of this test reach."""
    monkeypatch.setenv("SLURM_CONF", plain_cluster.conf)
    plain_cluster.ready()
    yield plain_cluster
    plain_cluster.ready()


@pytest.fixture
def accounted(accounting_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The same, with accounting."""
    monkeypatch.setenv("SLURM_CONF", accounting_cluster.conf)
    accounting_cluster.ready()
    yield accounting_cluster
    accounting_cluster.ready()


@pytest.fixture(scope="session")
def disturbed(
    plain_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Disturbed]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", plain_cluster.conf)
        plain_cluster.ready()
        names = ("disturbed", "moved", "peace")
        yield disturb(plain_cluster, *(tmp_path_factory.mktemp(name) for name in names))


@pytest.fixture(scope="session")
def left_alone(
    plain_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LeftAlone]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", plain_cluster.conf)
        yield leave_alone(plain_cluster, tmp_path_factory.mktemp("left_alone"))
