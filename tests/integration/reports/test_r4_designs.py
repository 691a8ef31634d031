"""A malformed design ends with one sentence; labels that look the same are equal."""

import re
from pathlib import Path

import pytest
from support.cli import Done, plan

GRID = "name: mine\nkind: grid\n"
LIST = "name: mine\nkind: list\n"


def plan_design(text: str, folder: Path, header: str = "# @package hydra.sweeper.design\n") -> Done:
    (folder / "sweeps").mkdir()
    (folder / "sweeps" / "mine.yaml").write_text(header + text)
    return plan(f"--config-dir={folder}", "-m", "sweeps=mine", "dry_run=true", cwd=folder)


DESIGNS = {
    "tab": ("name: a\n\tkind: grid\n", r"sweeps/mine, line 3, column 1: .*correct the YAML"),
    "bracket": (f"{GRID}knobs: {{lr: [1e-3}}\n", r"line 4, column 18: expected ',' or ']'"),
    "key twice": (f"{GRID}knobs:\n  lr: [1]\n  lr: [2]\n", "line 6, column 3: key lr stands twice"),
    "label twice": (f"{LIST}steps: [{{label: a, label: b, overrides: []}}]", "key label stands"),
    "list": ("- a\n- b\n", "sweeps/mine is not a mapping of keys to values"),
    "number as key": (f"{GRID}knobs: {{3: [1]}}", "has the key 3, which is not text: quote it"),
    "null key": (f"{GRID}knobs: {{null: [1]}}", "mine has a key that is not text: quote it"),
    "no value": (
        f"{LIST}steps: [{{label: a, overrides: [lr]}}]",
        "lr is not an override: type KEY=VALUE",
    ),
    "spaces": (
        f"{LIST}steps: [{{label: a, overrides: ['lr = 1']}}]",
        "'lr = 1' has a space in its key: type lr=1",
    ),
    "knob twice": (
        f"{LIST}steps: [{{label: a, overrides: [lr=1, lr=2]}}]",
        "lr is given twice, lr=1 and lr=2: keep one",
    ),
    "knob twice, one added": (
        f"{LIST}steps: [{{label: a, overrides: [lr=1, +lr=2]}}]",
        r"lr is given twice, lr=1 and \+lr=2: keep one",
    ),
    "unseen character": (
        f'{LIST}steps: [{{label: a, overrides: []}}, {{label: "a\\u200b", overrides: [lr=1]}}]',
        "'a.u200b' has an invisible character",
    ),
    "driver in a step": (
        f"{LIST}steps: [{{label: a, overrides: [machine.runs=x]}}]",
        "machine.runs.*on the command line",
    ),
    "driver as knob": (f"{GRID}knobs: {{seeds: [3]}}", "seeds.*on the command line"),
    "both": (f"{GRID}knobs: {{lr: [1]}}\nsteps: [{{label: a, overrides: []}}]", "be ignored"),
    "when": (f"{GRID}knobs: {{lr: [1]}}\nwhen: [lr]", r"when is \['lr'\]: write a mapping"),
    "empty level": (f"{GRID}knobs: {{lr: [null, 1]}}", "knob lr has no level"),
    "resolution": (f"{GRID}knobs: {{lr: [1]}}\nresolution: [3]", "is not a whole number"),
    "samples": (f"{GRID}knobs: {{lr: [1]}}\nsamples: true", "samples=True is not a whole"),
    "seeds": (f"{GRID}knobs: {{lr: [1]}}\nseeds: [true, false]", "neither a number of replicates"),
    "bool label": (f"{LIST}steps: [{{label: on, overrides: []}}]", "YAML reads the label as true"),
    "line break": (f'{LIST}steps: [{{label: "a\\nb", overrides: []}}]', "control character"),
    "escape": (f'{LIST}steps: [{{label: "\\e[31m", overrides: []}}]', "control character"),
    "number as name": ("name: 3\nkind: grid\nknobs: {lr: [1]}", "name 3 is not text: quote it"),
    "spaces around": (
        f"{LIST}steps: [{{label: 'a ', overrides: [lr=1]}}, {{label: a, overrides: [lr=2]}}]",
        "2 steps are called 'a'",
    ),
    "composed": (
        f'{LIST}steps: [{{label: "\\xe9", overrides: []}}, {{label: "e\\u0301", overrides: []}}]',
        "2 steps are called 'é'",
    ),
}


@pytest.mark.parametrize("case", DESIGNS)
def test_malformed_design_is_one_sentence(case: str, tmp_path: Path) -> None:
    text, sentence = DESIGNS[case]
    done = plan_design(text, tmp_path)
    assert done.code == 2, done.out
    assert re.search(sentence, done.err), done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "header", ["", "# @packages hydra.sweeper.design\n", "# @package hydra.sweeper\n"]
)
def test_design_without_its_first_line_is_refused_by_name(header: str, tmp_path: Path) -> None:
    done = plan_design(f"{GRID}knobs: {{lr: [1e-3]}}", tmp_path, header)
    assert done.code == 2
    assert "needs `# @package hydra.sweeper.design` as its first line" in done.err
    assert done.err.count("\n") == 1


def test_labels_of_any_script_are_shown(tmp_path: Path) -> None:
    labels = ["学习率", "Lr", "lr", "3.5", "2026-11-26", "<b>&", "a/b"]
    steps = ", ".join(f"{{label: '{x}', overrides: [lr={n + 1}]}}" for n, x in enumerate(labels))
    done = plan_design(f"{LIST}steps: [{steps}]", tmp_path)
    assert done.code == 0, done.err
    assert re.findall(r"^(\S+) +1 +0 +1 ", done.out, re.MULTILINE) == labels


def test_option_of_the_driver_in_the_base_is_used(tmp_path: Path) -> None:
    done = plan_design(f"{GRID}base: [seeds=3, machine.runs=x]\nknobs: {{lr: [1]}}", tmp_path)
    assert done.code == 0, done.err
    assert "3 trials: 0 done, 3 to do" in done.out
