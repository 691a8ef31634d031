"""wise-ft, soup and temperature on the command line: what they write, and a user's mistakes."""

import json
from collections.abc import Callable

import pytest

from clip_hparam.cli import main
from clip_hparam.records.derived import read_derived
from clip_hparam.records.record import Record

Kept = dict[str, Record]
Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(kept: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Return a function that runs `clip-hparam` and returns exit code, stdout and stderr.

    A word @NAME stands for the id of a trial.
    """
    runs = str(kept["words"].folder.parent)

    def asked(*words: str) -> tuple[int, str, str]:
        named = [kept[word[1:]].trial_id if word[0] == "@" else word for word in words]
        monkeypatch.setattr("sys.argv", ["clip-hparam", *named, "--runs", runs])
        code = main.main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return asked


def test_results_are_written_with_their_provenance(kept: Kept, ask: Ask) -> None:
    code, out, _ = ask("soup", "@words", "@words_lora", "--rule", "uniform", "--json")
    (tree,) = json.loads(out)
    assert code == 0
    runs = kept["words"].folder.parent
    (soup,) = (one for one in read_derived(runs) if one.derived_id == tree["derived_id"])
    assert soup.metrics == tree["metrics"]
    written = json.loads((runs / ".derived" / soup.derived_id / "result.json").read_text())
    assert {parent["trial_id"] for parent in written["parents"]} == {
        kept["words"].trial_id,
        kept["words_lora"].trial_id,
    }
    assert all(len(parent["sha256"]) == 64 for parent in written["parents"])
    assert written["versions"]["torch"]


def test_a_line_names_trial_parameters_and_numbers(kept: Kept, ask: Ask) -> None:
    code, out, _ = ask("wise-ft", "@probe", "--alphas", "0,1")
    first, second = out.splitlines()
    assert code == 0
    assert first.startswith(f"wise_ft {kept['probe'].trial_id} alpha=0.0")
    assert "alpha=1.0" in second
    assert "test_acc1 " in second
    code, out, _ = ask("temperature", "@random")
    assert code == 0
    assert " temperature=" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("soup", "@words", "@probe"), "different architectures is not a model (pool="),
        (("soup", "@probe", "@random"), "different first weights is not a model (head_init="),
        (("soup", "@without"), "has kept no weights: run it again with keep_checkpoints=best"),
        (("wise-ft", "@random"), "started from a random head"),
        (("wise-ft", "@probe", "--alphas", "0,2"), "--alphas: 2 is not in [0, 1]: try"),
        (("wise-ft", "@probe", "--alphas", "half"), "--alphas half is not a list of numbers: try"),
        (("temperature", "nothere"), "no trial is called nothere"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    words: tuple[str, ...], message: str, ask: Ask
) -> None:
    code, out, err = ask(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
