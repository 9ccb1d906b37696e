"""What day it is. Every date of the release system is a day in UTC, so that two machines agree on it."""

from datetime import UTC, date, datetime

from release.errors import UsageError


def today() -> date:
    """The current day in UTC, whatever the machine's time zone."""
    return datetime.now(UTC).date()


def parse_day(text: str | None, option: str = "--as-of") -> date:
    """The day that an option names, or today; UsageError for what is no date."""
    try:
        return date.fromisoformat(text) if text else today()
    except ValueError:
        raise UsageError(f"{option} is not a date\n  expected: YYYY-MM-DD\n  got: {text}") from None
