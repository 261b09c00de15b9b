"""Link types of the GS1 Web Vocabulary (version 1.16) in our own words."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple

NAMESPACE: Final = "https://ref.gs1.org/voc/"
_SPELLINGS: Final = ("gs1:", NAMESPACE, "https://gs1.org/voc/", "https://www.gs1.org/voc/")

DEFAULT: Final = "defaultLink"
DEFAULT_MULTI: Final = "defaultLinkMulti"


class Title(NamedTuple):
    en: str
    zh: str


TYPES: Final = MappingProxyType(
    {
        "activityIdeas": Title("Ideas for activities", "活动创意"),
        "allergenInfo": Title("Allergens", "过敏原信息"),
        "appDownload": Title("App", "应用下载"),
        "backgroundInfo": Title("Background", "背景介绍"),
        "brandHomepageClinical": Title("Brand page for professionals", "品牌页面（专业人士）"),
        "brandHomepagePatient": Title("Brand page for patients", "品牌页面（患者）"),
        "careersInfo": Title("Jobs", "招聘信息"),
        "certificationInfo": Title("Certificates and reports", "认证与检验报告"),
        "consumerHandlingStorageInfo": Title("Handling and storage", "使用与储存说明"),
        "dpp": Title("Digital product passport", "数字产品护照"),
        "eifu": Title("Instructions for use of a medical device", "医疗器械电子使用说明"),
        "epcis": Title("EPCIS events", "EPCIS 事件库"),
        "epil": Title("Patient leaflet", "患者用药说明"),
        "eventsInfo": Title("Events", "活动信息"),
        "faqs": Title("Questions and answers", "常见问题"),
        "hasRetailers": Title("Where to buy", "销售网点"),
        "homepage": Title("Company page", "企业主页"),
        "ingredientsInfo": Title("Ingredients", "配料信息"),
        "instructions": Title("Instructions", "使用说明"),
        "jws": Title("Signed data (JWS)", "签名数据（JWS）"),
        "leaveReview": Title("Write a review", "发表评价"),
        "locationInfo": Title("How to get there", "位置信息"),
        "logisticsInfo": Title("Logistics", "物流信息"),
        "loyaltyProgram": Title("Loyalty programme", "会员计划"),
        "masterData": Title("Master data", "主数据"),
        "menuInfo": Title("Menu", "菜单"),
        "nutritionalInfo": Title("Nutrition", "营养信息"),
        "openingHoursInfo": Title("Opening hours", "营业时间"),
        "paymentLink": Title("Payment", "付款"),
        "pip": Title("Product page", "产品信息页"),
        "promotion": Title("Promotion", "促销活动"),
        "purchaseSuppliesOrAccessories": Title("Supplies and accessories", "耗材与配件"),
        "quickStartGuide": Title("Quick start", "快速入门"),
        "recallStatus": Title("Recall status", "召回状态"),
        "recipeInfo": Title("Recipes", "食谱"),
        "registerProduct": Title("Register the purchase", "产品注册"),
        "registryEntry": Title("Entry in a register", "登记信息"),
        "relatedImage": Title("Picture", "相关图片"),
        "relatedVideo": Title("Video", "相关视频"),
        "reportFound": Title("Report a find", "拾获上报"),
        "review": Title("Reviews", "评价"),
        "safetyInfo": Title("Warnings and data sheets", "安全信息"),
        "scheduleTime": Title("Booking", "预约"),
        "serviceInfo": Title("Service and maintenance", "维修保养"),
        "smartLabel": Title("SmartLabel", "SmartLabel 页面"),
        "smpc": Title("Summary of product characteristics", "产品特性概要"),
        "socialMedia": Title("Social media", "社交媒体"),
        "statisticInfo": Title("Statistics", "统计信息"),
        "subscribe": Title("Subscription", "订阅"),
        "support": Title("Support", "客户支持"),
        "sustainabilityInfo": Title("Sustainability and recycling", "可持续性与回收"),
        "traceability": Title("Traceability", "追溯信息"),
        "tutorial": Title("Tutorial", "教程"),
        "userAgreement": Title("Agreement", "协议"),
        "verificationService": Title("Verification service (GS1 messaging)", "验证服务（GS1 消息）"),
        "whatsInTheBox": Title("What is in the box", "包装清单"),
    }
)
"""What a link can be. The default links are computed and deprecated words are left out."""


def word_of(text: str) -> str | None:
    """`pip` of `gs1:pip`, `pip` or `https://ref.gs1.org/voc/pip`; None for what is not in the vocabulary."""
    for spelling in _SPELLINGS:
        text = text.removeprefix(spelling)
    return text if text in TYPES or text in (DEFAULT, DEFAULT_MULTI) else None
