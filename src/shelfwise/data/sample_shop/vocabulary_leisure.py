"""Words of the departments Electronics, Sports & Outdoors and Toys & Baby."""

from __future__ import annotations

from shelfwise.data.sample_shop.vocabulary import DepartmentRow, TypeRow

_DEVICE = (
    "black|黑色, white|白色, silver|银色, space grey|深空灰, midnight blue|午夜蓝, "
    "mint green|薄荷绿, rose gold|玫瑰金"
)
_GEAR = (
    "black|黑色, olive|橄榄绿, orange|橙色, navy|藏青色, grey|灰色, red|红色, neon yellow|荧光黄"
)
_TOY = "red|红色, sky blue|天蓝色, yellow|黄色, mint green|薄荷绿, lilac|淡紫色, multicolour|彩色"

_ELECTRONICS = DepartmentRow(
    name="Electronics|数码",
    brands="Orvane|欧凡|1, Techline|泰线|-1, Novix|诺维思|0, Aurasonic|奥声|1, Pixelon|像隆|0, "
    "Voltra|伏特拉|0, Zenbyte|禅位|0, Corewave|芯波|1, Budgetek|省数|-1, Lumio|鲁米欧|0, "
    "Kairo|凯若|0",
    types=(
        TypeRow(
            category="Audio|影音",
            name="headphones|头戴式耳机",
            synonyms="over-ear headset|包耳耳机, cans|头戴耳麦",
            price=120,
            styles="noise-cancelling|降噪|modern, studio|录音室|classic, gaming|电竞|playful, "
            "sport|运动|active, wooden-cup|木腔|natural",
            colours=_DEVICE,
            model=True,
        ),
        TypeRow(
            category="Audio|影音",
            name="earbuds|蓝牙耳机",
            synonyms="in-ear headphones|入耳式耳机, earphones|耳塞",
            price=75,
            styles="true wireless|真无线|modern, sport|运动|active, semi-in-ear|半入耳|classic, "
            "transparent|透明|playful, recycled|再生材料|natural",
            colours=_DEVICE,
            model=True,
        ),
        TypeRow(
            category="Audio|影音",
            name="speaker|蓝牙音箱",
            synonyms="bluetooth box|音响, portable speaker|便携音箱",
            price=90,
            styles="waterproof|防水|active, bookshelf|书架式|classic, smart|智能|modern, "
            "party|派对|playful, bamboo-front|竹面板|natural",
            colours=_DEVICE,
            model=True,
        ),
        TypeRow(
            category="Computing|电脑",
            name="laptop|笔记本电脑",
            synonyms="notebook|手提电脑, ultrabook|超极本",
            price=890,
            styles="ultralight|超轻薄|modern, gaming|电竞|playful, business|商务|classic, "
            "rugged|三防|active",
            colours="black|黑色, silver|银色, space grey|深空灰, midnight blue|午夜蓝",
            sizes="13 inch|13英寸, 14 inch|14英寸, 16 inch|16英寸",
            model=True,
        ),
        TypeRow(
            category="Computing|电脑",
            name="keyboard|键盘",
            synonyms="mechanical board|机械键盘, typing board|打字键盘",
            price=68,
            styles="low-profile|矮轴|modern, full-size|全尺寸|classic, backlit|背光|playful, "
            "ergonomic|人体工学|active, wood-framed|木框|natural",
            colours=_DEVICE,
            model=True,
        ),
        TypeRow(
            category="Computing|电脑",
            name="computer mouse|鼠标",
            synonyms="wireless mouse|无线鼠标, pc mouse|滑鼠",
            price=35,
            styles="silent|静音|modern, vertical|立式|active, gaming|电竞|playful, "
            "ambidextrous|对称|classic",
            colours=_DEVICE,
            model=True,
        ),
        TypeRow(
            category="Computing|电脑",
            name="monitor|显示器",
            synonyms="computer screen|电脑屏幕, display|显示屏",
            price=260,
            styles="curved|曲面|playful, high-refresh|高刷|active, office|办公|classic, "
            "frameless|无边框|modern",
            sizes="24 inch|24英寸, 27 inch|27英寸, 32 inch|32英寸",
            model=True,
        ),
        TypeRow(
            category="Mobile|手机通讯",
            name="smartphone|智能手机",
            synonyms="mobile phone|手机, cell phone|移动电话",
            price=520,
            styles="compact|小屏|classic, foldable|折叠屏|modern, rugged|三防|active, "
            "camera|影像|playful",
            colours=_DEVICE,
            sizes="128 GB, 256 GB, 512 GB",
            model=True,
        ),
        TypeRow(
            category="Mobile|手机通讯",
            name="phone case|手机壳",
            synonyms="phone cover|保护壳, mobile cover|手机套",
            price=18,
            styles="magnetic|磁吸|modern, shockproof|防摔|active, flip|翻盖|classic, "
            "glitter|亮片|playful, plant-based|植物基|natural",
            materials="silicone|硅胶, leather|皮革, polycarbonate|聚碳酸酯",
            colours=_DEVICE,
        ),
        TypeRow(
            category="Mobile|手机通讯",
            name="power bank|充电宝",
            synonyms="portable charger|移动电源, battery pack|外接电池",
            price=36,
            styles="slim|超薄|modern, solar|太阳能|natural, fast-charging|快充|active, "
            "pocket|口袋|playful, airline-safe|可登机|classic",
            colours=_DEVICE,
            sizes="5000 mAh, 10000 mAh, 20000 mAh",
            model=True,
        ),
        TypeRow(
            category="Mobile|手机通讯",
            name="smartwatch|智能手表",
            synonyms="smart watch|电话手表, fitness watch|运动手表",
            price=180,
            styles="running|跑步|active, hybrid|指针|classic, slim|超薄|modern, kids|儿童|playful",
            colours=_DEVICE,
            sizes="40 mm, 44 mm",
            model=True,
        ),
    ),
)

