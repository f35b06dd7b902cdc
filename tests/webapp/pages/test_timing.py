"""Staff see what a page took by stage; nobody else does, and nobody is looked up for it."""

import re

import pytest
from django.contrib.auth.models import User

from recommender.serving.stages import listening, stage
from webapp.engine.live import holder

pytestmark = pytest.mark.django_db


def parts_of(header):
    return dict(re.findall(r"(\w+);dur=([\d.]+)", header))


def test_staff_see_every_stage_of_the_home_page(client, release, films):
    client.force_login(User.objects.create_user("op", password="a long password", is_staff=True))
    header = client.get("/")["Server-Timing"]
    parts = parts_of(header)
    stages = ["events", "taste", "retrieve", "rank", "page", "slate", "render"]
    assert list(parts) == [*stages, "db", "total"]
    times = {name: float(ms) for name, ms in parts.items()}
    assert 0 < sum(times[name] for name in stages) <= times["total"]
    queries = int(re.search(r'desc="(\d+) queries"', header)[1])
    assert queries >= 6


def test_nobody_else_sees_it(client, owner_client, films):
    assert "Server-Timing" not in owner_client.get("/")
    owner_client.logout()
    assert "Server-Timing" not in client.get("/")
    assert "Server-Timing" not in client.get("/healthz")


def test_a_stage_counts_while_someone_listens_and_costs_nothing_else():
    with stage("alone"):
        pass
    with listening() as seconds:
        for _ in range(2):
            with stage("inner"):
                pass
        with pytest.raises(ZeroDivisionError), stage("failed"):
            1 / 0  # noqa: B018
    with stage("after"):
        pass
    assert sorted(seconds) == ["failed", "inner"]
    assert seconds["inner"] > 0


def test_the_whole_home_page_costs_at_most_twelve_queries(
    owner_client, release, films, settings, django_assert_max_num_queries
):
    """For a profile in a visit, with all that came between recorded; titles not at hand yet."""
    settings.RELEASE_POLL_SECONDS = 3600
    owner_client.get("/")
    owner_client.get(films[30].get_absolute_url())
    holder.get().cards._titles.clear()
    with django_assert_max_num_queries(12):
        owner_client.get("/")
    with django_assert_max_num_queries(10):
        owner_client.get("/")
