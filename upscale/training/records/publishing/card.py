"""The model card of a run: its network, pictures, training and figures.

It is the README.md of a repository on the Hugging Face Hub: YAML fields for the Hub, and Markdown
for people.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from upscale.metrics.protocol import METRICS
from upscale.models.manifest import read_manifest
from upscale.training.records.journal import Record
from upscale.training.records.publishing.licences import hub_licence
from upscale.viewing.markdown import code, escaped, table

__all__ = ["GENERATOR_NAME", "make_card"]

GENERATOR_NAME = "generator.safetensors"
"""The file name of a published generator."""

NOT_STATED = "not stated"

PAPERS = {"Ledig et al. 2017": "1609.04802", "Wang et al. 2018": "1809.00219"}
"""arXiv numbers, by the beginning of a recipe's source."""

ARCHITECTURES = {"srresnet": "SRResNet", "rrdbnet": "RRDBNet"}
DAMAGED = "blur, noise and JPEG's blocks"

MADE_FOR = {
    "bicubic": "It was trained on clean pictures reduced by MATLAB's bicubic interpolation. "
    f"It also enlarges {DAMAGED}.",
    "gaussian": "It was trained on clean pictures blurred by a Gaussian, then subsampled. "
    f"It also enlarges {DAMAGED}, and makes other pictures too sharp.",
    "web": f"It was trained against slight {DAMAGED}. It smooths clean pictures.",
    "real": f"It was trained against strong {DAMAGED}. It smooths clean pictures.",
}
"""The limits of a model, by the degradation of its training."""


def make_card(
    repository: str,
    config: Mapping[str, Any],
    journal: Sequence[Record],
    about: Mapping[str, Mapping[str, Any]],
    *,
    revision: str | None = None,
    licence: str | None = None,
    data_licence: str | None = None,
    datasets: Sequence[str] = (),
) -> str:
    """Return the card of a generator as the text of a README.md.

    ``repository``: ``user/name`` on the Hub; ``config``: the run's TOML; ``journal``: its lines;
    ``about``: what `upscale.models.checkpoints.read.read_metadata` returns for the generator.
    ``licence``: of the result, by default that of its start weights; ``data_licence``: of the
    pictures, by default that of the run; ``datasets``: the Hub's names of the pictures. Unknown
    facts become "not stated".
    """
    origin, spec = about.get("origin", {}), about.get("spec", {})
    result_licence = licence or _initial_licence(origin)
    fields = _fields(origin, spec, result_licence, datasets)
    address = f"{repository}@{revision}" if revision else repository
    sections = {
        f"# {escaped(repository.rpartition('/')[2])}": _summary(origin, spec),
        "## How to use it": _usage(address),
        "## Figures": _figures(origin, spec, config, journal),
        "## Data": _data(origin, config, data_licence, datasets),
        "## Training": _training(config, origin),
        "## Limits": _limits(config),
        "## Licence": _licence(origin, result_licence),
    }
    body = "\n\n".join(f"{title}\n\n{text}" for title, text in sections.items() if text)
    return f"---\n{fields}---\n\n{body}\n"


def _initial_licence(origin: Mapping[str, Any]) -> str | None:
    entry = read_manifest().get(str(origin.get("init")))
    return origin.get("init_licence") or (entry.licence if entry else None) or None


def _base_model(origin: Mapping[str, Any]) -> str | None:
    """Return the Hub repository of the run's start weights, if it is known."""
    init = str(origin.get("init") or "")
    if init.startswith("hf://"):
        return "/".join(init.removeprefix("hf://").split("@")[0].split("/")[:2])
    entry = read_manifest().get(init)
    places = [source.place for source in entry.sources if source.kind == "hub"] if entry else []
    return places[0] if places else None


def _fields(
    origin: Mapping[str, Any],
    spec: Mapping[str, Any],
    licence: str | None,
    datasets: Sequence[str],
) -> str:
    """Write the fields for the Hub; texts and lists in JSON are valid YAML."""
    fields: dict[str, Any] = hub_licence(licence) | {
        "library_name": "upscale",
        "pipeline_tag": "image-to-image",
        "tags": ["super-resolution", *filter(None, [spec.get("architecture")])],
    }
    if datasets:
        fields["datasets"] = list(datasets)
    if base := _base_model(origin):
        fields |= {"base_model": base, "base_model_relation": "finetune"}
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in fields.items())