_SPORTS = DepartmentRow(
    name="Sports & Outdoors|运动户外",
    brands="Summitry|登峰|1, Trailcraft|野径|0, Fitwell|健威|-1, Northpeak|北峰|1, "
    "Veloce|维洛奇|0, "
    "Ridgeline|山脊|0, Asana|体位|0, Gritworks|砺行|0, Everyday Sport|天天运动|-1, "
    "Alpenrose|阿尔卑玫|1",
    types=(
        TypeRow(
            category="Fitness|健身",
            name="yoga mat|瑜伽垫",
            synonyms="exercise mat|健身垫, pilates mat|普拉提垫",
            price=38,
            styles="non-slip|防滑|active, extra-thick|加厚|classic, foldable|折叠|modern, "
            "mandala|曼陀罗|playful, eco|环保|natural",
            materials="natural rubber|天然橡胶, cork|软木, TPE",
            colours=_GEAR + ", lilac|淡紫色, dusty pink|藕粉色",
        ),
        TypeRow(
            category="Fitness|健身",
            name="dumbbells|哑铃",
            synonyms="hand weights|手铃, free weights|力量器械",
            price=52,
            styles="adjustable|可调节|modern, hexagonal|六角|classic, soft-grip|软握|playful, "
            "competition|竞技|active",
            materials="cast iron|铸铁, neoprene|氯丁橡胶, rubber|橡胶",
            sizes="2 x 2 kg, 2 x 5 kg, 2 x 10 kg",
        ),
        TypeRow(
            category="Fitness|健身",
            name="resistance bands|弹力带",
            synonyms="exercise bands|阻力带, fitness loops|拉力带",
            price=17,
            styles="heavy|高阻力|active, looped|环形|modern, handled|带把手|classic, "
            "rainbow|彩虹|playful, latex-free|无乳胶|natural",
            materials="rubber|橡胶, fabric|织物",
            sizes="set of 3|3件套, set of 5|5件套",
        ),
        TypeRow(
            category="Camping|露营",
            name="tent|帐篷",
            synonyms="camping tent|露营帐, pop-up shelter|速开帐",
            price=190,
            styles="ultralight|超轻|active, instant|速开|modern, tunnel|隧道|classic, "
            "bell|印第安|natural, starlit|星空|playful",
            materials="ripstop nylon|防撕裂尼龙, polycotton|涤棉, polyester|涤纶",
            colours=_GEAR,
            sizes="2-person|2人, 3-person|3人, 4-person|4人",
            model=True,
        ),
        TypeRow(
            category="Camping|露营",
            name="sleeping bag|睡袋",
            synonyms="camping bag|露营睡袋, bedroll|被式睡袋",
            price=85,
            styles="mummy|木乃伊式|active, rectangular|信封式|classic, double|双人|playful, "
            "packable|可压缩|modern, flannel-lined|法兰绒衬里|natural",
            materials="down|羽绒, polyester|涤纶",
            colours=_GEAR,
            sizes="10 °C, 0 °C, -10 °C",
            model=True,
        ),
        TypeRow(
            category="Camping|露营",
            name="water bottle|水壶",
            synonyms="drinking bottle|运动水杯, flask|保温杯",
            price=24,
            styles="insulated|保温|active, wide-mouth|广口|classic, slim|纤细|modern, "
            "sticker|贴纸|playful, bamboo-lid|竹盖|natural",
            materials="stainless steel|不锈钢, glass|玻璃, tritan|特丽坦",
            colours=_GEAR,
            sizes="0.5 l, 0.75 l, 1 l",
        ),
        TypeRow(
            category="Camping|露营",
            name="headlamp|头灯",
            synonyms="head torch|头戴灯, headlight|强光头灯",
            price=34,
            styles="rechargeable|充电|modern, trail|越野|active, adventure|探险|classic, "
            "kids|儿童|playful",
            colours=_GEAR,
            sizes="200 lm, 400 lm, 800 lm",
            model=True,
        ),
        TypeRow(
            category="Cycling|骑行",
            name="bike helmet|骑行头盔",
            synonyms="cycling helmet|自行车头盔, cycle helmet|单车头盔",
            price=72,
            styles="road|公路|active, urban|城市|modern, retro|复古|classic, kids|儿童|playful",
            colours=_GEAR,
            sizes="S, M, L",
            model=True,
        ),
        TypeRow(
            category="Cycling|骑行",
            name="bike light|自行车灯",
            synonyms="cycle lamp|车前灯, bicycle light|单车灯",
            price=29,
            styles="front|前置|classic, rear|后置|modern, daylight|日行|active, frog|青蛙|playful",
            sizes="80 lux, 150 lux, 300 lux",
            model=True,
        ),
        TypeRow(
            category="Cycling|骑行",
            name="cycling jersey|骑行服",
            synonyms="bike top|骑行上衣, cycling shirt|车衣",
            price=58,
            styles="race-fit|竞赛|active, long-sleeve|长袖|classic, gravel|砾石|natural, "
            "retro-print|复古印花|playful, seamless|无缝|modern",
            materials="merino|美利奴羊毛, polyester|涤纶",
            colours=_GEAR,
            sizes="S, M, L, XL",
        ),
    ),
)

