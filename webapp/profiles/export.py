"""All that is kept of a profile, as JSON: found by the models' own relations, so nothing is missed.

Whatever would be deleted with the profile is in it. A table that comes to belong to profiles later
is exported without a word here.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import CASCADE, Field, ForeignObjectRel, Model, QuerySet

from webapp.catalog.models import Genre, Person, Title
from webapp.profiles.models import Profile

NAMED: tuple[type[Model], ...] = (Title, Person, Genre)
"""What is shared with others: the export names what the profile's rows point to."""


class Encoder(DjangoJSONEncoder):
    """Bytes, such as the fields a ranker was told, are written in base 64."""

    def default(self, o: Any) -> Any:
        if isinstance(o, bytes | memoryview):
            return base64.b64encode(bytes(o)).decode()
        return super().default(o)


def belongings(profile: Profile) -> dict[str, QuerySet[Any]]:
    """Return, by name, the rows of every table that are deleted with the profile. No query."""
    found: dict[type[Model], tuple[str, str]] = {}
    waiting: list[tuple[type[Model], str]] = [(Profile, "")]
    while waiting:
        model, path = waiting.pop(0)
        for relation in _owned_by(model):
            owned = relation.related_model
            if owned not in found:
                step = f"{relation.field.name}__{path}" if path else relation.field.name
                found[owned] = relation.get_accessor_name() or owned._meta.model_name or "", step
                waiting.append((owned, step))
    return {
        name: model._default_manager.filter(**{path: profile}).order_by("pk")
        for model, (name, path) in found.items()
    }


def export_of(profile: Profile) -> Iterator[str]:
    """Yield the pieces of one JSON object. One query a table, and one for each kind of name."""
    named: dict[type[Model], set[int]] = {model: set() for model in NAMED}
    yield '{"profile": ' + _piece(_row(profile, named))
    for name, rows in belongings(profile).items():
        yield f', "{name}": ['
        separator = ""
        for one in rows.iterator(chunk_size=500):
            yield separator + _piece(_row(one, named))
            separator = ", "
        yield "]"
    for model, ids in named.items():
        names = {str(one.pk): str(one) for one in model._default_manager.filter(pk__in=ids)}
        yield f', "{model._meta.model_name}_names": {_piece(names)}'
    yield "}\n"


def _owned_by(model: type[Model]) -> Iterator[ForeignObjectRel]:
    for relation in model._meta.related_objects:
        if getattr(relation, "on_delete", None) is CASCADE:
            yield relation


def _row(one: Model, named: dict[type[Model], set[int]]) -> dict[str, Any]:
    fields: list[Field[Any, Any]] = list(one._meta.concrete_fields)
    row = {field.attname: getattr(one, field.attname) for field in fields}
    for field in fields:
        if field.related_model in named and row[field.attname] is not None:
            named[field.related_model].add(row[field.attname])
    return row


def _piece(value: object) -> str:
    return json.dumps(value, cls=Encoder, ensure_ascii=False)
