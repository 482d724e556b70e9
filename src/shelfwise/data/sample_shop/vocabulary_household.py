"""Words of the departments Home and Kitchen."""

from __future__ import annotations

from shelfwise.data.sample_shop.vocabulary import DepartmentRow, TypeRow

_ROOM = (
    "white|白色, cream|奶油白, beige|米色, charcoal|炭灰色, sage green|鼠尾草绿, "
    "terracotta|砖红色, navy|藏青色, mustard|姜黄色, dusty pink|藕粉色, black|黑色"
)
_WOOD = "oak|橡木, walnut|胡桃木, pine|松木, bamboo|竹"
_STEEL = "black|黑色, white|白色, silver|银色, cream|奶油白, red|红色, sage green|鼠尾草绿"
_BEDS = "135 x 200 cm, 155 x 220 cm, 200 x 220 cm"

_HOME = DepartmentRow(
    name="Home|家居",
    brands="Nordhem|北屋|0, Casa Lira|里拉家|1, Fjellbo|山居|0, Woodrow|伍德罗|0, "
    "Simply Home|简家|-1, "
    "Tatami House|榻屋|0, Ashgrove|白蜡林|1, Lindqvist|林奎斯特|1, Homely|宜舍|-1, Oriel|奥丽儿|0, "
    "Maison Clair|清舍|1, Budgetnest|省巢|-1",
    types=(
        TypeRow(
            category="Furniture|家具",
            name="sofa|沙发",
            synonyms="couch|长沙发, settee|布艺沙发",
            price=690,
            styles="three-seater|三人|classic, modular|模块|modern, slipcovered|套罩|natural, "
            "reclining|可躺|active, curved|弧形|playful",
            materials="velvet|丝绒, linen|亚麻, leather|皮革, boucle|圈绒",
            colours=_ROOM,
            model=True,
        ),
        TypeRow(
            category="Furniture|家具",
            name="armchair|单人沙发椅",
            synonyms="easy chair|休闲椅, lounge chair|躺椅",
            price=290,
            styles="wingback|高背|classic, swivel|旋转|modern, rocking|摇摆|natural, "
            "reclining|可躺|active, shell-back|贝壳|playful",
            materials="velvet|丝绒, linen|亚麻, leather|皮革, boucle|圈绒",
            colours=_ROOM,
            model=True,
        ),
        TypeRow(
            category="Furniture|家具",
            name="coffee table|茶几",
            synonyms="side table|边几, sofa table|咖啡桌",
            price=150,
            styles="round|圆形|natural, nesting|套叠|modern, lift-top|升降|active, "
            "two-tier|双层|classic, wavy-edge|波浪边|playful",
            materials=_WOOD + ", marble|大理石, glass|玻璃",
            model=True,
        ),
        TypeRow(
            category="Furniture|家具",
            name="desk|书桌",
            synonyms="writing table|写字台, work table|工作台",
            price=220,
            styles="standing|升降|active, compact|紧凑|modern, secretary|带柜|classic, "
            "live-edge|原木边|natural",
            materials=_WOOD,
            colours="white|白色, black|黑色, cream|奶油白, sage green|鼠尾草绿",
            sizes="100 cm, 120 cm, 160 cm",
            model=True,
        ),
        TypeRow(
            category="Furniture|家具",
            name="bookcase|书架",
            synonyms="bookshelf|书柜, shelving unit|置物架",
            price=130,
            styles="ladder|梯形|modern, open|开放式|natural, glazed|玻璃门|classic, "
            "cube|格子|playful, heavy-duty|加厚|active",
            materials=_WOOD,
            sizes="80 cm, 120 cm, 180 cm",
            model=True,
        ),
        TypeRow(
            category="Furniture|家具",
            name="office chair|办公椅",
            synonyms="desk chair|电脑椅, swivel chair|转椅",
            price=190,
            styles="ergonomic|人体工学|active, executive|老板|classic, mid-century|中古|modern, "
            "kneeling|跪坐|playful",
            materials="mesh|网面, leather|皮革, velvet|丝绒",
            colours=_ROOM,
            model=True,
        ),
        TypeRow(
            category="Lighting|灯具",
            name="floor lamp|落地灯",
            synonyms="standing lamp|立灯, reading lamp|阅读灯",
            price=95,
            styles="tripod|三脚|natural, arc|弧形|modern, dimmable|可调光|active, "
            "pleated-shade|褶皱灯罩|classic, globe|圆球|playful",
            materials="brass|黄铜, oak|橡木, steel|钢, rattan|藤编",
            colours=_ROOM,
        ),
        TypeRow(
            category="Lighting|灯具",
            name="table lamp|台灯",
            synonyms="bedside lamp|床头灯, desk lamp|桌灯",
            price=48,
            styles="mushroom|蘑菇|playful, banker|银行家|classic, clip-on|夹式|active, "
            "minimalist|极简|modern, woven|编织|natural",
            materials="brass|黄铜, ceramic|陶瓷, glass|玻璃, rattan|藤编",
            colours=_ROOM,
        ),
        TypeRow(
            category="Textiles|家纺",
            name="duvet cover|被套",
            synonyms="quilt cover|被罩, bedding set|床品套件",
            price=62,
            styles="waffle|华夫格|natural, embroidered|刺绣|classic, striped|条纹|modern, "
            "botanical|植物图案|playful, cooling|凉感|active",
            materials="cotton|纯棉, linen|亚麻, bamboo|竹纤维, flannel|法兰绒",
            colours=_ROOM,
            sizes=_BEDS,
        ),
        TypeRow(
            category="Textiles|家纺",
            name="cushion|抱枕",
            synonyms="throw pillow|靠垫, scatter cushion|靠枕",
            price=24,
            styles="tufted|簇绒|classic, geometric|几何|modern, fringed|流苏|natural, "
            "pompom|毛球|playful, outdoor|户外|active",
            materials="velvet|丝绒, linen|亚麻, cotton|纯棉, boucle|圈绒",
            colours=_ROOM,
            sizes="40 x 40 cm, 50 x 50 cm, 30 x 60 cm",
        ),
        TypeRow(
            category="Textiles|家纺",
            name="rug|地毯",
            synonyms="carpet|毯子, floor mat|地垫",
            price=120,
            styles="hand-woven|手织|natural, geometric|几何|modern, persian|波斯|classic, "
            "shaggy|长毛|playful, washable|可机洗|active",
            materials="wool|羊毛, jute|黄麻, cotton|纯棉",
            colours=_ROOM,
            sizes="120 x 170 cm, 160 x 230 cm, 200 x 290 cm",
        ),
        TypeRow(
            category="Textiles|家纺",
            name="bath towel|浴巾",
            synonyms="towel|毛巾, bath sheet|大浴巾",
            price=17,
            styles="waffle|华夫格|natural, jacquard|提花|classic, quick-dry|速干|active, "
            "striped|条纹|modern, tasselled|流苏|playful",
            materials="cotton|纯棉, organic cotton|有机棉, bamboo|竹纤维",
            colours=_ROOM,
            sizes="50 x 100 cm, 70 x 140 cm, 100 x 150 cm",
        ),
    ),
)

