import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from random_networks import network_of, random_lr, random_state
from tiny_training import RRDBNET, SRRESNET, differing, narrow, one_thread

from upscale.errors import OutputError, UsageError, WeightsError
from upscale.models.checkpoints.convert import Checkpoint, read_checkpoint, write_checkpoint
from upscale.models.loading import load_model
from upscale.networks.back_projection import Projection
from upscale.networks.layers import BatchNorm, Convolution
from upscale.networks.spec import SRResNetSpec, spec_from_dict
from upscale.training.learning.distributed import synchronise_batch_norm
from upscale.training.learning.state import (
    State,
    load_state,
    new_state,
    save_generator,
    save_state,
    to_training,
)
from upscale.training.learning.step import Running, update
from upscale.training.losses.objective import Objective
from upscale.training.recipes import RECIPES, Recipe
from upscale.training.start import read_start

CPU = torch.device("cpu")
SPEC = SRResNetSpec(features=8, blocks=1)
PSNR = replace(RECIPES["srresnet"], generator=SRRESNET, init="none", hr_patch=16)
GAN = replace(PSNR, adversarial="relativistic", adversarial_coefficient=1e-3, discriminator="srgan")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread(), narrow():
        yield


def fresh(recipe: Recipe = PSNR, seed: int = 0) -> State:
    return new_state(recipe, read_start(recipe), seed, CPU, half=False)


