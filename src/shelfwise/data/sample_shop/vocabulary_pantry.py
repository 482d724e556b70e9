"""Words of the departments Food & Drink and Pets: mostly what is used up and bought again."""

from __future__ import annotations

from shelfwise.data.sample_shop.vocabulary import DepartmentRow, TypeRow

_PET = "grey|灰色, beige|米色, navy|藏青色, red|红色, sage green|鼠尾草绿, black|黑色"
_GRAMS = "250 g, 500 g, 1 kg"

_FOOD = DepartmentRow(
    name="Food & Drink|食品饮料",
    brands="Monte Alba|白山|1, Green Valley|绿谷|0, Harvest Lane|丰收巷|0, Dayfare|日常|-1, "
    "Tea Pavilion|茶亭|1, Solara|索拉拉|0, Casa Oliva|橄榄之家|1, Goodgrain|好谷|-1, "
    "Highland Roast|高地烘焙|0, Nonna Pia|皮娅奶奶|0",
    types=(
        TypeRow(
            category="Drinks|饮品",
            name="coffee beans|咖啡豆",
            synonyms="whole-bean coffee|原豆咖啡, espresso beans|意式咖啡豆",
            price=14,
            styles="dark-roast|深烘|classic, light-roast|浅烘|modern, fair-trade|公平贸易|natural, "
            "vanilla|香草|playful, high-caffeine|高因|active, single-origin|单一产地|modern",
            sizes=_GRAMS,
            reorder_days=16,
        ),
        TypeRow(
            category="Drinks|饮品",
            name="green tea|绿茶",
            synonyms="sencha|煎茶, leaf tea|茶叶",
            price=11,
            styles="organic|有机|natural, jasmine|茉莉|classic, cold-brew|冷泡|modern, "
            "matcha|抹茶|active, peach|蜜桃|playful",
            sizes="50 g, 100 g, 250 g",
            reorder_days=20,
        ),
        TypeRow(
            category="Drinks|饮品",
            name="fruit juice|果汁",
            synonyms="juice|鲜榨果汁, fruit drink|水果饮料",
            price=4,
            styles="orange|橙子|classic, apple|苹果|natural, ginger shot|姜汁|active, "
            "mango|芒果|playful, sugar-free|无糖|modern",
            sizes="330 ml, 750 ml, 1 l",
            reorder_days=9,
        ),
        TypeRow(
            category="Pantry|粮油干货",
            name="olive oil|橄榄油",
            synonyms="cooking oil|食用油, salad oil|色拉油",
            price=13,
            styles="extra virgin|特级初榨|classic, organic|有机|natural, cold-pressed|冷榨|modern, "
            "lemon-infused|柠檬风味|playful, high-polyphenol|高多酚|active",
            sizes="250 ml, 500 ml, 1 l",
            reorder_days=28,
        ),
        TypeRow(
            category="Pantry|粮油干货",
            name="pasta|意大利面",
            synonyms="noodles|面条, spaghetti|意面",
            price=3.5,
            styles="bronze-cut|铜模|classic, wholegrain|全麦|natural, high-protein|高蛋白|active, "
            "gluten-free|无麸质|modern, rainbow|彩虹|playful",
            sizes="400 g, 500 g, 1 kg",
            reorder_days=14,
        ),
        TypeRow(
            category="Pantry|粮油干货",
            name="honey|蜂蜜",
            synonyms="bee honey|土蜂蜜, nectar|蜜糖",
            price=9,
            styles="acacia|洋槐|classic, wildflower|百花|natural, manuka|麦卢卡|active, "
            "creamed|结晶|modern, cinnamon|肉桂|playful",
            sizes="250 g, 400 g, 900 g",
            reorder_days=30,
        ),
        TypeRow(
            category="Snacks|零食",
            name="chocolate|巧克力",
            synonyms="chocolate bar|巧克力排块, cocoa bar|可可棒",
            price=4,
            styles="dark|黑|classic, milk|牛奶|playful, vegan|纯素|natural, sea-salt|海盐|modern, "
            "protein|高蛋白|active",
            sizes="50 g, 100 g, 200 g",
            reorder_days=10,
        ),
        TypeRow(
            category="Snacks|零食",
            name="muesli|燕麦片",
            synonyms="granola|格兰诺拉, breakfast cereal|早餐麦片",
            price=6,
            styles="crunchy|香脆|classic, no-added-sugar|无添加糖|natural, protein|高蛋白|active, "
            "tropical|热带水果|playful, keto|生酮|modern",
            sizes="375 g, 500 g, 1 kg",
            reorder_days=13,
        ),
        TypeRow(
            category="Snacks|零食",
            name="mixed nuts|混合坚果",
            synonyms="trail mix|每日坚果, nut mix|干果",
            price=9,
            styles="roasted|烘烤|classic, raw|原味|natural, smoked|烟熏|modern, "
            "honey-glazed|蜂蜜|playful, energy|能量|active",
            sizes="150 g, 300 g, 750 g",
            reorder_days=14,
        ),
    ),
)

