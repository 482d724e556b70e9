"""A few rows of the sets that log behaviour, in their publishers' own form."""

from __future__ import annotations

import json
from collections.abc import Mapping

from data.readers.samples import Sample

_COMPETITORS = tuple(
    f"comp{number}_{what}"
    for number in range(1, 9)
    for what in ("rate", "inv", "rate_percent_diff")
)
_EXPEDIA_HEAD = (
    "srch_id,date_time,site_id,visitor_location_country_id,visitor_hist_starrating,"
    "visitor_hist_adr_usd,prop_country_id,prop_id,prop_starrating,prop_review_score,"
    "prop_brand_bool,prop_location_score1,prop_location_score2,prop_log_historical_price,position,"
    "price_usd,promotion_flag,srch_destination_id,srch_length_of_stay,srch_booking_window,"
    "srch_adults_count,srch_children_count,srch_room_count,srch_saturday_night_bool,"
    "srch_query_affinity_score,orig_destination_distance,random_bool,"
    + ",".join(_COMPETITORS)
    + ",click_bool,gross_bookings_usd,booking_bool"
)
# Kaggle writes NULL into empty cells.
_NO_COMPETITOR = ",".join(["NULL"] * len(_COMPETITORS))
_BANDIT_HEAD = (
    ",timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,"
    "user_feature_2,user_feature_3,user-item_affinity_0,user-item_affinity_1"
)
_BANDIT_ITEMS = (
    ",item_id,item_feature_0,item_feature_1,item_feature_2,item_feature_3\n"
    "0,0,-0.49,aed7,6750,5c1e\n1,1,0.97,31af,84da,1ead\n"
)
_ALI_CCP_HEAD = (
    "click,purchase,101,121,122,124,125,126,127,128,129,205,206,207,210,216,508,509,702,853,301,"
    "109_14,110_14,127_14,150_14,D109_14,D110_14,D127_14,D150_14,D508,D509,D702,D853"
)
_ALIEXPRESS_HEAD = ",".join(
    [
        "search_id",
        *(f"categorical_{number}" for number in range(1, 17)),
        *(f"numerical_{number}" for number in range(1, 64)),
        "click",
        "conversion",
    ]
)

