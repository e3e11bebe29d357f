"""Names and addresses in Chinese: "我叫王小明", "收货地址：广东省深圳市南山区科技园路1号".

A name is a surname of the list and one or two letters more, after words that announce one. An
address is what its own words make it: 省, 市, 区, 路 and a number; so is a Japanese one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.privacy.found import Found
from agent.privacy.reading import HAN

_LETTER = f"[{HAN}]"
_SURNAME = (
    "(?:欧阳|上官|司马|诸葛|司徒|东方|南宫|夏侯|皇甫|尉迟|公孙|慕容|令狐|长孙|宇文|"
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任"
    "沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱丘江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔"
    "向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴"
    "霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑"
    "景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝])"
)
_UNSURE = (
    "白金蓝高方程江常万成安华温左单应向文石毛牛时路全农和明古车管关包平商米甘麦冷沙解房连查明易"
)
"""Surnames that begin words people say of themselves: 高中生, 白领, 程序员."""
_NO_NAME = "人员生师手客党粉族皮男女的了吗呢吧啊"
"""Letters that such words end in."""
_ENDS = (
    r"(?=$|[^\w]|[0-9A-Za-z]|想|要|的|是|今年|住|需|找|我|你|您|来|在|喜欢|电话|手机|地址|买|看|请|不|"
    r"有|说|和|跟|给|也|已|刚|昨|前|就|吧)"
)
_SURE = re.compile(
    rf"(?:(?:名字|名|姓名|收件人|收货人|联系人|持卡人|客户|下单人)(?:是|叫|为)?|(?:我|他|她)叫|叫我)"
    rf"[\s:,]{{0,2}}(?P<name>{_SURNAME}{_LETTER}{{1,2}}?{_ENDS})"
)
_PET = re.compile(rf"(?:我叫|叫我)(?P<name>[小老阿]{_SURNAME}){_ENDS}")
_LATIN = re.compile(
    r"(?:名字(?:是|叫)|姓名(?:是|为|:)|[我他她]叫|叫我)\s?"
    r"(?P<name>[A-Z][a-z]+(?: [A-Z][a-z]+){0,2})(?![\w-])"
)
_WHOLE = re.compile(
    rf"(?:我的名字(?:是|叫)|姓名(?:是|为|:)|收[件货]人(?:是|为|:)|联系人(?:是|为|:)|持卡人(?:是|为|:))"
    rf"\s?(?P<name>{_LETTER}{{2,4}})(?!{_LETTER})"
)
"""After these whatever comes, as far as it stands alone."""
_AM = re.compile(
    rf"(?:^|[^\w]|你好|您好)我(?:就)?是(?P<name>(?![{_UNSURE}]){_SURNAME}{_LETTER}{{1,2}}?)"
    rf"(?<![{_NO_NAME}])(?=$|[^\w]|想|要|来|在|请|需)"
)
_FAMILY = re.compile(rf"我(?:免贵)?姓(?P<name>{_SURNAME})")
_TITLED = re.compile(
    rf"(?:(?:我|这|那|就)是|找|给|叫|联系|请|姓|收[件货]人(?:是|为|:)?|[,。!?\s:]|^)"
    rf"(?P<name>(?![{_UNSURE}黄]){_SURNAME}{_LETTER}{{0,2}}?)"
    r"(?:先生|女士|小姐|太太|夫人)(?=$|[^\w]|的|收|您|你|想|要|来|在|请|说)"
)

_LONE = f"(?:(?![在到至是给寄送我你他她的了想要住于这那]){_LETTER})"
_ROAD = r"(?:大道|街道|[路街巷弄]|胡同|新村|小区|花园|公寓|大厦|广场|工业园)"
_PLACES = re.compile(
    rf"(?P<place>{_LONE}{{2,40}})"
    r"(?P<number> ?[0-9一二三四五六七八九十百-]{1,7} ?(?:号楼|号院|号|弄|栋|幢|座|室|单元))"
    r"(?: ?[0-9一二三四五六七八九十-]{1,6} ?(?:号楼|号|栋|幢|座|楼|层|室|单元|房)){0,4}"
    r"(?: ?[0-9A-Za-z-]{1,6}(?!\w))?"
)
"""Letters before the number of a house; `_is_place` looks at the letters."""
_TOLD = re.compile(
    rf"(?:地址|住址|住在|寄到|送到|发到|寄往)(?:是|为)?[\s:]{{0,2}}(?P<place>(?:{_LONE}|[0-9A-Za-z-]){{4,60}})"
)
_AS_FAR = re.compile(rf".*(?:[0-9][号室楼栋幢座层元单]*|{_ROAD}|[省市区县州镇乡村])")
_ENDS_ROAD = re.compile(rf"{_ROAD}$")
_AREAS = re.compile(rf"{_LETTER}(?:特别行政区|自治[区州县]|[省市区县州盟旗镇乡])")
_PARTS = re.compile(rf"{_LETTER}(?:{_ROAD}|[省市区县州镇乡村])")
_PROVINCES = re.compile(
    "北京|上海|天津|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|"
    "海南|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_JAPANESE = re.compile(
    rf"(?:〒? ?\d{{3}}-\d{{4}}\s{{0,2}})?(?:東京都|北海道|(?:大阪|京都)府|{_LETTER}{{2,3}}県)"
    rf"[{HAN}\u3041-\u30ffー]{{1,24}}[0-9一二三四五六七八九十]{{1,4}}"
    r"(?:(?:-|丁目|番地?|号)[0-9]{0,4}){0,5}"
)


def chinese(text: str) -> Iterator[Found]:
    """Yield names and addresses."""
    for rule in (_SURE, _PET, _WHOLE, _LATIN, _AM, _FAMILY, _TITLED):
        for one in rule.finditer(text):
            yield Found(*one.span("name"), "name")
    for one in _PLACES.finditer(text):
        if _is_place(one["place"]):
            yield Found(_begin(one), one.end(), "address")
    for one in _TOLD.finditer(text):
        place = _AS_FAR.match(one["place"])
        if place and len(_PARTS.findall(place[0])) >= 2:
            yield Found(one.start("place"), one.start("place") + place.end(), "address")
    for one in _JAPANESE.finditer(text):
        yield Found(*one.span(), "address")


def _is_place(letters: str) -> bool:
    """Return whether letters before a number are a road or an area, rather than a thing."""
    areas = len(_AREAS.findall(letters))
    return bool(_ENDS_ROAD.search(letters) or areas >= 2 or (areas and letters[-1] in "道里村"))


def _begin(one: re.Match[str]) -> int:
    """Return where a place begins: at its province, if it tells one."""
    province = _PROVINCES.search(one["place"])
    return one.start() + (province.start() if province else 0)
