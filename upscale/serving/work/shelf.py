"""Models in memory, from one job to the next."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from upscale.batch.order import Ready

__all__ = ["Shelf"]


class Shelf:
    """The models that were used last; threads may ask at once, and one of them loads."""

    def __init__(self, size: int) -> None:
        """Have room for ``size`` models."""
        self._size = size
        self._ready: OrderedDict[Hashable, Ready] = OrderedDict()
        self._lock = threading.Lock()

    def ready(self, key: Hashable, load: Callable[[], Ready]) -> Ready:
        """Return the model of ``key``, loaded now if it is not here."""
        with self._lock:
            if key not in self._ready:
                while len(self._ready) >= self._size:
                    self._ready.popitem(last=False)
                self._ready[key] = load()
            self._ready.move_to_end(key)
            return self._ready[key]
