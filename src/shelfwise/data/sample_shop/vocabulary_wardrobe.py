"""Words of the departments Fashion, Shoes & Bags and Beauty."""

from __future__ import annotations

from shelfwise.data.sample_shop.vocabulary import DepartmentRow, TypeRow

_CLOTHING = (
    "black|黑色, white|白色, grey|灰色, navy|藏青色, beige|米色, olive|橄榄绿, burgundy|酒红色, "
    "sky blue|天蓝色, mustard|姜黄色, dusty pink|藕粉色, red|红色, forest green|墨绿色"
)
_DENIM = "black|黑色, white|白色, grey|灰色, indigo|靛蓝色, light blue|浅蓝色, navy|藏青色"
_LEATHER = "black|黑色, dark brown|深棕色, tan|棕褐色, burgundy|酒红色, navy|藏青色, beige|米色"
_LIPS = "red|红色, nude|裸色, coral|珊瑚色, berry|莓果色, dusty pink|藕粉色, burgundy|酒红色"
_SIZES = "XS, S, M, L, XL"

_FASHION = DepartmentRow(
    name="Fashion|服饰",
    brands="Halden|哈尔登|0, Maren Lund|玛伦隆德|1, Oakridge|橡岭|0, Velmora|薇墨拉|1, "
    "Basica|倍思卡|-1, Norvik|诺维克|0, Tessaly|泰莎丽|0, Campo Verde|绿原|-1, "
    "Atelier Roux|鲁尔工坊|1, Plainway|平途|-1, Kitsune Bay|狐湾|0, Strand & Co|斯特兰|0",
    types=(
        TypeRow(
            category="Tops|上装",
            name="t-shirt|T恤",
            synonyms="tee|短袖, short-sleeve top|短袖上衣",
            price=22,
            styles="crew-neck|圆领|classic, oversized|落肩|modern, graphic|印花|playful, "
            "quick-dry|速干|active, garment-dyed|水洗|natural",
            materials="cotton|纯棉, organic cotton|有机棉, bamboo|竹纤维, merino|美利奴羊毛",
            colours=_CLOTHING,
            sizes=_SIZES,
        ),
        TypeRow(
            category="Tops|上装",
            name="shirt|衬衫",
            synonyms="button-up|衬衣, button-down|长袖衬衣",
            price=45,
            styles="relaxed-fit|宽松|natural, slim-fit|修身|modern, pointed-collar|尖领|classic, "
            "striped|条纹|classic, floral|碎花|playful",
            materials="cotton|纯棉, linen|亚麻, silk|真丝, flannel|法兰绒",
            colours=_CLOTHING,
            sizes=_SIZES,
        ),
        TypeRow(
            category="Tops|上装",
            name="sweater|毛衣",
            synonyms="jumper|针织衫, pullover|套头衫",
            price=65,
            styles="cable-knit|麻花|classic, chunky|粗针|natural, turtleneck|高领|modern, "
            "fair isle|费尔岛提花|playful, half-zip|半拉链|active",
            materials="wool|羊毛, cashmere|羊绒, cotton|纯棉, alpaca|羊驼毛",
            colours=_CLOTHING,
            sizes=_SIZES,
        ),
        TypeRow(
            category="Tops|上装",
            name="hoodie|卫衣",
            synonyms="hooded sweatshirt|连帽衫, sweatshirt|运动衫",
            price=48,
            styles="zip-up|拉链|active, oversized|落肩|modern, graphic|印花|playful, "
            "brushed|磨毛|natural, varsity|学院|classic",
            materials="cotton|纯棉, organic cotton|有机棉, fleece|抓绒",
            colours=_CLOTHING,
            sizes=_SIZES,
        ),
        TypeRow(
            category="Bottoms|下装",
            name="jeans|牛仔裤",
            synonyms="denims|丹宁裤, denim trousers|牛仔长裤",
            price=70,
            styles="straight-leg|直筒|classic, skinny|紧身|modern, wide-leg|阔腿|natural, "
            "ripped|破洞|playful, stretch|弹力|active",
            colours=_DENIM,
            sizes="W28, W30, W32, W34, W36",
        ),
        TypeRow(
            category="Bottoms|下装",
            name="chinos|休闲裤",
            synonyms="casual trousers|卡其裤, slacks|便裤",
            price=52,
            styles="pleated|打褶|classic, tapered|锥形|modern, cargo|工装|active, "
            "drawstring|抽绳|natural",
            materials="cotton|纯棉, linen|亚麻, corduroy|灯芯绒",
            colours=_CLOTHING,
            sizes="W28, W30, W32, W34, W36",
        ),
        TypeRow(
            category="Bottoms|下装",
            name="skirt|半身裙",
            synonyms="midi skirt|中长裙, a-line|A字裙",
            price=42,
            styles="pleated|打褶|classic, wrap|裹身|natural, pencil|铅笔|modern, "
            "tiered|蛋糕|playful, tennis|网球|active",
            materials="cotton|纯棉, linen|亚麻, satin|缎面, denim|牛仔",
            colours=_CLOTHING,
            sizes=_SIZES,
        ),
        TypeRow(
            category="Dresses & Outerwear|裙装与外套",
            name="dress|连衣裙",
            synonyms="frock|裙子, gown|长裙",
            price=75,
            styles="wrap|裹身|natural, floral|碎花|playful, bodycon|包臀|modern, "
            "shirt-style|衬衫式|classic, jersey|针织|active",
            materials="cotton|纯棉, linen|亚麻, satin|缎面, chiffon|雪纺",
            colours=_CLOTHING,
            sizes=_SIZES,
        ),
        TypeRow(
            category="Dresses & Outerwear|裙装与外套",
            name="jacket|夹克",
            synonyms="bomber|飞行员夹克, short coat|短外套",
            price=98,
            styles="quilted|绗缝|classic, windproof|防风|active, cropped|短款|modern, "
            "patchwork|拼接|playful, waxed|油蜡|natural",
            materials="cotton|纯棉, denim|牛仔, suede|麂皮, recycled nylon|再生尼龙",
            colours=_CLOTHING,
            sizes=_SIZES,
        ),
        TypeRow(
            category="Dresses & Outerwear|裙装与外套",
            name="coat|大衣",
            synonyms="overcoat|长外套, parka|派克大衣",
            price=160,
            styles="double-breasted|双排扣|classic, longline|长款|modern, "
            "storm-proof|防风雨|active, "
            "belted|系带|natural, checked|格纹|playful",
            materials="wool|羊毛, cashmere|羊绒, recycled nylon|再生尼龙",
            colours=_CLOTHING,
            sizes=_SIZES,
        ),
    ),
)

