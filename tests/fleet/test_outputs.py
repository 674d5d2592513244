"""Outputs of a stream get their names one at a time."""

from pathlib import Path

import pytest

from upscale.batch.planning.naming import Naming
from upscale.errors import InputError, UsageError
from upscale.fleet.origins import Origin
from upscale.fleet.outputs import Outputs
from upscale.fleet.task import Receipt, Task


def named(root: str, *places: str, policy="rename", many: bool = True, **naming: str):
    outputs = Outputs(root, Naming(**naming), policy, many=many)
    origins = [Origin(f"s3://in/{place}", place, 7, "tag") for place in places]
    return [outputs.task(origin) for origin in origins]


def test_an_output_has_the_place_of_its_input() -> None:
    (task,) = named("s3://out/x", "a//b c/photo.png")
    assert task == Task("s3://in/a//b c/photo.png", "s3://out/x/a/b c/photo_x4.png", 7, "tag")
    (task,) = named("out/x", "a/photo.JPG", template="{stem}-{target}", suffix=".webp")
    assert Path(task.output) == Path("out/x/a/photo-x4.webp")


def test_one_picture_may_have_a_name_of_its_own() -> None:
    (task,) = named("s3://out/x/big.tif", "photo.png", many=False)
    assert task.output == "s3://out/x/big.tif"
    (task,) = named("s3://out/v1.5/", "photo.png", many=False)
    assert task.output == "s3://out/v1.5/photo_x4.png"
    for root, many in (("s3://out/big.png", True), ("s3://out/v1.5", False)):
        with pytest.raises(UsageError, match=root):
            named(root, "photo.png", many=many)


@pytest.mark.parametrize(
    ("policy", "status"), [("rename", None), ("skip", "skipped"), ("fail", "failed")]
)
def test_the_second_of_one_name_is_told_apart(policy: str, status: str | None) -> None:
    found = named("s3://out", "a.jpg", "a.png", policy=policy, suffix=".webp")
    first, second = found
    assert isinstance(first, Task)
    assert first.output == "s3://out/a_x4.webp"
    if status is None:
        assert isinstance(second, Task)
        assert second.output == "s3://out/a_png_x4.webp"
    else:
        assert isinstance(second, Receipt)
        assert second.status == status
        assert "s3://in/a.jpg" in str(second.error)


def test_the_same_picture_again_is_no_other() -> None:
    assert len({*named("s3://out", "a.png", "a.png", policy="fail")}) == 1


@pytest.mark.parametrize("place", ["../a.png", "b/../../a.png", "/etc/a.png"])
def test_a_name_that_leads_out_of_a_folder_is_refused(place: str) -> None:
    (receipt,) = named("out", place)
    assert isinstance(receipt, Receipt)
    assert receipt.error is not None
    assert receipt.error.code == "outside-output"
    (task,) = named("s3://out", place)
    assert isinstance(task, Task)


def test_what_has_a_problem_has_its_receipt() -> None:
    outputs = Outputs("s3://out", Naming(), "rename", many=True)
    problem = InputError("gone")
    receipt = outputs.task(Origin("a.png", "a.png", problem=problem))
    assert isinstance(receipt, Receipt)
    assert (receipt.status, receipt.error) == ("failed", problem)
    receipt = outputs.task(Origin("a.png", "a.png", problem=problem, skip=True))
    assert isinstance(receipt, Receipt)
    assert receipt.status == "skipped"
