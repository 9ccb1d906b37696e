"""The words of the generated tables, in English and Chinese. The Chinese ones are the source's."""

from typing import Literal

from release.branches import Phase

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

END_OF_LIFE = "End Of Life"

BRANCH_HEADERS: dict[Language, tuple[str, ...]] = {
    "en": ("Branch", "Status", "Initial release", "Next phase", "EOL date"),
    "zh": ("分支名", "当前状态", "上线时间", "后续状态", "EOL 日期"),
}

POLICY_HEADERS: dict[Language, tuple[str, ...]] = {
    "en": ("Status", "Duration", "Meaning"),
    "zh": ("状态", "持续时间", "说明"),
}

MEANINGS: dict[Language, dict[Phase, str]] = {
    "en": {
        Phase.PLANNING: "Features are being planned.",
        Phase.DEVELOPMENT: "Features are being developed; only pre-releases are published.",
        Phase.MAINTAINED: "Every fix may come in, and versions are published.",
        Phase.UNMAINTAINED: "Every fix may come in; nobody maintains the branch, and nothing more is published.",
        Phase.EOL: "The branch takes no more changes.",
    },
    "zh": {
        Phase.PLANNING: "特性规划。",
        Phase.DEVELOPMENT: "特性开发。",
        Phase.MAINTAINED: "允许所有问题修复的合入，并发布版本。",
        Phase.UNMAINTAINED: "允许所有问题修复的合入，无专人维护，不再发布版本。",
        Phase.EOL: "不再接受修改合入该分支。",
    },
}

HARDWARE_HEADERS: dict[Language, tuple[str, ...]] = {
    "en": ("Hardware", "System", "Architectures", "Python", "As"),
    "zh": ("硬件平台", "操作系统", "架构", "Python", "形式"),
}
IMAGE_HEADERS: dict[Language, tuple[str, ...]] = {
    "en": ("Row", "`devel`", "`runtime`", "`x.y.z`", "Tested"),
    "zh": ("行", "`devel`", "`runtime`", "`x.y.z`", "测试"),
}
WHEEL_HEADERS: dict[Language, tuple[str, ...]] = {
    "en": ("Wheel", "Python", "Platform", "State", "Tested"),
    "zh": ("安装包", "Python", "平台", "状态", "测试"),
}
EXCLUDED_HEADERS: dict[Language, tuple[str, ...]] = {"en": ("Left out", "Reason"), "zh": ("不包含", "原因")}
CELL_HEADERS: dict[Language, tuple[str, ...]] = {
    "en": ("Cell", "Became", "Rows", "State", "Why"),
    "zh": ("单元格", "结果", "行", "状态", "原因"),
}
EMULATED: dict[Language, str] = {"en": ", emulated by QEMU", "zh": "，由 QEMU 模拟"}
STATE_NAMES: dict[Language, dict[str, str]] = {
    "en": {"built-and-run": "built and run", "built": "built", "rendered": "rendered"},
    "zh": {"built-and-run": "已构建并运行", "built": "已构建", "rendered": "仅生成"},
}
CELL_STATES: dict[Language, dict[str, str]] = {
    "en": {"covered": "covered", "superseded": "superseded"},
    "zh": {"covered": "支持", "superseded": "被取代"},
}
