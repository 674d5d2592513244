"""The trainings are those that the papers compare."""

from counted_networks import rrdbnet_numbers, srresnet_numbers

from upscale.networks.spec import build
from upscale.studies import papers
from upscale.training.recipes import RECIPES


def count(training: papers.Training) -> int:
    return sum(each.numel() for each in build(training.generator).parameters())


def test_depth_has_each_number_of_blocks_with_and_without_skip() -> None:
    study = papers.depth((1, 2, 4), {"features": 8})
    counts = [count(each) for each in study.trainings]
    assert counts == [srresnet_numbers(8, b) for b in (1, 2, 4)] * 2
    skips = [build(each.generator).spec.skip_added for each in study.trainings]
    assert skips == [True] * 3 + [False] * 3
    assert {each.recipe for each in study.trainings} == {"srresnet"}
    assert [each.start for each in study.trainings] == [None] * 6


def test_content_has_the_columns_of_table_1() -> None:
    study = papers.content(16, {})
    assert [each.label for each in study.columns] == [
        *("SRResNet-MSE", "SRResNet-VGG22", "SRGAN-MSE", "SRGAN-VGG22", "SRGAN-VGG54"),
    ]
    for each, column in zip(study.trainings, study.columns, strict=True):
        assert RECIPES[each.recipe].source.endswith(column.label)
        assert each.start == ("srresnet-mse" if RECIPES[each.recipe].is_gan else None)
        assert count(each) == srresnet_numbers(64, 16)


def test_ablation_has_the_signs_of_figure_8() -> None:
    study = papers.ablation(16, 23, {}, ("more",))
    assert [each.label for each in study.columns] == [f"column {n}" for n in range(2, 8)]
    signs = [tuple(each.settings.values()) for each in study.columns]
    assert signs == [
        ("yes", "after", "standard", "no", "no"),
        ("no", "after", "standard", "no", "no"),
        ("no", "before", "standard", "no", "no"),
        ("no", "before", "RaGAN", "no", "no"),
        ("no", "before", "RaGAN", "yes", "no"),
        ("no", "before", "RaGAN", "yes", "yes"),
    ]
    for before, column in zip(study.columns, study.columns[1:], strict=False):
        different = [k for k in column.settings if column.settings[k] != before.settings[k]]
        assert different == [column.changed]


def test_more_data_has_a_sign_only_where_it_has_a_column() -> None:
    for each in papers.ablation(16, 23, {}).columns:
        assert list(each.settings) == ["BN", "activation", "GAN", "deeper with RRDB"]


def test_ablation_trains_what_its_signs_say() -> None:
    study = papers.ablation(16, 23, {}, ("more",))
    by_name = {each.name: each for each in study.trainings}
    for column in study.columns:
        each, signs = by_name[column.training], column.settings
        assert each.recipe == "esrgan"
        layer = "relu5_4" if signs["activation"] == "after" else "conv5_4"
        assert each.changes.get("content", RECIPES["esrgan"].content) == layer
        kind = "standard" if signs["GAN"] == "standard" else "relativistic"
        assert each.changes["adversarial"] == kind
        assert (each.more_data == ("more",)) is (signs["more data"] == "yes")
        expected = srresnet_numbers(64, 16, batch_norm=signs["BN"] == "yes")
        if signs["deeper with RRDB"] == "yes":
            expected = rrdbnet_numbers(64, 23, 32)
        assert count(each) == expected
        start = by_name[each.start or ""]
        assert (start.recipe, start.generator, start.more_data) == (
            *("rrdb-psnr", each.generator, each.more_data),
        )


def test_a_training_comes_after_its_start_and_has_a_name_of_its_own() -> None:
    every = [
        *(papers.depth((1, 2), {}), papers.content(16, {})),
        *(papers.ablation(16, 23, {}, ("more",)), papers.brightness(16, {})),
    ]
    for study in every:
        names = [each.name for each in study.trainings]
        assert len(set(names)) == len(names)
        for number, each in enumerate(study.trainings):
            assert each.start is None or each.start in names[:number]
        assert {each.training for each in study.columns} <= set(names)


def test_brightness_compares_two_columns_of_the_ablation() -> None:
    whole = {each.name: each for each in papers.ablation(16, 23, {}).trainings}
    for each in papers.brightness(16, {}).trainings:
        assert whole[each.name] == each
