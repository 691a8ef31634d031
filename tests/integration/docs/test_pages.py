"""Links, anchors and commands of all pages are right; the navigation of the site has all pages."""

import re
from pathlib import Path

import pytest
import yaml
from support.cli import ROOT
from support.doc_commands import problem_of
from support.doc_pages import Command, anchors, blocks, commands, links, pages

PAGES = pages()
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
COMMANDS = [command for page in PAGES for command in commands(page)]


def own_names(page: str) -> set[str]:
    """Return the names of sweeps, recipes and other files that YAML blocks of a page are."""
    shown = "\n".join(block.text for block in blocks(ROOT / page) if block.language == "yaml")
    named = re.findall(r"(?:sweeps|recipe|machine)=(\w+)", shown)
    exported = re.findall(r"export-recipe .*--to \S*?(\w+)\.yaml", (ROOT / page).read_text())
    return {*named, *exported}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_point_to_files_and_headings(page: Path) -> None:
    wrong = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        path = (page.parent / target) if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            wrong.append(link)
    assert wrong == []


def test_the_list_of_pages_has_each_page_once() -> None:
    first, _, lists = (ROOT / "docs" / "README.md").read_text().partition("\n## ")
    link = r"\]\(([\w/]+\.md)\)"
    listed = re.findall(link, lists)
    assert sorted(listed) == sorted(set(listed))
    own = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert own - {*listed, *re.findall(link, first)} == {"README.md"}


def test_anchors_are_those_of_the_headings(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `b.c` [d](e.md), f!\n```sh\n# no heading\n```\n## Same\n## Same\n")
    assert anchors(page) == ["a-bc-d-f", "same", "same-1"]


def test_the_pages_have_commands() -> None:
    assert len(COMMANDS) > 170
    assert len({command.page for command in COMMANDS}) > 18


@pytest.mark.parametrize("page", sorted({command.page for command in COMMANDS}))
def test_commands_have_existing_verbs_flags_keys_and_values(page: str) -> None:
    listed = [command for command in COMMANDS if command.page == page]
    assert {c.text: problem for c in listed if (problem := problem_in(c))} == {}


def problem_in(command: Command) -> str:
    return problem_of(command.words, own_names(command.page), command.is_form)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("python sweep.py lrr=1e-3", "no key lrr"),
        ("python sweep.py warmup=2", "warmup=2 is outside"),
        ("python sweep.py -m sweeps=laddr", "no file sweeps=laddr"),
        ("python sweep.py --frist lr=1", "no flag --frist"),
        ("python sweep.py hydra.launcher.partion=gpu", "no key hydra.launcher.partion"),
        ("clip-hparam stats", "no command stats"),
        ("clip-hparam top --sort lr", "--sort"),
        ("make tabels", "no target tabels"),
        ("make table-lr FAMILY=b16", ""),
        ("clip-hparam why 05a020", ""),
        ("python sweep.py -m lr=1e-3,3e-3 'seeds={start: 3, max: 10}' data.root=PHOTOS", ""),
    ],
)
def test_a_wrong_command_is_noticed(text: str, problem: str) -> None:
    found = problem_of(Command("docs/x.md", text, is_form=False).words, set(), is_form=False)
    assert problem in found
    assert bool(found) == bool(problem)


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml without the Python objects that it names."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def navigation(entries: list[object]) -> list[str]:
    """Return the pages of a part of the navigation, in order."""
    listed: list[str] = []
    for entry in entries:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        listed += navigation(value) if isinstance(value, list) else [str(value)]
    return listed


def test_the_navigation_has_every_page_once() -> None:
    site = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader=_Loader)
    listed = navigation(site["nav"])
    docs = ROOT / "docs"
    ours = {str(path.relative_to(docs)) for path in docs.rglob("*.md")}
    assert sorted(name for name in listed if not name.startswith("project/")) == sorted(ours)
    others = [name.removeprefix("project/") for name in listed if name.startswith("project/")]
    assert [name for name in others if not (ROOT / name.removesuffix("/index.md")).exists()] == []
