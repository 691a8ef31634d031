"""Each knob of a recipe has a note with its effect and source; no other key has one."""

from clip_hparam.cli.reference.knob_notes import NOTES
from clip_hparam.config.recipe import knobs


def test_each_knob_has_a_note() -> None:
    assert list(NOTES) == [name for name in knobs() if name in NOTES]
    assert set(NOTES) == set(knobs())


def test_notes_are_sentences_with_a_source() -> None:
    for name, note in NOTES.items():
        assert note.effect.endswith("."), name
        assert note.source, name
