"""The pages' addresses."""

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from webapp.pages import (
    account,
    actions,
    browse,
    health,
    history,
    posters,
    searching,
    settings,
    staff,
    welcome,
)

urlpatterns = [
    path("", browse.home, name="home"),
    path("title/<int:pk>/", browse.title, name="title-short"),
    path("title/<int:pk>/<slug:slug>/", browse.title, name="title"),
    path("watch/<int:pk>/", browse.watch, name="watch"),
    path("search/", searching.results, name="search"),
    path("search/forget/", searching.forget, name="forget-search"),
    path("genre/<slug:slug>/", browse.genre, name="genre"),
    path("my-list/", browse.my_list, name="my-list"),
    path("thumb/<int:pk>/", actions.thumb, name="thumb"),
    path("list/<int:pk>/", actions.keep, name="list"),
    path("hide/<int:pk>/", actions.hide, name="hide"),
    path("resume/<int:pk>/", actions.resume, name="resume"),
    path("forget/<int:pk>/", actions.forget, name="forget"),
    path("refuse/person/<int:pk>/", actions.refuse_person, name="refuse-person"),
    path("refuse/genre/<int:pk>/", actions.refuse_genre, name="refuse-genre"),
    path("controls/<int:pk>/", actions.controls, name="controls"),
    path("watch/<int:pk>/stopped/", actions.stopped, name="stopped"),
    path("profiles/", account.profiles, name="profiles"),
    path("profiles/<int:pk>/choose/", account.choose_profile, name="choose-profile"),
    path("profiles/<int:pk>/switches/", account.set_switches, name="set-switches"),
    path("profiles/<int:pk>/", settings.profile, name="profile"),
    path("profiles/<int:pk>/data/", settings.data, name="profile-data"),
    path("profiles/<int:pk>/delete/", settings.delete_profile, name="delete-profile"),
    path("account/delete/", settings.delete_account, name="delete-account"),
    path("welcome/", welcome.welcome, name="welcome"),
    path("history/", history.history, name="history"),
    path("login/", account.LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("posters/<int:pk>.svg", posters.poster, name="poster"),
    path("backdrops/<int:pk>.svg", posters.backdrop, name="backdrop"),
    path("staff/", include("webapp.pages.dashboards.urls")),
    path("staff/training/", staff.training, name="staff-training"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
