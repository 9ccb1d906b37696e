"""What day it is. Every date of the release system is a day in UTC, so that two machines agree on it."""

from datetime import UTC, date, datetime

from release.errors import UsageError
from release.fields import FIRST_DAY, LAST_DAY


def today() -> date:
    """The current day in UTC, whatever the machine's time zone."""
    return datetime.now(UTC).date()


def parse_day(text: str | None, option: str = "--as-of") -> date:
    """The day that an option names, or today; UsageError for what is no date."""
    if not text:
        return today()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} is not a date\n  expected: YYYY-MM-DD\n  got: {text}") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise UsageError(f"{option} is out of range\n  expected: a day from {FIRST_DAY} to {LAST_DAY}\n  got: {text}")
    return day
