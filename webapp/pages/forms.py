"""What pages take from a viewer."""

import uuid

from django import forms
from django.http import QueryDict

from webapp.events.ingest import VALUES
from webapp.profiles.models import Profile


class ProfileForm(forms.Form):
    name = forms.CharField(max_length=60, label="Name")


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


class StoppedForm(forms.Form):
    """Where a viewer without JavaScript stopped."""

    minutes = forms.IntegerField(min_value=0, max_value=24 * 60, label="Minutes watched")
