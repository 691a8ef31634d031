"""The number of images in a batch of an evaluation."""

import torch

CPU_IMAGES = 256
GPU_PIXELS_PER_GB = 2**19  # 4 MP for 8 GB: 836 images of 224 px on 80 GB, 185 of 336 px on 40 GB
GPU_LIMITS = (32, 1024)  # images
MULTIPLE = 32  # images


def eval_batch_size(device: torch.device, resolution: int) -> int:
    """Return CPU_IMAGES, and on a GPU as many images as its memory suggests.

    GPU_PIXELS_PER_GB pixels for each GB of the card, rounded down to a multiple of MULTIPLE, within
    GPU_LIMITS. An evaluation keeps no activations: one image of 224 px takes at most 14 MB in
    ViT-L/14 in fp32.
    """
    if device.type != "cuda":
        return CPU_IMAGES
    memory = torch.cuda.get_device_properties(device).total_memory
    images = memory * GPU_PIXELS_PER_GB // (2**30 * resolution**2)
    return min(max(images // MULTIPLE * MULTIPLE, GPU_LIMITS[0]), GPU_LIMITS[1])
