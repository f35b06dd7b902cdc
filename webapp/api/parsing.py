"""JSON bodies: bytes in, plain values out that everything behind can read and answer with.

What no client sends unless it means harm is refused with 400: values nested deep enough to exhaust
the interpreter's stack, and numbers beyond all floats. Half of a surrogate pair, which a browser
sends where it cut a text in the middle of an emoji, is replaced.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MAX_DEPTH = 20
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class BoundedJSONParser(JSONParser):
    """REST framework's parser, with bounds."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the body's value.

        Raises:
            ParseError: it is no JSON, nested too deep, or holds a number that is not finite.
        """
        body = stream.read()
        try:
            value = json.loads(
                body.decode(), parse_constant=_refuse_number, parse_float=_finite_float
            )
        except (ValueError, RecursionError) as error:  # a body that is no UTF-8 is a ValueError
            raise ParseError(f"This is no JSON we can read: {str(error)[:200]}") from error
        _check_depth(value)
        return _without_surrogates(value) if _ESCAPED_SURROGATE.search(body) else value


def _refuse_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _check_depth(value: Any) -> None:
    """Raise ParseError if lists and objects are nested deeper than `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            part
            for container in level
            if type(container) in (dict, list)
            for part in (container.values() if type(container) is dict else container)
        ]
        if not level:
            return
    raise ParseError(f"Values may be nested {MAX_DEPTH} deep.")


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(part) for part in value]
    return value
