"""Options that several commands have, each declared once: ``shared(DEVICE, panel=SPEED)``."""

from typing import Literal

from upscale.models.choice import AUTO, CLEAN, DAMAGED, MOST_ITERATIONS
from upscale.pictures.limits import MAX_PIXELS
from upscale.upscaling.options import FILES, MODEL, REPORT, SPEED, Declared

__all__ = [
    "BACK_PROJECT",
    "DEBUG",
    "DEVICE",
    "DEVICES",
    "DEVICE_OF_PYTORCH",
    "ENGINE",
    "JOBS",
    "JSON",
    "MAX_PIXELS_IN",
    "NETWORK",
    "OPEN",
    "OVERLAP",
    "PORT",
    "PRECISION",
    "PSNR_END",
    "REPORT_FILE",
    "TTA",
    "Precision",
]

Precision = Literal["auto", "fp32", "bf16", "fp16"]

_DEVICE = "Device that runs the network: auto, cpu, cuda, cuda:N, mps, vulkan or vulkan:N"

NETWORK: Declared = {
    "text": f"Name (see: upscale models), file, or hf://user/repo/file. {AUTO} takes {CLEAN} for "
    f"clean photographs, {DAMAGED} for JPEG blocks, noise, blur, drawings and text.",
    "default": AUTO,
    "panel": MODEL,
    "short": "-m",
    "metavar": "MODEL",
}
PSNR_END: Declared = {
    "text": "Faithful end of the blend, in place of the model's own.",
    "default": None,
    "panel": MODEL,
    "metavar": "MODEL",
}
TTA: Declared = {
    "text": "Average over 8 flips and rotations; takes 8 times as long.",
    "default": False,
    "panel": MODEL,
}
BACK_PROJECT: Declared = {
    "default": 0,
    "panel": MODEL,
    "metavar": "N",
    "least": 0,
    "most": MOST_ITERATIONS,
}
"""Each command says what it does with the number."""
DEVICE: Declared = {"text": f"{_DEVICE}.", "default": "auto", "metavar": "DEVICE"}
DEVICE_OF_PYTORCH: Declared = {
    "text": "Device that trains the network: auto, cpu, cuda, cuda:N or mps.",
    "default": "auto",
    "metavar": "DEVICE",
}
DEVICES: Declared = {
    "text": f"{_DEVICE}; several, as in cuda:0,cuda:1, or all of CUDA share the pictures.",
    "default": "auto",
    "metavar": "DEVICE",
}
PRECISION: Declared = {
    "text": "Precision of the network: auto, fp32, bf16 or fp16.",
    "panel": SPEED,
}
ENGINE: Declared = {
    "text": "Engine of the network: torch, ncnn (an extra), or auto: the faster one, if the "
    "precision is auto, too.",
    "default": "auto",
    "panel": SPEED,
}
OVERLAP: Declared = {
    "text": "Input pixels of context around a tile. Default: enough to hide the seams.",
    "default": None,
    "panel": SPEED,
    "least": 0,
}
JOBS: Declared = {"panel": SPEED, "short": "-j", "least": 1, "most": 64}
"""Each command says what its processes do."""
MAX_PIXELS_IN: Declared = {
    "text": "Refuse inputs with more pixels.",
    "default": MAX_PIXELS,
    "panel": FILES,
}
JSON: Declared = {
    "text": "Report on standard output as JSON lines.",
    "default": False,
    "panel": REPORT,
}
REPORT_FILE: Declared = {
    "text": "Report to a file or an address as JSON lines.",
    "default": None,
    "panel": REPORT,
    "metavar": "FILE",
}
DEBUG: Declared = {"text": "Show tracebacks.", "default": False}
PORT: Declared = {"text": "Port to answer at; 0: a free one.", "least": 0, "most": 65535}
OPEN: Declared = {"text": "Open the page in the browser of this machine.", "default": False}