_SHOES = DepartmentRow(
    name="Shoes & Bags|鞋包",
    brands="Pathway|途径|-1, Corvane|科凡|0, Strideo|驰道|0, Bellagio Row|贝拉街|1, "
    "Tundra|苔原|0, Marlowe|马洛|1, Solestep|索步|-1, Ardent|雅登特|0, Quillon|奎伦|1, "
    "Dovetail|燕尾|0",
    types=(
        TypeRow(
            category="Shoes|鞋履",
            name="sneakers|运动鞋",
            synonyms="trainers|球鞋, tennis shoes|板鞋",
            price=85,
            styles="low-top|低帮|classic, chunky-sole|厚底|modern, running|跑步|active, "
            "colour-block|撞色|playful, plant-dyed|植物染|natural",
            materials="leather|皮革, canvas|帆布, mesh|网面, suede|麂皮",
            colours=_CLOTHING,
            sizes="EU 37, EU 39, EU 41, EU 43",
        ),
        TypeRow(
            category="Shoes|鞋履",
            name="boots|靴子",
            synonyms="ankle boots|短靴, booties|踝靴",
            price=130,
            styles="chelsea|切尔西|classic, platform|厚底|modern, hiking|徒步|active, "
            "fringed|流苏|playful, moccasin|莫卡辛|natural",
            materials="leather|皮革, suede|麂皮, nubuck|磨砂皮",
            colours=_LEATHER,
            sizes="EU 37, EU 39, EU 41, EU 43",
        ),
        TypeRow(
            category="Shoes|鞋履",
            name="sandals|凉鞋",
            synonyms="slides|凉拖, flip-flops|人字拖",
            price=48,
            styles="strappy|绑带|classic, platform|厚底|modern, trekking|溯溪|active, "
            "beaded|串珠|playful, cork-sole|软木底|natural",
            materials="leather|皮革, suede|麂皮, recycled rubber|再生橡胶",
            colours=_LEATHER,
            sizes="EU 37, EU 39, EU 41, EU 43",
        ),
        TypeRow(
            category="Shoes|鞋履",
            name="loafers|乐福鞋",
            synonyms="slip-ons|一脚蹬, moccasins|豆豆鞋",
            price=105,
            styles="penny|便士|classic, square-toe|方头|modern, tasselled|流苏|playful, "
            "flexible|软底|active",
            materials="leather|皮革, suede|麂皮, canvas|帆布",
            colours=_LEATHER,
            sizes="EU 37, EU 39, EU 41, EU 43",
        ),
        TypeRow(
            category="Bags|箱包",
            name="backpack|双肩包",
            synonyms="rucksack|背包, daypack|书包",
            price=68,
            styles="roll-top|卷口|modern, commuter|通勤|classic, anti-theft|防盗|active, "
            "printed|印花|playful, undyed|原色|natural",
            materials="canvas|帆布, recycled nylon|再生尼龙, leather|皮革",
            colours=_CLOTHING,
            sizes="15 l, 20 l, 28 l",
        ),
        TypeRow(
            category="Bags|箱包",
            name="tote bag|托特包",
            synonyms="shopper|购物袋, carryall|手提包",
            price=55,
            styles="structured|定型|classic, slouchy|软身|natural, reversible|双面|modern, "
            "embroidered|刺绣|playful",
            materials="canvas|帆布, leather|皮革, raffia|拉菲草",
            colours=_CLOTHING,
        ),
        TypeRow(
            category="Bags|箱包",
            name="wallet|钱包",
            synonyms="card holder|卡包, purse|皮夹",
            price=38,
            styles="bifold|对折|classic, slim|超薄|modern, zip-around|拉链|active, "
            "hand-stitched|手缝|natural, two-tone|双色|playful",
            materials="leather|皮革, suede|麂皮, recycled nylon|再生尼龙",
            colours=_LEATHER,
        ),
        TypeRow(
            category="Bags|箱包",
            name="suitcase|行李箱",
            synonyms="carry-on|登机箱, trolley case|拉杆箱",
            price=140,
            styles="spinner|万向轮|modern, expandable|可扩展|active, vintage|复古|classic, "
            "patterned|图案|playful",
            materials="polycarbonate|聚碳酸酯, aluminium|铝合金, recycled nylon|再生尼龙",
            colours=_CLOTHING,
            sizes="55 cm, 66 cm, 77 cm",
        ),
    ),
)

