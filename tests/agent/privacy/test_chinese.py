"""Personal data said in Chinese goes; what people say of themselves and of things stays."""

import pytest

from agent.privacy.masking import PersonalDataMasker

MASKER = PersonalDataMasker()

MASKED = [
    ("我叫王小明，想买蓝色衬衫", "我叫[name]，想买蓝色衬衫"),
    ("我的名字是 Anna Li", "我的名字是 [name]"),
    ("叫我小王就行", "叫我[name]就行"),
    ("你好，我是陈静，想找一双鞋", "你好，我是[name]，想找一双鞋"),
    ("我免贵姓刘", "我免贵姓[name]"),
    ("请联系刘女士", "请联系[name]女士"),
    ("我的电话是13800138000", "我的电话是[phone]"),
    ("手机号 139-1234-5678，谢谢", "手机号 [phone]，谢谢"),
    ("联系方式：010-12345678", "联系方式：[phone]"),
    ("我的邮箱是ann@example.com。", "我的邮箱是[mail]。"),
    ("信用卡号6222021234567890128", "信用卡号[card]"),
    ("银行账号6222 0212 3456 7890", "银行账号[iban]"),
    ("身份证号 11010519491231002X", "身份证号 [id]"),
    ("护照号E12345678", "护照号[id]"),
    ("我住在北京市朝阳区建国路88号", "我住在[address]"),
    ("寄到上海市徐汇区漕溪北路18号3楼谢谢", "寄到[address]谢谢"),
    ("姓名：欧阳娜娜 电话：13800138000 地址：浙江省杭州市西湖区文三路90号3栋402室",
     "姓名：[name] 电话：[phone] 地址：[address]"),
    ("100-8111 東京都千代田区千代田1-1", "[address]"),
]  # fmt: skip

KEPT = [
    "我是学生", "我是高中生", "我是程序员，要一台电脑", "我是上海人", "我是白领", "白女士T恤",
    "时尚女士手表", "高个子先生的西装", "给妈妈买一件黄色女士外套", "我叫了外卖", "他叫什么名字",
    "叫我来看看", "订单号13800138000", "订单号是 20241123456789", "快递单号 SF1234567890123",
    "货号：13800138000", "我要1500到3000元的手机", "预算2000-3000元", "三层书架", "5号电池",
    "味道5号香水", "地铁2号线", "路由器5个", "要50*80厘米的", "小米14 16+512", "东京都的地图",
    "两室一厅", "满300减50", "联系人是谁", "名字叫小蓝的玩偶",
]  # fmt: skip


@pytest.mark.parametrize(("said", "stored"), MASKED)
def test_personal_data_is_masked(said, stored):
    assert MASKER.mask(said) == stored
    assert MASKER.mask(stored) == stored


@pytest.mark.parametrize("said", KEPT)
def test_shopping_talk_is_kept(said):
    assert MASKER.mask(said) == said
