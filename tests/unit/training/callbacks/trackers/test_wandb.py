"""Where wandb runs go without the package: offline unless there is a login."""

from pathlib import Path

import pytest

from clip_hparam.training.callbacks.trackers.wandb import WandbTracker

LOGIN = "machine api.wandb.ai login user password secret\n"


@pytest.mark.parametrize(
    ("environment", "login", "is_offline"),
    [
        ({}, "", True),
        ({"WANDB_API_KEY": "k"}, "", False),
        ({}, LOGIN, False),
        ({"WANDB_MODE": "offline", "WANDB_API_KEY": "k"}, LOGIN, True),
        ({"WANDB_BASE_URL": "https://own.example"}, LOGIN, True),
    ],
)
def test_run_is_offline_without_a_login(
    environment: dict[str, str],
    login: str,
    is_offline: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "netrc").write_text(login)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    place = WandbTracker.destination(tmp_path)
    assert place == (str(tmp_path) if is_offline else "https://api.wandb.ai, project clip-hparam")
