"""Reader for augment_backend=tensor and images in files: decodes, crops and resizes.

All that follows in training is done on whole batches on the device: `batch_augmentation`. Crop and
resize use torchvision's kernels for 8-bit pixels, which follow Pillow's.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from clip_hparam.config.resolved_recipe import ResolvedRecipe
from clip_hparam.data.dataset import Images
from clip_hparam.data.loading.read_request import ReadRequest, open_image
from clip_hparam.data.reading.silence_decoders import silence_pillow
from clip_hparam.data.transforms.random_boxes import random_crop_boxes


class CropReader:
    """Reads random resized crops, uint8. draws of a request: the numbers of each image's box."""

    dtype = torch.uint8

    def __init__(self, recipe: ResolvedRecipe) -> None:
        self.crop_scale = recipe.crop_scale
        self.interpolation = InterpolationMode(recipe.interpolation)

    def read(self, images: Images, request: ReadRequest, out: Tensor) -> None:
        """Write the images of a request to `out`, see `requests.ImageReader`."""
        with silence_pillow():
            for row, index in enumerate(request.index):
                image = open_image(images, int(index))
                if request.draws is None:
                    out[row] = self.centred(image, request.resolution)
                else:
                    out[row] = self.cropped(image, request.draws[row], request.resolution)

    def cropped(self, image: Image.Image, draws: NDArray[np.float32], resolution: int) -> Tensor:
        """Return the random crop of an image, uint8, shape (3, r, r)."""
        box = random_crop_boxes(draws[None], image.height, image.width, self.crop_scale)
        top, left, height, width = box[0].tolist()
        crop = image.crop((left, top, left + width, top + height))
        return self._resized(crop, [resolution, resolution])

    def centred(self, image: Image.Image, resolution: int) -> Tensor:
        """Return the image with its shorter side at `resolution` px, cropped to its centre.

        As in timm the whole image is resized, so that its pixels are those of an evaluation there.
        """
        resized = self._resized(image, [resolution])
        centre: Tensor = functional.center_crop(resized, [resolution, resolution])
        return centre

    def _resized(self, image: Image.Image, size: list[int]) -> Tensor:
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
        resized: Tensor = functional.resize(pixels, size, self.interpolation, antialias=True)
        return resized
