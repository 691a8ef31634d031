"""--help, --version, knobs, sweeps, recipes, completion and demo, as users type them."""

import json
import subprocess
from pathlib import Path

import pytest
from support.cli import clip_hparam as ask
from support.in_process import call

from clip_hparam import __version__
from clip_hparam.cli import sweep_entry
from clip_hparam.cli.hydra_app.compose import compose_recipe


def test_help_shows_the_values_that_the_words_choose(tmp_path: Path) -> None:
    plain = ask("sweep", "--help", cwd=tmp_path)
    assert (plain.code, plain.err) == (0, "")
    assert f"\n  lr={compose_recipe([]).lr:g} " in plain.out
    assert "clip-hparam sweep -m sweeps=ladder" in plain.out
    assert "python sweep.py" not in plain.out
    chosen = call(sweep_entry.main, "sweep.py", "recipe=baseline", "lr=0.5", "-h", cwd=tmp_path)
    assert "\n  lr=0.5 " in chosen.out
    assert "python sweep.py -m sweeps=ladder" in chosen.out


def test_help_with_a_wrong_word_is_one_sentence(tmp_path: Path) -> None:
    done = call(sweep_entry.main, "sweep.py", "lrr=1", "--help", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (2, "", "unknown knob lrr: did you mean lr?\n")


def test_both_commands_print_their_version(tmp_path: Path) -> None:
    for done in (
        ask("--version", cwd=tmp_path),
        call(sweep_entry.main, "sweep.py", "--version", cwd=tmp_path),
    ):
        assert done.code == 0
        assert done.out.startswith(f"clip-hparam {__version__} (Python 3.")


def test_the_command_alone_prints_its_help_and_is_wrong_use(tmp_path: Path) -> None:
    done = ask(cwd=tmp_path)
    assert done.code == 2
    assert "  status " in done.err
    assert done.err.startswith("usage: clip-hparam COMMAND")
    assert ask("--help", cwd=tmp_path).out == done.err


def test_lists_are_also_json(tmp_path: Path) -> None:
    knobs = json.loads(ask("knobs", "--json", cwd=tmp_path).out)
    assert {"lr", "machine.runs", "seeds"} <= {knob["name"] for knob in knobs}
    lr = json.loads(ask("knobs", "lr", "--json", cwd=tmp_path).out)
    assert (lr["default"], lr["in_use"]) == (0.001, compose_recipe([]).lr)
    assert "lr_x_layer_decay" in lr["sweeps"]
    sweeps = json.loads(ask("sweeps", "--json", cwd=tmp_path).out)
    assert "ladder" in {sweep["name"] for sweep in sweeps}
    recipes = json.loads(ask("recipes", "--family", "l14", "--json", cwd=tmp_path).out)
    assert {recipe["family"] for recipe in recipes} == {"l14"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["knobs", "learning_rate"], "did you mean lr?"),
        (["knobs", "qqqq"], "a group is one of optimisation"),
        (["recipes", "--family", "b61"], "choose from tiny"),
    ],
)
def test_unknown_names_are_one_sentence(words: list[str], message: str, tmp_path: Path) -> None:
    done = ask(*words, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("clip-hparam sweep -m sweeps=lad", ["ladder"]),
        ("python sweep.py layer_d", ["layer_decay="]),
        ("python sweep.py pool=c", ["cls", "clip"]),
        ("clip-hparam fidel", ["fidelity"]),
        ("python other.py layer_d", []),
    ],
)
def test_bash_completes_both_commands(line: str, replies: list[str], tmp_path: Path) -> None:
    script = tmp_path / "completion.sh"
    script.write_text(ask("completion", "bash", cwd=tmp_path).out)
    words = line.split()
    entry = "_clip_hparam_entry" if words[0] == "clip-hparam" else "_clip_hparam_python"
    program = f"""
source {script}
COMP_WORDBREAKS=$' \\t\\n=' COMP_LINE={line!r} COMP_POINT={len(line)}
COMP_WORDS=({" ".join(words)}) COMP_CWORD={len(words) - 1}
{entry} {words[0]} {words[-1]} {words[-2]} 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split() == replies


def test_the_demo_plans_the_ladder(tmp_path: Path) -> None:
    done = ask("demo", "--dry-run", "--seeds", "2", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "14 trials: 0 done, 14 to do" in done.out
    assert ask("demo", "--seeds", "0", cwd=tmp_path).code == 2
    assert "21 trials" in ask("demo", "--dry-run", cwd=tmp_path).out
