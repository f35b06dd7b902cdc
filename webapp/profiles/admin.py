"""Admin of profiles. Their ratings and events are not edited there."""

from django.contrib import admin

from webapp.profiles.models import Profile


@admin.register(Profile)
class ProfileAdmin(admin.ModelAdmin[Profile]):
    list_display = ["name", "account", "external_id", "created_at"]
    search_fields = ["name", "external_id", "account__username"]
    autocomplete_fields = ["account"]
