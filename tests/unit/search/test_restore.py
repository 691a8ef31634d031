"""The cell of a point holds overrides that give its values again."""

import pytest

from clip_hparam.cli.hydra_app.grammar.values import override_value
from clip_hparam.cli.hydra_app.grammar.words import parse_word
from clip_hparam.search.restore import manifest_cell


@pytest.mark.parametrize("root", ["/d/a,b", "/d/my photos", "2024", "it's", "/d/\u00e9"])
def test_overrides_of_a_point_are_read_as_its_values(root: str) -> None:
    values = {"data.root": root, "lr": 1e-3, "epochs": 5, "pool": "cls"}
    cell = manifest_cell(0, ["recipe=llrd"], values, {}, {})
    assert cell["label"] == f"data.root={root},lr=0.001,epochs=5,pool=cls"
    again = {o.key_or_group: override_value(o) for o in map(parse_word, cell["overrides"][1:])}
    assert again == values
    assert cell["overrides"][2:] == ["lr=0.001", "epochs=5", "pool=cls"]
