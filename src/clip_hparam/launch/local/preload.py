"""Load the images of the coming trials when this module is imported, before they are forked.

The forked processes share these images in memory. The environment names the data set, because an
import takes no arguments.
"""

import json
import os
from contextlib import suppress

from clip_hparam.config.recipe import Data
from clip_hparam.data.datasets import load_dataset
from clip_hparam.launch.local.child import IMAGES_VARIABLE

with suppress(ValueError, OSError):  # the trial itself reports what is wrong with its images
    load_dataset(Data(**json.loads(os.environ[IMAGES_VARIABLE])))
