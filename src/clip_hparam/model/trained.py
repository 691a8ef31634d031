"""Decide by its name whether a parameter is trained: `freeze` and `tune` together. No torch.

The new layers, the head and the norm before it, have no pretrained weights. Every value of `tune`
trains them; `freeze` alone may exclude them.
"""

from collections.abc import Callable

from clip_hparam.model.depth import frozen_predicate

FULL, BIAS, LORA = "full", "bias", "lora"
NEW_LAYERS = ("head.", "fc_norm.")
ADAPTED = ("attn.in_proj_weight", "attn.out_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
"""Matrices of a block that tune=lora adapts; queries, keys and values are one matrix."""
BIAS_NAMES = ("bias", "in_proj_bias")
LORA_NAMES = ("lora_down", "lora_up")


def trained_predicate(freeze: str, tune: str, blocks: int) -> Callable[[str], bool]:
    """Return a function that decides by its name whether a parameter is trained.

    Raises: ValueError as `depth.frozen_predicate` does.
    """
    frozen = frozen_predicate(freeze, blocks)
    last_names = {FULL: None, BIAS: BIAS_NAMES, LORA: LORA_NAMES}[tune]

    def is_trained(name: str) -> bool:
        in_kind = last_names is None or name.rpartition(".")[2] in last_names
        return not frozen(name) and (in_kind or name.startswith(NEW_LAYERS))

    return is_trained


def is_adapted(name: str, freeze: str, blocks: int) -> bool:
    """Return whether tune=lora adapts this matrix: one of ADAPTED that `freeze` leaves."""
    in_block = name.startswith("transformer.resblocks.") and name.endswith(ADAPTED)
    return in_block and not frozen_predicate(freeze, blocks)(name)
