"""One small study, trained once for all tests that look at what comes of it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image
from tiny_training import crops, narrow, one_thread
from vgg_files import DEPTHS, in_a_row, saved, torchvision_state

from upscale.studies import papers
from upscale.studies.options import AblationOptions, DepthOptions, StudyOptions
from upscale.studies.outcome import Examined, examine, find_means
from upscale.studies.papers import Study
from upscale.studies.trainings import Planned, carry_out, plan
from upscale.training.loop import Hooks


@dataclass(frozen=True)
class Place:
    """Where a test finds pictures and a VGG of a few features."""

    data: Path
    valid: Path
    vgg: Path

    def options(self, kind: type[StudyOptions] = AblationOptions, **more: Any) -> Any:
        """Return options of trainings that take a moment."""
        small: dict[str, Any] = {"batch": 2, "hr_patch": 32, "steps": 3, "gan_steps": 2}
        small |= {"features": 4, "growth": 4, "blocks": 1, "pictures": 2, "crop": 32}
        small |= {"device": "cpu", "precision": "fp32", "workers": 0, "vgg": str(self.vgg)}
        if kind is AblationOptions:
            small["rrdb_blocks"] = 1
        if kind is DepthOptions:
            small["blocks"] = (1, 2)
        found = kind(**({"data": (str(self.data),), "valid": str(self.valid)} | small | more))
        found.check()
        return found


@dataclass(frozen=True)
class Done:
    """A study that is trained and measured."""

    study: Study
    planned: list[Planned]
    examined: Examined
    folder: Path


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("studies")
    vgg = saved(torchvision_state(in_a_row(DEPTHS["VGG19"])), folder)
    valid = crops(folder / "valid", 2, 64)
    turned = np.rot90(np.asarray(Image.open(valid / "1.png")), 2)  # so that no crop is in both
    Image.fromarray(np.ascontiguousarray(turned)).save(valid / "1.png")
    return Place(crops(folder / "data"), valid, vgg)


@pytest.fixture(scope="session")
def ablation(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Done:
    options = place.options(more_data=(str(place.data),))
    study = papers.ablation(1, 1, {"features": 4, "growth": 4}, (str(place.data),))
    return done(study, options, tmp_path_factory.mktemp("ablation"))


@pytest.fixture(scope="session")
def content(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Done:
    study = papers.content(1, {"features": 4})
    return done(study, place.options(), tmp_path_factory.mktemp("content"))


@pytest.fixture(scope="session")
def depth(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Done:
    study = papers.depth((1, 2), {"features": 4})
    return done(study, place.options(DepthOptions), tmp_path_factory.mktemp("depth"), 2)


def done(study: Study, options: StudyOptions, folder: Path, reconstructions: int = 0) -> Done:
    """Train and measure ``study`` where no weights of metrics are."""
    nowhere = {"UPSCALE_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
    with one_thread(), narrow(), patch.dict(os.environ, nowhere):
        assert carry_out(
            *(plan(study, options, folder), lambda each: Hooks()),
            *(lambda text: None, lambda: False),
        )
        planned = plan(study, options, folder)
        means = find_means(options, ssim=study.ssim)
        found = examine(study, planned, means, options, reconstructions)
    return Done(study, planned, found, folder)
