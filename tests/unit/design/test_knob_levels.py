"""Levels of equal value are one; a range fits its knob."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip_hparam.design.design import Design
from clip_hparam.design.expand import expand_design, repeated_levels
from clip_hparam.design.knob_levels import distinct_levels, parse_knob_range, validate_range
from clip_hparam.design.ranges import Range

numbers = st.decimals(0, 100, places=3)


def spelled(number: Decimal) -> st.SearchStrategy[str]:
    """Return spellings of a number: 0.1, 0.100, +0.1, 1.00e-01."""
    forms = [f"{number}", f"{number:f}0", f"+{number:f}", f"{number:.12e}"]
    return st.sampled_from(forms)


@given(st.lists(numbers.flatmap(lambda n: st.tuples(st.just(n), spelled(n))), min_size=1))
def test_levels_are_distinct_exactly_if_their_values_are(pairs: list[tuple[Decimal, str]]) -> None:
    kept = distinct_levels("lr", [text for _, text in pairs])
    assert [Decimal(text) for text in kept] == list(dict.fromkeys(value for value, _ in pairs))


@pytest.mark.parametrize(
    ("knob", "levels", "kept"),
    [
        ("lr", ["0.1", "0.10", "1e-1"], ["0.1"]),
        ("ema_decay", ["auto", "0", "0.0", "auto"], ["auto", "0"]),
        ("data.root", ["1", "1.0", "01", "1"], ["1", "1.0", "01"]),
        ("pool", ["cls", "clip", "cls"], ["cls", "clip"]),
        ("data", ["digits", "imagenet", "digits"], ["digits", "imagenet"]),
        ("epochs", ["10", "10.0", "10"], ["10", "10.0"]),
    ],
)
def test_equal_levels_are_one_by_the_type_of_the_knob(
    knob: str, levels: list[str], kept: list[str]
) -> None:
    assert distinct_levels(knob, levels) == kept


@pytest.mark.parametrize("kind", ["grid", "one_at_a_time", "random", "sobol"])
def test_designs_that_combine_levels_use_equal_ones_once(kind: str) -> None:
    knobs = {"lr": ["0.1", "0.10", "1e-1", "0.2"], "pool": ["cls", "clip"]}
    design = Design("d", kind, knobs=knobs, samples=64)
    used = {cell.overrides[0] for cell in expand_design(design)}
    assert used == {"lr=0.1", "lr=0.2"}
    assert repeated_levels(design) == ["lr=0.1,0.10,1e-1,0.2 repeats a level: lr=0.1,0.2 is used"]


def test_grid_has_a_cell_per_combination_of_distinct_levels() -> None:
    knobs = {"lr": ["0.1", "1e-1"], "warmup": ["0.2", "0.20", "0.3"]}
    assert len(expand_design(Design("d", "grid", knobs=knobs))) == 2


def test_zip_keeps_equal_levels_because_they_belong_together() -> None:
    knobs = {"lr": ["0.1", "0.10"], "warmup": ["0.2", "0.3"]}
    assert len(expand_design(Design("d", "zip", knobs=knobs))) == 2
    assert repeated_levels(Design("d", "zip", knobs=knobs)) == []


@pytest.mark.parametrize(
    ("knob", "text", "sentence"),
    [
        ("lr", "interval(1e-2, 1e-3)", r"lr=.*is not a range.*: try interval\(1e-3,1e-2\)"),
        ("lr", "interval(0.1, inf)", "its low end below its high one, finite"),
        ("lr", "interval(0.1, x)", "is not a range: write interval"),
        ("lr", "interval(1e-3,)", "is not a range: write interval"),
        ("lr", "log(interval(1e-3, 1e-2))", r"write interval\(LOW,HIGH\)"),
        ("lr", "tag(ln, interval(1e-3, 1e-2))", r"tag\(log,interval\(1e-4,1e-2\)\)"),
        ("lr", "interval(1e-3-, 1e-2)", "is not a range: write interval"),
    ],
)
def test_misspelled_range_is_refused_with_the_knob(knob: str, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_knob_range(knob, text)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("int(tag(log, interval(5, 40)))", Range(5, 40, True, True)),
        ("tag(log, int(interval(5, 40)))", Range(5, 40, True, True)),
        ("interval(start=1e-3, end=1e-2)", Range(1e-3, 1e-2, False, False)),
        ("interval(1_000, 2_000)", Range(1000, 2000, False, False)),
    ],
)
def test_range_is_read_as_hydra_reads_it(text: str, bounds: Range) -> None:
    assert parse_knob_range("lr", text) == bounds


@pytest.mark.parametrize(
    ("knob", "text", "sentence"),
    [
        ("pool", "interval(0, 1)", r"pool has none: try pool=a,b"),
        ("epochs", "interval(5, 11)", r"try 'epochs=int\(interval\(5,11\)\)'"),
        ("lr", "interval(-1, 1)", r"lr=-1.0 is outside \(0, inf\)"),
        ("warmup", "interval(0, 1.5)", r"warmup=1.5 is outside \[0, 1\)"),
    ],
)
def test_range_outside_a_knob_is_refused_once(knob: str, text: str, sentence: str) -> None:
    design = Design("d", "random", knobs={knob: [text]}, samples=8)
    with pytest.raises(ValueError, match=sentence) as error:
        expand_design(design)
    assert "\n" not in str(error.value)


def test_range_beside_levels_is_for_searches() -> None:
    design = Design("d", "random", knobs={"lr": ["0.1", "interval(1e-3, 1e-2)"]}, samples=8)
    with pytest.raises(ValueError, match="a range together with levels, which only a search"):
        expand_design(design)


def test_draws_below_an_open_end_do_not_reach_it() -> None:
    design = Design("d", "random", knobs={"ema_decay": ["interval(0.9, 1)"]}, samples=20_000)
    drawn = [float(cell.overrides[0].partition("=")[2]) for cell in expand_design(design)]
    assert max(drawn) < 1
    assert max(drawn) > 0.99995
    bounds = parse_knob_range("ema_decay", "interval(0.9, 1)")
    assert bounds is not None
    with pytest.raises(ValueError, match=r"ema_decay=1.0 is outside auto \| \[0, 1\)"):
        validate_range("ema_decay", "interval(0.9, 1)", bounds)


def test_log_range_over_all_floats_does_not_overflow() -> None:
    bounds = parse_knob_range("lr", "tag(log, interval(1e-300, 1e300))")
    assert bounds is not None
    values = [float(bounds.value_at(place / 10)) for place in range(10)]
    assert values == sorted(values)
    assert values[5] == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("kind", ["random", "sobol"])
@pytest.mark.parametrize(
    ("knob", "text", "fewest"),
    [
        ("ema_decay", "interval(0.9999, 0.99999)", 200),
        ("beta2", "interval(0.9995, 0.99999)", 200),
        ("beta1", "interval(0.8999999, 0.9)", 80),
        ("lr", "tag(log, interval(1e-8, 1e-1))", 250),
        ("lr", "tag(log, interval(0.1, 0.1000001))", 80),
        ("warmup", "interval(0, 1e-9)", 200),
        ("epochs", "int(interval(5, 40))", 36),
        ("epochs", "int(tag(log, interval(5, 40)))", 36),
        ("epochs", "int(interval(1, 2))", 2),
    ],
)
def test_draws_resolve_the_range(kind: str, knob: str, text: str, fewest: int) -> None:
    bounds = parse_knob_range(knob, text)
    assert bounds is not None
    design = Design("d", kind, knobs={knob: [text]}, samples=512)
    values = [float(cell.overrides[0].partition("=")[2]) for cell in expand_design(design)]
    assert len(set(values)) >= fewest
    assert bounds.low <= min(values)
    assert max(values) <= bounds.high
    if not bounds.log:
        assert min(values) - bounds.low <= 0.02 * (bounds.high - bounds.low)
        assert bounds.high - max(values) <= 0.02 * (bounds.high - bounds.low)
    if bounds.whole:
        assert {bounds.low, bounds.high} <= set(values)
