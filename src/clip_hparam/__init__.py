"""Hyper-parameter sweeps and ablation studies for fine-tuning CLIP.

The public names below are imported when they are first used:

    from clip_hparam import Machine, Recipe, TrialSpec, resolve, run_trial

    state = run_trial(TrialSpec(resolve(Recipe(lr=1e-3)), Machine(runs="runs")))
"""
