"""The dashboard: it serves the page on loopback, and a newer page once records have changed."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from support.report_data import report_column, report_data
from support.trial_factory import Runs

from clip_hparam.analysis.report import live_page
from clip_hparam.analysis.report.live_page import LivePage
from clip_hparam.cli.analysis_app.analysis import main
from clip_hparam.cli.analysis_app.dashboard import DashboardServer


@pytest.fixture
def server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[DashboardServer, Runs]]:
    """Serve an empty runs folder on a free port; each request looks for changes."""
    monkeypatch.setattr(live_page, "MIN_SECONDS", 0.0)
    monkeypatch.setattr(live_page, "COST_FACTOR", 0.0)
    folder = tmp_path / "runs"
    with DashboardServer(LivePage([folder], lambda frames: {}), 0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        folder.mkdir()
        yield server, Runs(folder)
        server.shutdown()
        thread.join()


def get(server: DashboardServer, path: str = "", **headers: str) -> str:
    with urlopen(Request(server.url + path, headers=headers)) as answer:
        text: str = answer.read().decode()
        return text


def status_of(server: DashboardServer, path: str, **headers: str) -> int:
    with pytest.raises(HTTPError) as caught:
        get(server, path, **headers)
    caught.value.close()
    return caught.value.code


def test_page_follows_the_records(server: tuple[DashboardServer, Runs]) -> None:
    live, runs = server
    empty = get(live)
    assert report_data(empty)["trials"]["n"] == 0
    assert 'data-live="1"' in empty
    first = get(live, "version")
    record = runs.done({"lr": 2e-3}, 0, 97.0)
    assert get(live, "version") != first
    assert report_column(get(live), "trial_id") == [record.trial_id]
    second = get(live, "version")
    assert get(live, "version") == second


def test_other_paths_and_other_hosts_are_refused(server: tuple[DashboardServer, Runs]) -> None:
    live, _ = server
    assert live.server_address[0] == "127.0.0.1"
    assert status_of(live, "etc/passwd") == 404
    assert status_of(live, "", Host="evil.example") == 403


def test_a_page_is_not_built_again_at_once(tmp_path: Path) -> None:
    page = LivePage([tmp_path], lambda frames: {})
    page.refresh()
    version = page.version
    Runs(tmp_path).done({}, 0, 97.0)
    page.refresh()
    assert page.version == version


def test_a_port_in_use_or_out_of_range_is_one_sentence(
    server: tuple[DashboardServer, Runs], capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(server[0].server_address[1])
    assert main(["dashboard", "--runs", str(server[1].folder), "--port", port]) == 2
    assert f"port {port} is not free: type --port 0" in capsys.readouterr().err
    assert main(["dashboard", "--port", "99999"]) == 2
    assert "99999 is not a port" in capsys.readouterr().err
