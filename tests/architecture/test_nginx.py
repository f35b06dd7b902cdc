"""deploy/nginx.conf, run by a real nginx before a server that notes what reaches it."""

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(
    NGINX is None, reason="No nginx was found: `apt-get install nginx-light`."
)
MAIN = """
{user}
daemon off;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ text/css css; }}
    include {folder}/site.conf;
}}
"""


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # so that no connection outlives its request
    seen: list[tuple[str, dict[str, str], int]] = []

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen.append((self.path, headers, len(body)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *args):
        pass


class Site:
    def __init__(self, plain, tls, certificate):
        self.plain, self.tls = plain, tls
        self.context = ssl.create_default_context(cafile=str(certificate))

    def ask(self, method, path, body=None, **headers):
        host = {"Host": "films.example.org"}
        connection = http.client.HTTPSConnection("127.0.0.1", self.tls, context=self._lenient())
        connection.request(
            method, path, body, host | {k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def open(self):
        raw = socket.create_connection(("127.0.0.1", self.tls), 10)
        return self.context.wrap_socket(raw, server_hostname="films.example.org")

    def _lenient(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=films.example.org", "-addext", "subjectAltName=DNS:films.example.org",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "static" / "css").mkdir(parents=True)
    for name in ("site.css", "site.0123456789ab.css"):
        (folder / "static" / "css" / name).write_text("body{}")
    plain, tls = free_port(), free_port()
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for pattern, ours in [
        (r"127\.0\.0\.1:8000", f"127.0.0.1:{upstream.server_port}"),
        (r"listen \[::\][^;]*;", ""),
        (r"listen 80;", f"listen 127.0.0.1:{plain};"),
        (r"listen 443 ", f"listen 127.0.0.1:{tls} "),
        (r"/etc/\S+/fullchain\.pem", str(certificate)),
        (r"/etc/\S+/privkey\.pem", str(key)),
        (r"/srv/marquee/var/static/", f"{folder}/static/"),
        (r"/var/log/nginx/", f"{folder}/"),
        (r"(client_(?:header|body)_timeout) 10s", r"\1 1s"),
    ]:
        text, count = re.subn(pattern, ours, text)
        assert count, f"{pattern} is not in deploy/nginx.conf"
    (folder / "site.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""  # tests' folders are their owner's alone
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
    command = [NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while not answers(tls):
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield Site(plain, tls, certificate)
    finally:
        process.terminate()
        process.wait(20)
        upstream.shutdown()
        upstream.server_close()


def answers(port):
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(autouse=True)
def _nothing_seen():
    Upstream.seen.clear()


def test_tls_ends_here_and_plain_http_is_sent_on(site):
    with site.open() as checked:
        assert checked.version() in ("TLSv1.2", "TLSv1.3")
    connection = http.client.HTTPConnection("127.0.0.1", site.plain)
    connection.request("GET", "/search/?q=x", headers={"Host": "films.example.org"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 308
    assert answer.headers["Location"] == "https://films.example.org/search/?q=x"
    connection.close()


def test_what_a_client_says_of_itself_is_replaced(site):
    site.ask(
        "GET", "/", X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="http",
        X_Marquee_Simulation="guess",
    )  # fmt: skip
    [(path, headers, _)] = Upstream.seen
    assert (path, headers["host"]) == ("/", "films.example.org")
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"
    assert "x-marquee-simulation" not in headers


def test_slow_headers_are_cut_off_and_reach_nobody(site):
    with site.open() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: films.example.org\r\n")
        assert ended(slow)
    assert Upstream.seen == []


def test_a_slow_body_reaches_marquee_whole_or_not_at_all(site):
    head = b"POST /api/v1/events HTTP/1.1\r\nHost: films.example.org\r\nContent-Length: 9\r\n\r\n"
    with site.open() as slow:
        slow.sendall(head + b"123")
        time.sleep(0.3)
        assert Upstream.seen == [], "it waits here"
        slow.sendall(b"456789")
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
    assert [length for _, _, length in Upstream.seen] == [9]
    Upstream.seen.clear()
    with site.open() as slow:
        slow.sendall(head + b"123")
        assert ended(slow)
    assert Upstream.seen == []


def test_a_body_that_is_too_large_is_refused(site):
    assert site.ask("POST", "/api/v1/events", b"x" * 513 * 1024).status == 413
    assert site.ask("POST", "/api/v1/events", b"x" * 511 * 1024).status == 200


def test_static_files_are_served_here_for_long(site):
    for name, long in (("site.css", False), ("site.0123456789ab.css", True)):
        answer = site.ask("GET", f"/static/css/{name}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/css")
        assert ("315360000" in answer.headers["Cache-Control"]) == long
    assert Upstream.seen == []


def ended(connection, within=8):
    """Whether the server hung up, having said nothing or that it waited too long."""
    connection.settimeout(within)
    try:
        answer = connection.recv(1000)
    except (ConnectionResetError, ssl.SSLError):
        return True
    except TimeoutError:
        return False
    return answer == b"" or b" 408 " in answer
