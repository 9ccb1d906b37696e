"""``mindspore.log``: messages of programs and of this package on stderr, from the level in the environment variable ``GLOG_v`` on."""

from __future__ import annotations

import logging
import os
import sys

__all__ = ["critical", "debug", "error", "get_level", "info", "warning"]

_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to what `sys.stderr` is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


_logger = logging.getLogger("mindspore")
_handler = _Stderr()
_handler.setFormatter(
    logging.Formatter("[%(levelname)s] ME(%(process)d):%(asctime)s [%(filename)s:%(lineno)d] %(message)s")
)
_logger.addHandler(_handler)
_logger.propagate = False


def get_level() -> str:
    """The least level that is written: "0" debug, "1" info, "2" warning (the default), "3" error, "4" critical."""
    given = os.environ.get("GLOG_v", "2")  # noqa: SIM112 -- MindSpore's name
    return given if given in ("0", "1", "2", "3", "4") else "2"


_logger.setLevel(_LEVELS[int(get_level())])
debug = _logger.debug
info = _logger.info
warning = _logger.warning
error = _logger.error
critical = _logger.critical
