"""Export of a profile's data: a profile goes in, one JSON object with all its rows is streamed out.

The models' cascading relations decide what belongs to a profile, so the export holds exactly what
would be deleted with it. A table added later is exported without a change here.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import CASCADE, Field, ForeignObjectRel, Model, QuerySet

from webapp.catalog.models import Genre, Person, Title
from webapp.profiles.models import Profile

NAMED_MODELS: tuple[type[Model], ...] = (Title, Person, Genre)
"""Shared tables: the export adds the names of those rows that the profile's rows point to."""


class Encoder(DjangoJSONEncoder):
    """Writes bytes, such as a slate's ranker features, in base 64."""

    def default(self, o: Any) -> Any:
        if isinstance(o, bytes | memoryview):
            return base64.b64encode(bytes(o)).decode()
        return super().default(o)


def owned_rows(profile: Profile) -> dict[str, QuerySet[Any]]:
    """Return the rows of every table that are deleted with the profile, by relation. No query."""
    paths: dict[type[Model], tuple[str, str]] = {}
    queue: list[tuple[type[Model], str]] = [(Profile, "")]
    while queue:
        model, path = queue.pop(0)
        for relation in _owned_by(model):
            owned = relation.related_model
            if owned not in paths:
                step = f"{relation.field.name}__{path}" if path else relation.field.name
                paths[owned] = relation.get_accessor_name() or owned._meta.model_name or "", step
                queue.append((owned, step))
    return {
        name: model._default_manager.filter(**{path: profile}).order_by("pk")
        for model, (name, path) in paths.items()
    }


def export_of(profile: Profile) -> Iterator[str]:
    """Yield the parts of one JSON object. One query per table and per shared table."""
    named_ids: dict[type[Model], set[int]] = {model: set() for model in NAMED_MODELS}
    yield '{"profile": ' + _json(_row(profile, named_ids))
    for name, rows in owned_rows(profile).items():
        yield f', "{name}": ['
        separator = ""
        for row in rows.iterator(chunk_size=500):
            yield separator + _json(_row(row, named_ids))
            separator = ", "
        yield "]"
    for model, ids in named_ids.items():
        names = {str(row.pk): str(row) for row in model._default_manager.filter(pk__in=ids)}
        yield f', "{model._meta.model_name}_names": {_json(names)}'
    yield "}\n"


def _owned_by(model: type[Model]) -> Iterator[ForeignObjectRel]:
    """Yield the relations whose rows are deleted with a row of the model."""
    for relation in model._meta.related_objects:
        if getattr(relation, "on_delete", None) is CASCADE:
            yield relation


def _row(instance: Model, named_ids: dict[type[Model], set[int]]) -> dict[str, Any]:
    """Return the row's columns, and add ids of shared tables to `named_ids`."""
    fields: list[Field[Any, Any]] = list(instance._meta.concrete_fields)
    names: dict[str, str] = getattr(instance, "EXPORTED_NAMES", {})
    row = {}
    for field in fields:
        value = getattr(instance, field.attname)
        row[names.get(field.attname, field.attname)] = value
        if field.related_model in named_ids and value is not None:
            named_ids[field.related_model].add(value)
    return row


def _json(value: object) -> str:
    return json.dumps(value, cls=Encoder, ensure_ascii=False)
