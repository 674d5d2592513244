"""The training systems of the two papers as literal presets, each number with its source.

Pictures are in [0, 1] here. The SRGAN paper measures its MSE on [-1, 1], where it is four times as
large: `SRGAN_RANGE` carries that over, so that the published coefficients keep their meaning.
"""

from dataclasses import MISSING, dataclass, field, replace
from typing import Any, Literal

__all__ = ["DEFAULT_RECIPE", "RECIPES", "Recipe", "option"]

SRGAN_RANGE = 4.0
"""The square of [-1, 1]'s width over that of [0, 1]."""

VGG22_RESCALING = 1 / 12.75
"""Of VGG features; about 0.006 on their squared error (Ledig et al. 2017, section 3.2)."""

VGG54_RESCALING = 13.8 / 12.75
"""The same for φ5,4: the paper's VGG19 is Caffe's, where these features are 13.8 times as large as
in torchvision's, whose scale ours have (see `upscale.training.losses.vgg.CAFFE_SCALE`)."""


def option(text: str, default: Any = MISSING) -> Any:
    """Make a field that is an option of the command line, with its help text."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is trained and how, but for the data and the machine.

    ``generator``: what `upscale.networks.spec.build` takes. The help texts of the fields are those
    of the command line's options.
    """

    source: str
    generator: dict[str, Any]
    init: str = option("Weights to start from: a model's name, a file, or none.", "none")
    batch_norm: Literal["train", "frozen", "folded"] = option(
        "Batch-norm of SRResNet: train, frozen (statistics as they are) or folded away.", "train"
    )
    projection: Literal["kept", "added", "smooth", "dropped"] = option(
        "Step of back-projection at the end of an SRResNet, which makes its colours the input's: "
        "kept (as the start weights have it), added, smooth (for input with noise or JPEG blocks) "
        "or dropped.",
        "kept",
    )
    steps: int = option("Optimizer steps in all.", 1_000_000)
    batch: int = option("Patches a step, over all processes and accumulated passes.", 16)
    accumulate: int = option("Passes that make up one step's batch.", 1)
    hr_patch: int = option("HR pixels a side of a patch.", 96)
    lr_rate: float = option("Learning rate of the generator.", 1e-4)
    discriminator_rate: float = option("That of the discriminator; 0: as the generator's.", 0.0)
    schedule: Literal["constant", "steps", "cosine"] = option(
        "Of the learning rate: constant, steps (at --milestones) or cosine (to 0).", "constant"
    )
    milestones: tuple[int, ...] = option("Steps at which the rate is multiplied by --decay.", ())
    decay: float = option("What it is multiplied by.", 0.5)
    warmup: int = option("Steps over which the rate rises from 0.", 0)
    beta1: float = option("Adam's first decay.", 0.9)
    beta2: float = option("Adam's second decay.", 0.999)
    ema: float = option("Decay of the generator's moving average; 0: none.", 0.999)
    clip: float = option("Largest norm of the generator's gradient; 0: any.", 0.0)
    pixel: Literal["l1", "mse"] = option("Pixel loss: l1 or mse.", "mse")
    pixel_coefficient: float = option("Factor of the pixel loss.", SRGAN_RANGE)
    psnr_coefficient: float = option("Factor of what PSNR on Y falls short of 50 dB, in dB.", 0.0)
    content: Literal["none", "relu2_2", "relu5_4", "conv5_4", "relu5_3", "conv5_3"] = option(
        "VGG features: none, relu2_2, relu5_4 (after the activation) or conv5_4 (before it); of a "
        "VGG16, relu5_3 or conv5_3.",
        "none",
    )
    content_distance: Literal["l1", "mse"] = option("Between VGG features: l1 or mse.", "mse")
    content_rescaling: float = option("Factor of the VGG features.", VGG22_RESCALING)
    content_coefficient: float = option("Factor of the content loss.", 0.0)
    tv_coefficient: float = option("Factor of the total variation.", 0.0)
    grid_coefficient: float = option(
        "Factor of the pattern that SR repeats with each LR pixel.", 0.0
    )
    lpips_coefficient: float = option("Factor of LPIPS.", 0.0)
    lpips_network: Literal["vgg", "alex"] = option(
        "LPIPS by the features of vgg (VGG16) or alex (AlexNet: by far the quicker, and what LPIPS "
        "is usually measured by, so that figures of the result are then no independent ones).",
        "vgg",
    )
    reduction_coefficient: float = option(
        "Factor of the L1 distance between the bicubic reductions of the result and of HR.", 0.0
    )
    adversarial: Literal["none", "standard", "relativistic"] = option(
        "Adversarial loss: none, standard or relativistic (average).", "none"
    )
    adversarial_coefficient: float = option("Factor of the adversarial loss.", 0.0)
    discriminator: Literal["srgan", "esrgan", "unet"] = option(
        "Discriminator: srgan, esrgan or unet.", "srgan"
    )
    degradation: Literal["bicubic", "web", "real"] = option(
        "How LR is made: bicubic, web (JPEG, slight blur and noise) or real (Real-ESRGAN's).",
        "bicubic",
    )

    @property
    def scale(self) -> int:
        """The factor between LR and HR."""
        return int(self.generator.get("scale", 4))

    @property
    def is_gan(self) -> bool:
        """Whether there is a discriminator."""
        return self.adversarial != "none" and self.adversarial_coefficient > 0


