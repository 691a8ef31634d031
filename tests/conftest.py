"""Fixtures for all tests: a real Slurm (support.slurm_cluster), synthetic records, xdist order."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest
from support.slurm_cluster import Cluster, cluster
from support.slurm_detached_sweep import DetachedSweep, submit_detached
from support.slurm_disturbed_sweep import DisturbedSweep, run_disturbed
from support.trial_factory import Ladder, Runs, write_ladder
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

SHARED_FIXTURES = {
    "slurm": re.compile(r"^from support\.slurm_", re.MULTILINE),
    "finished sweep": re.compile(r"\b(finished_sweep|sweep_copy)\b"),
}
"""Expensive session fixtures, and a pattern that is in each test file that uses one."""
LONGEST_FIRST = ("integration/test_demo.py", "integration/sweep/campaigns/test_campaign.py")


@pytest.fixture(scope="session")
def written_ladder(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """Write 34 of 35 trials of a ladder, for tests to copy."""
    runs = Runs(tmp_path_factory.mktemp("written") / "runs")
    return Ladder(runs, write_ladder(runs, skip=(("ema", 4),)))


@pytest.fixture
def ladder(written_ladder: Ladder, tmp_path: Path) -> Ladder:
    """Copy `written_ladder` to tmp_path/runs."""
    shutil.copytree(written_ladder.runs.folder, tmp_path / "runs")
    return Ladder(Runs(tmp_path / "runs"), written_ladder.truth)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Let torch use one thread, as trials of the tiny CLIP do."""
    import torch  # lazy: 2 s, which most tests do not need

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def scope_of(file: str) -> str:
    """Return the scope of a test file: the session fixture that it shares, or the file itself."""
    text = (Path(__file__).parents[1] / file).read_text()
    shared = (name for name, pattern in SHARED_FIXTURES.items() if pattern.search(text))
    return next(shared, file)


class ScopeScheduling(LoadScopeScheduling):
    """Distribution of tests over xdist workers: all files of one scope go to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ScopeScheduling:
    config.option.loadscopereorder = False  # else files with many tests would come first
    return ScopeScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest scopes first, so that no worker starts one of them at the end."""

    def order(item: pytest.Item) -> int:
        file = item.nodeid.partition("::")[0]
        return 0 if scope_of(file) == "slurm" else 1 if file.endswith(LONGEST_FIRST) else 2

    items.sort(key=order)


Clusters = Callable[[bool], Cluster]


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """Yield a function that starts a Slurm at its first call, with or without accounting."""
    with ExitStack() as stack:

        @cache
        def up(accounting: bool) -> Cluster:
            return stack.enter_context(cluster(tmp_path_factory.mktemp("slurm"), accounting))

        yield up


@pytest.fixture(scope="session", params=[False, True], ids=["no accounting", "accounting"])
def accounting(request: pytest.FixtureRequest) -> bool:
    """Run a test on both kinds of Slurm."""
    return bool(request.param)


@pytest.fixture
def slurm(clusters: Clusters, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Yield an idle Slurm without accounting, which the commands of the test reach."""
    with selected(clusters(False), monkeypatch):
        yield clusters(False)


@pytest.fixture
def accounted(clusters: Clusters, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Yield an idle Slurm with accounting, which the commands of the test reach."""
    with selected(clusters(True), monkeypatch):
        yield clusters(True)


@pytest.fixture
def either(
    clusters: Clusters, accounting: bool, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """Yield an idle Slurm of each kind in turn."""
    with selected(clusters(accounting), monkeypatch):
        yield clusters(accounting)


@contextmanager
def selected(slurm: Cluster, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point Slurm's commands to this cluster; end the jobs of tests before and after the block."""
    patch.setenv("SLURM_CONF", slurm.conf)
    slurm.make_idle()
    yield
    slurm.make_idle()


@pytest.fixture(scope="session")
def disturbed(
    clusters: Clusters, accounting: bool, tmp_path_factory: pytest.TempPathFactory
) -> DisturbedSweep:
    names = ("disturbed", "moved", "undisturbed")
    with pytest.MonkeyPatch.context() as patch, selected(clusters(accounting), patch):
        return run_disturbed(clusters(accounting), *map(tmp_path_factory.mktemp, names))


@pytest.fixture(scope="session")
def detached(
    clusters: Clusters, accounting: bool, tmp_path_factory: pytest.TempPathFactory
) -> DetachedSweep:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", clusters(accounting).conf)
        return submit_detached(clusters(accounting), tmp_path_factory.mktemp("detached"))
