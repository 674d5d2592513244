"""The training systems of the two papers as literal presets, each number with its source."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from upscale.metrics.protocol import BLUR_SIGMA
from upscale.training.losses.options import SRGAN_RANGE, LossOptions
from upscale.upscaling.options import FILES, LEARNING, MODEL, option

__all__ = ["DEFAULT_RECIPE", "RECIPES", "Recipe"]

VGG54_RESCALING = 13.8 / 12.75
"""The same for φ5,4: the paper's VGG19 is Caffe's, where these features are 13.8 times as large as
in torchvision's, whose scale ours have (see `upscale.training.losses.vgg.CAFFE_SCALE`)."""


@dataclass(frozen=True, kw_only=True)
class Recipe(LossOptions):
    """Everything that decides what is trained and how, but for the data and the machine."""

    source: str
    """Paper and section, or what a recipe of ours changes."""
    generator: dict[str, Any]
    """What `upscale.networks.spec.build` takes."""
    first_stage: str | None = field(default=None, compare=False)
    """Recipe that the paper trains before this one; "": none, it starts from random numbers. None:
    the recipe is of no paper."""
    init: str = option("Weights to start from: a model's name, a file, or none.", "none", MODEL)
    batch_norm: Literal["train", "frozen", "folded"] = option(
        "Batch-norm of SRResNet: train, frozen (keeps its statistics) or folded (becomes part of "
        "the convolutions).",
        *("train", MODEL),
    )
    projection: Literal["kept", "added", "smooth", "dropped"] = option(
        "Back-projection that ends SRResNet or RRDBNet and gives the result the input's colours: "
        "kept (as in the start weights), added, smooth (for noisy or JPEG input) or dropped.",
        *("kept", MODEL),
    )
    steps: int = option("Optimizer steps in all.", 1_000_000, LEARNING, least=1)
    batch: int = option("Patches in a step, over all processes and passes.", 16, LEARNING, least=1)
    accumulate: int = option("Passes that make up a step.", 1, LEARNING, least=1)
    hr_patch: int = option("Side of a patch in HR pixels.", 96, LEARNING, least=1)
    lr_rate: float = option("Learning rate of the generator.", 1e-4, LEARNING, above=0)
    discriminator_rate: float = option(
        "Learning rate of the discriminator; 0: the generator's.", 0.0, LEARNING, least=0
    )
    schedule: Literal["constant", "steps", "cosine"] = option(
        "Course of the learning rate: constant, steps (falls at --milestones) or cosine (falls "
        "to 0).",
        *("constant", LEARNING),
    )
    milestones: tuple[int, ...] = option(
        "Steps at which the rate is multiplied by --decay, with commas between.",
        *((), LEARNING),
        metavar="N,N",
    )
    decay: float = option("Factor of the rate at each milestone.", 0.5, LEARNING, above=0, most=1)
    warmup: int = option("Steps over which the rate rises from 0.", 0, LEARNING, least=0)
    beta1: float = option("Decay of Adam's first moment.", 0.9, LEARNING, least=0, below=1)
    beta2: float = option("Decay of Adam's second moment.", 0.999, LEARNING, least=0, below=1)
    ema: float = option(
        "Decay of the generator's moving average; 0: no average.",
        *(0.999, LEARNING),
        least=0,
        below=1,
    )
    clip: float = option(
        "Largest norm of the generator's gradient; 0: no limit.", 0.0, LEARNING, least=0
    )
    degradation: Literal["bicubic", "gaussian", "web", "real"] = option(
        "How LR is made: bicubic, gaussian (a blur, then subsampling: SRGAN's other way), web "
        "(JPEG, slight blur and noise) or real (as in Real-ESRGAN).",
        *("bicubic", FILES),
    )
    blur_sigma: float = option(
        "Deviation of the blur of --degradation gaussian in HR pixels. The SRGAN paper has none.",
        *(BLUR_SIGMA, FILES),
        least=0.1,
        most=50,
    )
    augment: Literal["all", "flips", "none"] = option(
        "How patches are turned: all (the eight ways of a square), flips (mirrored, never on their "
        "side) or none.",
        *("all", FILES),
    )

    @property
    def scale(self) -> int:
        """The factor between LR and HR."""
        return int(self.generator.get("scale", 4))


# Ledig et al. 2017, section 3.2: 16 crops of 96 x 96, Adam with beta1 0.9, 1e-4, 1e6 steps. The
# moving average is ours: it changes what is kept, not what is trained.
SRRESNET = Recipe(
    source="Ledig et al. 2017, SRResNet-MSE",
    generator={"architecture": "srresnet"},
    first_stage="",
    init="srresnet",
)

# Section 3.4: total variation 2e-8 with phi 2,2, on [-1, 1], where it is twice as large.
SRRESNET_VGG22 = replace(
    SRRESNET,
    source="Ledig et al. 2017, SRResNet-VGG22",
    pixel_coefficient=0.0,
    content="relu2_2",
    content_coefficient=1.0,
    tv_coefficient=2e-8 * SRGAN_RANGE**0.5,
)

