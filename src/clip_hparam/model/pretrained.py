"""Which file holds an encoder's weights: a local one, or the one that an open_clip tag stands for.

No torch for a local file, nor for a tag that was found before: open_clip's table of tags lies in a
module that takes four seconds to import.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from clip_hparam.config.knob import suggest
from clip_hparam.config.recipe import Encoder
from clip_hparam.model.normalization import CLIP_NORMALIZATION, NORMALIZATIONS
from clip_hparam.records.atomic import read_json, write_json
from clip_hparam.records.user_cache import cache_path

WEIGHT_SUFFIXES = (".pt", ".pth", ".bin", ".safetensors")


class WeightsFile(NamedTuple):
    """A file, and the encoder.pixels that its tower was trained on; a file alone does not tell."""

    path: Path
    pixels: str = CLIP_NORMALIZATION


def fetch_weights(encoder: Encoder) -> WeightsFile:
    """A local file as it is; for a tag the file in open_clip's cache, fetched if need be.

    Raises FileNotFoundError for a file that is not there, or that cannot be fetched (then with
    what to fetch and how to pass it), ValueError for a tag that does not go with the architecture.
    """
    path = Path(encoder.pretrained).expanduser()
    if path.is_file():
        return WeightsFile(path)
    if path.suffix in WEIGHT_SUFFIXES or len(path.parts) > 1:
        raise FileNotFoundError(f"encoder.pretrained={path} is not a file")
    entry = cache_path("pretrained", f"{encoder.name} {encoder.pretrained}")
    known = read_json(entry) or {}
    if "pixels" in known and Path(known["path"]).is_file():
        return WeightsFile(Path(known["path"]), known["pixels"])
    facts = _tag_config(encoder)
    found = WeightsFile(_download(encoder, facts), _normalization_of_tag(facts))
    with suppress(OSError):
        write_json(entry, {"path": str(found.path), "pixels": found.pixels})
    return found


def _tag_config(encoder: Encoder) -> Mapping[str, Any]:
    """open_clip's facts about a tag. Raises ValueError if they do not go with the architecture."""
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

    name, tag = encoder.name, encoder.pretrained
    facts: Mapping[str, Any] = get_pretrained_cfg(name, tag)
    if not facts:
        tags = [*list_pretrained_tags_by_model(name), "random"]
        raise ValueError(
            f"encoder.pretrained={tag} is neither a file nor a tag of encoder.name={name}:"
            f" {suggest(tag, tags)}"
        )
    fitting = f"{name}-quickgelu"
    if facts.get("quick_gelu") and get_pretrained_cfg(fitting, tag):
        raise ValueError(
            f"encoder.pretrained={tag} was trained with QuickGELU, which encoder.name={name} does"
            f" not have: try encoder.name={fitting}"
        )
    return facts


def _normalization_of_tag(facts: Mapping[str, Any]) -> str:
    """Raises ValueError for a mean and sd that encoder.pixels has no name for."""
    asked = tuple(facts["mean"]), tuple(facts["std"])
    for name, statistics in NORMALIZATIONS.items():
        if statistics == asked:
            return name
    raise ValueError(
        f"{_download_hint(facts)} was trained on pixels of mean and sd {asked}, and encoder.pixels"
        f" has only {', '.join(NORMALIZATIONS)}: pass it as encoder.pretrained=PATH to use one of"
        " these"
    )


def _download(encoder: Encoder, facts: Mapping[str, Any]) -> Path:
    """What lies in the hub's own cache, else what open_clip fetches."""
    from open_clip.pretrained import download_pretrained

    try:
        return _find_in_hub_cache(facts) or Path(download_pretrained(dict(facts)))
    except (OSError, RuntimeError) as error:
        raise FileNotFoundError(
            f"the weights encoder.pretrained={encoder.pretrained} of {encoder.name} cannot be"
            f" fetched from here ({type(error).__name__}): get {_download_hint(facts)} and pass it"
            " as encoder.pretrained=PATH"
        ) from error


def _find_in_hub_cache(facts: Mapping[str, Any]) -> Path | None:
    """The file of a tag of the Hugging Face hub, if it was fetched before.

    Raises ConnectionError at once if it was not and the hub does not answer: the hub's own client
    would try six times a file, for a minute, and say so each time.
    """
    if not facts["hf_hub"]:
        return None
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError

    repository, files = _hub_files(facts)
    for file in files:
        found = try_to_load_from_cache(repository, file)
        if isinstance(found, str):
            return Path(found)
    try:
        get_hf_file_metadata(hf_hub_url(repository, files[0]))
    except HfHubHTTPError:
        return None  # an answer all the same
    except Exception as error:  # of whichever HTTP library it uses
        raise ConnectionError(str(error)) from error
    return None


def _hub_files(facts: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Repository of a tag, and the names that its file may have, in open_clip's order."""
    repository, _, file = facts["hf_hub"].rpartition("/")
    if not file:
        return repository, ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
    return repository, [str(Path(file).with_suffix(".safetensors")), file]


def _download_hint(facts: Mapping[str, Any]) -> str:
    """Where a person can get the file of a tag."""
    if not facts["hf_hub"]:
        return str(facts["url"])
    repository, files = _hub_files(facts)
    return f"{' or '.join(files)} of {repository} on the Hugging Face hub"