EVENT_SAMPLES: Mapping[str, Sample] = {
    "expedia": Sample(
        {
            "train.csv": "\n".join(
                [
                    _EXPEDIA_HEAD,
                    "1,2013-04-04 08:32:15,12,187,NULL,NULL,219,893,3,3.5,1,2.83,0.0438,4.95,27,"
                    f"104.77,0,23246,1,0,4,0,1,1,NULL,NULL,1,{_NO_COMPETITOR},0,NULL,0",
                    "1,2013-04-04 08:32:15,12,187,NULL,NULL,219,21315,3,4.5,1,2.2,NULL,4.9,26,"
                    f"124.6,0,23246,1,0,4,0,1,1,NULL,NULL,1,{_NO_COMPETITOR},1,141.35,1",
                    "1,2013-04-04 08:32:15,12,187,NULL,NULL,219,104,3,4.5,1,2.2,NULL,4.9,NULL,"
                    f"124.6,0,23246,1,0,4,0,1,1,NULL,NULL,1,{_NO_COMPETITOR},0,NULL,0\n",
                ]
            )
        },
        rows_in=3,
        kept={"impression": 2},
        features=frozenset(
            {
                *("site_id", "visitor_country", "visitor_stars", "visitor_daily_rate"),
                *("location_score_2", "log_historical_price", "promotion", "destination"),
                *("nights", "days_ahead", "adults", "children", "rooms", "saturday_night"),
                *("query_affinity", "distance", "random_order"),
                *("stars", "review_score", "chain", "location_score_1"),
                *(
                    f"competitor_{number}_{what}"
                    for number in range(1, 9)
                    for what in ("rate", "sold_out", "difference")
                ),
            }
        ),
    ),
    "rees46": Sample(
        {
            "2019-Oct.csv": """\
event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session
2019-10-01 00:00:00 UTC,view,44600062,2103807459595387724,,shiseido,35.79,541312140,72d76fde
2019-10-01 00:00:08 UTC,cart,1004237,2053013555631882655,electronics.smartphone,apple,1081.98,\
535871217,c6bd7419
2019-10-01 00:00:09 UTC,purchase,1004237,2053013555631882655,electronics.smartphone,apple,1081.98,\
535871217,c6bd7419
2019-10-01 00:00:10 UTC,gone,1004237,2053013555631882655,,,1081.98,535871217,c6bd7419
"""
        },
        rows_in=4,
        kept={"cart": 1, "purchase": 1, "view": 1},
        features=frozenset({"category_id"}),
    ),
    "taobao-user-behavior": Sample(
        {
            "UserBehavior.csv": (
                "543462,1715,1464116,pv,1511658000\n"
                "813974,1332724,2520771,buy,1511658001\n"
                "543789,3110556,4558987,cart,1511658001\n"
                "543789,3110556,4558987,fav,1511658001\n"
                "813974,1332724,2520771,buy,-1\n"
            )
        },
        rows_in=5,
        kept={"cart": 1, "favourite": 1, "purchase": 1, "view": 1},
    ),
    "open-bandit": Sample(
        {
            "random/all/all.csv": (
                f"{_BANDIT_HEAD}\n"
                "0,2019-11-24 00:00:34.762830+00:00,1,3,0,0.0125,81ce,03a5,7bc9,c39b,0.0,1.0\n"
                "1,2019-11-24 00:00:36.1+00:00,0,1,1,0.0125,81ce,03a5,7bc9,c39b,0.0,0.0\n"
            ),
            "random/all/item_context.csv": _BANDIT_ITEMS,
            "bts/all/all.csv": (
                f"{_BANDIT_HEAD}\n"
                "0,2019-11-24 00:00:17.004101+00:00,0,2,0,0.087125,81ce,03a5,7bc9,c39b,0.0,0.0\n"
                "1,2019-11-24 00:00:19.1+00:00,0,2,0,0,81ce,03a5,7bc9,c39b,0.0,0.0\n"
            ),
            "bts/all/item_context.csv": _BANDIT_ITEMS,
        },
        rows_in=4,
        kept={"impression": 3},
        features=frozenset(
            {
                *("policy", "campaign", "affinity"),
                *(f"user_feature_{number}" for number in range(4)),
                *(f"item_feature_{number}" for number in range(4)),
            }
        ),
    ),
    "ipinyou": Sample(
        {
            "2997.info.json": json.dumps(
                {
                    **{"imp_test": 3, "clk_test": 1, "cost_test": 106},  # 70 + 6 + 30
                    **{"imp_train": 9, "clk_train": 2, "cost_train": 300},
                }
            ),
            "auctions_2997_test.txt": (
                "0 70 0.0021143609192222357\n1 6 0.003329537808895111\n0 30 0.0017675546696409583\n"
            ),
        },
        rows_in=3,
        kept={"impression": 3},
        features=frozenset({"market_price", "predicted_ctr"}),
    ),
    "talkingdata": Sample(
        {
            "train_sample.csv": """\
ip,app,device,os,channel,click_time,attributed_time,is_attributed
87540,12,1,13,497,2017-11-07 09:30:38,,0
224120,19,0,29,213,2017-11-08 02:22:13,2017-11-08 02:22:38,1
101424,12,1,19,212,2017-11-07 18:05:24,,1
"""
        },
        rows_in=3,
        kept={"click": 2},
        tables=("events",),
        features=frozenset({"device", "os", "channel"}),
    ),
    "ali-ccp": Sample(
        {
            "ali_ccp_train_sample.csv": f"""\
{_ALI_CCP_HEAD}
0,0,1,1,1,1,1,0,1,1,1,0,1,1,1,0,1,0,0,0,1,1,1,1,1,0.4734,0.562,0.0856,0.1902,0.07556,0.0,0.0,0.0
1,1,1,1,1,1,1,0,1,1,1,2,3,3,3,2,2,0,1,1,1,1,1,1,1,0.4734,0.562,0.0856,0.1902,0.56,0.25,0.46,0.34
0,1,1,1,1,1,1,0,1,1,1,2,3,3,3,2,2,0,1,1,1,1,1,1,1,0.4734,0.562,0.0856,0.1902,0.56,0.25,0.46,0.34
"""
        },
        rows_in=3,
        kept={"impression": 2},
        tables=("catalogue", "events", "users"),
        features=frozenset(
            {
                *("profile_category", "profile_group", "gender", "age"),
                *("consumption_1", "consumption_2", "working", "geography"),
                *("item_category", "item_shop", "item_intention", "item_brand", "placement"),
                *("shop", "intention"),
                *(
                    f"history_{which}{what}{weight}"
                    for which in ("", "and_")
                    for what in ("category", "shop", "brand", "intention")
                    for weight in ("", "_weight")
                ),
            }
        ),
    ),
    "aliexpress": Sample(
        {
            "train.csv": "\n".join(
                [
                    _ALIEXPRESS_HEAD,
                    "81," + "9," * 16 + "0.5," * 63 + "0,0",
                    "81," + "9," * 16 + "0.5," * 63 + "1,1",
                    "," + "9," * 16 + "0.5," * 63 + "1,0\n",
                ]
            )
        },
        rows_in=3,
        kept={"impression": 2},
        features=frozenset(
            {
                *(f"categorical_{number}" for number in range(1, 17)),
                *(f"numerical_{number}" for number in range(1, 64)),
            }
        ),
    ),
}
