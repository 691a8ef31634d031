"""Two sweeps of one name are kept apart, named, and do not overwrite each other.

Before, `tables`, `figures`, `compare`, `pack` and `export-recipe` took the newest of a name without
a word, no id was accepted by most of them, and no sweep could be named on the command line.
"""

import json
import shlex
from pathlib import Path

import pytest
from support.cli import clip_hparam, plan, sweep
from support.image_folders import grow

from clip_hparam.analysis.figures import registry as figures
from clip_hparam.analysis.tables import registry as tables
from clip_hparam.records.manifests.lookup import find_sweeps
from clip_hparam.records.manifests.manifest import SweepManifest, read_manifests
from clip_hparam.records.manifests.names import RESERVED_NAMES, output_names

PHOTOS = ("data=folder", "data.root=photos", "data.shots=3", "data.selection=2")
TINY = ("epochs=1", "data.epoch_images=4", "batch_size=2", "hydra/launcher=inline")
LEVELS = "lr=1e-3,3e-3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run three sweeps: `lr` on photos, then `lr` on digits, then one that is named."""
    folder = tmp_path_factory.mktemp("sweeps")
    grow(folder / "photos", {"cat": 12, "dog": 12})
    for words in (PHOTOS, ("data.shots=3",), ("data.shots=4", "name=mine", "tags=[a,b]")):
        done = sweep("-m", *words, *TINY, LEVELS, cwd=folder)
        assert done.code == 0, done.err
    return folder


@pytest.fixture
def ids(folder: Path) -> tuple[str, str, str]:
    """Return the ids of the sweeps, oldest first."""
    by_title = {m.title: m.sweep_id for m in read_manifests(folder / "runs")}
    photos, digits, mine = (
        next(by_title[title] for title in by_title if text in title)
        for text in ("data=folder", "data.shots=3 epochs", "mine (")
    )
    return photos, digits, mine


def test_titles_and_tags_are_shown_by_status(folder: Path, ids: tuple[str, str, str]) -> None:
    photos, digits, mine = ids
    lines = clip_hparam("status", cwd=folder).out.splitlines()
    assert f"{photos}  " in lines[0]
    assert "lr (data=folder data.root=photos" in lines[0]
    assert "lr (data.shots=3 epochs=1" in lines[1]
    assert "mine (data.shots=4" in lines[2]
    assert "[a, b]: 2 done" in lines[2]
    assert clip_hparam("status", "--tag", "b", cwd=folder).out.splitlines() == lines[2:]
    unknown = clip_hparam("status", "--tag", "c", cwd=folder)
    assert (unknown.code, unknown.err) == (2, "no sweep has the tag c: choose from a, b\n")
    assert clip_hparam("status", digits[:5], cwd=folder).out.splitlines()[0] == lines[1]
    assert clip_hparam("status", "mine", cwd=folder).out.startswith(mine)


def test_tables_of_sweeps_of_one_name_do_not_overwrite_each_other(
    folder: Path, ids: tuple[str, str, str], tmp_path: Path
) -> None:
    photos, digits, _ = ids
    out = ("--out", str(tmp_path))
    done = clip_hparam("tables", *out, cwd=folder)
    assert done.code == 0, done.err
    older = f"lr-{photos[:4]}"
    assert f"{older} is {photos}" in done.err
    assert f"lr is {digits}" in done.err
    written = {name: (tmp_path / f"{name}.md").read_text() for name in ("lr", older, "mine")}
    assert photos in written[older]
    assert "data.root=photos" in written[older]
    assert digits in written["lr"]
    for wanted in (photos, photos[:5], older):
        only = clip_hparam("tables", wanted, "--all", *out, cwd=folder)
        assert (only.code, only.err) == (0, "")
        assert str(tmp_path / f"{older}.md") in only.out
    assert (tmp_path / "lr.md").read_text() == written["lr"]
    ambiguous = clip_hparam("tables", "lr", "--all", *out, cwd=folder)
    assert f"the newest is used, {digits}" in ambiguous.err
    assert f"named by its id: {photos}" in ambiguous.err
    drawn = clip_hparam("figures", photos[:6], *out, cwd=folder)
    assert str(tmp_path / f"{older}.png") in drawn.out