def do_a_step(state: State, recipe: Recipe, seed: int = 0) -> None:
    to_training(state.generator, recipe.batch_norm)
    running = Running(state.generator, state.discriminator, None, torch.mean)
    hr = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    lr = torch.nn.functional.avg_pool2d(hr, 4)
    update(state, running, Objective(recipe), recipe, lr, hr, (1e-3, 1e-3))


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond ``size`` bytes: to a writer the same as a full disk."""
    resource = pytest.importorskip("resource", reason="Windows has no limits of a process")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# A new run


@pytest.mark.parametrize(
    ("spec", "small"),
    [
        ({"architecture": "rrdbnet", "features": 32, "blocks": 2, "growth": 16}, True),
        ({"architecture": "srresnet", "blocks": 2, "normalization": "none"}, True),
        ({"architecture": "srresnet", "blocks": 2}, False),
    ],
    ids=["rrdbnet", "esrgan-16", "srresnet"],
)
def test_networks_without_batch_norm_start_with_a_tenth_of_msras(
    spec: dict[str, object], small: bool
) -> None:
    state = fresh(replace(PSNR, generator=spec))
    for name, module in state.generator.named_modules():
        if isinstance(module, Convolution):
            weight = module.weight.detach()
            assert small != bool(module.bias.any()), name
            # He et al. 2015, equation 10: variance 2 / fan-in, times 0.1 (Wang et al. 2018);
            # PyTorch's own rule: uniform within 1 / sqrt(fan-in)
            expected = (0.1 * 2**0.5 if small else 3**-0.5) / weight[0].numel() ** 0.5
            # of n samples the deviation is known to 1 in sqrt(2 n)
            near = pytest.approx(expected, rel=5 / (2 * weight.numel()) ** 0.5)
            assert weight.std().item() == near, name


def test_a_seed_gives_one_start_and_another_gives_another() -> None:
    one, same, other = (fresh(GAN, seed).state_dict() for seed in (3, 3, 4))
    assert not differing(one, same)
    assert "/generator/conv_first.weight" in differing(one, other)
    assert "/discriminator/conv1.weight" in differing(one, other)


def test_the_average_and_the_optimizers_start_with_the_generator() -> None:
    state = fresh(replace(GAN, beta1=0.8, beta2=0.99, discriminator_rate=3e-4))
    assert not differing(state.average.network.state_dict(), state.generator.state_dict())
    assert state.generator_optimizer.param_groups[0]["betas"] == (0.8, 0.99)
    assert state.generator_optimizer.param_groups[0]["lr"] == 1e-4
    assert state.discriminator_optimizer is not None
    assert state.discriminator_optimizer.param_groups[0]["lr"] == 3e-4
    trained = sum(len(group["params"]) for group in state.generator_optimizer.param_groups)
    assert trained == len(list(state.generator.parameters()))


def test_the_average_soon_forgets_its_start(file: Path) -> None:
    state = fresh(replace(PSNR, init=str(file)))
    with torch.no_grad():
        for parameter in state.generator.parameters():
            parameter.fill_(1.0)
        for parameter in state.average.network.parameters():
            parameter.fill_(0.0)
    for _ in range(500):
        state.average.update(state.generator)
    # what is left of the start is 9! / ((n + 1) ... (n + 9)) at n = 500
    assert 1 - state.average.network.get_parameter("conv_last.bias")[0].item() < 1e-5


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "start.safetensors"
    origin = {"title": "A start", "licence": "CC0-1.0"}
    write_checkpoint(path, Checkpoint(SPEC, random_state(SPEC), origin))
    return path


def test_a_start_from_a_file_has_its_numbers_and_tells_its_origin(file: Path) -> None:
    recipe = replace(PSNR, init=str(file))
    start = read_start(recipe)
    state = new_state(recipe, start, 0, CPU, half=False)
    assert not differing(state.generator.state_dict(), random_state(SPEC))
    assert start.origin == {"title": "A start", "licence": "CC0-1.0"}


def test_the_network_of_the_start_is_trained_where_it_is_another(file: Path) -> None:
    said: list[str] = []
    recipe = replace(PSNR, init=str(file), generator=SRRESNET | {"blocks": 3})
    assert read_start(recipe, notify=said.append).spec == SPEC
    (words,) = said
    assert words.startswith(f"{file}: ")
    assert f"blocks {SPEC.blocks} in place of 3" in words
    assert "projection" not in words


def test_a_projection_of_the_start_is_named(tmp_path: Path) -> None:
    spec, path = replace(SPEC, projected=True), tmp_path / "start.safetensors"
    write_checkpoint(path, Checkpoint(spec, random_state(spec), {}))
    said: list[str] = []
    recipe = replace(PSNR, init=str(path))
    read_start(recipe, notify=said.append)
    (words,) = said
    assert "--projection dropped" in words
    assert "in place of" not in words
    for asked in ("dropped", "added", "smooth"):
        read_start(replace(recipe, projection=asked), notify=said.append)  # type: ignore[arg-type]
    assert len(said) == 1
    read_start(replace(recipe, generator={"architecture": "compact"}), notify=said.append)
    assert re.search(r"\bsrresnet\b.*\bcompact\b", said[-1])


# Batch-norm of too few values


def test_a_batch_norm_of_one_value_is_refused(file: Path) -> None:
    small = replace(PSNR, batch=1, hr_patch=4)
    for recipe in (small, replace(small, init=str(file)), replace(small, batch=2, accumulate=2)):
        with pytest.raises(UsageError, match=r"^--hr-patch 4: .*--hr-patch 8,.*--batch"):
            read_start(recipe)
    folded = replace(small, init=str(file), batch_norm="folded")
    frozen = replace(small, init=str(file), batch_norm="frozen")
    for recipe in (replace(small, batch=2), replace(small, hr_patch=8), folded, frozen):
        state = fresh(recipe)
        do_a_step(state, recipe)


def test_frozen_batch_norm_that_is_not_there_is_told(tmp_path: Path) -> None:
    spec, path = replace(SPEC, normalization="none"), tmp_path / "start.safetensors"
    write_checkpoint(path, Checkpoint(spec, random_state(spec), {}))
    said: list[str] = []
    generator = SRRESNET | {"normalization": "none"}
    recipe = replace(PSNR, generator=generator, init=str(path), batch_norm="frozen")
    read_start(recipe, notify=said.append)
    assert [words for words in said if "--batch-norm frozen" in words] == said != []


def test_a_start_that_is_not_what_the_user_asks_for_is_refused(file: Path) -> None:
    recipe = replace(PSNR, init=str(file), generator=SRRESNET | {"blocks": 3, "skip_added": False})
    with pytest.raises(UsageError, match=rf"^--init {file} .*--blocks 3 .*--no-skip"):
        read_start(recipe, ("features", "blocks", "skip_added"))
    assert read_start(recipe, ("features",)).spec == SPEC


def test_a_start_of_another_scale_is_refused(file: Path) -> None:
    recipe = replace(PSNR, init=str(file), generator=SRRESNET | {"scale": 2})
    with pytest.raises(UsageError, match=rf"^--init {file} .* 4, .* 2;"):
        fresh(recipe)


def test_a_start_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        fresh(replace(PSNR, init=str(tmp_path / "none.safetensors")))


# Batch-norm


def test_folded_batch_norm_is_the_same_function_without_statistics(file: Path) -> None:
    folded = fresh(replace(PSNR, init=str(file), batch_norm="folded"))
    assert folded.generator.spec == replace(SPEC, normalization="none")
    assert not any(isinstance(each, torch.nn.BatchNorm2d) for each in folded.generator.modules())
    to_training(folded.generator, "folded")
    lr = random_lr(24, 20)
    expected = network_of(SPEC, random_state(SPEC))(lr)
    with torch.no_grad():
        assert (folded.generator(lr) - expected).abs().max() < 1e-4


@pytest.mark.parametrize("init", [True, False])
def test_a_generator_can_be_made_to_end_with_a_projection(init: bool, file: Path) -> None:
    recipe = replace(PSNR, init=str(file) if init else "none", projection="added")
    state = fresh(recipe)
    assert state.generator.spec.projected
    plain = fresh(replace(recipe, projection="kept")).generator
    assert not plain.spec.projected
    lr = random_lr(6, 6)
    with torch.no_grad():
        made, expected = state.generator.eval()(lr), Projection(4)(plain.eval()(lr), lr)
    torch.testing.assert_close(made, expected)


def test_a_projection_of_the_start_stays_unless_it_is_taken_away(tmp_path: Path) -> None:
    spec, path = replace(SPEC, projected=True), tmp_path / "start.safetensors"
    write_checkpoint(path, Checkpoint(spec, random_state(spec), {}))
    recipe = replace(PSNR, init=str(path))
    assert fresh(recipe).generator.spec == spec
    assert fresh(replace(recipe, projection="dropped")).generator.spec == SPEC
    smooth = fresh(replace(recipe, projection="smooth")).generator.spec
    assert smooth == replace(spec, smooth_projection=True)
    write_checkpoint(path, Checkpoint(smooth, random_state(smooth), {}))
    assert fresh(recipe).generator.spec == smooth
    assert fresh(replace(recipe, projection="added")).generator.spec == spec


def test_a_projection_is_not_for_every_network() -> None:
    recipe = replace(RECIPES["rrdb-psnr"], generator=RRDBNET, init="none", projection="added")
    assert fresh(recipe).generator.spec.projected
    with pytest.raises(UsageError, match=r"^--projection .* compact$"):
        fresh(replace(RECIPES["compact"], init="none", projection="added"))


def test_there_is_nothing_to_fold_without_a_start() -> None:
    with pytest.raises(UsageError, match=r"--batch-norm folded .* --init$"):
        fresh(replace(PSNR, batch_norm="folded"))


@pytest.mark.parametrize(("batch_norm", "move"), [("train", True), ("frozen", False)])
def test_statistics_move_unless_they_are_frozen(batch_norm: str, move: bool, file: Path) -> None:
    recipe = replace(PSNR, init=str(file), batch_norm=batch_norm)  # type: ignore[arg-type]
    state = fresh(recipe)
    do_a_step(state, recipe)
    before = random_state(SPEC)
    for network in (state.generator, state.average.network):
        after = network.state_dict()
        for key, tensor in before.items():
            if "running" in key:
                assert (not torch.equal(after[key], tensor)) == move, key
    assert not torch.equal(state.generator.state_dict()["bn_body.weight"], before["bn_body.weight"])


def test_frozen_statistics_stay_when_several_processes_train() -> None:
    generator = fresh().generator
    synchronise_batch_norm(generator)
    to_training(generator, "frozen")
    norms = [each for each in generator.modules() if isinstance(each, torch.nn.BatchNorm2d)]
    assert len(norms) == 3
    assert not any(isinstance(each, BatchNorm) for each in norms)
    assert not any(each.training for each in norms)
    to_training(generator, "train")
    assert all(each.training for each in norms)


# The state as a file


@pytest.mark.parametrize("discriminator", ["none", "srgan", "unet"])
def test_a_state_comes_back_from_its_file_bit_for_bit(discriminator: str, tmp_path: Path) -> None:
    recipe = PSNR if discriminator == "none" else replace(GAN, discriminator=discriminator)  # type: ignore[arg-type]
    state = fresh(recipe)
    do_a_step(state, recipe)
    state.best = 31.25
    path = tmp_path / "state.pt"
    save_state(path, state, {"data": "digest"})
    drawn = torch.rand(3)
    assert [each.name for each in tmp_path.iterdir()] == ["state.pt"]
    saved = load_state(path)
    assert saved["data"] == "digest"
    other = fresh(recipe, seed=1)
    other.load_state_dict(saved["state"])
    assert torch.equal(torch.rand(3), drawn)
    other.load_state_dict(saved["state"])  # the random numbers are those of then once more
    assert other.step == 1
    assert other.best == 31.25
    assert not differing(other.state_dict(), saved["state"])
    do_a_step(state, recipe, seed=1)
    do_a_step(other, recipe, seed=1)
    assert not differing(state._parts()["generator"].state_dict(), other.generator.state_dict())
    assert not differing(
        {name: part.state_dict() for name, part in state._parts().items()},
        {name: part.state_dict() for name, part in other._parts().items()},
    )


def test_a_state_of_other_networks_is_refused_in_words(tmp_path: Path) -> None:
    others = {
        "psnr": PSNR,
        "wider": replace(PSNR, generator=SRRESNET | {"features": 16}),
        "other": replace(PSNR, generator=RRDBNET),
        "srgan": GAN,
        "patch": replace(GAN, hr_patch=32),
        "unet": replace(GAN, discriminator="unet"),
    }
    states = {name: fresh(recipe) for name, recipe in others.items()}
    pairs = [("psnr", "wider"), ("psnr", "other"), ("psnr", "srgan"), ("srgan", "unet")]
    for saved, asked in [*pairs, ("srgan", "patch"), ("other", "psnr")]:
        with pytest.raises(UsageError, match=r"--resume .*(generator|discriminator).* --init$"):
            states[asked].load_state_dict(states[saved].state_dict())


def test_a_cut_or_foreign_file_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    save_state(path, fresh(), {"data": ""})
    whole = path.read_bytes()
    cuts = [whole[:size] for size in (0, 1, 100, len(whole) // 2, len(whole) - 1)]
    torch.save({"a": Path("x")}, path)  # a pickle that could run anything
    foreign = [path.read_bytes()]
    for other in ([1], {"x": 1}, {"state": {}, "data": ""}, {"state": [], "data": ""}):
        torch.save(other, path)
        foreign.append(path.read_bytes())
    for content in (*cuts, b"PNG" * 1000, *foreign):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=f"^{path}: ") as caught:
            load_state(path)
        assert "orch" not in str(caught.value)
        assert "--init" in str(caught.value)


def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    state = fresh()
    writers = {
        "state.pt": lambda path: save_state(path, state, {"data": ""}),
        "generator.safetensors": lambda path: save_generator(path, SPEC, state.generator, {}),
    }
    for name, write in writers.items():
        write(tmp_path / name)
        os.link(tmp_path / name, tmp_path / f"before-{name}")
    before = {name: (tmp_path / name).read_bytes() for name in writers}
    do_a_step(state, PSNR)
    for name, write in writers.items():
        write(tmp_path / name)
        assert (tmp_path / name).read_bytes() != before[name]
        # another file has the name now; the one that had it was not written into
        assert (tmp_path / f"before-{name}").read_bytes() == before[name]


def test_a_full_disk_leaves_the_state_and_the_generator_before(tmp_path: Path) -> None:
    state = fresh()
    save_state(tmp_path / "state.pt", state, {"data": ""})
    save_generator(tmp_path / "generator.safetensors", SPEC, state.average.network, {})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    do_a_step(state, PSNR)
    with files_of_at_most(20_000):
        with pytest.raises(OutputError, match=f"^{tmp_path}/state.pt: "):
            save_state(tmp_path / "state.pt", state, {"data": ""})
        with pytest.raises(OutputError, match=f"^{tmp_path}/generator.safetensors: "):
            save_generator(tmp_path / "generator.safetensors", SPEC, state.generator, {})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_state_is_sound_while_its_numbers_and_its_result_are_finite() -> None:
    lr = random_lr(4, 4)
    state = fresh(GAN)
    assert state.is_sound(lr)
    with torch.no_grad():
        state.discriminator.dense2.bias.fill_(float("nan"))  # type: ignore[union-attr]
    assert not state.is_sound(lr)
    state = fresh(replace(PSNR, generator=RRDBNET))
    with torch.no_grad():
        for parameter in state.generator.parameters():
            parameter.fill_(1e30)  # finite, and no picture comes out
    assert not state.is_sound(lr)


# The generator as a file


@pytest.mark.parametrize("generator", [SRRESNET, RRDBNET], ids=lambda it: it["architecture"])
def test_the_generators_file_is_a_model(generator: dict[str, object], tmp_path: Path) -> None:
    recipe = replace(PSNR, generator=generator)
    state = fresh(recipe)
    for seed in range(3):
        do_a_step(state, recipe, seed)
    path = tmp_path / "generator.safetensors"
    save_generator(path, state.generator.spec, state.average.network, {"recipe": "a"})
    checkpoint = read_checkpoint(path)
    assert checkpoint.spec == spec_from_dict(generator)
    assert checkpoint.origin == {"recipe": "a"}
    assert not differing(checkpoint.state, state.average.network.state_dict())
    lr = random_lr(12, 10)
    with torch.no_grad():
        expected = state.average.network(lr)
    model = load_model(path, device="cpu", precision="fp32")
    assert (model(lr) - expected).abs().max() < 1e-5
    assert list(tmp_path.iterdir()) == [path]
