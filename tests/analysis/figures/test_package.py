"""The package imports each module that registers a figure."""

from pathlib import Path

import pytest

from clip_hparam.analysis import figures
from clip_hparam.analysis.figures import registry

HELPERS, SUBFOLDERS = {"__init__", "registry", "style"}, {"progress"}


def test_package_imports_every_module_of_the_folder() -> None:
    modules = {path.stem for path in Path(figures.__file__).parent.glob("*.py")}
    assert set(figures.__all__) == modules - HELPERS | SUBFOLDERS


def test_a_name_is_registered_once() -> None:
    entry = registry.SEARCH_FIGURES["axes"]
    with pytest.raises(ValueError, match="figure axes is registered twice"):
        registry.search_figure("axes", entry.title)(entry.plot)
