"""The table of derived results: levels and paired differences of known numbers."""

import dataclasses

from support.trial_factory import Runs, numbers

from clip_hparam.analysis.tables.registry import default_tables, tables_of
from clip_hparam.records.derived import DerivedResult, Parent, write_derived

ACC = {0: 90.0, 1: 92.0, 2: 94.0}


def result(trial: str, acc1: float, alpha: float, selected: bool = False) -> DerivedResult:
    return DerivedResult(
        kind="wise_ft",
        parents=(Parent(f"sha of {trial}", trial, "best.safetensors"),),
        parameters={"alpha": alpha},
        metrics={
            "test_acc1.raw.selected": acc1,
            "test_loss.raw.selected": 0.5,
            "selection_acc1.raw.selected": 80.0,
        },
        selected_weights="raw",
        data_fingerprint="cd" * 32,
        facts={"selected": selected},
    )


def done(runs: Runs, acc1: float, seed: int = 0, **knobs: float) -> str:
    """Write a finished trial and return its id."""
    return runs.done({"epochs": 10, **knobs}, seed=seed, acc1=acc1).trial_id


def test_rows_are_means_over_seeds_with_paired_differences(runs: Runs) -> None:
    trials = {seed: done(runs, acc1, seed) for seed, acc1 in ACC.items()}
    runs.sweep("heads", {"words": {"epochs": 10}}, seeds=list(ACC))
    assert "derived" not in default_tables(runs.frames())
    for seed, trial in trials.items():
        better = ACC[seed] + 1.0 + 0.1 * seed
        write_derived(runs.folder, result(trial, better, 0.5, selected=seed < 2))
    assert "derived" in default_tables(runs.frames())
    (table,) = tables_of(runs.frames(), "derived")
    row = table.shown.set_index("parameters").loc["alpha=0.5"]
    assert row["test accuracy, %"].startswith("93.10 ± ")
    assert row["Δ"].startswith("+1.10 ± ")
    assert (row["seeds"], row["kind"], row["test loss"]) == ("3", "wise_ft", "0.500")
    chosen = table.shown.set_index("parameters").loc["alpha by selection set"]
    assert chosen["seeds"] == "2"
    assert set(table.shown["of"]) == {"heads/words"}
    assert table.data["trials"].isin(trials.values()).all()
    assert not [
        note for note in table.notes if note.startswith(("A row of one", "Out of", "Known"))
    ]


def test_two_curves_of_a_trial_select_one_alpha(runs: Runs) -> None:
    trial = done(runs, 90.0)
    for alpha, acc1, selection in ((0.2, 94.0, 85.0), (0.5, 96.0, 84.0), (0.6, 95.0, 85.0)):
        one = result(trial, acc1, alpha, selected=True)
        metrics = {**one.metrics, "selection_acc1.raw.selected": selection}
        write_derived(runs.folder, dataclasses.replace(one, metrics=metrics))
    (table,) = tables_of(runs.frames(), "derived")
    row = table.shown.set_index("parameters").loc["alpha by selection set"]
    assert (row["test accuracy, %"], row["seeds"]) == ("94.00", "1")
    assert row["results"] == result(trial, 0.0, 0.2).derived_id


def test_a_soup_is_compared_with_its_best_trial_on_the_selection_set(runs: Runs) -> None:
    low, high = done(runs, 90.0, lr=1e-3), done(runs, 95.0, lr=3e-3)
    one = result(high, 95.5, 0.0)
    soup = dataclasses.replace(
        one,
        kind="soup",
        parameters={"rule": "greedy", "of": 2},
        facts={"candidates": [low, high]},
    )
    write_derived(runs.folder, soup)
    (table,) = tables_of(runs.frames(), "derived")
    row = table.data[table.data["kind"] == "soup"].iloc[0]
    assert (row["trained_acc1"], row["seed"]) == (95.0, 0)
    assert row["trials"] == f"{low} {high}"
    shown = table.shown[table.shown["kind"] == "soup"].iloc[0]
    assert (shown["parameters"], shown["Δ"]) == ("rule=greedy", "+0.50")
    assert shown["results"] == soup.derived_id


def test_ema_and_raw_weights_of_the_trial_are_rows(runs: Runs) -> None:
    trial = done(runs, 90.0, ema_decay=0.9)
    write_derived(runs.folder, result(trial, 91.0, 0.5))
    (table,) = tables_of(runs.frames(), "derived")
    shown = table.shown.set_index("kind")
    assert shown.loc["trained, EMA", "test accuracy, %"] == "90.00"
    assert shown.loc["trained, raw weights", "test accuracy, %"] == "89.10"
    assert shown.loc["trained, raw weights", "Δ"] == "\N{MINUS SIGN}0.90"
    assert any(note.startswith("A row of one seed has no ±") for note in table.notes)


def test_columns_beyond_the_test_set_are_shown_where_a_result_has_them(runs: Runs) -> None:
    known = {"eval.glyphs.acc1.raw.selected": 30.0, "eval.glyphs.acc1.zero_shot": 70.0}
    metrics = {**numbers(90.0, False), "test_ece.raw.selected": 0.2, **known}
    sets = {"glyphs": {"fingerprint": "f", "zero_shot": True}}
    trial = runs.done({"epochs": 10}, 0, 90.0, metrics=metrics, eval_sets=sets).trial_id
    one = result(trial, 91.0, 0.5)
    better = {**one.metrics, **known, "eval.glyphs.acc1.raw.selected": 50.0}
    facts = {"eval_sets": sets}
    write_derived(runs.folder, dataclasses.replace(one, metrics=better, facts=facts))
    (table,) = tables_of(runs.frames(), "derived")
    shown = table.shown.set_index("kind")
    assert "out of distribution, %" not in shown
    assert [note[:12] for note in table.notes if note.startswith(("Out of", "Known"))] == [
        "Known before"
    ]
    assert shown.loc["trained", ["known before, %", "and after, %", "ECE"]].tolist() == [
        "70.00",
        "30.00",
        "0.200",
    ]
    assert shown.loc["wise_ft", ["known before, %", "and after, %"]].tolist() == ["70.00", "50.00"]
    assert shown.loc["wise_ft", "ECE"] == "\N{EM DASH}"