_KITCHEN = DepartmentRow(
    name="Kitchen|厨房",
    brands="Brewster|布鲁斯特|0, Kochmann|科赫曼|1, Copperfield|铜原|1, Daily Chef|日厨|-1, "
    "Sorrel|索雷尔|0, "
    "Tavola|塔沃拉|0, Emberly|安柏莉|0, Pan & Pot|锅与罐|-1, Kumo|云间|0, Steelhaus|钢屋|1, "
    "Homecook|家常|-1",
    types=(
        TypeRow(
            category="Small Appliances|小家电",
            name="kettle|电热水壶",
            synonyms="water boiler|烧水壶, teakettle|电水壶",
            price=48,
            styles="gooseneck|鹅颈|modern, temperature-control|调温|active, retro|复古|classic, "
            "colour-changing|变色灯|playful",
            materials="stainless steel|不锈钢, glass|玻璃",
            colours=_STEEL,
            sizes="1.0 l, 1.5 l, 1.7 l",
            model=True,
        ),
        TypeRow(
            category="Small Appliances|小家电",
            name="coffee machine|咖啡机",
            synonyms="coffee maker|煮咖啡机, espresso maker|浓缩咖啡机",
            price=240,
            styles="bean-to-cup|全自动|modern, pump|泵压|classic, capsule|胶囊|active, "
            "pour-over|手冲|natural, mini|迷你|playful",
            colours=_STEEL,
            sizes="1.0 l, 1.4 l, 1.8 l",
            model=True,
        ),
        TypeRow(
            category="Small Appliances|小家电",
            name="blender|搅拌机",
            synonyms="smoothie maker|榨汁机, mixer|料理机",
            price=75,
            styles="high-speed|高速|active, cordless|无线|modern, countertop|台式|classic, "
            "mini|迷你|playful",
            materials="glass|玻璃, stainless steel|不锈钢",
            colours=_STEEL,
            sizes="0.6 l, 1.2 l, 2.0 l",
            model=True,
        ),
        TypeRow(
            category="Small Appliances|小家电",
            name="toaster|吐司机",
            synonyms="bread toaster|烤面包机, toast maker|多士炉",
            price=44,
            styles="two-slice|两片|classic, wide-slot|宽槽|natural, digital|数显|modern, "
            "four-slice|四片|active, pastel|马卡龙|playful",
            colours=_STEEL,
            model=True,
        ),
        TypeRow(
            category="Small Appliances|小家电",
            name="air fryer|空气炸锅",
            synonyms="hot-air fryer|无油炸锅, oil-free fryer|空炸",
            price=110,
            styles="dual-basket|双篮|active, digital|数显|modern, family|家用|classic, "
            "mini|迷你|playful",
            colours=_STEEL,
            sizes="3.5 l, 5.5 l, 8 l",
            model=True,
        ),
        TypeRow(
            category="Cookware|锅具",
            name="frying pan|平底锅",
            synonyms="skillet|煎锅, fry pan|煎盘",
            price=42,
            styles="non-stick|不粘|modern, hammered|锤纹|natural, professional|专业|classic, "
            "induction|电磁炉|active",
            materials="cast iron|铸铁, stainless steel|不锈钢, aluminium|铝合金, carbon steel|碳钢",
            sizes="20 cm, 24 cm, 28 cm",
            model=True,
        ),
        TypeRow(
            category="Cookware|锅具",
            name="saucepan|奶锅",
            synonyms="milk pan|小汤锅, small pot|炖锅",
            price=38,
            styles="non-stick|不粘|modern, lidded|带盖|classic, hammered|锤纹|natural, "
            "pouring-lip|带嘴|active",
            materials="stainless steel|不锈钢, copper|铜, aluminium|铝合金",
            sizes="16 cm, 18 cm, 20 cm",
            model=True,
        ),
        TypeRow(
            category="Cookware|锅具",
            name="casserole|珐琅锅",
            synonyms="dutch oven|铸铁锅, stew pot|炖煲",
            price=95,
            styles="round|圆形|natural, oval|椭圆|classic, shallow|浅口|modern, "
            "heart-shaped|心形|playful",
            materials="cast iron|铸铁, ceramic|陶瓷",
            colours="red|红色, cream|奶油白, navy|藏青色, sage green|鼠尾草绿, black|黑色, "
            "mustard|姜黄色",
            sizes="3 l, 4.5 l, 6 l",
        ),
        TypeRow(
            category="Cookware|锅具",
            name="chef's knife|主厨刀",
            synonyms="kitchen knife|菜刀, santoku|三德刀",
            price=58,
            styles="forged|锻造|classic, damascus|大马士革|natural, ultra-sharp|超锋利|active, "
            "full-metal|一体|modern",
            materials="stainless steel|不锈钢, carbon steel|碳钢",
            sizes="15 cm, 18 cm, 21 cm",
            model=True,
        ),
        TypeRow(
            category="Tableware|餐具",
            name="mug|马克杯",
            synonyms="coffee cup|咖啡杯, tea cup|水杯",
            price=13,
            styles="hand-glazed|手工釉|natural, stackable|叠放|modern, fluted|棱纹|classic, "
            "cat-face|猫脸|playful, lidded|带盖|active",
            materials="ceramic|陶瓷, stoneware|炻瓷, porcelain|骨瓷",
            colours=_ROOM,
            sizes="250 ml, 350 ml, 450 ml",
        ),
        TypeRow(
            category="Tableware|餐具",
            name="dinner plates|餐盘",
            synonyms="plate set|盘子套装, tableware set|碟子",
            price=46,
            styles="speckled|斑点|natural, coupe|平边|modern, rimmed|宽边|classic, "
            "hand-painted|手绘|playful",
            materials="stoneware|炻瓷, porcelain|骨瓷, ceramic|陶瓷",
            colours=_ROOM,
            sizes="set of 2|2件套, set of 4|4件套, set of 6|6件套",
        ),
        TypeRow(
            category="Tableware|餐具",
            name="wine glasses|红酒杯",
            synonyms="goblets|高脚杯, stemware|葡萄酒杯",
            price=34,
            styles="stemless|无脚|modern, cut|刻花|classic, hand-blown|手工吹制|natural, "
            "coloured|彩色|playful",
            materials="crystal|水晶, glass|玻璃",
            sizes="set of 2|2只装, set of 4|4只装, set of 6|6只装",
        ),
    ),
)

HOUSEHOLD = (_HOME, _KITCHEN)
