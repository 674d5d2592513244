"""VGG19's features after and before the activation, and the brightness of results of either.

Wang et al. 2018, section 3.3 and figure 6: after the activation of a deep layer few features are
active, so they say little. Section 4.4 and figure 9a: networks trained with them make dimmer
pictures.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from upscale.bench.sets.picture_sets import Pair, read_hr
from upscale.bench.tables.table import MISSING, Line, Table
from upscale.models.fetching.sources import Progress
from upscale.pixels.baselines import Levels
from upscale.training.losses.vgg import VGG19
from upscale.viewing.sheets.sheet import Panel, contact_sheet

__all__ = [
    "PUBLISHED",
    "Brightness",
    "active_shares",
    "brightness_table",
    "draw_maps",
    "features_of",
    "look",
    "shares_table",
]

LAYERS = ("1_2", "2_2", "3_4", "4_4", "5_4")
"""The last layer of each block of VGG19; the papers use 2_2 and 5_4."""

PUBLISHED = {("baboon", "5_4"): 0.1117}
"""Share of active features that section 3.3 states, by picture and layer."""

MOST_SIDE = 1024
"""Largest side in HR pixels; of a larger picture VGG19 sees the middle."""

BINS = 64
"""Bins of a histogram of brightness over [0, 255]."""

BLUR = 5.0
"""Standard deviation in pixels of the Gaussian that removes texture; the paper states none."""

MAPS = 5
"""Number of channels of a layer on the sheet: those that vary most before the activation."""

MAP_SIDE = 128
"""Approximate side of a feature map on the sheet, in pixels."""

Features = Mapping[str, npt.NDArray[np.float32]]


def look(
    vgg: VGG19,
    pairs: Sequence[Pair],
    device: torch.device,
    progress: Progress = lambda done, total: None,
) -> tuple[dict[str, dict[str, float]], Levels]:
    """Return `active_shares` of each picture's HR, and the sheet of the first one's maps."""
    shares, sheet = {}, None
    for number, pair in enumerate(pairs, 1):
        found = features_of(vgg, read_hr(pair.hr), device)
        shares[pair.name] = active_shares(found)
        if sheet is None:
            sheet = draw_maps(found, pair.name)
        progress(number, len(pairs))
    assert sheet is not None
    return shares, sheet


@torch.no_grad()
def features_of(vgg: VGG19, hr: Levels, device: torch.device) -> Features:
    """Return the maps (C, h, w) of `LAYERS` before and after the activation.

    ``hr``: (H, W, 1 or 3), uint8. Keys: ``conv5_4``, ``relu5_4`` and so on, of the layers that
    ``vgg`` has.
    """
    middle = _middle(hr)
    rgb = np.broadcast_to(middle, (*middle.shape[:2], 3)).astype(np.float32) / 255
    x = torch.from_numpy(rgb).to(device).permute(2, 0, 1)[None]
    there = [layer for layer in LAYERS if f"conv{layer}" in dict(vgg.named_children())]
    wanted = [kind + layer for layer in there for kind in ("conv", "relu")]
    return {name: maps[0].float().cpu().numpy() for name, maps in vgg(x, wanted).items()}


def _middle(hr: Levels) -> Levels:
    top, left = (max(0, length - MOST_SIDE) // 2 for length in hr.shape[:2])
    return hr[top : top + MOST_SIDE, left : left + MOST_SIDE]


def active_shares(features: Features) -> dict[str, float]:
    """Return the share of features that are not 0, by the keys of ``features``."""
    return {name: float(np.count_nonzero(maps) / maps.size) for name, maps in features.items()}


def shares_table(pictures: Mapping[str, Mapping[str, float]], set_name: str) -> Table:
    """Return the table of active features: a line per picture, a column per layer, in percent.

    ``pictures``: the result of `active_shares`, by picture.
    """
    layers = [name.removeprefix("relu") for name in next(iter(pictures.values())) if "relu" in name]
    lines = []
    for picture, shares in [*pictures.items(), ("mean", _means(pictures.values()))]:
        cells = [f"{100 * shares[f'relu{layer}']:.2f}" for layer in layers]
        before = min(share for name, share in shares.items() if name.startswith("conv"))
        lines.append(Line("measured", (picture, *cells, f"{100 * before:.2f}")))
        published = [PUBLISHED.get((picture, layer)) for layer in layers]
        if any(published):
            told = [MISSING if each is None else f"{100 * each:.2f}" for each in published]
            lines.append(Line("published", ("  Wang et al. 2018, section 3.3", *told, MISSING)))
    columns = ("picture", *(f"after {layer}" for layer in layers), "before, all")
    notes = (
        "Before the activation, as ESRGAN has them, nearly all features have a value; after it, as "
        "in SRGAN, the deeper the layer, the fewer.",
        "The paper's figure is of PyTorch's VGG19; vgg19 here is that of Simonyan and Zisserman.",
        f"Pictures larger than {MOST_SIDE} pixels a side: the middle only.",
    )
    return Table(f"Active features of VGG19 in %: HR of {set_name}", columns, tuple(lines), notes)


def _means(shares: Iterable[Mapping[str, float]]) -> dict[str, float]:
    found = list(shares)
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def draw_maps(features: Features, picture: str) -> Levels:
    """Draw maps of 2_2 and 5_4 before and after the activation, as figure 6: (H, W, 3), uint8.

    The same channels stand below each other. Black is the lowest value of a map, white the highest.
    """
    rows: dict[str, Sequence[Panel]] = {}
    for layer in ("2_2", "5_4"):
        if f"conv{layer}" not in features:
            continue
        before, after = features[f"conv{layer}"], features[f"relu{layer}"]
        channels = np.argsort(-before.std((1, 2)), kind="stable")[:MAPS]
        for name, maps in (("before", before), ("after", after)):
            active = f"{100 * np.count_nonzero(maps) / maps.size:.1f} % active"
            rows[f"{layer} {name}\n{active}"] = [
                Panel(_shown(maps[each]), str(place)) for place, each in enumerate(channels, 1)
            ]
    lines = (
        "The channels that vary most, each from its lowest value (black) to its highest (white).",
        "Active: not 0, of all channels.",
    )
    title = f"VGG19's features of {picture}"
    return contact_sheet(rows, Panel(np.zeros((0, 0, 3), np.uint8), title, lines))


def _shown(values: npt.NDArray[np.float32]) -> Levels:
    low, high = float(values.min()), float(values.max())
    levels = np.rint((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
    factor = MAP_SIDE / max(levels.shape)
    size = (max(1, round(levels.shape[1] * factor)), max(1, round(levels.shape[0] * factor)))
    method = cv2.INTER_NEAREST if factor > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(levels, size, interpolation=method), np.uint8)


@dataclass
class Brightness:
    """Counts how often each brightness occurs in HR and in the results of each system."""

    counts: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    """(BINS,), by system; HR is one."""
    sums: dict[str, float] = field(default_factory=dict)
    """Sum of the brightness of all pixels, by system."""
    pixels: dict[str, int] = field(default_factory=dict)
    """Number of pixels, by system."""
    seen_hr: str = ""
    """The first system; HR is counted beside its results only."""

    def add(self, label: str, sr: Levels, hr: Levels) -> None:
        """Count the pixels of a result, and of HR beside the first system's results."""
        self.seen_hr = self.seen_hr or label
        if label == self.seen_hr:
            self._count("HR", hr)
        self._count(label, sr)

    def _count(self, label: str, picture: Levels) -> None:
        gray = (
            picture[..., 0] if picture.shape[2] == 1 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        )
        smooth = cv2.GaussianBlur(np.asarray(gray, np.float32), (0, 0), BLUR)
        found, _ = np.histogram(smooth, BINS, (0, 255))
        self.counts[label] = self.counts.get(label, np.zeros(BINS)) + found
        self.sums[label] = self.sums.get(label, 0.0) + float(smooth.sum(dtype=np.float64))
        self.pixels[label] = self.pixels.get(label, 0) + smooth.size

    @property
    def shares(self) -> dict[str, npt.NDArray[np.float64]]:
        """The counts divided by the number of pixels, by system."""
        return {label: counts / counts.sum() for label, counts in self.counts.items()}

    def figures(self) -> dict[str, dict[str, float]]:
        """Return for each system ``brightness``, its mean in levels of 255, and ``moved``.

        ``moved``: the earth mover's distance from its histogram to that of HR, in levels: the area
        between the two distributions.
        """
        truth = np.cumsum(self.shares["HR"])
        return {
            label: {
                "brightness": self.sums[label] / self.pixels[label],
                "moved": float(np.abs(np.cumsum(share) - truth).sum() * 255 / BINS),
            }
            for label, share in self.shares.items()
        }


def brightness_table(figures: Mapping[str, Mapping[str, Any]], set_name: str) -> Table:
    """Return the table of brightness; ``figures``: the result of `Brightness.figures`."""
    truth = figures["HR"]["brightness"]
    lines = []
    for label, found in figures.items():
        off = f"{found['brightness'] - truth:+.2f}".replace("-", "−") if label != "HR" else MISSING
        moved = f"{found['moved']:.2f}" if label != "HR" else MISSING
        lines.append(Line("measured", (label, f"{found['brightness']:.2f}", off, moved)))
    columns = ("system", "mean brightness", "off HR", "levels between the histograms")
    title = f"Brightness of {set_name} in levels of 255, after a Gaussian blur of {BLUR:g} pixels"
    return Table(title, columns, tuple(lines))
