"""What pages take from a viewer."""

import uuid
from typing import Any, cast

from django import forms
from django.http import QueryDict

from webapp.catalog.models import Maturity
from webapp.events.ingest import VALUES
from webapp.profiles.models import Profile

MOST_PICKS = 200


class NewProfileForm(forms.Form):
    name = forms.CharField(max_length=60, label="Name")
    is_child = forms.BooleanField(required=False, label="A child")


class ProfileForm(forms.ModelForm[Profile]):
    """Who it is, and up to which age titles are for."""

    class Meta:
        model = Profile
        fields = ["name", "maturity_limit"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit = self.fields["maturity_limit"]
        limit.choices = [("", "No limit"), *Maturity.choices]  # type: ignore[attr-defined]


class SwitchesForm(forms.ModelForm[Profile]):
    """What a profile lets us keep and use."""

    class Meta:
        model = Profile
        fields = ["is_history_paused", "is_personalized", "hides_watched"]


class ToldForm(forms.Form):
    """What is told of a title, a person or a genre: one of the values of its kind of event."""

    value = forms.ChoiceField()
    id = forms.UUIDField(required=False)

    def __init__(self, kind: str, told: QueryDict) -> None:
        super().__init__(told)
        self.kind = kind
        self.fields["value"].choices = [(v, v) for v in VALUES[kind]]  # type: ignore[attr-defined]

    def event_id(self, about: int) -> uuid.UUID:
        """The same for the same words of the same form, so that sent twice it counts once.

        A page gone back to may say something else by the same form: that is another event.
        """
        given: uuid.UUID | None = self.cleaned_data["id"]
        if given is None:
            return uuid.uuid4()
        return uuid.uuid5(given, f"{self.kind} {about} {self.cleaned_data['value']}")


class PicksForm(forms.Form):
    """What a newcomer picked; what is no number names no title and is left out."""

    id = forms.UUIDField(required=False)

    def titles(self) -> list[int]:
        given = cast(QueryDict, self.data).getlist("title")[:MOST_PICKS]
        return list(dict.fromkeys(int(one) for one in given if one.isdecimal() and len(one) < 19))

    def form_id(self) -> uuid.UUID:
        given: uuid.UUID | None = self.cleaned_data.get("id") if self.is_valid() else None
        return given or uuid.uuid4()


class StoppedForm(forms.Form):
    """Where a viewer without JavaScript stopped."""

    minutes = forms.IntegerField(min_value=0, max_value=24 * 60, label="Minutes watched")
