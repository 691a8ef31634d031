"""Names of split folders: which of the folders in a root hold the training, selection and test set.

    train       train, training, trn
    selection   val, valid, validation, dev
    test        test, testing, tst

in any case, with spaces, a number before, "set", "data", "images" or a year after: "Train ",
01_training_set, val2017. Where no folder has such a name, folders that are equal but for one of
these words are splits too: seg_train and seg_test.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class SplitRole(StrEnum):
    """What a split is used for; `EITHER` may be a selection set or a test set."""

    TRAIN = "train"
    SELECTION = "selection"
    TEST = "test"
    EITHER = "either"


WORDS = {
    SplitRole.TRAIN: ("train", "training", "trn"),
    SplitRole.SELECTION: ("val", "valid", "validation", "dev"),
    SplitRole.TEST: ("test", "testing", "tst"),
    SplitRole.EITHER: ("eval", "evaluation", "holdout"),
}
ROLE_OF_WORD = {word: role for role, words in WORDS.items() for word in words}
ANY_WORD = "|".join(sorted(ROLE_OF_WORD, key=len, reverse=True))
PLAIN_NAME = re.compile(
    rf"(?:\d+_)?({ANY_WORD})_?(?:set|sets|split|data|dataset|images|imgs|samples|folder)?_?(?:\d{{4}})?"
)
WORD_IN_NAME = re.compile(rf"(?:^|(?<=_))({ANY_WORD})(?=_|$)")


@dataclass(frozen=True)
class SplitNames:
    """Folder names by role, as they are on disk.

    others: folders that are no splits.
    """

    by_role: dict[SplitRole, list[str]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.by_role)

    def names_of_role(self, role: SplitRole) -> list[str]:
        return self.by_role.get(role, [])

    @property
    def names(self) -> list[str]:
        """All names that are splits, sorted."""
        return sorted(name for names in self.by_role.values() for name in names)

    @property
    def is_divided(self) -> bool:
        """Whether there is a training set and another split."""
        return bool(self.names_of_role(SplitRole.TRAIN)) and len(self.by_role) > 1


def split_names(folders: Iterable[str]) -> SplitNames:
    """Sort the names of the folders in a root by their role."""
    names = sorted(folders)
    roles = {name: plain_role(name) for name in names}
    if not any(roles.values()):
        roles = _affixed_roles(names)
    by_role: dict[SplitRole, list[str]] = {}
    for name, role in roles.items():
        if role is not None:
            by_role.setdefault(role, []).append(name)
    return SplitNames(by_role, [name for name, role in roles.items() if role is None])


def plain_role(name: str) -> SplitRole | None:
    """Return the role of a folder that is named like a split, else None."""
    match = PLAIN_NAME.fullmatch(simplified(name))
    return ROLE_OF_WORD[match[1]] if match else None


def _affixed_roles(names: list[str]) -> dict[str, SplitRole | None]:
    """Return the roles of names that are equal but for a word: a_train, a_test."""
    groups: dict[str, dict[str, SplitRole]] = {}
    for name in names:
        text = simplified(name)
        for match in WORD_IN_NAME.finditer(text):
            rest = text[: match.start()] + "*" + text[match.end() :]
            groups.setdefault(rest, {})[name] = ROLE_OF_WORD[match[1]]
    divided = [roles for roles in groups.values() if _is_divided(roles.values())]
    role_of = divided[0] if len(divided) == 1 else {}
    return {name: role_of.get(name) for name in names}


def _is_divided(roles: Iterable[SplitRole]) -> bool:
    distinct = set(roles)
    return SplitRole.TRAIN in distinct and len(distinct) > 1


def simplified(name: str) -> str:
    """Return the name in lower case, with one "_" for spaces and punctuation between words."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "_", text).strip("_")
