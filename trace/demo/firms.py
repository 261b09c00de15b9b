"""Who takes part: firms, laboratories, kinds of goods, and the people who sign in. All of them are fictional."""

from __future__ import annotations

from .plan import At, CategoryPlan, FirmPlan, Laboratory

FIRST_DAY = At(-240, "09:00")

FIRMS = (
    FirmPlan(
        "wuyi",
        "武夷岩韵茶业（演示）",
        "Wuyi Yanyun Tea (demo)",
        "CN",
        "91999999MADEM0011Y",
        "品控部 quality@wuyi.example",
        login="wuyi",
        person="陈岚（演示）",
    ),
    FirmPlan(
        "fjordvik",
        "峡湾三文鱼（演示）",
        "Fjordvik Laks AS (demo)",
        "NO",
        "NO 000 000 000 DEMO",
        "Quality desk quality@fjordvik.example",
        login="fjordvik",
        person="Ingrid Nordli (demo)",
    ),
    FirmPlan(
        "hushang",
        "沪上水产加工（演示）",
        "Hushang Seafood Processing (demo)",
        "CN",
        "91999999MADEM002XN",
        "车间质检 line@hushang.example",
    ),
    FirmPlan(
        "chuhe",
        "初禾乳业（演示）",
        "Chuhe Dairy (demo)",
        "CN",
        "91999999MADEM0038N",
        "质量负责人 quality@chuhe.example",
        login="chuhe",
        person="周予安（演示）",
    ),
    FirmPlan(
        "mingche",
        "明澈光电（演示）",
        "Mingche Optoelectronics (demo)",
        "CN",
        "91999999MADEM0046H",
        "来料检验 iqc@mingche.example",
        login="mingche",
        person="何明（演示）",
    ),
    FirmPlan(
        "shanye",
        "山野蜂业（演示）",
        "Shanye Apiary (demo)",
        "CN",
        "",
        "联系人 contact@shanye.example",
        suspended=At(-19, "16:20"),
        suspended_reason="年度复审材料逾期未交，暂停发码（演示）。Yearly re-audit papers are overdue (demo).",
    ),
)

CATEGORIES = (
    CategoryPlan("tea", "茶叶", "Tea", True),
    CategoryPlan("fresh-fish", "生鲜水产", "Fresh fish", True),
    CategoryPlan("infant-formula", "婴幼儿配方食品", "Infant formula", True),
    CategoryPlan("honey", "蜂蜜", "Honey", True),
    CategoryPlan("lighting", "灯具", "Lighting", False),
)

STAFF = (
    ("admin", "林澄（演示）", "admin"),
    ("quality", "沈知行（演示）", "quality"),
    ("reviewer2", "顾青（演示）", "quality"),
    ("auditor", "Marta Lindqvist (demo)", "auditor"),
)

MINJIAN = Laboratory(
    "闽检测试（演示）",
    "Minjian Testing (demo)",
    "福建省示例市检测路 1 号 · No. 1 Example Road · report@minjian.example",
    "CMA 260000DEMO01 / CNAS L00000-DEMO",
    "#2f5d50",
    valid=540,
    pinned=True,
)
HUDONG = Laboratory(
    "沪东食品检测中心（演示）",
    "Hudong Food Testing Centre (demo)",
    "上海市示例区样品路 8 号 · No. 8 Sample Road · report@hudong.example",
    "CMA 260000DEMO02 / CNAS L00001-DEMO",
    "#28527a",
    valid=410,
)
HENGPU = Laboratory(
    "恒谱检验（演示）",
    "Hengpu Inspection (demo)",
    "江苏省示例市光谱路 3 号 · No. 3 Spectrum Road · report@hengpu.example",
    "CMA 200000DEMO09 / CNAS L00009-DEMO",
    "#6a4a7c",
    valid=-30,
)
NORDHAV = Laboratory(
    "北海分析（演示）",
    "Nordhav Analyse AS (demo)",
    "Eksempelveien 1, 0000 Eksempel · report@nordhav.example",
    "NA TEST 000-DEMO",
    "#1f5f7a",
    country="NO",
    valid=700,
)
HUAGUANG = Laboratory(
    "华光电器检测（演示）",
    "Huaguang Electrical Testing (demo)",
    "广东省示例市照明路 5 号 · No. 5 Lighting Road · report@huaguang.example",
    "CMA 260000DEMO03 / CNAS L00003-DEMO",
    "#8a5a1f",
    valid=260,
)
ORIGIN_OFFICE = Laboratory(
    "地理标志用标登记处（演示）",
    "Origin Mark Registry (demo)",
    "福建省示例市产地路 2 号 · No. 2 Origin Road · register@origin.example",
    "GI-REG 0000-DEMO",
    "#7a3b2e",
)
CHAIN_BODY = Laboratory(
    "海产认证（演示）",
    "Havsertifisering (demo)",
    "Havneveien 4, 0000 Eksempel · register@havsert.example",
    "CB 0000-DEMO",
    "#2a6f6b",
)

LABORATORIES = (MINJIAN, HUDONG, HENGPU, NORDHAV, HUAGUANG)
"""Those that are registered; the two other bodies certify, they do not test."""
