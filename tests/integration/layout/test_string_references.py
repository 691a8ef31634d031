"""Names of modules in strings, which no import rewriter sees, name what exists."""

import re
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.utils import get_class
from omegaconf import OmegaConf
from support.cli import ROOT

from clip_hparam.cli.hydra_app.schema import register_configs
from clip_hparam.launch import slurm_job
from clip_hparam.launch.local import child, processes
from clip_hparam.launch.slurm import job_main

DOTTED = re.compile(r"\bclip_hparam(?:\.[a-z]\w*)+")
OLD_NAMES = ("CHANGELOG.md", "tests/integration/layout/test_renamed_modules.py")
EXAMPLES = {  # modules that CONTRIBUTING.md shows how to write
    "clip_hparam.analysis.figures.cost_scatter",
    "clip_hparam.training.callbacks.trackers.json_lines",
}
NO_MODULES = {  # groups of entry points, a tag of MLflow, a file of an export
    *("clip_hparam.datasets", "clip_hparam.encoders", "clip_hparam.metrics"),
    *("clip_hparam.trackers", "clip_hparam.tests"),
    *("clip_hparam.trial_id", "clip_hparam.json"),
}


@pytest.mark.parametrize(
    "name", [*child.PRELOAD, *child.SEARCH_PRELOAD, processes.HUGE_PAGES_MODULE]
)
def test_preloaded_module_exists(name: str) -> None:
    assert find_spec(name) is not None


def nodes(tree: Mapping[str, Any]) -> Iterator[ConfigNode]:
    for entry in tree.values():
        if isinstance(entry, ConfigNode):
            yield entry
        else:
            yield from nodes(entry)


def test_targets_of_our_config_nodes_are_classes() -> None:
    register_configs()
    ours = ("clip_hparam", "hydra_plugins")
    targets = {
        str(node.node["_target_"])
        for node in nodes(ConfigStore.instance().repo)
        if OmegaConf.is_dict(node.node) and "_target_" in node.node
    }
    names = sorted(name for name in targets if name.startswith(ours))
    assert len(names) >= 4
    assert all(isinstance(get_class(name), type) for name in names)


def test_queued_jobs_of_older_versions_run_the_same_main(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Their scripts say `python -m clip_hparam.launch.slurm_job FOLDER`."""
    assert slurm_job.main is job_main.main
    called: list[Path] = []

    def main(folder: Path) -> int:
        called.append(folder)
        return 7

    monkeypatch.setattr(job_main, "main", main)
    monkeypatch.setattr("sys.argv", ["slurm_job", str(tmp_path)])
    monkeypatch.delitem(sys.modules, slurm_job.__name__)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(slurm_job.__name__, run_name="__main__")
    assert (ended.value.code, called) == (7, [tmp_path])


def exists(name: str) -> bool:
    """Return whether a dotted name is a module or package of the tree, or a word in one."""
    folder, parts = ROOT / "src", name.split(".")
    while parts and (folder / parts[0]).is_dir():
        folder /= parts.pop(0)
    if not parts or (folder / parts[0]).is_file():
        return True
    module = folder / f"{parts[0]}.py"
    text = module if module.is_file() else folder / "__init__.py"
    words = parts[1:] if module.is_file() else parts
    return text.is_file() and all(re.search(rf"\b{word}\b", text.read_text()) for word in words)


def test_dotted_names_in_all_files_exist() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.cfg", "*.toml", "*.yaml", "Makefile"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    wrong = {
        f"{file}: {name}"
        for file in listed
        if file not in OLD_NAMES
        for name in DOTTED.findall((ROOT / file).read_text())
        if name not in EXAMPLES | NO_MODULES and not exists(name)
    }
    assert wrong == set()
