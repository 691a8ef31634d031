"""Find the weight file of an encoder: a local file, or the file of an open_clip tag.

`encoder.pretrained=FILE:KEY` names one of several sets of weights in a file.

A local file, and a tag that was resolved before, need no torch. The table of tags is in a module of
open_clip that takes 3 s to import.
"""

import shlex
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import Encoder
from clip_hparam.config.text.override_words import format_override
from clip_hparam.model.architectures import encoder_spec
from clip_hparam.model.normalization import CLIP_NORMALIZATION, NORMALIZATIONS
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path

WEIGHT_SUFFIXES = (".pt", ".pth", ".bin", ".safetensors")


class WeightsFile(NamedTuple):
    """Weight file of an encoder.

    key: dotted prefix of the tensors to use in the file; "" for those that the file alone means.
    normalization: key of NORMALIZATIONS that the tower was trained with; a local file does not
        contain it, so CLIP's is assumed.
    """

    path: Path
    key: str = ""
    normalization: str = CLIP_NORMALIZATION

    @property
    def label(self) -> str:
        """Name of the weights in messages: the file's, with the key."""
        return f"{self.path.name}:{self.key}" if self.key else self.path.name


def fetch_weights(encoder: Encoder) -> WeightsFile:
    """Return the weight file of an encoder; download that of a tag if it is not in a cache.

    Raises: FileNotFoundError for a missing local file and for a failed download (with the file to
    get and how to pass it), ValueError for a tag that does not belong to the architecture.
    """
    path, key = split_key(encoder.pretrained)
    if path.is_file():
        return WeightsFile(path, key)
    is_path = path.suffix in WEIGHT_SUFFIXES or len(path.parts) > 1 or ":" in path.name
    if is_path or path.is_dir():
        what = "is a folder" if path.is_dir() else "is not a file"
        raise FileNotFoundError(
            f"encoder.pretrained={encoder.pretrained} {what}: {_weights_in(path)}type the path of a"
            " file of weights, a tag of open_clip, or encoder.pretrained=random"
        )
    entry = cache_path("pretrained", f"{encoder.name} {encoder.pretrained}")
    cached = read_json(entry) or {}
    if "pixels" in cached and Path(cached["path"]).is_file():
        return WeightsFile(Path(cached["path"]), normalization=cached["pixels"])
    config = _tag_config(encoder)
    file = WeightsFile(_download(encoder, config), normalization=_normalization_of_tag(config))
    with suppress(OSError):
        write_json(entry, {"path": str(file.path), "pixels": file.normalization})
    return file


def _weights_in(folder: Path) -> str:
    """Return an override for a file of weights in a folder; "" if there is none."""
    if not folder.is_dir():
        return ""
    files = sorted(path for path in folder.iterdir() if path.suffix in WEIGHT_SUFFIXES)
    words = [shlex.quote(format_override("encoder.pretrained", str(path))) for path in files[:1]]
    return "".join(f"try {word}, or " for word in words)


def split_key(pretrained: str) -> tuple[Path, str]:
    """Return the path and the key in FILE:KEY; the key is "" if the whole text names a file.

    A path may contain colons: the longest part that is a file is the path. Where no part is a file,
    the whole text is the path.
    """
    path, key = pretrained, ""
    while not Path(path).expanduser().is_file():
        path, colon, last = path.rpartition(":")
        if not colon:
            return Path(pretrained).expanduser(), ""
        key = f"{last}:{key}" if key else last
    return Path(path).expanduser(), key


def _tag_config(encoder: Encoder) -> Mapping[str, Any]:
    """Return open_clip's entry of a tag. Raises ValueError if it does not fit the architecture."""
    # lazy: open_clip, 3 s
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

    name, tag = encoder.name, encoder.pretrained
    config: Mapping[str, Any] = get_pretrained_cfg(name, tag)
    if not config:
        own = [name] if encoder_spec(name).bundled else []
        tags = [*own, *list_pretrained_tags_by_model(name), "random"]
        raise ValueError(
            f"encoder.pretrained={tag} is neither a file nor a tag of encoder.name={name}:"
            f" {suggest(tag, tags)}"
        )
    quickgelu = f"{name}-quickgelu"
    if config.get("quick_gelu") and get_pretrained_cfg(quickgelu, tag):
        raise ValueError(
            f"encoder.pretrained={tag} was trained with QuickGELU, which encoder.name={name} does"
            f" not have: try encoder.name={quickgelu}"
        )
    return config


def _normalization_of_tag(config: Mapping[str, Any]) -> str:
    """Return the key of NORMALIZATIONS of a tag. Raises ValueError if there is none."""
    statistics = tuple(config["mean"]), tuple(config["std"])
    for name, known in NORMALIZATIONS.items():
        if known == statistics:
            return name
    raise ValueError(
        f"{_download_hint(config)} was trained on pixels of mean and sd {statistics}, and"
        f" encoder.pixels has only {', '.join(NORMALIZATIONS)}: pass it as encoder.pretrained=PATH"
        " to use one of these"
    )


def _download(encoder: Encoder, config: Mapping[str, Any]) -> Path:
    """Return the file of a tag from the hub's cache, or let open_clip download it."""
    from open_clip.pretrained import download_pretrained  # lazy: open_clip, 3 s

    try:
        return _find_in_hub_cache(config) or Path(download_pretrained(dict(config)))
    except (OSError, RuntimeError) as error:
        raise FileNotFoundError(
            f"the weights encoder.pretrained={encoder.pretrained} of {encoder.name} cannot be"
            f" fetched from here ({type(error).__name__}): get {_download_hint(config)} and pass it"
            " as encoder.pretrained=PATH"
        ) from error


def _find_in_hub_cache(config: Mapping[str, Any]) -> Path | None:
    """Return the file of a tag from the cache of the Hugging Face hub; None if it is not there.

    Raises: ConnectionError if the file is not there and the hub cannot be reached; the hub's client
    would retry each file six times, for a minute.
    """
    if not config["hf_hub"]:
        return None
    # lazy: huggingface_hub, 0.1 s
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError

    repository, files = _hub_files(config)
    for file in files:
        path = try_to_load_from_cache(repository, file)
        if isinstance(path, str):
            return Path(path)
    try:
        get_hf_file_metadata(hf_hub_url(repository, files[0]))
    except HfHubHTTPError:
        return None  # the hub can be reached
    except Exception as error:  # the type depends on the HTTP library of the hub's client
        raise ConnectionError(str(error)) from error
    return None


def _hub_files(config: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the repository of a tag and the possible names of its file, in open_clip's order."""
    repository, _, file = config["hf_hub"].rpartition("/")
    if not file:
        return repository, ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
    return repository, [str(Path(file).with_suffix(".safetensors")), file]


def _download_hint(config: Mapping[str, Any]) -> str:
    """Return where a user can get the file of a tag."""
    if not config["hf_hub"]:
        return str(config["url"])
    repository, files = _hub_files(config)
    return f"{' or '.join(files)} of {repository} on the Hugging Face hub"
