"""Arguments are divided into options and overrides, and all mistakes are reported together."""

import pytest

from clip_hparam.cli.hydra_app.grammar.command_line import prepare_arguments


@pytest.mark.parametrize(
    ("argv", "arguments"),
    [
        (["lr=1,2", "-m", "epochs=2"], ["-m", "lr=1,2", "epochs=2"]),
        (["lr=1", "--config-dir", "d", "epochs=2"], ["--config-dir", "d", "lr=1", "epochs=2"]),
        (["lr=1", "--config-dir=d"], ["--config-dir=d", "lr=1"]),
        (["--cfg", "job", "lr=1"], ["--cfg", "job", "lr=1"]),
        (["-m", "++lr=1,2"], ["-m", "lr=1,2"]),
        (["data.root=2024"], ['data.root="2024"']),
        (["--hydra-help", "x"], ["--hydra-help", "x"]),
    ],
)
def test_options_come_first_and_words_are_readable(argv: list[str], arguments: list[str]) -> None:
    assert prepare_arguments(argv) == arguments


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--lr", "1e-3"], "--lr is not an option: overrides have no dashes, type lr=1e-3"),
        (["--lr=1e-3"], "type lr=1e-3"),
        (["-lr", "1e-3"], "type lr=1e-3"),
        (["--batch-size", "32"], "type batch_size=32"),
        (["--learning-rate=1e-3"], "type lr=1e-3"),
        (["--qqqq"], "--qqqq is not an option of sweep.py: choose from"),
        (["lr", "1e-3"], "lr is not an override: type lr=1e-3"),
        (["lr", "=", "1e-3"], "lr is not an override: type lr=1e-3"),
        (["lr=", "1e-3"], "type lr=1e-3"),
        (["lr:", "1e-3"], "type lr=1e-3"),
        (["-m", "lr=1e-3,", "3e-3"], "a space between levels: type lr=1e-3,3e-3"),
        (["data.root=/d/my", "photos"], "two words: type 'data.root=\"/d/my photos\"'"),
        (["ladder"], "ladder is not an override: type KEY=VALUE"),
        (
            ["hydra.sweeper.sampler=name:tpe", "hydra.sweeper.sampler=seed:3"],
            "type 'hydra.sweeper.sampler={name:tpe,seed:3}'",
        ),
        (["lr=1e-3,3e-3"], "gives several values: add -m to sweep over them"),
        (["data.root=/d/a,b"], "or type 'data.root=\"/d/a,b\"' for one text"),
        (["data.root=null"], "leave data.root out, or type 'data.root=\"null\"'"),
    ],
)
def test_message_about_a_mistake_has_the_words_to_type(argv: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        prepare_arguments(argv)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        prepare_arguments(
            ["-m", "lr=0,1e-3", "epochs=2.5", "learning_rate=1", "l\u00e9=2", "pool=xyz"]
        )
    lines = str(refusal.value).splitlines()
    assert len(lines) == 5
    for word in ("lr=0", "epochs=2.5", "learning_rate", "l\u00e9=2", "pool=xyz"):
        assert any(word in line for line in lines)


def test_settings_without_effect_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    prepare_arguments(
        ["hydra.sweep.dir=x", "hydra.job.name=x", "hydra.verbose=true", "lr=1", "lr=2"]
    )
    err = capsys.readouterr().err
    for text in ("hydra.sweep.dir=x has no effect", "hydra.job.name=x", "hydra.verbose=true"):
        assert text in err
    assert "lr is given 2 times: lr=2 holds" in err
