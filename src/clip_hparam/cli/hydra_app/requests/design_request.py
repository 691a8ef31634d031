"""The design of a sweep: a design file with the family, the keys and the name that are typed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hydra.core.override_parser.types import Override

from clip_hparam.cli.hydra_app.compose import Composer
from clip_hparam.cli.hydra_app.grammar.levels import Levels
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.design.design import (
    Design,
    Step,
    key_of,
    merged_overrides,
    parse_design,
    with_base,
    with_levels,
)
from clip_hparam.design.families import depends_on_family, family_of, select_family
from clip_hparam.design.validation import validate_name


def select_of_family(
    tree: dict[str, Any], typed: Sequence[str], composer: Composer
) -> dict[str, Any]:
    """Return the parts of a design for the family that is typed, or that its base names.

    Raises:
        ValueError: the design has no part for the family, or the recipe is of another family.
    """
    base = tree.get("base")
    words = merged_overrides(base if isinstance(base, list) else [], typed)
    family = family_of(words)
    if not depends_on_family(tree, composer.families):
        return tree
    values = composer.recipe_family(words)
    if values != family:
        raise ValueError(
            f"design {tree.get('name')} is planned for family={family}, and the recipe holds"
            f" values of family={values}: add family={values}"
        )
    return select_family(tree, family, composer.families)


def create_design(
    tree: Mapping[str, Any] | None, swept: Levels, fixed: Sequence[Override]
) -> tuple[Design, Levels]:
    """Return the design with the command line applied, and the swept keys that it does not vary.

    tree: content of the design file; None: the swept keys are the design. fixed: overrides with one
    value.
    """
    base = tuple(str(o.input_line) for o in fixed)
    if tree is None:
        if swept:
            return Design("_x_".join(sorted(swept)), "grid", base, swept), {}
        return Design("one", "list", base, steps=(Step("one", ()),)), {}
    design = parse_design(tree)
    given = swept | {o.key_or_group: [o.get_value_string()] for o in fixed}
    varied = {knob: levels for knob, levels in given.items() if knob in design.knobs}
    others = tuple(line for line in base if key_of(line) not in varied)
    crossed = {knob: levels for knob, levels in swept.items() if knob not in varied}
    return with_base(with_levels(design, varied), others), crossed


def with_name(design: Design, driver: SweepOptions) -> Design:
    """Return the design with the name that was typed. Raises ValueError if it names no file."""
    if driver.name is None:
        return design
    validate_name(driver.name)
    return replace(design, name=driver.name)
