"""Real user agents: bots are told from people's browsers, and each device has its class."""

import time

import pytest

from webapp.events.user_agents import MAX_CHARACTERS, device_of, is_bot

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
BROWSERS = {
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/131.0 Safari/537.36": "computer",
    f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/130.0.0.0 Safari/537.36 Edg/130.0": "computer",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.6 Safari/605.1.15": "computer",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0": "computer",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/131.0 Safari/537.36": "computer",
    f"Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20 PRO) {WEBKIT} Chrome/96.0 Mobile": "phone",
    f"Mozilla/5.0 (Linux; Android 7.0; CUBOT_MANITO Build/NRD90M) {WEBKIT} Chrome/64.0": "phone",
    f"Mozilla/5.0 (Linux; Android 14; SM-S918B) {WEBKIT} SamsungBrowser/26.0 Mobile": "phone",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 Safari/604.1": "phone",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) [FBAN/FBIOS;FBAV/430.0]": "phone",
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) Version/17.5 Mobile Safari/604.1": "phone",
    f"Mozilla/5.0 (Web0S; Linux/SmartTV) {WEBKIT} Chrome/79.0 WebAppManager": "television",
    f"Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) {WEBKIT} 76.0/6.0 TV Safari/537.36": "television",
    "Mozilla/5.0 (Linux; Android 9; BRAVIA 4K) Chrome/108.0": "television",
    "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) Version/13.0 Safari/605.1.15": "",
    "": "",
}
BOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    f"Mozilla/5.0 {WEBKIT}; compatible; GPTBot/1.1; +https://openai.com/gptbot",
    f"Mozilla/5.0 {WEBKIT}; compatible; ChatGPT-User/1.0; +https://openai.com/bot",
    "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/131.0.0.0 Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {WEBKIT} Chrome/131.0.6778.69 "
    "Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.5.0",
    "Wget/1.21.4",
    "python-requests/2.32.3",
    "python-httpx/0.28.1",
    "Python-urllib/3.11",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "Apache-HttpClient/4.5.14 (Java/17)",
    "Scrapy/2.11 (+https://scrapy.org)",
    "kube-probe/1.29",
    "ABotThatNobodyListsYet/1.0",
]


@pytest.mark.parametrize(("user_agent", "device"), BROWSERS.items())
def test_a_browser_is_no_bot_and_has_its_device(user_agent, device):
    assert (is_bot(user_agent), device_of(user_agent)) == (False, device)


@pytest.mark.parametrize("user_agent", BOTS)
def test_a_bot_is_recognised(user_agent):
    assert is_bot(user_agent)


@pytest.mark.parametrize("user_agent", ["x" * 60_000, "bot " * 20_000, "Mozilla/5.0 (;" * 5_000])
def test_a_hostile_user_agent_takes_no_time(user_agent):
    """The library alone needs 16 s for 8,000 letters."""
    is_bot("compile the list first")
    started = time.process_time()
    is_bot(user_agent)
    assert time.process_time() - started < 0.5


def test_a_user_agent_is_read_up_to_its_limit():
    assert is_bot("-" * (MAX_CHARACTERS - 10) + " SomeBot/1")
    assert not is_bot("-" * MAX_CHARACTERS + " SomeBot/1")
