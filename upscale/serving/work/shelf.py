"""Keeps models in memory between jobs."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from upscale.batch.order import Ready

__all__ = ["Shelf"]


class Shelf:
    """The last used models; if several threads ask for one, a single thread loads it."""

    def __init__(self, size: int) -> None:
        """Keep at most ``size`` models."""
        self._size = size
        self._ready: OrderedDict[Hashable, Ready] = OrderedDict()
        self._lock = threading.Lock()

    def ready(self, key: Hashable, load: Callable[[], Ready]) -> Ready:
        """Return the model of ``key``; load it if necessary."""
        with self._lock:
            if key not in self._ready:
                while len(self._ready) >= self._size:
                    self._ready.popitem(last=False)
                self._ready[key] = load()
            self._ready.move_to_end(key)
            return self._ready[key]
