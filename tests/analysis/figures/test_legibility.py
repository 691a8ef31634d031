"""Every figure of every design is legible: no text overlaps another or is cut off."""

import pytest
from support.figure_gallery import write_gallery
from support.figure_texts import text_faults
from support.trial_factory import Runs

from clip_hparam.analysis.evidence.ablations import FIGURE_KINDS
from clip_hparam.analysis.figures import registry, style
from clip_hparam.analysis.frames.frame import Frames
from clip_hparam.analysis.frames.manifests import output_names

IN_CI = (
    *("ladder", "lr", "ema", "freeze", "my_batch", "my_pairs", "named", "leave_one_out"),
    *("changes", "factorial", "tuned", "one_seed", "tuned-history", "tuned-parallel"),
    *("ladder-pareto", "ladder-curves", "my_pairs-importance", "tuned-best_of_n", "tuned-curves"),
)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    runs = Runs(tmp_path_factory.mktemp("gallery") / "runs")
    runs.folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)  # 200 records are written, and none must last
        write_gallery(runs)
    return runs.frames()


def test_kinds_are_registered() -> None:
    assert set(registry.KIND_FIGURES) == set(FIGURE_KINDS)


@pytest.mark.parametrize("name", IN_CI)
def test_figure_of_one_column_is_legible(frames: Frames, name: str) -> None:
    with style.use_style(style.find_style("paper", "column")):
        figure = registry.plot_figure(frames, name)
        assert text_faults(figure) == []
    assert figure.get_figwidth() == style.COLUMN_INCHES


@pytest.mark.slow
@pytest.mark.parametrize("look", [("paper", "column"), ("paper", "page"), ("slides", "")])
def test_all_figures_of_all_sweeps_are_legible(frames: Frames, look: tuple[str, str]) -> None:
    faults, missing = {}, []
    with style.use_style(style.find_style(*look)):
        for name in _all_names(frames):
            try:
                figure = registry.plot_figure(frames, name)
            except ValueError:  # a sweep has no figure of each kind
                missing.append(name)
                continue
            if found := text_faults(figure):
                faults[name] = found
    assert faults == {}
    sweeps = output_names(frames.sweeps)
    assert not set(missing) & {*sweeps, "cost", "curves"}
    kinds = ("levels", "heatmap", "parallel", "importance")
    assert all(name.endswith(kinds) for name in missing), missing


def _all_names(frames: Frames) -> list[str]:
    sweeps = list(output_names(frames.sweeps))
    return [
        *sweeps,
        "cost",
        "curves",
        *(f"{name}-{kind}" for name in sweeps for kind in FIGURE_KINDS),
    ]
