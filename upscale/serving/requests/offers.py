"""The models that a server offers, in plain words."""

from dataclasses import dataclass

from upscale.models.cache import in_cache
from upscale.models.choice import AUTO, BEST, CANDIDATES
from upscale.models.manifest import Entry, read_manifest

__all__ = ["Offer", "is_here", "known_models", "offers"]

PLAIN = {
    AUTO: "Chosen for each picture: fast",
    BEST: "Chosen for each picture: best, takes ten times as long",
    "srgan": "Clean photographs: crisp",
    "srresnet": "Clean photographs: faithful, nothing invented",
    "realesr-general": "Damaged photographs, drawings and text",
}
"""Offered first, in this order."""

QUICK_CROP, SLOW_CROP = 128, 48
"""Side in LR pixels of a crop that a small and a big network enlarge quickly."""


@dataclass(frozen=True)
class Offer:
    """A model, or an automatic choice."""

    name: str
    words: str
    """Its purpose."""
    main: bool
    """Whether the page shows it among the first few."""
    licence: str
    scale: int
    """The network's scale; 0 if only the file tells it."""
    bytes: int
    """Bytes to fetch; 0 for none."""
    here: bool
    """Whether it is on this machine."""
    blends: bool
    """Whether alpha changes it."""
    alpha: float | None
    """Its default blend; None: the weights as they are."""
    crop: int
    """Side in LR pixels of a crop that is enlarged quickly."""


def known_models() -> set[str]:
    """Return every name for ``--model``: the manifest's, and the automatic choices."""
    entries = read_manifest().items()
    return {*CANDIDATES, *(name for name, each in entries if each.role == "generator")}


def offers(own: str | None = None) -> list[Offer]:
    """Return the offers; ``own`` is the name of a file of the server's own."""
    generators = {name: each for name, each in read_manifest().items() if each.role == "generator"}
    found = []
    for name, candidates in CANDIDATES.items():
        lead, *others = [generators[each] for each in candidates.names]
        licences = ", ".join(dict.fromkeys(each.licence for each in (lead, *others)))
        found.append(_offer(lead, name, PLAIN[name], licences, (lead, *others)))
    order = sorted(generators, key=lambda name: list(PLAIN).index(name) if name in PLAIN else 99)
    for name in order:
        entry = generators[name]
        found.append(_offer(entry, name, PLAIN.get(name, entry.title), entry.licence, (entry,)))
    if own is not None:
        words, licence = "The model of this server", "see its author"
        found.insert(0, Offer(own, words, True, licence, 0, 0, True, False, None, QUICK_CROP))
    return found


def _offer(entry: Entry, name: str, words: str, licences: str, needed: tuple[Entry, ...]) -> Offer:
    missing = [each for each in needed if not _is_kept(each)]
    big = any(each.spec.get("architecture") == "rrdbnet" for each in needed)
    return Offer(
        name=name,
        words=words,
        main=name in PLAIN,
        licence=licences,
        scale=entry.scale,
        bytes=sum(source.size for each in missing for source in each.sources[:1]),
        here=not missing,
        blends=entry.psnr is not None,
        alpha=entry.alpha if entry.alpha is not None or entry.psnr is None else 1.0,
        crop=SLOW_CROP if big else QUICK_CROP,
    )


def is_here(model: str) -> bool:
    """Return whether ``model``, or every model that it chooses from, is on this machine."""
    candidates = CANDIDATES.get(model)
    entries = [read_manifest().get(name) for name in (candidates.names if candidates else (model,))]
    return all(entry is None or _is_kept(entry) for entry in entries)


def _is_kept(entry: Entry) -> bool:
    ends = [entry, *([read_manifest()[entry.psnr]] if entry.psnr else [])]
    return all(each.embedded or in_cache(each) is not None for each in ends)