# Ledig et al. 2017, section 3.2: 16 crops of 96 x 96, Adam with beta1 0.9, 1e-4, 1e6 steps. The
# moving average is ours: it changes what is kept, not what is trained.
SRRESNET = Recipe(
    source="Ledig et al. 2017, SRResNet-MSE",
    generator={"architecture": "srresnet"},
    init="srresnet",
)

# Section 3.2 and supplement: total variation 2e-8 with phi 2,2, on [-1, 1], where it is twice as
# large.
SRRESNET_VGG22 = replace(
    SRRESNET,
    source="Ledig et al. 2017, SRResNet-VGG22",
    pixel_coefficient=0.0,
    content="relu2_2",
    content_coefficient=1.0,
    tv_coefficient=2e-8 * SRGAN_RANGE**0.5,
)

# Section 3.2: from the MSE-trained SRResNet, 1e5 steps at 1e-4 and 1e5 at 1e-5; equation 3:
# content + 1e-3 adversarial.
SRGAN_MSE = replace(
    SRRESNET,
    source="Ledig et al. 2017, SRGAN-MSE",
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

# Wang et al. 2018, section 4.1: L1, 2e-4 halved every 2e5 steps, batch 16; patches of 192 in the
# authors' programme, beta2 0.99 and average 0.999 in BasicSR.
RRDB_PSNR = Recipe(
    source="Wang et al. 2018, RRDB_PSNR",
    generator={"architecture": "rrdbnet"},
    init="rrdb-psnr",
    hr_patch=192,
    lr_rate=2e-4,
    schedule="steps",
    milestones=(200_000, 400_000, 600_000, 800_000),
    beta2=0.99,
    pixel="l1",
    pixel_coefficient=1.0,
)

# Section 4.1 and equation 3: features before the activation, L1; lambda 5e-3, eta 1e-2; 1e-4
# halved at 50k, 100k, 200k, 300k; patches of 128.
ESRGAN = replace(
    RRDB_PSNR,
    source="Wang et al. 2018, ESRGAN",
    init="esrgan",
    steps=400_000,
    hr_patch=128,
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

RECIPES: dict[str, Recipe] = {
    "srresnet": SRRESNET,
    "srresnet-vgg22": SRRESNET_VGG22,
    "srgan-mse": SRGAN_MSE,
    "srgan-vgg22": SRGAN_VGG22,
    "srgan": SRGAN,
    "rrdb-psnr": RRDB_PSNR,
    "esrgan": ESRGAN,
    # Section 4.1: 16 residual blocks as in SRGAN, without batch-norm, and ESRGAN's losses.
    "esrgan-16": replace(
        ESRGAN,
        source="Wang et al. 2018, the smaller setting of 16 residual blocks",
        generator={"architecture": "srresnet", "normalization": "none"},
        init="none",
    ),
    # Section 4.5: the same with eta 10, MINC features (--vgg FILE), back-projection afterwards.
    "pirm": replace(
        ESRGAN,
        source="Wang et al. 2018, PIRM-SR challenge, region 3",
        generator={"architecture": "srresnet", "normalization": "none"},
        init="none",
        pixel_coefficient=10.0,
    ),
}
"""By name. Presets to start from: every field is an option of ``upscale train``."""

DEFAULT_RECIPE = "srgan"