_TOYS = DepartmentRow(
    name="Toys & Baby|母婴玩具",
    brands="Kinderly|童理|0, Bambino Oak|橡宝|1, Puddle & Pip|水洼皮普|0, Tiny Fox|小狐|0, "
    "Wunderling|奇灵|1, Smartkid|慧童|-1, Cuddlewood|抱抱林|0, Little Comet|小彗星|0, "
    "Everbaby|恒贝|-1",
    types=(
        TypeRow(
            category="Toys|玩具",
            name="building blocks|积木",
            synonyms="construction set|拼装积木, brick set|拼插玩具",
            price=32,
            styles="castle|城堡|classic, space|太空|modern, farm|农场|natural, "
            "animal|动物|playful, "
            "marble-run|滚珠轨道|active",
            materials="wood|木质, plastic|塑料, cork|软木",
            sizes="60 pieces|60块, 120 pieces|120块, 300 pieces|300块",
        ),
        TypeRow(
            category="Toys|玩具",
            name="plush toy|毛绒玩具",
            synonyms="stuffed animal|玩偶, soft toy|公仔",
            price=22,
            styles="bear|小熊|classic, bunny|兔子|natural, dinosaur|恐龙|playful, "
            "robot|机器人|modern, "
            "puppy|小狗|active",
            materials="cotton|纯棉, organic cotton|有机棉, fleece|抓绒",
            colours="beige|米色, grey|灰色, dusty pink|藕粉色, sky blue|天蓝色, yellow|黄色",
            sizes="20 cm, 30 cm, 45 cm",
        ),
        TypeRow(
            category="Toys|玩具",
            name="jigsaw puzzle|拼图",
            synonyms="puzzle|拼板, picture puzzle|拼图玩具",
            price=16,
            styles="world map|世界地图|classic, forest|森林|natural, city skyline|城市|modern, "
            "unicorn|独角兽|playful, football|足球|active",
            materials="wood|木质, cardboard|纸质",
            sizes="100 pieces|100片, 500 pieces|500片, 1000 pieces|1000片",
        ),
        TypeRow(
            category="Toys|玩具",
            name="board game|桌游",
            synonyms="family game|家庭游戏, tabletop game|桌面游戏",
            price=29,
            styles="strategy|策略|classic, cooperative|合作|natural, party|派对|playful, "
            "escape-room|密室|modern, dexterity|手速|active",
            sizes="2-4 players|2-4人, 2-6 players|2-6人, 4-8 players|4-8人",
            model=True,
        ),
        TypeRow(
            category="Toys|玩具",
            name="toy car|玩具车",
            synonyms="remote-control car|遥控车, model car|汽车模型",
            price=26,
            styles="racing|赛车|active, vintage|复古|classic, fire-engine|消防|playful, "
            "electric|电动|modern",
            materials="wood|木质, die-cast metal|合金, plastic|塑料",
            colours=_TOY,
        ),
        TypeRow(
            category="Baby|婴儿用品",
            name="nappies|纸尿裤",
            synonyms="diapers|尿不湿, nappy pants|拉拉裤",
            price=17,
            styles="overnight|夜用|classic, ultra-thin|超薄|modern, plant-based|植物基|natural, "
            "swim|游泳|active, printed|印花|playful",
            sizes="size 2 (48 pcs)|2号48片, size 3 (44 pcs)|3号44片, size 4 (40 pcs)|4号40片, "
            "size 5 (36 pcs)|5号36片",
            reorder_days=12,
        ),
        TypeRow(
            category="Baby|婴儿用品",
            name="baby bottle|奶瓶",
            synonyms="feeding bottle|婴儿奶瓶, milk bottle|宝宝奶瓶",
            price=14,
            styles="anti-colic|防胀气|modern, wide-neck|宽口|classic, self-feeding|自饮|active, "
            "breast-like|仿母乳|natural, elephant|小象|playful",
            materials="glass|玻璃, silicone|硅胶",
            colours=_TOY,
            sizes="150 ml, 240 ml, 330 ml",
        ),
        TypeRow(
            category="Baby|婴儿用品",
            name="pushchair|婴儿推车",
            synonyms="stroller|童车, buggy|伞车",
            price=330,
            styles="all-terrain|越野|active, travel|便携|modern, reversible|双向|classic",
            colours="black|黑色, grey|灰色, sage green|鼠尾草绿, beige|米色, navy|藏青色",
            model=True,
        ),
    ),
)

LEISURE = (_ELECTRONICS, _SPORTS, _TOYS)
