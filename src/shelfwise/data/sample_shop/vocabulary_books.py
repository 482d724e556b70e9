"""Words of the second domain, books: genres are types, publishers are brands, formats materials."""

from __future__ import annotations

from shelfwise.data.sample_shop.vocabulary import DOMAINS, DepartmentRow, TypeRow

_FORMATS = "paperback|平装, hardback|精装, large-print|大字版, illustrated|插图版"
_VOLUMES = "vol. 1|第一卷, vol. 2|第二卷, vol. 3|第三卷, vol. 4|第四卷"

_STORIES = DepartmentRow(
    name="Stories|小说故事",
    brands="Larkspur Press|云雀出版社|0, Harbour Lane|港湾书局|0, Nightjar|夜鹰文库|-1, "
    "Elmcroft|榆园书社|1, Tidewater|潮汐书屋|-1, Quill & Vane|羽笔书坊|1, "
    "Sable House|黑貂书馆|0, Penmarch|彭马克|0, Juniper Row|杜松街|-1, Old Orchard|老果园书局|0",
    domain=DOMAINS[1],
    types=(
        TypeRow(
            category="Novels|长篇小说",
            name="crime novel|推理小说",
            synonyms="detective story|侦探小说, whodunit|悬疑小说",
            price=14,
            styles="nordic|北欧|classic, hard-boiled|硬汉派|modern, cosy|轻松|playful, "
            "police|警探|active, small-town|小镇|natural",
            materials=_FORMATS,
            sizes=_VOLUMES,
        ),
        TypeRow(
            category="Novels|长篇小说",
            name="fantasy novel|奇幻小说",
            synonyms="epic fantasy|魔幻小说, sword and sorcery|史诗奇幻",
            price=16,
            styles="mythic|神话|classic, steampunk|蒸汽|modern, dragon|巨龙|playful, "
            "quest|远征|active, woodland|林间|natural",
            materials=_FORMATS,
            sizes=_VOLUMES,
        ),
        TypeRow(
            category="Novels|长篇小说",
            name="romance novel|言情小说",
            synonyms="love story|爱情小说, romantic fiction|浪漫小说",
            price=11,
            styles="regency|古典|classic, workplace|职场|modern, holiday|度假|playful, "
            "second-chance|重逢|natural, sporty|赛场|active",
            materials=_FORMATS,
            sizes=_VOLUMES,
        ),
        TypeRow(
            category="Novels|长篇小说",
            name="science fiction|科幻小说",
            synonyms="space opera|太空歌剧, sci-fi|科幻故事",
            price=15,
            styles="golden-age|黄金时代|classic, cyberpunk|赛博|modern, android|仿生人|playful, "
            "first-contact|星际|active, climate|生态|natural",
            materials=_FORMATS,
            sizes=_VOLUMES,
        ),
        TypeRow(
            category="Novels|长篇小说",
            name="historical novel|历史小说",
            synonyms="period fiction|年代小说, costume drama|古代传奇",
            price=17,
            styles="roman|罗马|classic, wartime|战争|active, seafaring|航海|natural, "
            "court|宫廷|modern, swashbuckling|游侠|playful",
            materials=_FORMATS,
            sizes=_VOLUMES,
        ),
        TypeRow(
            category="Children's Books|童书",
            name="picture book|绘本",
            synonyms="bedtime story|睡前故事, illustrated tale|图画书",
            price=12,
            styles="rhyming|童谣|playful, farmyard|农庄|natural, counting|数数|modern, "
            "fairy-tale|童话|classic, lift-the-flap|翻翻|active",
            materials="board|纸板, paperback|平装, hardback|精装, cloth|布书",
        ),
        TypeRow(
            category="Children's Books|童书",
            name="school story|校园故事",
            synonyms="young readers novel|少年小说, boarding-school tale|寄宿故事",
            price=10,
            styles="magical|魔法|playful, mystery|解谜|modern, football|足球|active, "
            "boarding|寄宿|classic, nature-club|自然社|natural",
            materials=_FORMATS,
            sizes=_VOLUMES,
        ),
        TypeRow(
            category="Comics|漫画",
            name="graphic novel|图像小说",
            synonyms="comic book|连环画, illustrated novel|图文小说",
            price=20,
            styles="noir|黑色|classic, superhero|超级英雄|active, memoir|回忆录|natural, "
            "dystopian|末世|modern, slapstick|搞笑|playful",
            materials=_FORMATS,
            sizes=_VOLUMES,
        ),
        TypeRow(
            category="Comics|漫画",
            name="manga|日式漫画",
            synonyms="tankobon|单行本, shonen|少年漫画",
            price=9,
            styles="samurai|武士|classic, mecha|机甲|modern, sports-club|社团|active, "
            "slice-of-life|市井|natural, gag|爆笑|playful",
            materials="paperback|平装, box-set|盒装, hardback|精装",
            sizes=_VOLUMES,
        ),
    ),
)

