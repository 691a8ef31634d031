"""References take the values of the same config; nothing else of the computer is read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.cli.hydra_app.grammar.references import (
    referenced_keys,
    refuse_resolvers,
    resolve_references,
)

TREE: dict[str, Any] = {
    "lr": 1e-3,
    "min_lr": 1e-6,
    "epochs": 20,
    "seed": 3,
    "ema_decay": "auto",
    "data": {"name": "digits", "root": "", "shots": 20},
    "machine": {"runs": "runs", "threads": 2},
}


def resolved(**values: Any) -> dict[str, Any]:
    return resolve_references({**TREE, **values})


@pytest.mark.parametrize(
    ("text", "value"),
    [("${lr}", 1e-3), ("${ lr }", 1e-3), ("${data.shots}", 20), ("${data[shots]}", 20)],
)
def test_a_reference_has_the_value_of_its_key(text: str, value: Any) -> None:
    assert resolved(min_lr=text)["min_lr"] == value


def test_references_are_followed_and_texts_are_filled_in() -> None:
    tree = resolved(min_lr="${lr}", lr="${machine.threads}")
    assert (tree["lr"], tree["min_lr"]) == (2, 2)
    data = {**TREE["data"], "root": "/d/${.name}_${seed}_${data.shots}"}
    assert resolved(data=data)["data"]["root"] == "/d/digits_3_20"
    runs = resolved(machine={"runs": "${seed}", "threads": 1})["machine"]["runs"]
    assert (runs, type(runs)) == ("3", str)


@given(st.text(st.sampled_from("ab/{}$ =,"), max_size=6))
def test_an_escaped_reference_stays_text(text: str) -> None:
    data = {**TREE["data"], "root": "\\${lr}" + text.replace("$", "")}
    assert resolved(data=data)["data"]["root"] == "${lr}" + text.replace("$", "")


def test_a_variable_of_the_program_becomes_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_HPARAM_N", "5")
    assert resolved(epochs="${oc.env:CLIP_HPARAM_N}")["epochs"] == 5
    assert resolved(epochs="${oc.env:CLIP_HPARAM_MISSING,7}")["epochs"] == 7


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"min_lr": "${lrr}"}, "refers to lrr, which is not a knob: did you mean lr?"),
        ({"min_lr": "${learning_rate}"}, "not a knob: did you mean lr?"),
        ({"min_lr": "${data}"}, "it is a group, try data.name"),
        ({"min_lr": "${min_lr}"}, "refers to itself"),
        ({"min_lr": "${lr}", "lr": "${min_lr}"}, "refers to itself"),
        ({"min_lr": "1${lr}"}, "stands alone where a number is needed"),
        ({"min_lr": "${lr}*0.1"}, "gives 0.001*0.1: a reference stands alone"),
        ({"min_lr": "${ema_decay}"}, "which is auto"),
        ({"min_lr": "${eps}", "eps": "${ema_decay}"}, "which is auto"),
        ({"min_lr": "${${data.name}}"}, "a reference inside a reference"),
        ({"min_lr": "${lr"}, "an incomplete reference"),
        ({"min_lr": "${oc.env:HOME}"}, "begins with CLIP_HPARAM_"),
        ({"min_lr": "${oc.env:${data.name}}"}, "begins with CLIP_HPARAM_"),
        ({"min_lr": "${oc.env:CLIP_HPARAM_X,${oc.env:HOME}}"}, "begins with CLIP_HPARAM_"),
        ({"min_lr": "${oc.env:CLIP_HPARAM_MISSING}"}, "'CLIP_HPARAM_MISSING' not found"),
        ({"min_lr": "${oc.decode:${oc.env:HOME}}"}, "begins with CLIP_HPARAM_"),
        ({"min_lr": "${oc.select:lr}"}, "begins with CLIP_HPARAM_"),
        ({"min_lr": "${hydra:runtime.cwd}"}, "asks for ${hydra:...}"),
        ({"min_lr": "${now:%Y}"}, "asks for ${now:...}"),
    ],
)
def test_other_references_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        resolved(**values)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_chain_of_references_names_all_keys_that_it_depends_on() -> None:
    flat = {"a": "${b}", "b": "x${c}", "c": 1, "d": 2}
    assert referenced_keys("a", flat) == {"b", "c"}
    assert referenced_keys("c", {**flat, "c": "${d}"}) == {"d"}


def test_resolvers_are_refused_anywhere_in_a_tree() -> None:
    refuse_resolvers({"a": ["${b}", 1], "c": {"d": "${oc.env:CLIP_HPARAM_X}"}})
    refuse_resolvers({"storage": "postgresql://me:${oc.env:PGPASSWORD}@host/db"})
    with pytest.raises(ValueError, match="CLIP_HPARAM_"):
        refuse_resolvers({"a": [{"b": "${oc.env:HOME}"}]})
