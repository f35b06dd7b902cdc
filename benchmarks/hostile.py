"""Hostile requests: addresses and known ids in; requests that no browser of ours sends out.

Each request comes from a seed and its number alone, so a finding is made again by both. Most are
built on what the site expects, with one or two parts made wrong, so that they get past the first
check; some are wrong all over.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from django.urls import URLPattern, URLResolver, get_resolver

MARK = "<marquee-x>"
"""Shown on a page as it is here, it would be a tag of the caller's."""
INJECTED = "X-Injected"
"""A header that an answer has only if a line break of the caller's reached it."""
CSRF = "c" * 32
USER_AGENTS = ("Mozilla/5.0 (X11; Linux)", "curl/8", "Googlebot/2.1", "", "\xff" * 300, "x" * 9000)
METHODS = (
    *("GET",) * 20, *("POST",) * 20, "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
    "PROPFIND", "A" * 50,
)  # fmt: skip
TEXTS = (
    "", " ", "0", "-1", "1", "007", "1e999", "NaN", "Infinity", "0x10", "null", "None", "true",
    "[]", "{}", "9" * 5000, str(2**31), str(2**63 - 1), str(2**63), str(10**30), "\0", "a\0b",
    "\ud800", "half \ud83d", "²", "١٢٣", "１２", "½", "\u202e", "\u2028", "\ufeff", "🎬" * 200,
    "e\u0301" * 300, "a" * 300, "a" * 301, "a b " * 2500, "%", "%s%n{0}{{7*7}}", "_" * 40,
    "' OR 1=1 --", "\\", '"', f'"><script>{MARK}', f"{MARK}", f"x\r\n{INJECTED}: 1",
    "../../../../etc/passwd", "//evil.example", "https://evil.example/", "javascript:alert(1)",
    "/login/?next=/login/", "2026-02-30", "0000-00-00", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "2026-03-01T20:15:00", "-" * 500, "AND OR NOT", "(((", "*", "\t\n",
    "=HYPERLINK(1)", "like:", "genre:", "1980s 1990s 2000s", '"unclosed', "ß" * 100, "İ" * 100,
    "ﬃ" * 99, "\u0000\u0001\u0002", "ａｌｉｅｎ", "not " * 100,
)  # fmt: skip
"""Values of parameters, fields, cookies and parts of addresses."""
RAW = ("%", "%0", "%zz", "%FF%FE", "%C0%80", "%ED%A0%80", "%00", "a=1;b=2", "&&&=&", "q=%u0041",
       "q[]=1&q[a]=2", "=", "?", "q", "+" * 2000, "&".join(["q=1"] * 1200))  # fmt: skip
"""Query strings and forms as they stand."""
PARAMS = ("q", "page", "next", "days", "traffic", "arm", "csv", "explain", "v", "deep", "format",
          "o", "p", "e", "_popup", "_to_field", "_changelist_filters", "term", "app_label",
          "model_name", "field_name", "id__in", "name__icontains", "is_active__exact", "all",
          "visit", "live", "id", "sort", "genre", "decade", "language", "length", "age", "kind",
          "seen")  # fmt: skip
FIELDS = ("value", "next", "q", "id", "name", "title", "rows", "live", "release", "minutes",
          "confirmed", "username", "password", "old_password", "new_password1", "new_password2",
          "code", "is_child", "maturity_limit", "is_personalized", "keeps_history", "events",
          "from", "action", "_selected_action", "index", "post", "csrfmiddlewaretoken", "_save",
          "year", "external_id", "slug", "added_at_0", "added_at_1", "groups",
          "user_permissions")  # fmt: skip
RIGHT = ("up", "down", "love", "add", "remove", "hide", "show", "refuse", "allow", "not_now", "yes",
         "on", "western", "drama number", "2", "/", "/profiles/", "7", "real", "1")  # fmt: skip
