"""The origin of a generator: its recipe, its pictures and its start weights."""

from pathlib import Path

from upscale.training.config import Config
from upscale.training.data.store import Store

__all__ = ["origin_of"]


def origin_of(config: Config, store: Store, start: dict[str, str]) -> dict[str, str]:
    """Return the origin of a run's generator, as texts for the metadata of its file.

    ``start``: the metadata of its start weights.
    """
    recipe = config.recipe
    origin = {
        "recipe": recipe.source,
        "data_digest": store.digest,
        "data_pictures": str(len(store.items)),
        "data_licence": config.data_licence,
        "seed": str(config.seed),
    }
    if recipe.init != "none":
        origin["init"] = Path(recipe.init).name
        told = _trained(start) if "recipe" in start else start
        origin |= {
            f"init_{key}": told[key] for key in ("title", "licence", "origin") if told.get(key)
        }
    return origin


def _trained(start: dict[str, str]) -> dict[str, str]:
    """Describe start weights that a run made, and that run's own start weights."""
    made = f"trained on {start.get('data_pictures')} pictures ({start.get('data_digest', '')[:16]}"
    made += f"; {start['data_licence']})" if start.get("data_licence") else ")"
    if "init" in start:
        known = (start["init"], start.get("init_title"), start.get("init_origin"))
        made += f", from {', '.join(filter(None, known))}"
    return {
        "title": f"{start['recipe']}, {start.get('steps')} steps",
        "origin": made,
        "licence": start.get("init_licence", ""),
    }
