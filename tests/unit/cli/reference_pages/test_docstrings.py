"""Signatures and docstrings become Markdown; lists and code keep their form."""

import ast

import pytest

from clip_hparam.cli.reference_pages.docstrings import (
    Definition,
    docstring_text,
    find_definition,
    is_property,
    public_methods,
    signature,
)


def parsed(source: str) -> Definition:
    (node,) = ast.parse(source).body
    assert isinstance(node, (ast.FunctionDef, ast.ClassDef))
    return node


def test_a_definition_is_found_by_its_name() -> None:
    assert find_definition("config.identity", "trial_id").name == "trial_id"
    with pytest.raises(LookupError, match="defines no trial_ids"):
        find_definition("config.identity", "trial_ids")


def test_a_long_signature_has_a_line_per_argument() -> None:
    short = parsed("def f(a: int, *, b: str = 'x') -> bool: ...")
    assert signature(short) == "f(a: int, *, b: str='x') -> bool"
    long = parsed(f"def {'f' * 80}(a: dict[str, int], b: str) -> None: ...")
    assert signature(long).splitlines()[1:] == [
        "    a: dict[str, int],",
        "    b: str,",
        ") -> None",
    ]


def test_the_signature_of_a_class_has_its_fields() -> None:
    node = parsed("class A:\n    x: int = 3\n    _y: int = 4\n    z: str")
    assert signature(node) == "class A\n    x: int = 3\n    z: str"


def test_public_methods_have_a_docstring_and_no_underscore() -> None:
    node = parsed(
        "class A:\n    @property\n    def a(self): 'Return a.'\n    def b(self): ...\n"
        "    def _c(self): 'Return c.'\n    def d(self): 'Return d.'"
    )
    assert isinstance(node, ast.ClassDef)
    assert [(one.name, is_property(one)) for one in public_methods(node)] == [
        ("a", True),
        ("d", False),
    ]


def test_arguments_and_exceptions_become_lists() -> None:
    text = docstring_text(
        parsed(
            'def f():\n    """Return this: a value\n    of two lines.\n\n    a, second: numbers,'
            "\n        positive\n    third: a text\n\n    Raises:\n        ValueError: it is 0.\n"
            '\n        f(1)\n\n    Raises: OSError at once.\n    """'
        )
    )
    assert text.split("\n\n") == [
        "Return this: a value of two lines.",
        "- `a, second`: numbers, positive\n- `third`: a text",
        "Raises:",
        "- `ValueError`: it is 0.",
        "```python\nf(1)\n```",
        "Raises: OSError at once.",
    ]
