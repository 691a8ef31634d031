"""Event files of TensorBoard: scalars, hyper-parameters, and damage."""

from pathlib import Path

import pytest
from support.event_files import scalar, session, write_events

from clip_hparam.analysis.frames.importing.readers.event_file import masked_crc, read_events
from clip_hparam.analysis.frames.importing.readers.tensorboard_folder import read_event_files


def test_the_checksum_is_that_of_the_specification() -> None:
    """The CRC-32C of "123456789" is E3069283; the mask is TensorFlow's rotation and constant."""
    crc = 0xE3069283
    assert masked_crc(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.parametrize("kind", ["simple", "float", "double"])
def test_the_last_step_of_a_scalar_counts(tmp_path: Path, kind: str) -> None:
    values = [scalar("acc", value, step, kind) for step, value in ((1, 0.5), (3, 0.75), (2, 0.25))]
    assert read_events([write_events(tmp_path, values)]).scalars == {"acc": (3, 0.75)}


def test_hyper_parameters_keep_their_types(tmp_path: Path) -> None:
    hparams = {"lr": 0.1, "batch": 64, "aug": "None", "ema": True}
    events = read_events([write_events(tmp_path, session(hparams))])
    assert (events.hparams, events.status) == (hparams, "SUCCESS")


def test_a_run_per_folder_and_states_are_read(tmp_path: Path) -> None:
    for name, lr, status in (("a", 0.1, 1), ("b/c", 0.2, 2), ("d", 0.2, None)):
        write_events(tmp_path / name, [*session({"lr": lr}, status), scalar("acc", 0.5, 1)])
    write_events(tmp_path / "plain", [scalar("acc", 0.9, 1)])
    source = read_event_files(tmp_path)
    assert list(source.rows["run"]) == ["a", "b/c", "d"]
    assert list(source.rows["session status"]) == ["SUCCESS", "FAILURE", "RUNNING"]
    assert (source.roles.knobs, source.roles.metrics) == (("lr",), ("acc",))
    assert source.notes == ("1 runs without hyper-parameters are not read",)


def test_the_end_of_a_killed_run_is_left_out_and_damage_is_refused(tmp_path: Path) -> None:
    file = write_events(tmp_path, [scalar("acc", 0.5, 1), scalar("acc", 0.75, 2)])
    content = file.read_bytes()
    file.write_bytes(content[:-7])
    assert read_events([file]).scalars == {"acc": (1, 0.5)}
    file.write_bytes(content[:-7] + bytes([content[-7] ^ 1]) + content[-6:])
    with pytest.raises(ValueError, match="is damaged at byte"):
        read_events([file])
    file.write_bytes(b"no event file at all")
    with pytest.raises(ValueError, match="or not an event file"):
        read_events([file])


def test_a_scalar_called_like_a_hyper_parameter_does_not_replace_it(tmp_path: Path) -> None:
    """Trackers log the learning rate of each step beside the hyper-parameter `lr`."""
    for name, lr in (("a", 0.1), ("b", 0.2)):
        events = [*session({"lr": lr, "run": "x"}), scalar("lr", 1e-6, 9), scalar("acc", lr, 9)]
        write_events(tmp_path / name, events)
    source = read_event_files(tmp_path)
    assert list(source.rows["lr"]) == ["0.1", "0.2"]
    assert list(source.rows["run"]) == ["a", "b"]
    assert list(source.rows["config.run"]) == ["x", "x"]
    assert (source.roles.knobs, source.roles.metrics) == (("lr",), ("result.lr", "acc"))
