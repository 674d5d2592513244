"""Turns the settings of a request into options of the command line."""

from collections.abc import Hashable, Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any, get_args, get_type_hints

from upscale.batch.methods import Listener, Making, find_methods
from upscale.batch.order import Method, Order
from upscale.cli.run.checks import check
from upscale.cli.run.methods import making_of, naming_of, order_of
from upscale.cli.run.options import Options
from upscale.errors import UsageError, did_you_mean
from upscale.models.devices import check_device
from upscale.serving.requests.asked import Asked, Setting
from upscale.serving.requests.limits import Limits
from upscale.serving.requests.offers import known_models
from upscale.serving.work.shelf import Shelf
from upscale.upscaling.shared_options import DEVICE

__all__ = ["SETTINGS", "read_settings", "settings"]

SETTINGS = (
    *("model", "alpha", "scale", "size", "fit", "long_edge", "megapixels"),
    *("format", "quality", "lossless", "strip", "to_srgb", "lenient"),
    *("wrap", "tta", "back_project", "tile", "overlap", "device", "precision"),
)
"""The options that a request may set. None of them names a file."""

KINDS = {bool: "boolean", int: "integer", float: "number", str: "string"}

HELP = {
    "model": "A name from /api/about; neither a file nor an address.",
    "size": "Width and height in pixels, such as 1920x1080; see fit.",
    "device": DEVICE["text"],
    "fit": "Way to reach size: fit (inside), fill (crops the rest) or stretch.",
}
"""Help of settings whose options mention the command line."""

FLAGS = {"1": True, "true": True, "yes": True, "on": True}
FLAGS |= {"0": False, "false": False, "no": False, "off": False, "": False}

OF_A_MODEL = ("device", "precision", "tta", "back_project", "tile", "overlap")
"""Options that change a model in memory."""


def settings() -> tuple[Setting, ...]:
    """Describe `SETTINGS`."""
    own = {each.name: each for each in fields(Options)}
    return tuple(
        Setting(
            name,
            KINDS[_kind(name)],
            HELP.get(name, own[name].metadata["help"]),
            own[name].metadata.get("word", own[name].default),
        )
        for name in SETTINGS
    )


def _kind(name: str) -> type:
    hint = get_type_hints(Options)[name]
    found: type = next(kind for kind in get_args(hint) or (hint,) if kind is not type(None))
    return found


def read_settings(
    words: Mapping[str, str], base: Options, own: Mapping[str, str], limits: Limits, shelf: Shelf
) -> Asked:
    """Read a request; ``base`` has the values of missing settings.

    ``own``: the server's own models, by their public names. Other models must be names of the
    manifest, neither files nor addresses. Raises UsageError.
    """
    values: dict[str, Any] = {}
    for name, word in words.items():
        if name not in SETTINGS:
            raise UsageError(f"{name}: this setting does not exist{did_you_mean(name, SETTINGS)}")
        if word.strip():
            values[name] = _value(name, word.strip())
    options = replace(base, **values)
    known = known_models()
    if options.model in own:
        options = replace(options, model=own[options.model])
    elif options.model not in known and options.model != base.model:
        raise UsageError(f"{options.model!r} is not a model{did_you_mean(options.model, known)}")
    check_device(options.device)
    check(options)
    order = replace(order_of(options), max_output_pixels=limits.most_output_pixels)
    making = making_of(options)
    return Asked(order, partial(_find, making, order, shelf), partial(naming_of, options))


def _value(name: str, word: str) -> Any:
    read = next(each for each in fields(Options) if each.name == name).metadata.get("read")
    kind = _kind(name)
    try:
        if read is not None:
            return read(word)
        if kind is bool:
            return FLAGS[word.lower()]
        return kind(word)
    except (ValueError, KeyError) as error:
        raise UsageError(f"{name}: {word!r} is not a value of kind {KINDS[kind]}") from error


def _find(making: Making, order: Order, shelf: Shelf, listener: Listener) -> dict[str, Method]:
    """Find the methods; their loaded models stay on the shelf."""
    return {
        name: replace(method, load=partial(shelf.ready, _key(name, method, making), method.load))
        for name, method in find_methods(making, order, listener).items()
    }


def _key(name: str, method: Method, making: Making) -> Hashable:
    return (name, method.alpha, *(getattr(making, each) for each in OF_A_MODEL))
