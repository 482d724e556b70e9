from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from threading import Event as Signal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.event import Surface
from shelfwise.schema.ranking import Ranking, RankRequest
from shelfwise.serving.config import ServeOptions
from shelfwise.serving.ranks import Ranks

from .conftest import until
from .tiny_shop import TinyShop

Opener = Callable[..., TestClient]


def ids(answer: Any) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def mistakes(answer: Any) -> dict[str, dict[str, str]]:
    return {mistake["where"]: mistake for mistake in answer.json()["errors"]}


def test_search_by_values(client: TestClient, shop: TinyShop) -> None:
    answer = client.post("/v1/search", json={"query": "running shoe", "k": 2}).json()

    # Both words stand in both titles; the click falls with the price: 10 / (100 + 89).
    assert ids(answer) == ["shoe-1", "shoe-2"]
    assert answer["items"][0] == {
        "item_id": "shoe-1",
        "title": "Trail running shoe",
        "category": "Sport > Run > Shoes",
        "brand": "Fellrun",
        "price": 89.0,
        "match": 2.0,
        "p_click": pytest.approx(10 / 189),
        "p_convert": 0.25,
        "campaign_id": None,
        "charge": None,
    }
    assert (answer["surface"], answer["model_version"]) == ("search", "tiny-1")
    assert answer["request_id"] == shop.asked[0].request_id


def test_recommend_follows_the_history(client: TestClient) -> None:
    history = [{"event": "click", "item_id": "pot-1", "timestamp": "2025-06-01T12:00:00Z"}]

    before = client.post("/v1/recommend", json={"k": 1}).json()
    after = client.post("/v1/recommend", json={"k": 1, "history": history}).json()

    # Nothing clicked: catalogue order. After a pot, the other thing of the kitchen.
    assert (ids(before), ids(after)) == (["shoe-1"], ["knife-1"])
    assert after["surface"] == "recommendation"


def test_ads_say_who_pays_and_what(client: TestClient) -> None:
    answer = client.post("/v1/ads", json={"query": "reading lamp", "k": 1}).json()

    assert [(item["campaign_id"], item["charge"]) for item in answer["items"]] == [
        ("c-lamp-1", 0.4)
    ]


def test_what_was_not_learned_is_null(client: TestClient) -> None:
    answer = client.post("/v1/search", json={"query": "field guide"}).json()

    (book,) = answer["items"]
    assert (book["price"], book["p_click"], book["p_convert"]) == (None, None, None)


def test_an_item_is_found_by_an_id_with_a_slash(client: TestClient) -> None:
    answer = client.get("/v1/items/odd%2F1").json()

    assert (answer["item_id"], answer["brand"]) == ("odd/1", "<b>bold</b>")


def test_an_item_that_is_not_there(client: TestClient) -> None:
    answer = client.get("/v1/items/nothing")

    assert answer.status_code == 404
    assert mistakes(answer)["/v1/items/nothing"]["rule"] == "the catalogue has no item of this id"


def test_all_mistakes_are_told_at_once(client: TestClient, shop: TinyShop) -> None:
    body = {
        "query": " ",
        "k": 101,
        "historyy": [],
        "history": [{"event": "clik", "item": "a"}, {"event": "click"}],
    }

    answer = client.post("/v1/search", json=body)

    assert answer.status_code == 422
    told = mistakes(answer)
    assert set(told) == {
        "query", "k", "historyy", "history.0.event", "history.0.item", "history.1",
    }  # fmt: skip
    assert told["k"] == {
        "where": "k",
        "found": "101",
        "rule": "one answer holds at most 100 items",
        "fix": None,
    }
    assert told["historyy"]["fix"] == "did you mean history?"
    assert told["history.0.item"]["fix"] == "did you mean item_id?"
    assert told["history.1"]["rule"] == "a click needs its item_id"
    assert shop.asked == []


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/v1/search", {}, "query"),
        ("/v1/search", {"query": ""}, "query"),
        ("/v1/search", {"query": "x" * 501}, "query"),
        ("/v1/recommend", {"query": "tea"}, "query"),
        ("/v1/recommend", {"k": "5"}, "k"),
        ("/v1/recommend", {"k": 0}, "k"),
        ("/v1/ads", {"history": [{"event": "click", "item_id": "a"}] * 201}, "history"),
        ("/v1/ads", {"at": "noon"}, "at"),
        ("/v1/ads", [], "(body)"),
    ],
)
def test_a_bad_field_is_named(client: TestClient, path: str, body: Any, where: str) -> None:
    answer = client.post(path, json=body)

    assert answer.status_code == 422
    assert set(mistakes(answer)) == {where}


