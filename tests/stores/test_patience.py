from dataclasses import replace

import pytest

from upscale.stores.patience import Patience
from upscale.stores.vendor import Kind, VendorError

QUICK = Patience(first=0)


def failing(*kinds: Kind) -> "Question":
    return Question([*kinds])


class Question:
    """Raises an error of each kind, then returns how often it was asked."""

    def __init__(self, kinds: list[Kind]) -> None:
        self.kinds = kinds
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        if self.asked <= len(self.kinds):
            raise VendorError(self.kinds[self.asked - 1], "Word")
        return self.asked


def test_what_passes_is_asked_for_again() -> None:
    assert QUICK.ask(failing("busy", "broken", "busy")) == 4


@pytest.mark.parametrize("kind", ["absent", "exists", "denied", "changed", "refused"])
def test_what_does_not_pass_is_raised_at_once(kind: Kind) -> None:
    question = failing("busy", kind)
    with pytest.raises(VendorError) as caught:
        QUICK.ask(question)
    assert (caught.value.kind, question.asked) == (kind, 2)


def test_it_ends_after_so_many_tries() -> None:
    question = failing(*["busy"] * 99)
    with pytest.raises(VendorError):
        replace(QUICK, tries=5).ask(question)
    assert question.asked == 5


def test_pauses_grow_up_to_the_longest_and_differ() -> None:
    patience = Patience(tries=9, first=0.25, longest=20)
    most = [0.25, 0.5, 1, 2, 4, 8, 16, 20]
    runs = [list(patience.pauses()) for _ in range(50)]
    assert all(0 <= pause <= top for run in runs for pause, top in zip(run, most, strict=True))
    assert len({run[-1] for run in runs}) == 50
    assert max(run[-1] for run in runs) > 10