_BEAUTY = DepartmentRow(
    name="Beauty|美妆个护",
    brands="Lumea|露美雅|0, Verdina|绿蒂娜|0, Rosalind|罗莎琳|1, Purely|纯粹|-1, Hana Dew|花露|0, "
    "Dermacalm|舒肤研|1, Everglow|恒采|0, Savonne|莎芳|-1, Opaline|欧泊|1, Mossbay|苔湾|0",
    types=(
        TypeRow(
            category="Skin Care|护肤",
            name="face cream|面霜",
            synonyms="moisturiser|保湿霜, day cream|日霜",
            price=28,
            styles="rich|滋润|classic, lightweight|轻盈|modern, aloe|芦荟|natural, "
            "sport|运动|active, rose|玫瑰|playful",
            sizes="30 ml, 50 ml, 100 ml",
            reorder_days=28,
        ),
        TypeRow(
            category="Skin Care|护肤",
            name="serum|精华液",
            synonyms="face serum|精华, ampoule|安瓶",
            price=34,
            styles="vitamin C|维C|active, retinol|视黄醇|modern, hyaluronic|玻尿酸|classic, "
            "rosehip|玫瑰果|natural, shimmer|微闪|playful",
            sizes="15 ml, 30 ml, 50 ml",
            reorder_days=30,
        ),
        TypeRow(
            category="Skin Care|护肤",
            name="sunscreen|防晒霜",
            synonyms="sun cream|防晒乳, SPF lotion|隔离霜",
            price=19,
            styles="mineral|物理|natural, water-resistant|防水|active, invisible|透明|modern, "
            "daily|日常|classic, tinted|润色|playful",
            sizes="50 ml, 100 ml, 200 ml",
            reorder_days=25,
        ),
        TypeRow(
            category="Skin Care|护肤",
            name="cleanser|洁面乳",
            synonyms="face wash|洗面奶, cleansing gel|洁面啫喱",
            price=15,
            styles="foaming|泡沫|classic, micellar|胶束|modern, oat|燕麦|natural, "
            "charcoal|活性炭|active, peach|蜜桃|playful",
            sizes="100 ml, 150 ml, 250 ml",
            reorder_days=24,
        ),
        TypeRow(
            category="Hair Care|护发",
            name="shampoo|洗发水",
            synonyms="hair wash|洗发露, hair cleanser|洗头膏",
            price=11,
            styles="anti-dandruff|去屑|active, colour-care|护色|modern, "
            "argan|摩洛哥坚果油|natural, "
            "strengthening|强韧|classic, coconut|椰香|playful",
            sizes="250 ml, 400 ml, 750 ml",
            reorder_days=22,
        ),
        TypeRow(
            category="Hair Care|护发",
            name="conditioner|护发素",
            synonyms="hair rinse|润发乳, hair mask|发膜",
            price=12,
            styles="repair|修护|classic, leave-in|免洗|modern, shea|乳木果|natural, "
            "volume|蓬松|active, cherry|樱花|playful",
            sizes="200 ml, 400 ml, 750 ml",
            reorder_days=25,
        ),
        TypeRow(
            category="Hair Care|护发",
            name="hair dryer|吹风机",
            synonyms="blow dryer|电吹风, hairdryer|风筒",
            price=72,
            styles="ionic|负离子|modern, foldable|折叠|active, salon|沙龙|classic, "
            "pastel|马卡龙|playful",
            colours="black|黑色, white|白色, rose gold|玫瑰金, grey|灰色, dusty pink|藕粉色",
            sizes="1600 W, 2000 W, 2200 W",
            model=True,
        ),
        TypeRow(
            category="Make-up|彩妆",
            name="lipstick|口红",
            synonyms="lip colour|唇膏, lip tint|唇釉",
            price=18,
            styles="matte|哑光|modern, satin-finish|缎光|classic, glossy|水光|playful, "
            "long-lasting|持久|active, beeswax|蜂蜡|natural",
            colours=_LIPS,
        ),
        TypeRow(
            category="Make-up|彩妆",
            name="mascara|睫毛膏",
            synonyms="lash colour|睫毛液, lash primer|睫毛打底",
            price=16,
            styles="volumising|浓密|classic, waterproof|防水|active, lengthening|纤长|modern, "
            "castor|蓖麻油|natural, glitter|亮片|playful",
            colours="black|黑色, dark brown|深棕色, navy|藏青色, burgundy|酒红色",
            sizes="6 ml, 8 ml, 10 ml",
        ),
    ),
)

WARDROBE = (_FASHION, _SHOES, _BEAUTY)