def test_many_mistakes_are_counted_after_the_first_hundred(client: TestClient) -> None:
    answer = client.post("/v1/recommend", json={f"field{n}": n for n in range(130)})

    errors = answer.json()["errors"]
    assert len(errors) == 101
    assert errors[-1]["found"] == "30 more mistakes"


def test_what_is_no_json_is_refused(client: TestClient) -> None:
    as_json = {"content-type": "application/json"}

    broken = client.post("/v1/search", content="{'query'", headers=as_json)
    untyped = client.post("/v1/search", content='{"query": "tea"}')

    assert mistakes(broken)["(body)"]["rule"] == "must be JSON"
    assert "application/json" in mistakes(untyped)["(body)"]["fix"]


@pytest.mark.parametrize("claims_its_length", [True, False])
def test_a_long_body_is_not_read(client: TestClient, claims_its_length: bool) -> None:
    body = b'{"query": "' + b"x" * 256 * 1024 + b'"}'

    def in_pieces() -> Iterator[bytes]:
        yield from (body[start : start + 4096] for start in range(0, len(body), 4096))

    answer = client.post(
        "/v1/search",
        content=body if claims_its_length else in_pieces(),
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 413
    assert mistakes(answer)["/v1/search"]["rule"] == "a request body has at most 262144 bytes"


@pytest.mark.parametrize(("path", "code"), [("/v1/none", 404), ("/v1/ads", 405)])
def test_a_wrong_address_has_the_same_shape(client: TestClient, path: str, code: int) -> None:
    answer = client.get(path)

    assert answer.status_code == code
    assert "GET /docs lists every path" in mistakes(answer)[path]["fix"]


def test_another_sites_name_for_this_address_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/healthz", headers={"host": "[::1]:8080"}).status_code == 200


def test_alive_at_once_and_ready_when_loaded(open_client: Opener, shop: TinyShop) -> None:
    loaded = Signal()

    def load() -> Ranks:
        loaded.wait(10)
        return shop

    client = open_client(load)
    early = client.post("/v1/recommend", json={})

    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").status_code == 503
    assert client.get("/").status_code == 503
    assert (early.status_code, early.headers["retry-after"]) == (503, "2")
    assert mistakes(early)["/v1/recommend"]["found"] == "still loading"

    loaded.set()
    until(lambda: client.get("/readyz").status_code == 200)
    assert client.get("/readyz").json() == {"status": "ready", "model_version": "tiny-1"}
    assert client.post("/v1/recommend", json={}).status_code == 200


def test_a_ranker_that_cannot_be_loaded_is_said_to_fail(
    open_client: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    def load() -> Ranks:
        raise ArtifactError("run/weights.safetensors: missing")

    client = open_client(load)
    until(lambda: "failed" in mistakes(client.get("/readyz"))["/readyz"]["found"])

    assert "run/weights.safetensors: missing" in caplog.text


class BrokenShop(TinyShop):
    def rank(self, request: RankRequest) -> Ranking:
        raise ZeroDivisionError(request.surface)


def test_a_mistake_of_ours_is_called_so_and_keeps_its_traceback(open_client: Opener) -> None:
    client = open_client(BrokenShop)
    until(lambda: client.get("/readyz").status_code == 200)

    with pytest.raises(ZeroDivisionError, match=Surface.ADS):
        client.post("/v1/ads", json={})
    client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    answer = client.post("/v1/ads", json={})

    assert answer.status_code == 500
    assert mistakes(answer)["/v1/ads"]["found"] == "a mistake of ours"


def test_no_query_reaches_the_log(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="shelfwise")

    client.post("/v1/search", json={"query": "hairloss", "k": 0})
    client.post("/v1/search", json={"query": "hairloss"})

    assert "hairloss" not in caplog.text


def test_limits_come_from_the_options(open_client: Opener, shop: TinyShop) -> None:
    client = open_client(lambda: shop, ServeOptions(max_query_length=3))

    answer = client.post("/v1/search", json={"query": "four"})

    assert mistakes(answer)["query"]["rule"].startswith("a query has at most 3 characters")


def test_serving_needs_no_model_library() -> None:
    code = (
        "import sys, shelfwise.serving.run;"
        "print({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert printed.strip() == "set()"