_KNOWLEDGE = DepartmentRow(
    name="Knowledge|知识生活",
    brands="Fieldstone|原石出版|0, Meridian Books|子午线|1, Plain Page|素页|-1, "
    "Cartwright|卡特书局|0, Bluebell Press|蓝铃出版社|0, Lantern Hill|灯笼山|-1, "
    "Atlas & Co|阿特拉斯|1, Greenfinch|绿雀|0",
    domain=DOMAINS[1],
    types=(
        TypeRow(
            category="Non-Fiction|纪实",
            name="biography|传记",
            synonyms="life story|人物传, memoirs|自传",
            price=21,
            styles="political|政治|classic, athlete's|运动员|active, artist's|艺术家|playful, "
            "founder's|创业者|modern, naturalist's|博物学家|natural",
            materials=_FORMATS,
        ),
        TypeRow(
            category="Non-Fiction|纪实",
            name="popular science|科普书",
            synonyms="science book|科学读物, essays on science|科学随笔",
            price=19,
            styles="physics|物理学|modern, evolution|进化|natural, brain|大脑|active, "
            "mathematics|数学|classic, dinosaur|恐龙|playful",
            materials=_FORMATS,
        ),
        TypeRow(
            category="Non-Fiction|纪实",
            name="world history|世界史",
            synonyms="history book|史书, chronicle|编年史",
            price=24,
            styles="ancient|上古|classic, maritime|海上|natural, cold-war|冷战|modern, "
            "military|军事|active, curious|趣味|playful",
            materials=_FORMATS,
            sizes=_VOLUMES,
        ),
        TypeRow(
            category="Guides|指南",
            name="cookbook|菜谱",
            synonyms="recipe book|食谱, cookery book|烹饪书",
            price=25,
            styles="italian|意式|classic, vegetarian|素食|natural, one-pot|一锅|modern, "
            "high-protein|高蛋白|active, baking|烘焙书|playful",
            materials=_FORMATS,
        ),
        TypeRow(
            category="Guides|指南",
            name="travel guide|旅行指南",
            synonyms="city guide|城市手册, guidebook|旅游书",
            price=18,
            styles="weekend|周末|modern, hiking-trail|徒步路线|active, heritage|古迹|classic, "
            "island|海岛|natural, family-trip|亲子|playful",
            materials="paperback|平装, spiral-bound|线圈装, pocket|口袋本",
        ),
        TypeRow(
            category="Guides|指南",
            name="gardening book|园艺书",
            synonyms="plant handbook|植物手册, garden planner|花园指南",
            price=22,
            styles="kitchen-garden|菜园|natural, rose-garden|玫瑰园|classic, balcony|阳台|modern, "
            "rewilding|野趣|active, children's-plot|儿童花园|playful",
            materials=_FORMATS,
        ),
        TypeRow(
            category="Guides|指南",
            name="language course|语言教程",
            synonyms="phrase book|会话手册, language textbook|外语课本",
            price=27,
            styles="spanish|西班牙语|classic, japanese|日语|modern, "
            "business-english|商务英语|active, sign-language|手语|natural, "
            "story-based|故事|playful",
            materials="paperback|平装, audio|有声, pocket|口袋本",
            sizes="A1, A2, B1, B2",
        ),
    ),
)

BOOKS = (_STORIES, _KNOWLEDGE)
