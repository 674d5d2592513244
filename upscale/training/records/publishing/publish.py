"""Publishes a run as a repository on the Hugging Face Hub, in one commit."""

import io
import os
import re
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from upscale.errors import OutputError, UsageError
from upscale.models.checkpoints.read import read_metadata
from upscale.models.fetching.sources import Notify, Progress, is_offline
from upscale.training.keeper import CONFIG_FILE
from upscale.training.records.journal import METRICS_FILE, read
from upscale.training.records.publishing.card import GENERATOR_NAME, make_card
from upscale.training.records.publishing.hub import explained, patient_and_quiet
from upscale.training.records.publishing.places import places_in, shortened, without_places
from upscale.training.stages import FIRST_FOLDER

__all__ = ["prepare", "publish"]

BEST_NAME = "best.safetensors"

FIRST_METRICS = f"{FIRST_FOLDER}/{METRICS_FILE}"
"""File of the first stage's figures, if there are two stages."""

REVISION = re.compile(r"\w([\w.-]|/(?=\w))*", re.ASCII)


def prepare(
    run: Path,
    repository: str,
    *,
    revision: str | None = None,
    licence: str | None = None,
    data_licence: str | None = None,
    datasets: Sequence[str] = (),
) -> dict[str, bytes | Path]:
    """Return the files that `publish` uploads, by name.

    The generator is the best one, if the run has chosen one. The published configuration has only
    the last part of local paths. `make_card` explains the other parameters. Raises UsageError for
    unusable names and a folder without a generator, WeightsError if the generator is damaged.
    """
    _check_names(repository, revision, datasets)
    generator = next((run / n for n in (BEST_NAME, GENERATOR_NAME) if (run / n).is_file()), None)
    if generator is None:
        raise UsageError(f"{run}: holds no {GENERATOR_NAME}; give the folder of a run")
    about = read_metadata(generator)
    config = _public(run / CONFIG_FILE)
    journal = read(run / METRICS_FILE)
    card = make_card(
        repository,
        tomllib.loads(config),
        journal,
        {key: {n: shortened(value) for n, value in each.items()} for key, each in about.items()},
        revision=revision,
        licence=licence,
        data_licence=data_licence,
        datasets=datasets,
    )
    journals = [name for name in (METRICS_FILE, FIRST_METRICS) if (run / name).exists()]
    return {
        "README.md": card.encode(),
        GENERATOR_NAME: generator,
        CONFIG_FILE: config.encode(),
        **{name: _whole_lines(run / name) for name in journals},
    }


def _whole_lines(journal: Path) -> bytes:
    """Return a journal up to its last line feed, since the run may still write."""
    lines = journal.read_bytes()
    return lines[: lines.rfind(b"\n") + 1]


def publish(
    run: Path,
    repository: str,
    *,
    private: bool = False,
    revision: str | None = None,
    licence: str | None = None,
    data_licence: str | None = None,
    datasets: Sequence[str] = (),
    notify: Notify = lambda text: None,
    progress: Progress = lambda done, total: None,
) -> str:
    """Upload the files of `prepare` to ``repository`` on the Hub, and return its address.

    A missing repository or branch ``revision`` is created; ``private``: only its owners see it. The
    token is that of ``HF_TOKEN``, or of the Hub's own login. ``progress`` counts bytes of the
    generator. The upload uses HTTP and not Xet, so that bytes can be counted and a test can stand
    in for the Hub.

    Raises the errors of `prepare`, and OutputError if the Hub cannot be reached or refuses, or if a
    repository that should be private already exists and is public.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, constants, get_token

    stated = {"revision": revision, "licence": licence, "data_licence": data_licence}
    files = prepare(run, repository, **stated, datasets=datasets)
    if is_offline():
        raise OutputError("HF_HUB_OFFLINE is set, so nothing can be published; unset it")
    endpoint = os.environ.get("HF_ENDPOINT", constants.ENDPOINT).rstrip("/")
    token = get_token()
    if token is None:
        raise OutputError(
            "publishing needs a token for the Hugging Face Hub with write access: create one at "
            f"{endpoint}/settings/tokens, and put it into HF_TOKEN or run `hf auth login`",
            code="no-token",
        )
    generator = files[GENERATOR_NAME]
    assert isinstance(generator, Path)
    origin = read_metadata(generator).get("origin", {})
    for place in places_in(origin):
        notify(f"{generator}: its metadata, which everybody can read, names {place}")
    api = HfApi(endpoint=endpoint, token=token, library_name="upscale")
    with ExitStack() as stack:
        stack.enter_context(explained(repository, endpoint))
        stack.enter_context(patient_and_quiet(notify))
        api.create_repo(repository, private=private or None, exist_ok=True)
        if private and not api.model_info(repository).private:
            raise OutputError(
                f"{repository} already exists and is public: make it private at "
                f"{endpoint}/{repository}/settings, or give another name"
            )
        if revision is not None:
            api.create_branch(repository, branch=revision, exist_ok=True)
        counted = stack.enter_context(_Counted(generator))
        contents = {n: counted if isinstance(each, Path) else each for n, each in files.items()}
        operations = [CommitOperationAdd(name, each) for name, each in contents.items()]
        counted.progress = progress  # after it was read once for its hash
        message = f"A generator after {origin.get('steps', 'some')} steps, by upscale"
        api.create_commit(repository, operations, commit_message=message, revision=revision)
    return f"{endpoint}/{repository}" + (f"/tree/{revision}" if revision else "")


class _Counted(io.BufferedReader):
    """A file that reports the bytes read."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._size = path.stat().st_size
        self.progress: Progress = lambda done, total: None

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.progress(self.tell(), self._size)
        return data


def _check_names(repository: str, revision: str | None, datasets: Sequence[str]) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    for name, kind in [(repository, "repository"), *((each, "data set") for each in datasets)]:
        try:
            validate_repo_id(name)
            if kind == "repository" and "/" not in name:
                raise HFValidationError
        except HFValidationError as error:
            raise UsageError(
                f"{name!r} is not a {kind} of the Hub; give user/name: letters, digits, - _ and ."
            ) from error
    if revision is not None and (not REVISION.fullmatch(revision) or ".." in revision):
        raise UsageError(
            f"--revision {revision!r} is not a branch name; use letters, digits, - _ . and /"
        )


def _public(path: Path) -> str:
    """Return a configuration without local folders."""
    try:
        return without_places(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be published ({error})") from error
