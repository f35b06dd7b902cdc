"""What pages take from a viewer."""

from django import forms

from webapp.events.ingest import VALUES
from webapp.events.models import Event


class ProfileForm(forms.Form):
    name = forms.CharField(max_length=60, label="Name")


class ThumbForm(forms.Form):
    value = forms.ChoiceField(choices=[(v, v) for v in VALUES[Event.Kind.THUMB]])


class ListForm(forms.Form):
    value = forms.ChoiceField(choices=[(v, v) for v in VALUES[Event.Kind.LIST]])


class HideForm(forms.Form):
    value = forms.ChoiceField(choices=[(v, v) for v in VALUES[Event.Kind.HIDE]])


class StoppedForm(forms.Form):
    """Where a viewer without JavaScript stopped."""

    minutes = forms.IntegerField(min_value=0, max_value=24 * 60, label="Minutes watched")
