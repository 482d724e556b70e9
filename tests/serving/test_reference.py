from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from shelfwise.serving.reference import Property, operations


def test_an_operation_by_hand() -> None:
    openapi: dict[str, Any] = {
        "components": {
            "schemas": {
                "Body": {
                    "required": ["words"],
                    "properties": {
                        "words": {"type": "array", "items": {"type": "string"}},
                        "at": {"anyOf": [{"format": "date-time"}, {"type": "null"}]},
                        "past": {"type": "array", "items": {"$ref": "#/components/schemas/Past"}},
                    },
                },
                "Past": {
                    "type": "object",
                    "properties": {"kind": {"enum": ["a", "b"], "description": "What."}},
                },
            }
        },
        "paths": {
            "/ask": {
                "post": {
                    "summary": "Ask",
                    "requestBody": _json({"$ref": "#/components/schemas/Body"}),
                    "responses": {"200": _json({"properties": {"ok": {"const": "yes"}}})},
                }
            }
        },
    }

    (operation,) = operations(openapi)

    assert (operation.method, operation.path, operation.summary) == ("POST", "/ask", "Ask")
    assert operation.asked == (
        Property("words", "list of string", True, ""),
        Property("at", "time (ISO 8601) or null", False, ""),
        Property("past", "list of object", False, ""),
        Property("past[].kind", "a, b", False, "What."),
    )
    assert operation.answered == (Property("ok", '"yes"', False, ""),)


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


@pytest.mark.parametrize("path", ["/v1/search", "/v1/recommend", "/v1/ads"])
def test_every_example_can_be_sent_as_it_stands(client: TestClient, path: str) -> None:
    (operation,) = [
        found for found in operations(client.get("/openapi.json").json()) if found.path == path
    ]

    assert client.post(path, json=json.loads(operation.example)).status_code == 200
