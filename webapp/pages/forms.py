"""Forms of the viewers' pages."""

import uuid
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.http import QueryDict

from webapp.catalog.models import Maturity
from webapp.profiles.models import Profile

MAX_PICKS = 200


class NewProfileForm(forms.Form):
    name = forms.CharField(max_length=60, label="Name")
    is_child = forms.BooleanField(required=False, label="A child")


class ChangeForm(forms.ModelForm[Profile]):
    """Some fields of a profile that exists."""

    def save_change(self) -> bool:
        """Save a valid form's fields alone; return False if the profile was deleted meanwhile."""
        return bool(Profile.objects.filter(pk=self.instance.pk).update(**self.cleaned_data))


class ProfileForm(ChangeForm):
    """A profile's name and maturity limit."""

    class Meta:
        model = Profile
        fields = ["name", "maturity_limit"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit = self.fields["maturity_limit"]
        limit.choices = [("", "No limit"), *Maturity.choices]  # type: ignore[attr-defined]


class SwitchesForm(ChangeForm):
    """A profile's switches for history, personal picks and hiding watched titles."""

    class Meta:
        model = Profile
        fields = ["is_history_paused", "is_personalized", "hides_watched"]


class ActionForm(forms.Form):
    """An action on a title, person or genre: one of the values of its kind of event."""

    value = forms.ChoiceField()
    id = forms.UUIDField(required=False)

    def __init__(self, kind: str, data: QueryDict, values: Sequence[str]) -> None:
        super().__init__(data)
        self.kind = kind
        self.fields["value"].choices = [(v, v) for v in values]  # type: ignore[attr-defined]

    def event_id(self, about: int) -> uuid.UUID:
        """Return the same id for the same value of the same form, so a repeat counts once.

        A form reached by the back button can send another value: that is another event.
        """
        form_id: uuid.UUID | None = self.cleaned_data["id"]
        if form_id is None:
            return uuid.uuid4()
        return uuid.uuid5(form_id, f"{self.kind} {about} {self.cleaned_data['value']}")


class PicksForm(forms.Form):
    """The picks of a new profile; values that are no title id are ignored."""

    id = forms.UUIDField(required=False)

    def titles(self) -> list[int]:
        """Return the picked title ids, each once, at most 200."""
        values = cast(QueryDict, self.data).getlist("title")[:MAX_PICKS]
        return list(dict.fromkeys(int(v) for v in values if v.isdecimal() and len(v) < 19))

    def form_id(self) -> uuid.UUID:
        """Return the id that the page gave the form, or a new one."""
        id_: uuid.UUID | None = self.cleaned_data.get("id") if self.is_valid() else None
        return id_ or uuid.uuid4()


class StoppedForm(forms.Form):
    """How many minutes a viewer without JavaScript watched."""

    minutes = forms.IntegerField(min_value=0, max_value=24 * 60, label="Minutes watched")
