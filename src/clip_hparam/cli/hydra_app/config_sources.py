"""Read YAML files of configs: broken YAML, code and secrets are refused in a sentence.

Texts may read environment variables CLIP_HPARAM_* only, because manifests and job files hold them.
Hydra instantiates `_target_` of callbacks before the app runs, and logging calls `()` and `class`
of handlers. Options of this program are plain values, so that no file needs any of these.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from hydra._internal.sources_registry import SourcesRegistry
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import KeyValidationError
from yaml.reader import ReaderError

PYTHON_TAG = "tag:yaml.org,2002:"
CODE_KEYS = ("_target_", "()")
LOGGING_KEYS = ("handlers", "formatters", "filters")  # `class` below these is called
VARIABLE_PATTERN = re.compile(r"\$\{\s*oc\.env\s*:\s*[\"']?(?!CLIP_HPARAM_\w)([^,}]*)")
DESIGN_PACKAGE = "hydra.sweeper.design"


def check_config_sources() -> None:
    """Let Hydra read the files of this package and of the user through `load_checked`."""
    types = SourcesRegistry.instance().types
    for scheme in ("file", "pkg"):
        original = types[scheme]
        if not hasattr(original, "is_checked"):
            body = {"is_checked": True, "load_config": _checked_method(original)}
            types[scheme] = type(original.__name__, (original,), body)


def _checked_method(original: type[ConfigSource]) -> Any:
    def load_config(self: ConfigSource, config_path: str) -> ConfigResult:
        return load_checked(lambda: original.load_config(self, config_path), config_path)

    return load_config


def load_checked(load: Callable[[], ConfigResult], name: str) -> ConfigResult:
    """Return the config that `load` reads from a file.

    name: of the config in messages, without suffix.

    Raises: ValueError with place and mistake for text that is not YAML, a file that is no mapping,
    and one that names code to run.
    """
    try:
        result = load()
    except yaml.YAMLError as error:
        raise ValueError(yaml_message(error, name)) from None
    except KeyValidationError:
        raise ValueError(f"{name} has a key that is not text: quote it") from None
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not text in UTF-8: save it as UTF-8") from None
    except RecursionError:
        raise ValueError(
            f"{name} nests values too deeply, or in themselves: write plain values"
        ) from None
    except AttributeError:  # raised by Hydra for a list or a text
        raise ValueError(_no_mapping(name)) from None
    if not isinstance(result.config, DictConfig):
        raise ValueError(_no_mapping(name))
    if not _is_plugin(result):
        _validate_content(OmegaConf.to_container(result.config), name)
    _validate_package(result, name)
    return result


def validate_variables(text: str, name: str) -> None:
    """Raise ValueError for a text that reads an environment variable other than CLIP_HPARAM_*."""
    match = VARIABLE_PATTERN.search(text)
    if match:
        raise ValueError(
            f"{name} asks for ${{oc.env:{match[1]}}}, which files of the sweep would show: type its"
            " value, or use a variable whose NAME begins with CLIP_HPARAM_"
        )


def _validate_content(tree: Any, name: str) -> None:
    """Raise ValueError for keys that run code, and for secrets."""
    for key in _code_keys(tree):
        raise ValueError(
            f"{name} holds {key}, which would run code, and config files hold plain values: remove"
            " it; nothing of it was run"
        )
    for text in _texts(tree):
        validate_variables(text, name)
    for key in _keys(tree):
        if not isinstance(key, str):
            raise ValueError(f"{name} has the key {key!r}, which is not text: quote it, '{key}'")


def _keys(tree: Any) -> Iterator[Any]:
    """Yield the keys of all mappings in a tree."""
    if isinstance(tree, dict):
        yield from tree
    for item in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else []:
        yield from _keys(item)


def _texts(tree: Any) -> Iterator[str]:
    """Yield all keys and values that are texts."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, (dict, list)):
        for item in tree:
            yield from _texts(item)
        for item in tree.values() if isinstance(tree, dict) else []:
            yield from _texts(item)


def yaml_message(error: yaml.YAMLError, name: str) -> str:
    """Return the place and the mistake of a YAML error as a sentence."""
    problem = getattr(error, "problem", None) or str(error)
    if isinstance(error, ReaderError):
        problem = f"character #x{ord(str(error.character)):04x} is not allowed"
    mark = getattr(error, "problem_mark", None)
    place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
    if "could not determine a constructor for the tag" in problem:
        tag = problem.partition("'")[2].rstrip("'").replace(PYTHON_TAG, "!!")
        return f"{place}: the tag {tag} is not read, and nothing of it was run: write plain values"
    if "found duplicate key" in problem:
        return f"{place}: {problem.removeprefix('found duplicate ')} stands twice: keep one"
    return f"{place}: {' '.join(problem.split()).rstrip('.')}: correct the YAML there"


def _code_keys(tree: Any, is_logger: bool = False) -> Iterator[str]:
    """Yield the keys of a config that Hydra or logging would call."""
    if isinstance(tree, list):
        for item in tree:
            yield from _code_keys(item)
    if isinstance(tree, dict):
        is_foreign = "class" in tree and not str(tree["class"]).startswith("logging.")
        yield from (str(key) for key in tree if key in CODE_KEYS)
        yield from ["class"] if is_foreign and is_logger else []
        for key, value in tree.items():
            yield from _code_keys(value, is_logger or key in LOGGING_KEYS)


def _is_plugin(result: ConfigResult) -> bool:
    """Return whether a file comes with Hydra or an installed plugin of Hydra."""
    of_user = result.provider.startswith(("main", "hydra.searchpath"))
    return result.path.startswith("pkg://") and not of_user


def _validate_package(result: ConfigResult, name: str) -> None:
    """Raise ValueError for a design without `# @package` in its first line."""
    if not name.startswith("sweeps/"):
        return
    package = result.header.get("package")
    is_design = any(key in result.config for key in ("name", "kind", "knobs", "steps"))
    if package is None or (is_design and package != DESIGN_PACKAGE):
        raise ValueError(f"{name} needs `# @package {DESIGN_PACKAGE}` as its first line: add it")


def _no_mapping(name: str) -> str:
    return f"{name} is not a mapping of keys to values: write `key: value` lines"
