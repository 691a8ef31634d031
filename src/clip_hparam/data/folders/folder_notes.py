"""Sentences about the files of a folder that a user may not expect."""

from collections import Counter
from collections.abc import Iterator

from clip_hparam.data.file_index import IMAGE_SUFFIXES
from clip_hparam.data.folders.class_folders import missing_classes
from clip_hparam.data.folders.labelled_folder import LabelledFolder
from clip_hparam.data.folders.names import listed


def missing_note(part: LabelledFolder, trained: LabelledFolder) -> list[str]:
    """Return a sentence if an evaluation set lacks classes that are trained on."""
    missing = missing_classes(part.classes, trained.classes)
    of_all = f"{len(missing)} of {len(trained.classes)} classes"
    return [f"{part.root} lacks {of_all}: {listed(missing)}"] if missing else []


def file_notes(*folders: LabelledFolder) -> Iterator[str]:
    """Yield a sentence about ignored files, and one about files with several frames."""
    counts: Counter[str] = Counter()
    for folder in folders:
        for suffixes in folder.index.ignored.values():
            counts.update(suffixes)
    if counts:
        by_suffix = ", ".join(
            f"{n} {suffix or '(no suffix)'}" for suffix, n in counts.most_common()
        )
        yield (
            f"not used: {counts.total()} without the suffix of an image: {by_suffix} (images end in"
            f" {', '.join(IMAGE_SUFFIXES)})"
        )
    frames = [str(folder.root / path) for folder in folders for path in folder.with_frames]
    if frames:
        yield f"only the first frame or page is read: {listed(frames)}"