def _summary(origin: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    architecture = ARCHITECTURES.get(str(spec.get("architecture")), "network")
    sizes = ", ".join(f"{spec[name]} {name}" for name in ("blocks", "features") if name in spec)
    source = str(origin.get("recipe") or "its own recipe")
    papers = [
        f" ([arXiv:{paper}](https://arxiv.org/abs/{paper}))"
        for authors, paper in PAPERS.items()
        if source.removeprefix("based on ").startswith(authors)
    ]
    began = f"from the weights {_initial(origin)}" if origin.get("init") else "from random numbers"
    if "first_recipe" in origin:
        first = f"{escaped(origin['first_recipe'])}; {_number(origin.get('first_steps'))} steps"
        began = f"after a first stage ({first}, from random numbers)"
    unlike = str(origin.get("differences") or "")
    differences = f", with differences ({escaped(unlike)})" if unlike else ""
    return (
        f"This {architecture}{f' ({sizes})' if sizes else ''} makes pictures "
        f"{spec.get('scale', 4)} times as large. Its training: {escaped(source)}{''.join(papers)}"
        f"{differences}; "
        f"{_number(origin.get('steps'))} steps, {began}."
    )


def _initial(origin: Mapping[str, Any]) -> str:
    """Name the run's start weights, and their origin as far as it is known."""
    init = str(origin["init"])
    entry = read_manifest().get(init)
    title = origin.get("init_title") or (entry.title if entry else "")
    source = origin.get("init_origin") or (entry.origin if entry else "")
    more = "; ".join(escaped(each) for each in (title, source) if each and each != init)
    return code(init) + (f" ({more})" if more else "")


def _usage(address: str) -> str:
    file = f"hf://{address}/{GENERATOR_NAME}"
    return (
        f"With the command `upscale`:\n\n```sh\nupscale photo.png --model {file}\n```\n\n"
        f'or in Python:\n\n```python\nimport upscale\n\nmodel = upscale.load_model("{file}")\n```'
    )


def _figures(
    origin: Mapping[str, Any],
    spec: Mapping[str, Any],
    config: Mapping[str, Any],
    journal: Sequence[Record],
) -> str:
    validated = {str(each["step"]): each for each in journal if each.get("kind") == "validation"}
    step = str(origin.get("steps"))
    figures, start = validated.get(step, {}), validated.get("0", {})
    names = [name for name in METRICS if figures.get(name) is not None]
    if not names:
        return "No figures were measured."
    first = "first_recipe" in origin
    with_start = bool(first or origin.get("init")) and step != "0"
    scale, start_name = spec.get("scale", 4), "the first stage" if first else "the start"
    head = ["figure", *([start_name] if with_start else []), "this model"]
    columns, rows = [start, figures] if with_start else [figures], []
    for name in names:
        label = METRICS[name].title + (" (dB)" if name == "psnr" else "")
        rows.append([label, *(_figure(name, each.get(name)) for each in columns)])
    valid = f" ({code(config['valid'])})" if config.get("valid") else ""
    return (
        f"{table(head, rows)}\n\nMeans over the validation pictures{valid}, after step "
        f"{_number(step)}. PSNR and SSIM on Y, without {scale} pixels at each edge; "
        f"{_reduced(config)}; float32."
    )


def _reduced(config: Mapping[str, Any]) -> str:
    if config.get("degradation") == "gaussian":
        return f"LR by a Gaussian blur of {config.get('blur_sigma')} pixels, then subsampling"
    return "LR by MATLAB's bicubic interpolation"


def _figure(name: str, value: float | None) -> str:
    return "–" if value is None else f"{value:.{2 if name == 'psnr' else 4}f}"


def _data(
    origin: Mapping[str, Any],
    config: Mapping[str, Any],
    licence: str | None,
    datasets: Sequence[str],
) -> str:
    shares = str(origin.get("data_shares") or "")
    stated = licence or config.get("data_licence") or origin.get("data_licence") or NOT_STATED
    lines = [
        f"Pictures: {_number(origin.get('data_pictures'))}",
        *([f"Shares of the patches: {escaped(shares)}"] if shares else []),
        f"SHA-256 over their samples: {code(origin.get('data_digest') or NOT_STATED)}",
        f"Licence of the pictures: {escaped(stated)}",
    ]
    if datasets:
        lines.append(f"On the Hub: {', '.join(map(code, datasets))}")
    return "\n".join(f"- {line}" for line in lines)


def _training(config: Mapping[str, Any], origin: Mapping[str, Any]) -> str:
    by = ""
    if "precision" in origin:
        told = f"Computed in {origin['precision']} on {origin['device']}, by {origin['versions']}."
        by = f"{escaped(told)} "
    rows = [[code(name), code(_shown(value))] for name, value in _flat(config)]
    return (
        f"{by}The whole configuration, as in `config.toml`; `metrics.jsonl` holds the "
        "figures of each step.\n\n" + table(["option", "value"], rows)
    )


def _flat(config: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _limits(config: Mapping[str, Any]) -> str:
    limits = [
        "It invents plausible detail: faces, letters and textures may differ from the truth. Do "
        "not use it for evidence, diagnosis, measurement or surveillance.",
        "It was trained on given LR pictures, not on LR made from HR."
        if config.get("lr")
        else MADE_FOR.get(str(config.get("degradation")), ""),
        "Results are worse for subjects that are rare in its training pictures.",
    ]
    return "\n".join(f"- {limit}" for limit in limits if limit)


def _licence(origin: Mapping[str, Any], licence: str | None) -> str:
    text = f"Of these weights: {escaped(licence or NOT_STATED)}."
    if origin.get("init"):
        initial = escaped(_initial_licence(origin) or NOT_STATED)
        text += f" Of its start weights: {initial}."
    return text


def _number(value: Any) -> str:
    return f"{int(value):,}" if str(value).isdecimal() else NOT_STATED
