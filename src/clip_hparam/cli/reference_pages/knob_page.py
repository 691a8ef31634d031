"""docs/reference/knobs.md: each key of the command line."""

from collections.abc import Iterator, Mapping
from typing import Any

from clip_hparam.cli.reference.entries import Entry, of_group
from clip_hparam.cli.reference.groups import GROUPS
from clip_hparam.cli.reference.knob_notes import NOTES
from clip_hparam.cli.reference.launcher_help import LAUNCHERS, launcher_keys
from clip_hparam.cli.reference.lists import sweeps_over
from clip_hparam.cli.reference_pages.markdown import anchor, code, page, table
from clip_hparam.config.text.override_words import format_override, format_value

INTRODUCTION = """\
Each key of `python sweep.py KEY=VALUE`. `clip-hparam knobs NAME` prints the same facts in a
terminal.

- *default* is the default of the code. *in use* is the value in a command without overrides (the
  recipe `weak_aug` on digits), where it differs. *published B/16* is the value in the recipe
  `ft_clip/b16`.
- Another value of a knob that is *part of the id* gives another trial. The other keys do not
  change results by intent.
- *elsewhere* lists names that other tools use. If you type one, the message suggests the knob.

The keys of a search (`hydra.sweeper.*`) are in [search](../search.md#the-keys-of-hydrasweeper),
those of launchers (`hydra.launcher.*`) at the [end of this page](#launcher)."""
LAUNCHER = f"""\
## Launcher

Where the trials of a sweep run: `hydra/launcher=NAME`, or a file of `machine=NAME` that chooses one
([Slurm](../slurm.md)).

{table(["launcher", "where"], ([code(name), text] for name, text in LAUNCHERS.items()))}

What a Slurm job asks for: `hydra.launcher.KEY=VALUE`. `null` leaves an option out, and the cluster
decides. `clip-hparam knobs launcher` prints the same list."""
PUBLISHED = "recipe=ft_clip/b16"


def knob_page() -> str:
    """Return the page."""
    from clip_hparam.cli.hydra_app.composed_values import composed_values  # lazy: Hydra, 0.2 s

    in_use, _ = composed_values()
    published, _ = composed_values([PUBLISHED])
    parts = (part for group in GROUPS for part in _group_parts(group, in_use, published))
    return page("Knobs", INTRODUCTION, *parts, LAUNCHER, _launcher_table())


def _launcher_table() -> str:
    rows = (
        [
            code(f"hydra.launcher.{key.name}"),
            code(format_value(key.default)),
            key.unit,
            key.meaning,
            code(key.sbatch),
        ]
        for key in launcher_keys()
    )
    return table(["key", "default", "unit", "meaning", "option of sbatch"], rows)


def _group_parts(
    group: str, in_use: Mapping[str, Any], published: Mapping[str, Any]
) -> Iterator[str]:
    yield f"## {group.capitalize()}\n\n{GROUPS[group].capitalize()}."
    listed = of_group(group)
    rows = ([f"[`{entry.name}`](#{anchor(entry.name)})", entry.meaning] for entry in listed)
    yield table(["knob", "meaning"], rows)
    for entry in listed:
        facts = {title: text for title, text in _facts(entry, in_use, published) if text}
        sentence = entry.meaning[:1].upper() + entry.meaning[1:]
        yield f"### {entry.name}\n\n{sentence}.\n\n{table(['', ''], facts.items())}"


def _facts(
    entry: Entry, in_use: Mapping[str, Any], published: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield title and text of each row; an empty text is left out."""
    note = NOTES.get(entry.name)
    default, used = entry.default, in_use.get(entry.name, entry.default)
    yield "effect", note.effect if note else ""
    yield "unit", entry.unit
    yield "values", _values_text(entry)
    yield "default", code(format_override(entry.name, default))
    yield "in use", code(format_override(entry.name, used)) if used != default else ""
    yield "published B/16", code(published.get(entry.name, "")) if note else ""
    yield "part of the id", "yes" if entry.hashed else "no"
    yield "source", note.source if note else ""
    yield "elsewhere", ", ".join(map(code, entry.synonyms))
    yield "swept by", ", ".join(code(f"sweeps={name}") for name in sweeps_over(entry.name))


def _values_text(entry: Entry) -> str:
    texts = (entry.legal, entry.hint)
    return "; ".join(text.replace("[", "\\[").replace("<", "\\<") for text in texts if text)
