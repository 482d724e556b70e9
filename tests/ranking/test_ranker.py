from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from data.small_log import moment

from shelfwise.data.batches import Examples, examples_between, gather
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.recall import history_of
from shelfwise.models.calibration import Calibration, Platt, TaskCalibration, Temperature
from shelfwise.models.inference import match_scores
from shelfwise.models.inputs import as_requests
from shelfwise.models.requests import SURFACES
from shelfwise.ranking.config import RankOptions
from shelfwise.ranking.policy import ByCostPerMille
from shelfwise.ranking.ranker import Ranker
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import Event, EventKind, Surface
from shelfwise.schema.item import Item
from shelfwise.schema.ranking import Ranking, RankRequest

from .small_run import BIDS, TITLES, small_run

NOW = moment(100)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ranker(tiny_run: Path) -> Ranker:
    return Ranker.load(tiny_run)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Ranker:
    return Ranker.load(small_run(tmp_path_factory.mktemp("small"), tiny_encoder))


@pytest.fixture(scope="module")
def only_new(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Ranker:
    """A shop that ranks new items alone, and whose log has clicks and no impressions."""
    folder = tmp_path_factory.mktemp("new")
    run = small_run(folder, tiny_encoder, impressions=False, match={"seen": "remove"})
    return Ranker.load(run)


def shelf(k: int = 10, *past: Event) -> RankRequest:
    return RankRequest("q", Surface.RECOMMENDATION, NOW, history=past, k=k)


def search(query: str, *past: Event, k: int = 10) -> RankRequest:
    return RankRequest("q", Surface.SEARCH, NOW, query, past, k)


def ads(query: str = "", k: int = 10) -> RankRequest:
    return RankRequest("q", Surface.ADS, NOW, query, (), k)


def did(kind: EventKind, item: str | None, hours_ago: float, query: str = "") -> Event:
    return Event(kind, "u", item, NOW - timedelta(hours=hours_ago), query)


def ids(ranking: Ranking) -> list[str]:
    return [scored.item.item_id for scored in ranking.items]


def told(ranking: Ranking) -> list[tuple[str, ...]]:
    """As text, in which a nan is like another."""
    return [(s.item.item_id, *map(repr, (s.match, s.p_click, s.p_convert))) for s in ranking.items]


# Offline and online


def as_online(prepared: PreparedShop, examples: Examples, row: int) -> RankRequest:
    """A logged request as the service would receive it, with all the owner ever did."""
    owner = prepared.owners["owner_id"][int(examples.owner_R[row])]
    query = int(examples.query_R[row])
    return RankRequest(
        request_id="logged",
        surface=SURFACES[int(examples.surface_R[row])],
        at=EPOCH + timedelta(microseconds=int(examples.at_R[row])),
        query=prepared.queries["text"][query] if query >= 0 else "",
        history=history_of(prepared, owner),
    )


def test_a_logged_request_scores_the_same_offline_and_online(
    ranker: Ranker, prepared_sample: PreparedShop
) -> None:
    moments = prepared_sample.moments
    examples = examples_between(prepared_sample, moments.test, moments.end)
    rows = np.linspace(0, len(examples) - 1, 40).astype(np.int64)
    assert set(examples.surface_R[rows]) == {0, 1, 2}
    batch = gather(prepared_sample, examples, rows)
    assert batch.history.valid_RL.any(1).sum() > 20

    # One that moves every probability, whatever the small run's own was found to be.
    moved = Calibration(
        click=TaskCalibration(pooled=Platt(slope=0.7, shift=-0.3)),
        convert=TaskCalibration(pooled=Temperature(factor=1.5)),
    )
    ranker = Ranker(replace(ranker.run, calibration=moved), ranker.options)
    run = ranker.run
    asked = as_requests(batch.history, batch.query_R, batch.surface_R, run.known.item_VD.device)
    queries = [prepared_sample.queries["text"][n] for n in asked.query_texts.tolist()]
    catalogue = run.catalogue(run.encode_queries(queries))
    pairs = (batch.shown_request_N, batch.shown_item_N)
    offline = run.probabilities(asked.requests, catalogue, pairs)
    match = match_scores(run.model, asked.requests, catalogue)

    for place, row in enumerate(rows.tolist()):
        shown = batch.shown_item_N[batch.shown_request_N == place]
        request = as_online(prepared_sample, examples, row)
        online = ranker.score(request, [run.items[number] for number in shown.tolist()])
        mine = batch.shown_request_N == place
        assert [s.p_click for s in online] == pytest.approx(offline.click_N[mine], abs=1e-4)
        assert [s.p_convert for s in online] == pytest.approx(offline.convert_N[mine], abs=1e-4)
        assert [s.match for s in online] == pytest.approx(match[place, shown], abs=1e-3)


def test_online_the_same_places_are_kept_for_purchases(
    ranker: Ranker, prepared_sample: PreparedShop
) -> None:
    short = prepared_sample.options.history.model_copy(
        update={"max_length": 4, "purchase_reserve": 2}
    )
    data = prepared_sample.options.model_copy(update={"history": short})
    prepared = replace(prepared_sample, options=data)
    shop = Ranker(replace(ranker.run, data=data), RankOptions())
    examples = examples_between(prepared, prepared.moments.test, prepared.moments.end)
    latest = gather(prepared_sample, examples, np.arange(len(examples))).history.item_RL[:, -4:]
    chosen = gather(prepared, examples, np.arange(len(examples))).history.item_RL
    rows = np.flatnonzero((latest != chosen).any(axis=1))[:5]
    assert len(rows) == 5

    for row in rows.tolist():
        asked, _ = shop._ask(as_online(prepared, examples, row))
        assert asked.requests.item_RL[0].tolist() == chosen[row].tolist()


def test_a_ranking_shows_the_scores_of_its_items(ranker: Ranker) -> None:
    request = shelf(10, did(EventKind.CLICK, ranker.run.items[3].item_id, 1))

    ranking = ranker.rank(request)

    again = ranker.score(request, [scored.item for scored in ranking.items])
    for one, other in zip(ranking.items, again, strict=True):
        assert (one.p_click, one.p_convert, one.match) == pytest.approx(
            (other.p_click, other.p_convert, other.match), abs=1e-5
        )


# What every answer keeps to


@pytest.mark.parametrize("request_", [shelf(7), search("red shoe", k=7), ads(k=7), ads("tea")])
def test_every_surface_answers(ranker: Ranker, request_: RankRequest) -> None:
    found = ranker.rank(request_)

    assert (found.request_id, found.surface) == ("q", request_.surface)
    assert found.model_version == ranker.version
    assert 0 < len(found.items) <= request_.k
    assert len(set(ids(found))) == len(found.items)
    for scored in found.items:
        assert 0 < scored.p_click < 1
        assert 0 < scored.p_convert < 1
        assert ranker.item(scored.item.item_id) == scored.item
    if request_.surface != Surface.ADS:
        assert len(found.items) == 7
        clicks = [scored.p_click for scored in found.items]
        assert clicks == sorted(clicks, reverse=True)
    assert told(ranker.rank(request_)) == told(found)


def test_conversion_that_was_not_learned_is_not_told(ranker: Ranker) -> None:
    manifest = ranker.run.manifest
    facts = manifest.facts | {"tasks": ["match (click)", "click"]}
    run = replace(ranker.run, manifest=manifest.model_copy(update={"facts": facts}))

    found = Ranker(run, RankOptions(policy="revenue")).rank(shelf(5)).items

    assert all(isnan(one.p_convert) and 0 < one.p_click < 1 for one in found)
    worth = [one.p_click * (one.item.price or 0) for one in found]
    assert worth == sorted(worth, reverse=True)


@pytest.mark.parametrize("request_", [shelf(), search("shoe sold out"), ads("shoe sold out")])
def test_what_is_sold_out_is_never_shown(small: Ranker, request_: RankRequest) -> None:
    found = ids(small.rank(request_))

    assert "i4" not in found
    assert found


def test_an_empty_shelf_is_an_answer(small: Ranker) -> None:
    sold_out = Ranker(small.run, RankOptions())
    sold_out.available_V = np.zeros(len(TITLES), bool)

    assert sold_out.rank(shelf()).items == ()
    assert sold_out.rank(search("shoe")).items == ()
    assert small.score(shelf(), []) == ()


@pytest.mark.parametrize("query", ["", "   ", "\u3000"])
def test_a_search_without_words(small: Ranker, query: str) -> None:
    with pytest.raises(DataError, match="the query is empty"):
        small.rank(search(query))
    # Ads without words go by the shopper.
    assert ids(small.rank(ads(query))) == ids(small.rank(ads()))


def test_words_are_found(small: Ranker) -> None:
    # Words alone: nothing else finds items.
    options = RankOptions(meaning_weight=0, match_weight=0, candidates=2)
    found = ids(Ranker(small.run, options).rank(search("Lamps")))

    assert "i2" in found
    fused = {s.item.item_id: s.match for s in Ranker(small.run, options).rank(search("lamp")).items}
    assert fused["i2"] == pytest.approx(1 / 61)


def test_nothing_is_found_by_words_that_nobody_wrote(small: Ranker) -> None:
    # The vectors still find something, which is their point.
    assert small.rank(search("zzzz")).items


def test_few_are_asked_for(small: Ranker) -> None:
    everything = ids(small.rank(shelf(10)))

    assert len(everything) == len(TITLES) - 1
    assert ids(small.rank(shelf(2))) == everything[:2]


# History


def test_only_what_the_network_knows_of_the_past_is_looked_at(ranker: Ranker) -> None:
    item = ranker.run.items[5].item_id
    plain = ranker.rank(shelf(10, did(EventKind.CLICK, item, 3)))
    noise = (
        did(EventKind.CLICK, "no-such-item", 9),
        did(EventKind.IMPRESSION, ranker.run.items[6].item_id, 8),
        did(EventKind.CLICK, item, 3),
        did(EventKind.CLICK, "no-such-item", 2),
        did(EventKind.PURCHASE, ranker.run.items[7].item_id, 0),
        did(EventKind.PURCHASE, ranker.run.items[7].item_id, -1),
    )

    assert told(ranker.rank(shelf(10, *noise))) == told(plain)
    assert told(plain) != told(ranker.rank(shelf(10)))
    searched = did(EventKind.SEARCH, None, 1, "red shoe")
    assert told(ranker.rank(shelf(10, searched))) != told(ranker.rank(shelf(10)))


def test_what_is_not_looked_at_takes_no_place_of_what_is(ranker: Ranker) -> None:
    # A live log is full of impressions; the last 50 events are counted without them.
    item = ranker.run.items[5].item_id
    clicked = did(EventKind.CLICK, item, 30)
    shown = [did(EventKind.IMPRESSION, item, 20 - n / 9) for n in range(90)]

    assert told(ranker.rank(shelf(10, clicked, *shown))) == told(ranker.rank(shelf(10, clicked)))


def test_only_the_latest_events_count(ranker: Ranker) -> None:
    length = ranker.run.data.history.max_length
    history = ranker.run.data.history.model_copy(update={"repeat_length": length})
    data = ranker.run.data.model_copy(update={"history": history})
    ranker = Ranker(replace(ranker.run, data=data), ranker.options)
    items = [item.item_id for item in ranker.run.items]
    many = [did(EventKind.VIEW, items[n], 200 - n) for n in range(length + 9)]

    whole = ranker.rank(shelf(10, *many))

    assert told(whole) == told(ranker.rank(shelf(10, *many[-length:])))
    assert told(whole) != told(ranker.rank(shelf(10, *many[-length + 1 :])))


def test_what_was_met_long_ago_still_counts_for_itself(ranker: Ranker) -> None:
    length = ranker.run.data.history.max_length
    items = [item.item_id for item in ranker.run.items]
    many = [did(EventKind.VIEW, items[1 + n], 200 - n) for n in range(length)]
    first = did(EventKind.VIEW, items[0], 300)

    with_first = ranker.score(shelf(10, first, *many), ranker.run.items[:2])
    without = ranker.score(shelf(10, *many), ranker.run.items[:2])

    assert with_first[0].match > without[0].match
    # That others went on from it is known of the items beside it, and adds a little to them.
    grown = with_first[0].match - without[0].match
    assert abs(with_first[1].match - without[1].match) < 0.01 * grown


def test_behaviours_that_training_left_out_are_left_out(tiny_encoder: Path, tmp_path: Path) -> None:
    run = small_run(tmp_path, tiny_encoder, history={"behaviours": ["click"]})
    ranker = Ranker.load(run)
    viewed = did(EventKind.VIEW, "i1", 3)

    assert told(ranker.rank(shelf(5, viewed))) == told(ranker.rank(shelf(5)))
    assert told(ranker.rank(shelf(5, replace(viewed, kind=EventKind.CLICK)))) != told(
        ranker.rank(shelf(5))
    )


def test_new_items_alone_where_the_shop_says_so(only_new: Ranker) -> None:
    # The log's own kinds count: clicks were found in it, not configured.
    past = (
        did(EventKind.CLICK, "i1", 5),
        did(EventKind.VIEW, "i2", 5),
        did(EventKind.CLICK, "i3", -5),
    )

    assert set(ids(only_new.rank(shelf(10, *past)))) == {"i0", "i2", "i3", "i5"}
    # Who searches for it may find it again.
    assert "i1" in ids(only_new.rank(search("blue shoe", *past)))


def test_without_heads_the_match_decides(only_new: Ranker) -> None:
    found = only_new.rank(shelf()).items

    assert all(isnan(scored.p_click) and isnan(scored.p_convert) for scored in found)
    assert [s.match for s in found] == sorted((s.match for s in found), reverse=True)
    ads_found = only_new.rank(ads()).items
    assert [s.item.item_id for s in ads_found] == ["i0", "i1", "i5"]  # by their bids


def test_seen_items_stay_where_they_are_wanted(small: Ranker) -> None:
    assert "i1" in ids(small.rank(shelf(10, did(EventKind.CLICK, "i1", 5))))


# Policies and ads


def test_revenue_changes_the_order_alone(small: Ranker) -> None:
    ranker = Ranker(small.run, RankOptions(policy="revenue"))

    found = ranker.rank(shelf(10)).items

    money = [s.p_click * s.p_convert * (s.item.price or 0) for s in found]
    assert money == sorted(money, reverse=True)
    assert {s.item.item_id for s in found} == set(ids(small.rank(shelf(10))))


def test_ads_are_the_sponsored_items_by_money(small: Ranker) -> None:
    found = small.rank(ads()).items

    # i4 bids most and is sold out; of two campaigns for i0 the higher bid stands.
    policy = ByCostPerMille(BIDS)
    assert {s.item.item_id: s.campaign_id for s in found} == {
        "i0": "c-i0",
        "i1": "c-i1",
        "i5": "c-i5",
    }
    money = [policy.utility(scored) for scored in found]
    assert money == sorted(money, reverse=True)
    for place, scored in enumerate(found):
        below = money[place + 1] if place + 1 < len(found) else 0
        assert scored.charge == pytest.approx(below / 1000 / scored.p_click)
        assert scored.charge <= BIDS[scored.item.item_id]


def test_the_last_place_pays_the_price_of_the_first_not_shown(small: Ranker) -> None:
    everything, one = small.rank(ads()), small.rank(ads(k=1))

    assert told(one) == told(everything)[:1]
    assert one.items[0].charge == everything.items[0].charge > 0


def test_a_shop_without_campaigns_has_no_ads(small: Ranker) -> None:
    ranker = Ranker(replace(small.run, campaigns=()), RankOptions())

    assert ranker.rank(ads()).items == ()


def test_strange_candidates_are_named(small: Ranker) -> None:
    with pytest.raises(DataError, match="items zz, yy are not in the catalogue"):
        small.score(shelf(), [Item("i0"), Item("zz"), Item("yy")])
    assert small.item("zz") is None
