"""Reads the service's OpenAPI description into the rows of its reference page.

The usual pages for that fetch their scripts from other sites; this one works without a network.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

# Bodies that can be sent as they stand, for the paths that take one.
_EXAMPLES: Mapping[str, Any] = {
    "/v1/search": {
        "query": "running shoes",
        "k": 5,
        "history": [{"event": "click", "item_id": "i-17", "timestamp": "2025-06-01T09:30:00Z"}],
    },
    "/v1/recommend": {"k": 5, "history": [{"event": "purchase", "item_id": "i-17"}]},
    "/v1/ads": {"k": 1, "query": "running shoes"},
}


@dataclass(frozen=True, slots=True)
class Property:
    """One field of a body, named by its path: ``history[].event``."""

    name: str
    type: str
    required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the service can be asked."""

    method: str
    path: str
    summary: str
    meaning: str
    asked: tuple[Property, ...]
    answered: tuple[Property, ...]
    example: str  # JSON body, or empty where none is sent


def operations(openapi: Schema) -> list[Operation]:
    """Every operation of an OpenAPI 3.1 description, in its order."""
    schemas = openapi.get("components", {}).get("schemas", {})
    return [
        Operation(
            method=method.upper(),
            path=path,
            summary=found.get("summary", ""),
            meaning=found.get("description", ""),
            asked=tuple(_properties(_content(found.get("requestBody", {})), schemas)),
            answered=tuple(_properties(_content(found["responses"]["200"]), schemas)),
            example=json.dumps(_EXAMPLES[path]) if path in _EXAMPLES else "",
        )
        for path, methods in openapi["paths"].items()
        for method, found in methods.items()
    ]


def _content(body: Schema) -> Schema:
    schema: Schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _properties(schema: Schema, schemas: Schema, prefix: str = "") -> Iterator[Property]:
    """The fields of an object, those of nested objects after the field that holds them."""
    schema = _resolved(schema, schemas)
    required = schema.get("required", ())
    for name, inner in schema.get("properties", {}).items():
        meaning = inner.get("description", "")
        yield Property(prefix + name, _type(inner, schemas), name in required, meaning)
        element = inner.get("items", {})
        yield from _properties(element, schemas, f"{prefix}{name}[].")


def _type(schema: Schema, schemas: Schema) -> str:
    """A few words for what may stand there."""
    schema = _resolved(schema, schemas)
    if "anyOf" in schema:
        return " or ".join(_type(choice, schemas) for choice in schema["anyOf"])
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'], schemas)}"
    if schema.get("format") == "date-time":
        return "time (ISO 8601)"
    return str(schema.get("type", "anything"))


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    """What a ``$ref`` points to; any other schema is itself."""
    if "$ref" not in schema:
        return schema
    found: Schema = schemas[schema["$ref"].rpartition("/")[2]]
    return found
