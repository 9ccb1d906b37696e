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
