"""An input's name → its output's, by a template with a few fields; kept to the allowed length."""

import functools
import os
import re
import string
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from upscale.batch.planning.walk import Found
from upscale.errors import UsageError
from upscale.models.choice import CANDIDATES, FORMER
from upscale.pictures.formats import WRITABLE, suffix_of
from upscale.system import unnameable

__all__ = ["DEFAULT_TEMPLATE", "LONGEST_NAME", "Naming", "ending", "originals", "told_apart"]

DEFAULT_TEMPLATE = "{stem}_{target}"

LONGEST_NAME = 255
"""Bytes that a file's name may have on the usual file systems."""

OF_INPUT = ("stem", "name", "ext")
OF_RUN = ("scale", "target", "model", "alpha")


@dataclass(frozen=True)
class Naming:
    """How outputs are named. Raises UsageError for a template that cannot name a file.

    ``scale``, ``target``, ``model`` and ``alpha``: the texts of these fields; "" if there is none.
    """

    template: str = DEFAULT_TEMPLATE
    """Text with ``{stem}`` and ``{name}`` (the input's name without and with suffix), ``{ext}``
    (the suffix without its dot) and the other fields; ``{{`` and ``}}`` are braces."""
    suffix: str | None = None
    """The suffix of outputs; None: the input's own if it can be written, otherwise ``.png``."""
    scale: str = "4"
    target: str = "x4"
    model: str = ""
    """Of a file's path or an address, only the last part is used."""
    alpha: str = ""

    def __post_init__(self) -> None:
        """Check the template."""
        known = ", ".join(f"{{{field}}}" for field in OF_INPUT + OF_RUN)
        if not self.template or re.search(r"[/\\\0]", self.template):
            raise UsageError(
                f"{self.template!r} cannot name a file; give a name without / or \\, "
                f"with any of the fields {known}"
            )
        shape = "".join(text + ("x" if field else "") for text, field in _parse(self.template))
        if why := unnameable(f"{shape}.png"):
            raise UsageError(f"{self.template!r} cannot name a file: {why}; choose another")
        for _, field in _parse(self.template):
            if field is not None and field not in OF_INPUT + OF_RUN:
                raise UsageError(f"{{{field}}} is not a field of a name; the fields are {known}")
            if field in OF_RUN and not getattr(self, field):
                raise UsageError(
                    f"the name {self.template!r} has the field {{{field}}}, but this run has no "
                    f"{field}; leave it out"
                )

    def name(self, path: Path) -> str:
        """Return the name of ``path``'s output, shortened by characters of the stem if too long.

        Raises UsageError if it is too long even without the stem.
        """
        own = path.suffix if suffix_of(path) in WRITABLE else ".png"
        suffix = own if self.suffix is None else self.suffix
        length = len(path.name)
        while len(raw := os.fsencode(self._fill(path, length) + suffix)) > LONGEST_NAME:
            if length == 0:
                raise UsageError(
                    f"{self.template!r} makes names of more than {LONGEST_NAME} bytes, which file "
                    "systems do not take; shorten it"
                )
            length -= 1
        return os.fsdecode(raw)  # as a folder lists it: odd bytes of two fields may join

    def _fill(self, path: Path, length: int) -> str:
        """Return the name without suffix, with at most ``length`` characters of the input's."""
        return "".join(
            literal + (self._value(field, path, length) if field else "")
            for literal, field in _parse(self.template)
        )

    def _value(self, field: str, path: Path, length: int) -> str:
        if field == "ext":
            return path.suffix.removeprefix(".")
        if field in OF_INPUT:
            return str(getattr(path, field))[:length]
        return re.split(r"[/\\]", str(getattr(self, field)))[-1]


@functools.lru_cache
def _parse(template: str) -> tuple[tuple[str, str | None], ...]:
    """Cut a template into pairs of text and the field behind it, or None. Raises UsageError.

    A field is a bare name; with an attribute, index, conversion or format it is an unknown one.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"{template!r}: {error}; write {{{{ for a brace") from error
    return tuple(
        (text, None if field is None else field + (f"!{cast}" if cast else "") + (form or ""))
        for text, field, form, cast in parts
    )


def told_apart(path: Path) -> Path:
    """Return the path that an input is named by beside another one of its stem: ``a_png.png``."""
    return path.with_name(f"{path.stem}_{path.suffix.removeprefix('.')}{path.suffix}")


def ending(end: str) -> str:
    """Return the template for an input's stem and ``end``, as ``--suffix _big`` asks for."""
    return "{stem}" + end.replace("{", "{{").replace("}", "}}")


def originals(found: Iterable[Found], naming: Naming) -> list[Found]:
    """Return ``found`` without what an earlier run made of the other pictures in it.

    Name and place alone decide. The name is one that ``naming`` makes of the picture's, or
    ``naming`` with the default template, or one with all defaults; with any suffix that can be
    written. The place is beside the picture, or as deep in an output folder as the picture is in
    the folder around both: ``in/large/b/a_x4.png`` for ``in/b/a.png``. Files that were named by
    themselves stay.
    """
    found = list(found)
    models = [naming.model]
    if candidates := CANDIDATES.get(naming.model):
        models += [*candidates.names, *FORMER]
    namings = {replace(naming, model=model) for model in models}
    namings |= {replace(naming, template=DEFAULT_TEMPLATE), Naming()}
    made: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for each in found:
        if each.problem is None:
            paths = (each.path, told_apart(each.path))
            stems = {Path(other.name(path)).stem for other in namings for path in paths}
            for stem in stems - {each.path.stem}:
                made[stem].add(each.path.parent.parts)
    return [
        each
        for each in found
        if not each.walked
        or suffix_of(each.path) not in WRITABLE
        or made.get(each.path.stem, set()).isdisjoint(_around(each.path.parent.parts))
    ]


def _around(folder: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield each folder that this one may mirror: its path without a run of its parts."""
    for end in range(len(folder), -1, -1):
        for begin in range(end, -1, -1):
            yield folder[:begin] + folder[end:]
