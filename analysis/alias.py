"""Import `analysis.X` as the module `clip_hparam.analysis.X`, so that no module loads twice."""

from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

SHORT, INSTALLED = "analysis.", "clip_hparam.analysis."


class AliasFinder(MetaPathFinder, Loader):
    """Finder and loader of `analysis.X`: returns the module `clip_hparam.analysis.X`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for `analysis.X` if `clip_hparam.analysis.X` exists."""
        # `python -m analysis` runs the file itself
        if not name.startswith(SHORT) or name == f"{SHORT}__main__":
            return None
        if find_spec(installed_name(name)) is None:
            return None
        return ModuleSpec(name, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import and return the installed module."""
        module = import_module(installed_name(spec.name))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Restore the module's own spec, which the import system replaced after `create_module`."""
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


def installed_name(name: str) -> str:
    """Return `clip_hparam.analysis.X` for `analysis.X`."""
    return INSTALLED + name.removeprefix(SHORT)