# Section 3.2: from the MSE-trained SRResNet (--start paper; without it from the model srgan), 1e5
# steps at 1e-4 and 1e5 at 1e-5. Equation 3: content + 1e-3 adversarial.
SRGAN_MSE = replace(
    SRRESNET,
    source="Ledig et al. 2017, SRGAN-MSE",
    first_stage="srresnet",
    init="srgan",
    steps=200_000,
    schedule="steps",
    milestones=(100_000,),
    decay=0.1,
    adversarial="standard",
    adversarial_coefficient=1e-3,
)

SRGAN_VGG22 = replace(
    SRGAN_MSE,
    source="Ledig et al. 2017, SRGAN-VGG22",
    pixel_coefficient=0.0,
    content="relu2_2",
    content_coefficient=1.0,
)

SRGAN = replace(
    SRGAN_VGG22,
    source="Ledig et al. 2017, SRGAN-VGG54",
    content="relu5_4",
    content_rescaling=VGG54_RESCALING,
)

# Wang et al. 2018, section 4.1: L1, 2e-4 halved every 2e5 steps, 16 patches of 128, Adam with 0.9
# and 0.999. The paper states no number of steps: 1e6 is that of the authors' programme. The average
# is BasicSR's, which also has patches of 192 here and a beta2 of 0.99.
RRDB_PSNR = Recipe(
    source="Wang et al. 2018, RRDB_PSNR",
    generator={"architecture": "rrdbnet"},
    first_stage="",
    init="rrdb-psnr",
    hr_patch=128,
    lr_rate=2e-4,
    schedule="steps",
    milestones=(200_000, 400_000, 600_000, 800_000),
    pixel="l1",
    pixel_coefficient=1.0,
)

# Section 4.1 and equation 3: features before the activation, L1; lambda 5e-3, eta 1e-2; 1e-4
# halved at 50k, 100k, 200k, 300k. The 4e5 steps are those of the authors' programme.
ESRGAN = replace(
    RRDB_PSNR,
    source="Wang et al. 2018, ESRGAN",
    first_stage="rrdb-psnr",
    init="rrdb-psnr",
    steps=400_000,
    lr_rate=1e-4,
    milestones=(50_000, 100_000, 200_000, 300_000),
    pixel_coefficient=1e-2,
    content="conv5_4",
    content_distance="l1",
    content_rescaling=1.0,
    content_coefficient=1.0,
    adversarial="relativistic",
    adversarial_coefficient=5e-3,
    discriminator="esrgan",
)

# Ours, of no paper: the compact network of Real-ESRGAN (Wang et al. 2021) on JPEG, slight blur and
# noise. LPIPS draws detail, the grid loss keeps LPIPS from hiding a pattern in it.
COMPACT = Recipe(
    source="upscale, Real-ESRGAN's compact network on damaged pictures",
    generator={"architecture": "compact"},
    init="realesr-general",
    steps=5000,
    batch=6,
    lr_rate=2e-4,
    schedule="cosine",
    warmup=20,
    pixel="l1",
    pixel_coefficient=1.0,
    lpips_coefficient=0.5,
    grid_coefficient=0.1,
    degradation="web",
)

SIXTEEN = {"architecture": "srresnet", "normalization": "none"}

RECIPES: dict[str, Recipe] = {
    "srresnet": SRRESNET,
    "srresnet-vgg22": SRRESNET_VGG22,
    "srgan-mse": SRGAN_MSE,
    "srgan-vgg22": SRGAN_VGG22,
    "srgan": SRGAN,
    "rrdb-psnr": RRDB_PSNR,
    "esrgan": ESRGAN,
    # Section 4.1: 16 residual blocks as in SRGAN, without batch-norm; the losses of both stages.
    "psnr-16": replace(
        RRDB_PSNR,
        source="Wang et al. 2018, the smaller setting of 16 residual blocks before its GAN",
        generator=SIXTEEN,
        init="none",
    ),
    "esrgan-16": replace(
        ESRGAN,
        source="Wang et al. 2018, the smaller setting of 16 residual blocks",
        generator=SIXTEEN,
        first_stage="psnr-16",
        init="none",
    ),
    # Section 4.5: the same with eta 10, features of the last convolution of a VGG16 trained on MINC
    # (section 3.3; --vgg FILE), back-projection afterwards.
    "pirm": replace(
        ESRGAN,
        source="Wang et al. 2018, PIRM-SR challenge, region 3",
        generator=SIXTEEN,
        first_stage="psnr-16",
        init="none",
        pixel_coefficient=10.0,
        content="conv5_3",
    ),
    "compact": COMPACT,
}
"""By name. Presets to start from: every field is an option of ``upscale train``."""

DEFAULT_RECIPE = "srgan"
