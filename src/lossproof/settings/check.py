"""Check a value against a JSON schema; the first fault becomes one line that a newcomer can act on."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from lossproof.settings.faults import SettingsError, fault, nearest


class _UniqueKeys(yaml.SafeLoader):
    """YAML that refuses a key written twice, which the standard loader lets pass silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # the standard loader says what is wrong with it
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' twice, line {line}")
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path | str) -> dict[str, Any]:
    """A YAML mapping; SettingsError for a missing file, a syntax fault, a repeated key or another type."""
    path = Path(path)
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as text: {error}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(value, dict):
        raise SettingsError(f"{path}: found {type(value).__name__}; expected a mapping of keys to values")
    return value


def _allowed(error: ValidationError) -> str:
    schema, rule = error.schema, error.validator
    wanted: Any = error.validator_value
    assert isinstance(schema, Mapping)
    match rule:
        case "type":
            words = [wanted] if isinstance(wanted, str) else list(wanted)
            return "expected " + " or ".join(words)
        case "enum":
            return nearest(error.instance, wanted)
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            low = f"> {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""
            low = low or (f">= {schema['minimum']}" if "minimum" in schema else "")
            high = f"< {schema['exclusiveMaximum']}" if "exclusiveMaximum" in schema else ""
            high = high or (f"<= {schema['maximum']}" if "maximum" in schema else "")
            return "allowed: " + " and ".join(part for part in (low, high) if part)
        case "pattern" if "description" in schema:
            return f"expected {schema['description']}"
    return f"expected {rule} {error.validator_value}"


def _first(errors: Sequence[ValidationError]) -> ValidationError:
    """The fault to show: unknown keys first (mostly typing errors), then the outermost."""
    return min(errors, key=lambda e: (e.validator != "additionalProperties", len(e.path), list(map(str, e.path))))


def dotted(parts: Iterable[object]) -> str:
    """A key path as text, e.g. ``training.batch_size``."""
    return ".".join(str(part) for part in parts)


def with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    """A copy of ``value`` with the schema's defaults filled in, at every level."""
    if isinstance(value, dict):
        result = {key: copy.deepcopy(item) for key, item in value.items()}
        for key, part in schema.get("properties", {}).items():
            if key not in result and "default" in part:
                result[key] = copy.deepcopy(part["default"])
            if key in result:
                result[key] = with_defaults(result[key], part)
        return result
    return value


def check(
    value: Any, schema: Mapping[str, Any], source_of: Callable[[Sequence[object]], str], base: Sequence[object] = ()
) -> Any:
    """``value`` with defaults, or SettingsError.

    ``base`` is the key path of ``value`` in its file; ``source_of(path)`` names the file that a whole
    key path came from. Both are for the message.
    """
    filled = with_defaults(value, schema)
    errors = list(Draft202012Validator(schema).iter_errors(filled))
    if not errors:
        return filled
    error = _first(errors)
    found: Any = error.instance
    wanted: Any = error.validator_value
    path = [*base, *error.absolute_path]
    if error.validator == "additionalProperties" and error.validator_value is False:
        names = error.schema.get("properties", {})  # type: ignore[union-attr]
        unknown = next(key for key in found if key not in names)
        path.append(unknown)
        raise fault(source_of(path), dotted(path), f"unknown key '{unknown}'", nearest(unknown, names))
    if error.validator == "required":
        missing = next(key for key in wanted if key not in found)
        raise fault(source_of(path), dotted(path) or "top level", f"key '{missing}' is missing", "it is required")
    shown = repr(error.instance)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    raise fault(source_of(path), dotted(path) or "top level", f"found {shown}", _allowed(error))


def parameters_schema(parameters: Mapping[str, Any], **fixed: Any) -> dict[str, Any]:
    """A strict schema of a component's parameters, plus keys with a schema of their own."""
    return {"type": "object", "additionalProperties": False, "properties": {**parameters, **fixed}}