_PETS = DepartmentRow(
    name="Pets|宠物",
    brands="Pawson|爪森|0, Whiskerfield|胡须原|0, Barkley Farm|巴克利农场|1, Petbasics|宠基|-1, "
    "Felina|菲丽娜|1, Good Boy|好狗|0, Tailwind|顺风尾|0, Zoomies|撒欢|-1",
    types=(
        TypeRow(
            category="Pet Food|宠物食品",
            name="dog food|狗粮",
            synonyms="kibble|犬粮, dry dog food|狗干粮",
            price=26,
            styles="grain-free|无谷|natural, senior|老年犬|classic, puppy|幼犬|playful, "
            "high-energy|高能|active, hypoallergenic|低敏|modern",
            sizes="2 kg, 5 kg, 12 kg",
            reorder_days=18,
        ),
        TypeRow(
            category="Pet Food|宠物食品",
            name="cat food|猫粮",
            synonyms="wet cat food|猫罐头, cat meals|猫主食",
            price=19,
            styles="salmon|三文鱼|natural, indoor|室内猫|classic, kitten|幼猫|playful, "
            "weight-control|体重管理|active, sensitive|肠胃敏感|modern",
            sizes="1 kg, 3 kg, 7 kg",
            reorder_days=16,
        ),
        TypeRow(
            category="Pet Food|宠物食品",
            name="dog treats|狗零食",
            synonyms="dog snacks|磨牙棒, dog biscuits|狗饼干",
            price=7,
            styles="dental|洁齿|classic, freeze-dried|冻干|modern, sweet-potato|红薯|natural, "
            "training|训练|active, heart-shaped|心形|playful",
            sizes="100 g, 250 g, 500 g",
            reorder_days=14,
        ),
        TypeRow(
            category="Pet Supplies|宠物用品",
            name="cat litter|猫砂",
            synonyms="kitty litter|猫沙, litter|除臭猫砂",
            price=12,
            styles="clumping|结团|classic, wood-pellet|木颗粒|natural, silica|硅胶|modern, "
            "low-dust|低尘|active, lavender|薰衣草|playful",
            sizes="5 l, 10 l, 20 l",
            reorder_days=15,
        ),
        TypeRow(
            category="Pet Supplies|宠物用品",
            name="pet bed|宠物窝",
            synonyms="dog bed|狗窝, cat bed|猫窝",
            price=42,
            styles="orthopaedic|护关节|classic, donut|甜甜圈|playful, raised|架高|active, "
            "cave|洞穴|modern, woven|编织|natural",
            materials="fleece|抓绒, cotton|纯棉, corduroy|灯芯绒",
            colours=_PET,
            sizes="S, M, L",
        ),
        TypeRow(
            category="Pet Supplies|宠物用品",
            name="dog lead|牵引绳",
            synonyms="leash|狗绳, dog leash|狗链",
            price=18,
            styles="retractable|伸缩|modern, reflective|反光|active, braided|编织|natural, "
            "slip|P字|classic, rainbow|彩虹|playful",
            materials="leather|皮革, nylon|尼龙, hemp|麻绳",
            colours=_PET,
            sizes="1.2 m, 2 m, 5 m",
        ),
        TypeRow(
            category="Pet Supplies|宠物用品",
            name="scratching post|猫抓板",
            synonyms="cat tree|猫爬架, scratcher|抓柱",
            price=36,
            styles="wall-mounted|壁挂|modern, multi-level|多层|active, cactus|仙人掌|playful, "
            "pillar|立柱|classic, driftwood|浮木|natural",
            materials="sisal|剑麻, jute|黄麻, cardboard|瓦楞纸",
            sizes="50 cm, 80 cm, 120 cm",
        ),
    ),
)

PANTRY = (_FOOD, _PETS)
