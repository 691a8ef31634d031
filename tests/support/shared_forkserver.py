"""The one forkserver of a test process: it imports torch, timm, open_clip and Optuna once.

Its environment and its preloaded images do not depend on which test comes first: the environment
is that of pytest at the start, the images are those of the default recipe. Children decode other
images themselves.
"""

import json
import os
from dataclasses import asdict
from multiprocessing import forkserver

from clip_hparam.config.recipe import Data
from clip_hparam.launch.local.child import IMAGES_VARIABLE, PRELOAD, SEARCH_PRELOAD
from clip_hparam.launch.local.processes import SINGLE_THREAD_VARIABLES

ENVIRONMENT = {
    **os.environ,
    **dict.fromkeys(SINGLE_THREAD_VARIABLES, "1"),
    IMAGES_VARIABLE: json.dumps(asdict(Data())),
}
_ensure_running = forkserver.ensure_running


def start_shared_forkserver() -> None:
    """Start the forkserver unless it runs; takes the place of `forkserver.ensure_running`."""
    own = dict(os.environ)
    forkserver.set_forkserver_preload(PRELOAD + SEARCH_PRELOAD)
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    try:
        _ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(own)