"""Values that some field takes."""
CHARSETS = ("utf-8", "zlib", "utf-16", "utf-7", "idna", "no-such", "\xff", "hex", "a" * 4000)
HEADERS: dict[str, tuple[str, ...]] = {
    "Host": ("evil.example", "", "localhost:99999", "[::1", "a" * 5000, "127.0.0.1\xff"),
    "X-Forwarded-For": ("1.2.3.4", "\xff" * 500, "a" * 5000, ",,,,", "1.2.3.4, 5.6.7.8",
                        "::1%eth0"),
    "X-Forwarded-Proto": ("https", "http,https", "\xff"),
    "X-Forwarded-Host": ("evil.example",),
    "Forwarded": ("for=1.2.3.4;proto=https",),
    "Accept": ("application/json", "no/such;q=x", "text/html;q=\xff", "*/*" * 500, ""),
    "Accept-Encoding": ("gzip;q=\xff", "gzip", "br;q=0, *;q=x", "identity;q=0"),
    "Accept-Language": ("\xff", "de" * 3000, "en-US,en;q=nan"),
    "Range": ("bytes=9-1", "bytes=-99999999999999999999", "bytes=0-0,1-1,2-2", "x"),
    "If-None-Match": ("*", '"', 'W/"\xff"', '"a",' * 500),
    "If-Modified-Since": ("never", "Thu, 99 Jan 9999 99:99:99 GMT", "\xff"),
    "If-Match": ('"x"',),
    "HX-Request": ("true", "\xff"),
    "HX-Boosted": ("true",),
    "HX-Target": ("\xff", "main", MARK),
    "HX-Trigger": (MARK, "\xff" * 900),
    "HX-Current-URL": ("http://[::1/x", "\xff", "javascript:1"),
    "HX-Current-URL-URI-AutoEncoded": ("true",),
    "HX-History-Restore-Request": ("true",),
    "HX-Prompt": ("\xff",),
    "Referer": ("http://[::1/x", "http://evil.example/", "\xff", MARK),
    "Origin": ("null", "http://evil.example", "http://[::1", "\xff"),
    "Purpose": ("prefetch", "\xff"),
    "Sec-Purpose": ("prefetch;prerender", "\xff"),
    "Sec-Fetch-Site": ("cross-site", "\xff"),
    "Authorization": ("Bearer \xff", "Basic " + "=" * 99, "Token", "Bearer", "Bearer  x", "\xff"),
    "X-HTTP-Method-Override": ("DELETE",),
    "X-Requested-With": ("XMLHttpRequest",),
    "X-Marquee-Now": ("x", "0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+23:59", "2026-01-01",
                      "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "\xff", "2020-W01-1"),
    "X-Marquee-Simulation": ("guess", "\xff"),
    "Upgrade": ("websocket", "h2c"),
    "Content-Encoding": ("gzip", "zstd"),
    "Content-Language": ("\xff",),
    "Content-MD5": ("x",),
    "Content-Disposition": ("attachment; filename=../../x",),
    "Via": ("1.1 x",),
    "Max-Forwards": ("-1",),
    "Cookie2": ("$Version=1",),
}  # fmt: skip
COOKIES = (
    r'sessionid="\000abcdefghij"', "sessionid=" + "a" * 5000, "sessionid=\xff", "sessionid=",
    "sessionid=00000000000000000000000000000000", "marquee_visit=a:b:c", r'marquee_visit="\000"',
    "marquee_visit=" + "x" * 4000, "marquee_from=1:2:3:9", "marquee_from=\xff", "messages=\xff",
    "csrftoken=x", r'csrftoken="\377"', r'marquee_browser="\377:a:b"', ";;;=;", "=", "a" * 6000,
    "=".join("abc" * 500), "$Version=1; sessionid=x",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request, before it is bytes or a WSGI environment.

    Attributes:
        actor: who sends it; "guest" or a name that the sender has cookies of.
        route: the address as the resolver knows it.
        method: of HTTP.
        path: percent-encoded.
        query: as it stands, without the question mark.
        headers: names with hyphens and values of Latin-1.
        body: empty for none.
    """

    actor: str
    route: str
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def raw(self, host: str, cookies: Mapping[str, str]) -> bytes:
        """Return it as bytes of HTTP/1.1, for a connection of its own."""
        headers = {"Host": host, "Connection": "close"} | dict(self.headers)
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            headers.setdefault("Content-Length", str(len(self.body)))
        headers["Cookie"] = self._cookie_header(cookies)
        target = self.path + (f"?{self.query}" if self.query else "")
        lines = [f"{self.method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        head = "\r\n".join(lines) + "\r\n\r\n"
        return head.encode("latin-1", "replace") + self.body

    def environ(self, cookies: Mapping[str, str]) -> dict[str, Any]:
        """Return what `django.test.Client.request` takes."""
        environ = {
            "REQUEST_METHOD": self.method,
            "PATH_INFO": unquote_to_bytes(self.path).decode("latin-1"),
            "QUERY_STRING": self.query,
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.input": BytesIO(self.body),
            "HTTP_COOKIE": self._cookie_header(cookies),
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        return environ

    def _cookie_header(self, cookies: Mapping[str, str]) -> str:
        own = [f"{name}={value}" for name, value in cookies.items()]
        return "; ".join([*own, *([self.headers["Cookie"]] if "Cookie" in self.headers else [])])


@dataclass(frozen=True)
class Known:
    """What the site holds, for requests that go further than the first check.

    Attributes:
        numbers: ids by model ("catalog.title"), and those of an actor's profiles by its name.
        slugs: of titles, people and genres.
        slates: one's own and others'.
        kinds: of events.
        now: when events may have happened, in ISO 8601.
    """

    numbers: Mapping[str, Sequence[int]]
    slugs: Sequence[str]
    slates: Sequence[str]
    kinds: Sequence[str]
    now: str


def routes(patterns: object = None, before: str = "") -> Iterator[str]:
    """Yield every address that the resolver knows, as it is written in the urls modules."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:  # type: ignore[attr-defined]
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        elif isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)


class Attacker:
    """Draws requests."""

    def __init__(
        self, known: Known, actors: Sequence[str], seed: int, spared: Sequence[str] = ()
    ) -> None:
        """Prepare.

        Args:
            known: what the site holds.
            actors: who may send, the operator last.
            seed: of all requests.
            spared: addresses that are not tried.
        """
        self._known, self._actors, self._seed = known, actors, seed
        self._routes = sorted(set(routes()) - set(spared))
        self._own = [route for route in self._routes if not route.startswith("admin/")]

    def request(self, number: int) -> Request:
        """Return the request of this number: every address in turn, the rest by chance.

        Every other one is for an address of ours, and not of Django's admin. Who sends it may
        mostly do so.
        """
        rng = random.Random(f"{self._seed} {number}")  # noqa: S311  not a secret
        among = self._own if number % 2 else self._routes
        route = among[number // 2 % len(among)]
        actor = rng.choice(self._actors)
        if route.startswith(("admin/", "staff/")) and rng.random() < 0.6:
            actor = self._actors[-1]
        return _Drawing(rng, self._known, actor, route).request()


class _Drawing:
    """One request while it is drawn."""

    def __init__(self, rng: random.Random, known: Known, actor: str, route: str) -> None:
        self._rng, self._known, self._actor, self._route = rng, known, actor, route

    def request(self) -> Request:
        rng, actor, route = self._rng, self._actor, self._route
        method = rng.choice(METHODS)
        path = self._path(route)
        query = self._query() if rng.random() < 0.6 else ""
        headers = self._headers()
        body = b""
        if method in ("POST", "PUT", "PATCH", "DELETE") or rng.random() < 0.05:
            content_type, body = self._body()
            headers["Content-Type"] = content_type
        elif rng.random() < 0.05:
            headers["Content-Type"] = f"text/plain; charset={rng.choice(CHARSETS)}"
        request = Request(actor, route, method, path, query, headers, body)
        return self._broken(request) if rng.random() < 0.03 else request

    def _path(self, route: str) -> str:
        """Return the address, filled; one in twelve has something odd behind or within."""
        route = re.sub(r"\(\?P<(\w+)>([\w|]+)\)", self._one_of, route)
        route = re.sub(r"\(\?P<(\w+)>\.\*\)", "<path:any>", route).replace("^", "").replace("$", "")
        path = "/" + re.sub(r"<(?:(\w+):)?(\w+)>", self._part, route)
        if self._rng.random() < 1 / 12:
            odd = ["%00", "/../", "//", "%FF", ";x=1", "%2e%2e%2f", "a" * 3000, "/.", "%0d%0ax",
                   "?", "#", "%u0041", "\\", "%25", "\xe9"]  # fmt: skip
            at = self._rng.randrange(1, len(path) + 1)
            path = path[:at] + self._rng.choice(odd) + path[at:]
        return path

    def _one_of(self, found: re.Match[str]) -> str:
        return self._rng.choice(str(found[2]).split("|"))

    def _part(self, found: re.Match[str]) -> str:
        kind, rng = found[1], self._rng
        if kind == "int":
            odd = ["0", "00", str(2**31), str(2**63 - 1), str(2**63), "9" * 400]
            return rng.choice(odd) if rng.random() < 0.25 else self._number()
        if kind == "uuid":
            odd = ["0" * 8 + "-0000-0000-0000-" + "0" * 12, "ffffffff-ffff-4fff-bfff-" + "f" * 12]
            return rng.choice(odd if rng.random() < 0.4 else list(self._known.slates))
        if kind == "slug":
            return rng.choice([*self._known.slugs, "-", "_", "a" * 400, "no-such"])
        return self._number() if rng.random() < 0.5 else _quoted(rng.choice(TEXTS), safe="/")

    def _number(self) -> str:
        """Return an id: mostly of what the address is about, else of anything."""
        numbers, rng = self._known.numbers, self._rng
        kind = self._kind() if rng.random() < 0.8 else rng.choice(sorted(numbers))
        return str(rng.choice(numbers.get(kind) or numbers["catalog.title"]))

    def _kind(self) -> str:
        """Return what the address is about, by its words: a model, or whose profiles."""
        if found := re.match(r"admin/(\w+)/(\w+)/", self._route):
            return f"{found[1]}.{found[2]}"
        if "profiles/" in self._route:
            return self._actor if self._rng.random() < 0.7 else "profiles.profile"
        kinds = {"person": "catalog.person", "genre": "catalog.genre", "people": "profiles.profile"}
        return next((kind for word, kind in kinds.items() if word in self._route), "catalog.title")

    def _value(self) -> str:
        rng = self._rng
        among = rng.random()
        if among < 0.25:
            return rng.choice(RIGHT)
        if among < 0.4:
            return self._number()
        if among < 0.45:
            return rng.choice(list(self._known.slates))
        return rng.choice(TEXTS)

    def _query(self) -> str:
        rng = self._rng
        if rng.random() < 0.15:
            return rng.choice(RAW)
        names = rng.sample(PARAMS, rng.choice((1, 1, 1, 2, 4)))
        return "&".join(f"{name}={_quoted(self._value())}" for name in names)

    def _headers(self) -> dict[str, str]:
        rng = self._rng
        headers = {"User-Agent": rng.choice(USER_AGENTS) if rng.random() < 0.1 else USER_AGENTS[0]}
        if rng.random() < 0.95:
            headers["X-CSRFToken"] = CSRF
        for name in rng.sample(sorted(HEADERS), rng.choice((0, 0, 0, 1, 1, 2, 5))):
            headers[name] = rng.choice(HEADERS[name])
        if rng.random() < 0.05:
            headers["Cookie"] = rng.choice(COOKIES)
        if rng.random() < 0.02:
            headers[rng.choice(("X-Long", "X\xff", "X-Y"))] = "x" * rng.choice((10, 8000, 60_000))
        return headers

    def _body(self) -> tuple[str, bytes]:
        """Return a content type and a body that mostly agree."""
        rng = self._rng
        if self._route.startswith("api/") or rng.random() < 0.1:
            content_type, body = "application/json", self._json()
        elif rng.random() < 0.75:
            content_type, body = "application/x-www-form-urlencoded", self._form()
        else:
            content_type, body = self._multipart()
        if rng.random() < 0.04:
            content_type += f"; charset={rng.choice(CHARSETS)}"
        elif rng.random() < 0.03:
            content_type = rng.choice(
                ("", "text/xml", "multipart/form-data", "multipart/form-data; boundary=\xff",
                 "multipart/form-data; boundary=" + "b" * 300, "application/json; x*=no''a",
                 "application/octet-stream", "\xff", "a/b" * 900)
            )  # fmt: skip
        return content_type, body

    def _form(self) -> bytes:
        rng = self._rng
        if rng.random() < 0.1:
            return rng.choice(RAW).encode("latin-1")
        names = rng.sample(FIELDS, rng.choice((1, 2, 3, 8)))
        return "&".join(f"{name}={_quoted(self._value())}" for name in names).encode()

    def _multipart(self) -> tuple[str, bytes]:
        rng = self._rng
        boundary = rng.choice(("b", "-" * 60, "x y", '"'))
        parts = []
        for name in rng.sample(FIELDS, rng.choice((1, 3))) * rng.choice((1, 1, 1, 400)):
            head = rng.choice(
                (f'form-data; name="{name}"', f'form-data; name="{name}"; filename="../../{name}"',
                 f"form-data; name*=utf-8''{name}%00", "form-data", 'form-data; name="', "\xff" * 9,
                 f"form-data; name={name}; filename*=x'y", "x" * 2000)
            )  # fmt: skip
            more = rng.choice(("", "", "Content-Transfer-Encoding: base64\r\n",
                               "Content-Type: text/plain; charset=zlib\r\n", "X\r\n"))  # fmt: skip
            value = self._value().encode("utf-8", "surrogatepass")
            line = f"--{boundary}\r\nContent-Disposition: {head}\r\n{more}\r\n".encode("latin-1")
            parts.append(line + value + b"\r\n")
        end = rng.choice((f"--{boundary}--\r\n", "", f"--{boundary}")).encode("latin-1")
        return f"multipart/form-data; boundary={boundary}", b"".join(parts) + end

    def _json(self) -> bytes:
        rng = self._rng
        among = rng.random()
        if among < 0.12:
            return rng.choice(BODIES)
        events = [self._event() for _ in range(rng.choice((1, 1, 2, 20)))]
        batch: Any = {"events": events}
        if rng.random() < 0.3:
            batch["sent_at"] = self._leaf()
        if rng.random() < 0.1:
            batch = rng.choice((events, {"events": self._leaf()}, {self._value(): batch}, [batch]))
        text = json.dumps(batch)
        if rng.random() < 0.05:
            text = text[: rng.randrange(len(text))]
        return text.encode(rng.choice(("utf-16", "utf-8-sig")) if rng.random() < 0.03 else "utf-8")

    def _event(self) -> dict[str, Any]:
        """Return an event, one or two fields of it wrong."""
        rng = self._rng
        event: dict[str, Any] = {
            "id": str(_uuid(rng)),
            "kind": rng.choice(self._known.kinds),
            "title": int(self._number()),
            "occurred_at": self._known.now,
            "surface": rng.choice(("home", "title", "")),
            "slate": rng.choice(list(self._known.slates)),
            "row": "top_picks",
            "slot": 3,
            "position_seconds": rng.choice((0, 600)),
            "duration_seconds": 5400,
            "value": rng.choice(RIGHT[:11]),
            "query": rng.choice(RIGHT),
            "subject": None,
        }
        for name in rng.sample(sorted(event), rng.choice((0, 1, 1, 2, 13))):
            if rng.random() < 0.2:
                del event[name]
            else:
                event[name] = self._leaf()
        if rng.random() < 0.05:
            event[self._value()] = self._leaf()
        return event

    def _leaf(self) -> Any:
        rng = self._rng
        if rng.random() < 0.4:
            return self._value()
        return rng.choice(
            (None, True, False, 0, -1, 1.5, -0.0, 2**31, 2**63, -(2**63), 10**400, 1e308, [], {},
             [[]], [None] * 1000, {"": {"": ""}}, {"a": [1]}, "x" * 10_000, int(self._number()))
        )  # fmt: skip

    def _broken(self, request: Request) -> Request:
        """Return it with its line or lengths broken, as no HTTP library would send it."""
        choices: list[dict[str, Any]] = [
            {"path": "*"}, {"path": "http://evil.example/"}, {"path": request.path[1:] or "x"},
            {"path": "/" + "a" * 9000}, {"method": request.method.lower()}, {"method": "G\xffT"},
            {"headers": {**request.headers, "Content-Length": "-1"}},
            {"headers": {**request.headers, "Content-Length": "1e3"}},
            {"headers": {**request.headers, "Transfer-Encoding": "chunked"}, "body": b"z\r\nx\r\n"},
            {"headers": {**request.headers, "Transfer-Encoding": "gzip, chunked"}},
            {"headers": {**request.headers, "Transfer-Encoding": "chunked"},
             "body": b"%x\r\n" % len(request.body) + request.body + b"\r\n0\r\n\r\n"},
            {"headers": {**request.headers, "Expect": "200-ok"}},
            {"headers": {**request.headers, " Folded": "x\r\n y"}},
            {"headers": {**request.headers, "No Name": "x"}},
        ]  # fmt: skip
        return replace(request, **self._rng.choice(choices))


def _deep(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


BODIES = (
    b"", b"null", b"[]", b"{}", b"7", b'"text"', b"\xff\xfe", b"{", b"NaN", b'{"events": []}',
    b'{"events": null}', b'{"events": {}}', b'{"events": [null]}', b'{"events": [1, "a", []]}',
    b'{"events": [{}]}', b'{"events": [{"id": 1e999}]}', b'{"events": [Infinity]}', b"1" * 5000,
    b'{"events": ' + _deep(30) + b"}", _deep(1000), _deep(100_000),
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"events": [' + b"{}," * 600 + b"{}]}", b'{"events": [{"kind": "\\ud800"}]}',
    b'{"events": [{"\\ud800": 1}]}', b'{"events": [{"id": "a", "id": "b"}]}', b"\xef\xbb\xbf{}",
    b'{"events": [{"title": ' + b"9" * 5000 + b"}]}", b"x" * 600_000, b" " * 500_000,
    b'{"__proto__": {}, "events": [{"__class__": "x"}]}',
)  # fmt: skip


def _quoted(value: str, safe: str = "") -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe=safe)


def _uuid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
