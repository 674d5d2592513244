"""The colours of fully transparent pixels."""

import cv2
import numpy as np

from upscale.pixels.image import Pixels

__all__ = ["bleed"]


def bleed(pixels: Pixels, reach: int) -> Pixels:
    """Give fully transparent pixels the colour of the nearest pixel that shows.

    ``pixels``: (H, W, 2 or 4), opacity last; ``reach``: the greatest distance, in pixels. Returns
    the same shape and dtype; ``pixels`` itself if nothing changes.

    The colour of a fully transparent pixel is arbitrary, often black, and a network would draw it
    into the visible edge. Beyond the network's reach nothing has to change. So a band of rows with
    ``reach`` further rows on both sides is filled as the whole picture would be.
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
