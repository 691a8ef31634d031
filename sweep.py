"""Fine-tune CLIP: one trial, or with -m a sweep of them; --help lists the knobs."""

import sys

if __name__ == "__main__":
    try:
        # imported here: a worker process imports this file again and needs none of it
        from clip_hparam.cli.sweep_entry import main

        sys.exit(main())
    except KeyboardInterrupt:  # while modules are imported
        sys.exit(130)
