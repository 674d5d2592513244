"""Colour under transparency."""

import cv2
import numpy as np

from upscale.pixels.image import Pixels

__all__ = ["bleed"]


def bleed(pixels: Pixels, reach: int) -> Pixels:
    """Give fully transparent pixels the colour of the nearest one that is not.

    ``pixels``: (H, W, 2 or 4); ``reach``: the greatest distance, in pixels. What lies under full
    transparency is arbitrary, often black, and would be drawn into the rim. Further away than a
    network sees, nothing needs to change; so a band of rows with ``reach`` more on both sides is
    bled as the whole picture would be.
    """
    clear = pixels[..., -1] == 0
    if not clear.any() or clear.all():
        return pixels
    distance, nearest = cv2.distanceTransformWithLabels(
        clear.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    # Labels count the visible pixels: find the one that each label stands for.
    visible = np.flatnonzero(~clear)
    where = np.empty(int(nearest.max()) + 1, np.int64)
    where[nearest.ravel()[visible]] = visible
    near = clear & (distance <= reach)
    flat = pixels[..., :-1].reshape(-1, pixels.shape[-1] - 1)
    bled = pixels.copy()
    bled[near, :-1] = flat[where[nearest[near]]]
    return bled
