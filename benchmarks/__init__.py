"""The claims, one file each, run by `script/benchmark NAME`.

A claim is a module here with a docstring, whose first line `script/benchmark --list` prints, and

    def run(options: Options) -> Iterator[Row]

which yields its figures as they are found. Names of our own systems begin with `marquee:`.
"""
