"""What pages take from a viewer."""

from django import forms

from webapp.events.ingest import VALUES
from webapp.events.models import Event
from webapp.profiles.models import Profile


class ProfileForm(forms.Form):
    name = forms.CharField(max_length=60, label="Name")


class SwitchesForm(forms.ModelForm[Profile]):
    """What a profile lets us keep and use."""

    class Meta:
        model = Profile
        fields = ["is_history_paused", "is_personalized"]


class ThumbForm(forms.Form):
    value = forms.ChoiceField(choices=[(v, v) for v in VALUES[Event.Kind.THUMB]])


class ListForm(forms.Form):
    value = forms.ChoiceField(choices=[(v, v) for v in VALUES[Event.Kind.LIST]])


class HideForm(forms.Form):
    value = forms.ChoiceField(choices=[(v, v) for v in VALUES[Event.Kind.HIDE]])


class StoppedForm(forms.Form):
    """Where a viewer without JavaScript stopped."""

    minutes = forms.IntegerField(min_value=0, max_value=24 * 60, label="Minutes watched")
