from typing import Any, cast

from upscale.batch.order import Ready
from upscale.serving.work.shelf import Shelf


def test_a_model_is_loaded_once_and_the_one_used_longest_ago_goes() -> None:
    loaded: list[str] = []
    shelf = Shelf(2)

    def use(name: str) -> Any:
        def load() -> Ready:
            loaded.append(name)
            return cast("Ready", name)

        return shelf.ready(name, load)

    assert [use(name) for name in "aabab"] == [*"aabab"]
    assert loaded == ["a", "b"]
    use("c")
    use("b")
    assert loaded == ["a", "b", "c"]
    use("a")
    assert loaded == ["a", "b", "c", "a"]