@pytest.mark.parametrize("verb", ["why", "retry", "pack", "cancel", "export-recipe", "compare"])
def test_verbs_take_an_id_or_its_start_and_print_which_of_a_name_they_use(
    verb: str, folder: Path, ids: tuple[str, str, str]
) -> None:
    photos, digits, _ = ids
    for wanted, used in ((photos, photos), (photos[:4], photos), ("lr", digits), ("mine", None)):
        words = (f"{wanted}/lr=0.001", f"{wanted}/lr=0.003") if verb == "compare" else (wanted,)
        done = clip_hparam(verb, *words, "--json", cwd=folder)
        assert done.code == 0, done.err
        facts = json.loads(done.out)
        if verb in ("why", "export-recipe"):
            assert used in (facts["sweep"], None)
        note = f"2 sweeps are called lr: the newest is used, {digits}"
        assert done.err.startswith(note) == (wanted == "lr")


def test_why_of_a_sweep_and_wrong_names_are_answered_briefly(
    folder: Path, ids: tuple[str, str, str]
) -> None:
    summary = clip_hparam("why", "mine", cwd=folder).out.splitlines()
    assert summary[0].endswith(f"sweep {ids[2]}: 2 done")
    assert len(summary) < 6
    for words in (("why", "zz"), ("compare", "zz", "mine/lr=0.001"), ("retry", "zz")):
        wrong = clip_hparam(*words, cwd=folder)
        assert wrong.code == 2
        assert "zz" in wrong.err
        assert "clip-hparam status" in wrong.err
        assert len(wrong.err) < 200
    sweep_for_cell = clip_hparam("compare", "mine", "lr", cwd=folder)
    assert "mine is a sweep: name one of its cells, such as mine/lr=0.001" in sweep_for_cell.err


