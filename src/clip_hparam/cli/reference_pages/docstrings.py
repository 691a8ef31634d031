"""Definitions in the source of a module: signature and docstring as Markdown, without an import."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import clip_hparam

PACKAGE = Path(clip_hparam.__file__).parent
FIELD = re.compile(r"([A-Za-z_]\w*(?:, [a-z_]\w*)*): (.+)", re.DOTALL)
NO_FIELDS = ("Raises", "Source")
Definition = ast.FunctionDef | ast.ClassDef


def find_definition(module: str, name: str) -> Definition:
    """Return a function or class at the top of a module of the package.

    Raises:
        LookupError: the module has none of this name.
    """
    path = PACKAGE / f"{module.replace('.', '/')}.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return node
    raise LookupError(f"{path} defines no {name}")


def signature(node: Definition) -> str:
    """Return the head of a definition: of a class its fields, of a function its arguments."""
    if isinstance(node, ast.ClassDef):
        return "\n".join([f"class {node.name}", *map(_field_text, _fields(node))])
    arguments = ast.unparse(node.args)
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"{node.name}({arguments}){returns}"
    if len(line) <= 96:
        return line
    parts = ",\n".join(f"    {part}" for part in _arguments(node.args))
    return f"{node.name}(\n{parts},\n){returns}"


def public_methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """Yield the methods and properties that have a docstring and no underscore."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name[0] != "_" and ast.get_docstring(item):
            yield item


def is_property(node: ast.FunctionDef) -> bool:
    """Return whether a method is read like a field."""
    return any(
        isinstance(decorator, ast.Name) and decorator.id == "property"
        for decorator in node.decorator_list
    )


def docstring_text(node: Definition) -> str:
    """Return the docstring as Markdown: arguments and exceptions as a list, code as a block."""
    first, *others = (ast.get_docstring(node) or "").split("\n\n")
    return "\n\n".join([" ".join(first.split()), *map(_paragraph_text, others)])


def _paragraph_text(paragraph: str) -> str:
    lines = paragraph.strip("\n").splitlines()
    if all(line.startswith("    ") for line in lines):
        return "\n".join(["```python", *(line[4:] for line in lines), "```"])
    if lines[0] == "Raises:":
        return "Raises:\n\n" + _list_text([line.removeprefix("    ") for line in lines[1:]])
    field = FIELD.match(lines[0])
    if field and field[1] not in NO_FIELDS:
        return _list_text(lines)
    return " ".join(line.strip() for line in lines)


def _list_text(lines: list[str]) -> str:
    items: list[str] = []
    for line in lines:
        if items and (line.startswith("    ") or not FIELD.match(line)):
            items[-1] += f" {line.strip()}"
        else:
            items.append(line.strip())
    return "\n".join("- " + FIELD.sub(r"`\1`: \2", item, count=1) for item in items)


def _fields(node: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and not ast.unparse(item.target).startswith("_"):
            yield item


def _field_text(field: ast.AnnAssign) -> str:
    value = f" = {ast.unparse(field.value)}" if field.value else ""
    return f"    {ast.unparse(field.target)}: {ast.unparse(field.annotation)}{value}"


def _arguments(arguments: ast.arguments) -> Iterator[str]:
    """Yield each argument with its annotation and default."""
    text = ast.unparse(arguments)
    depth, start = 0, 0
    for position, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            yield text[start:position].strip()
            start = position + 1
    yield text[start:].strip()
