"""Synonyms that a site begins with. An operator may change or remove any of them."""

from django.db import migrations

WRITTEN = """
& = and = +
dr = doctor
mr = mister
st = saint
mt = mount
ft = fort
pt = part
vol = volume
vols = volumes
ep = episode
vs = versus
jr = junior
sr = senior
lt = lieutenant
sgt = sergeant
capt = captain
2 = two = ii
3 = three = iii
4 = four = iv
5 = five
6 = six = vi
7 = seven = vii
8 = eight = viii
9 = nine = ix
10 = ten
11 = eleven = xi
12 = twelve = xii
13 = thirteen = xiii
14 = fourteen
15 = fifteen
16 = sixteen
17 = seventeen
18 = eighteen
19 = nineteen
20 = twenty
21 = twenty one
30 = thirty
40 = forty
50 = fifty
60 = sixty
100 = hundred = one hundred
300 = three hundred
500 = five hundred
101 = one hundred and one
1000 = thousand = one thousand
1st = first
2nd = second
3rd = third
color = colour
gray = grey
theater = theatre
center = centre
harbor = harbour
honor = honour
xmas = christmas
tv = television
nyc = new york city = new york
ww1 = wwi = world war i = world war 1 = first world war
ww2 = wwii = world war ii = world war 2 = second world war
lotr = lord of the rings
bttf = back to the future
hp = harry potter
potc = pirates of the caribbean
t2 = terminator 2
007 = james bond
"""


def add(apps, schema_editor):
    synonyms = apps.get_model("rules", "Synonym")
    synonyms.objects.bulk_create(
        synonyms(phrases="\n".join(line.split(" = ")), note="from the start")
        for line in WRITTEN.strip().splitlines()
    )


class Migration(migrations.Migration):
    dependencies = [("rules", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
