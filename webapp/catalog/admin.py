"""Admin of titles, genres and people."""

from django.contrib import admin

from webapp.catalog.models import Credit, Genre, Person, Title


class CreditInline(admin.TabularInline[Credit, Title]):
    model = Credit
    extra = 0
    autocomplete_fields = ["person"]


@admin.register(Title)
class TitleAdmin(admin.ModelAdmin[Title]):
    list_display = ["name", "year", "kind", "runtime_minutes", "votes", "added_at"]
    list_filter = ["kind", "genres"]
    search_fields = ["name", "external_id"]
    date_hierarchy = "added_at"
    filter_horizontal = ["genres"]
    inlines = [CreditInline]


@admin.register(Genre)
class GenreAdmin(admin.ModelAdmin[Genre]):
    list_display = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Person)
class PersonAdmin(admin.ModelAdmin[Person]):
    search_fields = ["name"]
