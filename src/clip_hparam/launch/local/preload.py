"""Importing this finds and decodes the images of the trials that are to come, before they fork.

Their processes share what is then in memory: nothing is read, decoded or copied once more for each.
Which images is told by the environment, since an import takes no arguments.
"""

import json
import os
from contextlib import suppress

from clip_hparam.config.recipe import Data
from clip_hparam.data.datasets import load_dataset
from clip_hparam.launch.local.child import IMAGES_VARIABLE

with suppress(ValueError, OSError):  # a trial says what is wrong with its images
    load_dataset(Data(**json.loads(os.environ[IMAGES_VARIABLE])))
