"""Folder names that look like splits and are not their usual names: tr and te, treino and teste.

A name is suspected if it is
    a usual name (split_names.py), also with s, e, ed, ate, one letter a to h or up to two digits
    after it: trains, testA, val_2, validate
    the start of a usual name of three letters or more, or tr, te, ts, va, vl, dv: tra, vali
    two usual names together: trainval
    a word of another language for one of them: treino, prueba, apprentissage
Where all names are equal but for one word, this word is looked at: photos_tr and photos_te.
"""

import re
import unicodedata
from collections.abc import Sequence

from clip_hparam.data.folders.split_names import (
    ANY_WORD,
    ROLE_OF_WORD,
    SplitRole,
    plain_role,
    simplified,
)

MIN_START = 3
MAX_FOLDERS = 3  # more folders than splits are classes
INFLECTED = re.compile(rf"({ANY_WORD})_?(?:s|e|ed|ate|ated|[a-h]|\d{{1,2}}|{ANY_WORD})")
SHORT = {
    **dict.fromkeys(("tr",), SplitRole.TRAIN),
    **dict.fromkeys(("te", "ts"), SplitRole.TEST),
    **dict.fromkeys(("va", "vl", "dv"), SplitRole.SELECTION),
}
FOREIGN = {
    SplitRole.TRAIN: (
        *("treino", "treinamento", "entrenamiento", "entreno", "entrainement", "apprentissage"),
        *("addestramento", "allenamento", "trainings", "trainingsdaten", "trening", "egitim"),
        *("обучение", "обучающая", "тренировка", "трейн", "训练", "训练集"),
        *("訓練", "学習", "훈련", "학습"),
    ),
    SplitRole.SELECTION: (
        *("validacao", "validacion", "validierung", "validazione", "validatie", "dogrulama"),
        *("валидация", "проверка", "验证", "验证集", "驗證", "検証", "검증"),
    ),
    SplitRole.TEST: (
        *("teste", "testes", "prueba", "pruebas", "essai", "prova", "testen", "testdaten"),
        *("тест", "тестовая", "测试", "测试集", "測試", "テスト", "테스트", "시험"),
    ),
}
ROLE_OF_FOREIGN = {word: role for role, words in FOREIGN.items() for word in words}


def suspected_roles(names: Sequence[str]) -> dict[str, SplitRole] | None:
    """Return a role for each of two or three names that all look like splits.

    None for other numbers of names, and if a name does not look like a split.
    """
    if not 2 <= len(names) <= MAX_FOLDERS:
        return None
    roles = {}
    for name, word in zip(names, _differing_words(names), strict=True):
        role = suspected_role(name) or suspected_role(word)
        if role is None:
            return None
        roles[name] = role
    return roles


def suspected_role(name: str) -> SplitRole | None:
    """Return the role that a name may stand for, None if it does not look like a split."""
    word = simplified(_without_marks(name.casefold()))
    if role := plain_role(name) or SHORT.get(word) or ROLE_OF_FOREIGN.get(word):
        return role
    if inflected := INFLECTED.fullmatch(word):
        return ROLE_OF_WORD[inflected[1]]
    starts = (role for long, role in ROLE_OF_WORD.items() if long.startswith(word))
    return next(starts, None) if len(word) >= MIN_START else None


def _differing_words(names: Sequence[str]) -> list[str]:
    """Return the only word of each name that is not the same in all; else the names."""
    words = [simplified(name).split("_") for name in names]
    if len(set(map(len, words))) > 1:
        return list(names)
    differing = [place for place, same in enumerate(zip(*words, strict=True)) if len({*same}) > 1]
    return [parts[differing[0]] for parts in words] if len(differing) == 1 else list(names)


def _without_marks(text: str) -> str:
    """Return a text in lower case without the accents of its Latin letters."""
    decomposed = unicodedata.normalize("NFD", text)
    latin = re.sub(r"(?<=[a-z])[\u0300-\u036f]+", "", decomposed)
    return unicodedata.normalize("NFC", latin).replace("\u0131", "i")  # Turkish, without a dot
