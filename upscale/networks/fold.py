"""Rewritings of an SRResNet for inference that keep its function: state dict in, state dict out."""

from dataclasses import replace

import torch

from upscale.networks.spec import Spec, SRResNetSpec, StateDict

__all__ = ["fold", "fold_batch_norm", "fold_last_shuffle"]

BATCH_NORM_EPS = 1e-5


def fold(spec: Spec, state: StateDict) -> tuple[Spec, StateDict]:
    """Apply every folding that fits ``spec``; ``state`` itself does not change."""
    if isinstance(spec, SRResNetSpec):
        if spec.normalization == "batch":
            spec, state = fold_batch_norm(spec, state)
        shuffle_is_last = spec.upsampler == "subpixel" and not spec.hr_convolution
        if shuffle_is_last and not spec.last_shuffle_folded:
            spec, state = fold_last_shuffle(spec, state)
    return spec, state


def fold_batch_norm(spec: SRResNetSpec, state: StateDict) -> tuple[SRResNetSpec, StateDict]:
    """Merge each batch-norm into the convolution before it.

    γ (Wx + b - μ) / √(σ² + ε) + β  =  (kW) x + k (b - μ) + β   with  k = γ / √(σ² + ε).
    Computed in float64, returned in float32.
    """
    pairs = [("conv_body", "bn_body")] if spec.long_skip else []
    for i in range(spec.blocks):
        pairs += [(f"body.{i}.conv{j}", f"body.{i}.bn{j}") for j in (1, 2)]
    folded = dict(state)
    for conv, norm in pairs:
        gamma, beta, mean, variance = (
            folded.pop(f"{norm}.{name}").double()
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gamma / torch.sqrt(variance + BATCH_NORM_EPS)
        weight, bias = folded[f"{conv}.weight"].double(), folded[f"{conv}.bias"].double()
        folded[f"{conv}.weight"] = (weight * factor.view(-1, 1, 1, 1)).float()
        folded[f"{conv}.bias"] = ((bias - mean) * factor + beta).float()
    return replace(spec, normalization="none"), folded


def fold_last_shuffle(spec: SRResNetSpec, state: StateDict) -> tuple[SRResNetSpec, StateDict]:
    """Let the last convolution work in front of the last pixel-shuffle instead of behind it.

    With factor r, the output pixel (r·Y + e, …) reads the tap at offset t from the feature pixel
    r·Y + e + t = r·(Y + Q) + f, where Q = ⌊(e + t) / r⌋ and f = (e + t) mod r: phase f of the
    unshuffled pixel Y + Q. So a k×k convolution n → 3 becomes one of 2⌈(k//2)/r⌉ + 1 taps a side,
    r²n → 3r², and the shuffle moves to the 3 colours. A kernel 9 at r = 2 becomes a kernel 5 with
    12 outputs, which a CPU computes several times faster than 3 outputs at twice the size.
    """
    factor, kernel = spec.stages[-1], spec.end_kernel
    reach = kernel // 2
    radius = -(-reach // factor)
    weight = state["conv_last.weight"]
    outputs, channels = weight.shape[:2]
    taps = 2 * radius + 1
    moved = weight.new_zeros(outputs, factor, factor, channels, factor, factor, taps, taps)
    for e_y in range(factor):
        for t_y in range(-reach, reach + 1):
            q_y, f_y = divmod(e_y + t_y, factor)
            for e_x in range(factor):
                for t_x in range(-reach, reach + 1):
                    q_x, f_x = divmod(e_x + t_x, factor)
                    tap = weight[:, :, t_y + reach, t_x + reach]
                    moved[:, e_y, e_x, :, f_y, f_x, q_y + radius, q_x + radius] = tap
    phases = factor**2
    folded = dict(state)
    folded["conv_last.weight"] = moved.reshape(outputs * phases, channels * phases, taps, taps)
    folded["conv_last.bias"] = state["conv_last.bias"].repeat_interleave(phases)
    if spec.up_activation == "prelu":
        slopes = f"up.{len(spec.stages) - 1}.act.weight"
        folded[slopes] = state[slopes].repeat_interleave(phases)
    return replace(spec, last_shuffle_folded=True), folded