def test_tags_do_not_change_the_id_and_a_name_does(folder: Path, ids: tuple[str, str, str]) -> None:
    words = ("-m", "data.shots=3", *TINY, LEVELS, "dry_run=true")
    assert f"plan of lr (grid), sweep {ids[1]}" in plan(*words, cwd=folder).out
    assert f"plan of lr (grid), sweep {ids[1]}" in plan(*words, "tags=[x]", cwd=folder).out
    named = plan(*words, "name=other", cwd=folder).out
    assert "plan of other (grid), sweep " in named
    assert ids[1] not in named
    assert "plan of lr-range (search), sweep" in plan(
        "-m", "sweeps=search", "name=lr-range", "dry_run=true", cwd=folder
    ).out  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-m", "name='a b'"), "name=a b: name 'a b' cannot name a file: use letters"),
        (("-m", "name=a/b"), "cannot name a file"),
        (("-m", "name=.."), "cannot name a file"),
        (("-m", "name="), "cannot name a file"),
        (("-m", f"name={'x' * 101}"), "has 101 characters: use at most 100"),
        (("-m", f"name='{'ö' * 101}'"), "use at most 100"),
        (("-m", "name=a,b"), "type one command per value"),
        (("-m", "tags=a,b"), "for these tags type 'tags=[a,b]'"),
        (("-m", "tags=['a b']"), "'a b' is not a single word: try 'tags=[first,second]'"),
        (("name=a",), "name=a is for sweeps: add -m"),
        (("tags=[a]",), "tags=[a] is for sweeps: add -m"),
    ],
)
def test_names_that_cannot_be_used_are_refused(
    words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    done = plan(*words, "lr=1e-3", cwd=tmp_path)
    assert done.code == 2
    assert sentence in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_many_swept_knobs_is_shortened_for_files(tmp_path: Path) -> None:
    knobs = (
        *("lr=1e-3", "min_lr=0", "warmup=0.2", "layer_decay=0.7", "weight_decay=0.1"),
        *("beta1=0.9", "beta2=0.99", "eps=1e-7", "clip_grad=1", "drop_path=0.1"),
        *("head_init_scale=0.1", "crop_scale=0.5", "color_jitter=0.1", "random_erasing=0.1"),
        *("mixup=0.1", "cutmix=0.1", "label_smoothing=0.2", "hflip=0.1", "interpolation=bilinear"),
    )
    swept = [word.replace("=", "=choice(") + ")" for word in knobs]
    done = sweep("-m", *swept, "data.shots=3", *TINY, cwd=tmp_path)
    assert done.code == 0, done.err
    (manifest,) = read_manifests(tmp_path / "runs")
    assert len(manifest.name) > 200
    assert len(manifest.title) < 150
    tables = clip_hparam("tables", cwd=tmp_path)
    assert tables.code == 0, tables.err
    assert (tmp_path / "results" / f"{manifest.name[:60]}-{manifest.sweep_id[:4]}.md").is_file()
    assert clip_hparam("figures", manifest.name, cwd=tmp_path).code == 0


def test_retry_prints_what_its_command_runs_and_where(folder: Path, tmp_path: Path) -> None:
    words = ("-m", "data.shots=3", *TINY, "lr=1e-3,1e30,2e-3", "clip_grad=0", "name=breaks")
    assert sweep(*words, f"machine.runs={tmp_path / 'runs'}", cwd=folder).code == 1
    (manifest,) = read_manifests(tmp_path / "runs")
    pruned = manifest.cells[2].trials[0]
    (tmp_path / "runs" / pruned / "result.json").unlink()
    (tmp_path / "runs" / pruned / "status.json").unlink()
    done = clip_hparam("retry", "--failed", "--runs", "runs", cwd=tmp_path)
    assert "1 to run and 1 other that is not done: " in done.out
    command = done.out.splitlines()[-1].partition("not done: ")[2]
    assert command.startswith(f"cd {shlex.quote(str(folder))} && clip-hparam sweep -m ")
    assert f"machine.runs={tmp_path / 'runs'}" in command
    rerun = clip_hparam("retry", "--failed", "--run", "--runs", "runs", cwd=tmp_path)
    assert rerun.code == 1
    assert (tmp_path / "runs" / pruned / "result.json").is_file()
    assert not (folder / "runs" / pruned).exists()


def manifest_of(name: str, sweep_id: str, second: int = 0) -> SweepManifest:
    return SweepManifest(sweep_id, name, "grid", f"2026-01-01T00:00:{second:02}Z", (), title=name)


def test_output_names_are_unique_and_name_their_sweep() -> None:
    sweeps = [
        manifest_of("lr", "abcd11", 1),
        manifest_of("lr", "abcd22", 2),
        manifest_of("lr", "ffff33", 3),
        manifest_of("lr-abcd", "eeee44", 4),
        manifest_of("report", "dddd55", 5),
        manifest_of("x" * 300, "cccc66", 6),
    ]
    names = output_names(sweeps)
    assert list(names) == [
        *("lr-abcd1", "lr-abcd2", "lr", "lr-abcd", "report-dddd", f"{'x' * 60}-cccc"),
    ]
    assert all(find_sweeps(sweeps, name)[-1] is sweep for name, sweep in names.items())
    assert find_sweeps(sweeps, "lr") == [sweeps[0], sweeps[1], sweeps[2]]
    assert find_sweeps(sweeps, "eeee") == [sweeps[3]]
    assert find_sweeps(sweeps, "ee") == find_sweeps(sweeps, "") == []
    with pytest.raises(ValueError, match="2 sweeps have an id that begins with abcd"):
        find_sweeps(sweeps, "abcd")


def test_no_sweep_takes_the_name_of_another_output() -> None:
    registered = {*figures.FRAME_FIGURES, *figures.SEARCH_FIGURES, *tables.FRAME_TABLES}
    assert registered <= set(RESERVED_NAMES)
