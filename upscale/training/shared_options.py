"""Options that a training has, and a study of several trainings, each declared once."""

from upscale.upscaling.options import FILES, LEARNING, LOSSES, MODEL, REPORT, SPEED, Declared

__all__ = ["DATA", "GROWTH", "HR_PATCH", "SAVE_EVERY", "SEED", "VGG", "WORKERS"]

DATA: Declared = {
    "text": "Folder of high-resolution (HR) pictures; folders inside it count, too. May be "
    "repeated, with shares of the patches: --data div2k:4 --data ost:1. Sets to fetch: upscale "
    "data.",
    "panel": FILES,
    "metavar": "DIR[:SHARE]",
}
GROWTH: Declared = {
    "text": "Channels that each convolution of RRDBNet's dense blocks adds.",
    "default": None,
    "panel": MODEL,
    "least": 1,
}
HR_PATCH: Declared = {"text": "Side of a patch in HR pixels.", "panel": LEARNING, "least": 1}
SEED: Declared = {
    "text": "Seed of all random numbers.",
    "default": 0,
    "panel": LEARNING,
    "least": 0,
    "below": 2**63,
}
VGG: Declared = {
    "text": "Network of the content loss: vgg19, or a file of VGG19 or VGG16.",
    "default": "vgg19",
    "panel": LOSSES,
}
WORKERS: Declared = {
    "text": "Processes that cut patches. Default: 0 on the CPU, 8 for each GPU.",
    "default": None,
    "panel": SPEED,
    "least": 0,
}
SAVE_EVERY: Declared = {
    "text": "Steps between saved states, from which what was stopped continues.",
    "default": 500,
    "panel": REPORT,
    "least": 1,
}
