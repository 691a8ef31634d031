"""Create augmentation backends for tests."""

from collections.abc import Mapping
from dataclasses import replace

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.dataset import TRAIN, Images
from clip_hparam.data.loading.loader import LoaderOptions
from clip_hparam.data.loading.pipelines import ImagePipeline, create_pipeline
from clip_hparam.data.loading.wait_clock import WaitClock


def pipeline(
    backend: str,
    recipe: ResolvedRecipe,
    images: Images | Mapping[str, Images],
    workers: int = 0,
    clock: WaitClock | None = None,
) -> ImagePipeline:
    """Return a backend that trains on `images`, or on several sets by name."""
    sets = images if isinstance(images, Mapping) else {TRAIN: images}
    options = LoaderOptions(workers, rows=64, resolution=recipe.resolution)
    named = replace(recipe, augment_backend=backend)
    return create_pipeline(named, sets, options, clock or WaitClock(""))  # type: ignore[arg-type]
