"""What our code never does, as its syntax tree shows it: unpickling, a shell, eval, raw extras."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

UNPICKLERS = frozenset({"pickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"})
"""Modules that run code which lies in the data they read."""
IMPORTERS = frozenset({"__import__", "importlib.import_module"})
CALLS = frozenset(
    [
        "eval", "exec", "builtins.eval", "builtins.exec", "os.system", "os.popen",
        "subprocess.getoutput", "subprocess.getstatusoutput",
        "pandas.read_pickle",
    ]
)  # fmt: skip
ONLY_FALSE = frozenset({"shell", "allow_pickle"})
"""Arguments of any call that may be False alone, as written."""
NUMPY_LOADS = {"numpy.load": 2}
"""Calls by how many arguments may come by position before `allow_pickle` does."""


def breaches(source: str) -> list[str]:
    """Return what the source does that ours never does, each with its line; empty where nothing."""
    return list(_Reader().read(ast.parse(source)))


@dataclass
class _Reader:
    """Walks one module, and knows by what names it imports things.

    Attributes:
        names: dotted names by the local name they were imported under.
    """

    names: dict[str, str] = field(default_factory=dict)

    def read(self, tree: ast.Module) -> Iterator[str]:
        nodes = list(ast.walk(tree))
        for node in nodes:  # an import may stand below its use
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._imported(node)
        for node in nodes:
            if isinstance(node, ast.Call):
                yield from (f"line {node.lineno}: {what}" for what in self._called(node))

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                dotted = f"{node.module or ''}.{alias.name}"
                self.names[alias.asname or alias.name] = dotted
            else:
                dotted = alias.name
                self.names[alias.asname or dotted.partition(".")[0]] = (
                    dotted if alias.asname else dotted.partition(".")[0]
                )
            if dotted.partition(".")[0] in UNPICKLERS:
                yield f"line {node.lineno}: import {dotted}"

    def _called(self, call: ast.Call) -> Iterator[str]:
        name = self._dotted(call.func)
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        if name in CALLS:
            yield f"{name}()"
        if isinstance(call.func, ast.Attribute) and call.func.attr == "extra":
            yield ".extra()"
        if name in IMPORTERS and not _is_safe_module(call):
            yield f"{name}() of a module that unpickles"
        if name == "torch.load" and not _is(keywords.get("weights_only"), True):
            yield "torch.load() without weights_only=True"
        if len(call.args) > NUMPY_LOADS.get(name, len(call.args)):
            yield f"{name}() with allow_pickle by position"
        for keyword in sorted(ONLY_FALSE & keywords.keys()):
            if not _is(keywords[keyword], False):
                yield f"{keyword}={ast.unparse(keywords[keyword])}"

    def _dotted(self, node: ast.expr) -> str:
        """Return the dotted name as it would be without aliases; empty where it is none."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute) and (owner := self._dotted(node.value)):
            return f"{owner}.{node.attr}"
        return ""


def _is_safe_module(call: ast.Call) -> bool:
    """Return False where it names a module that unpickles."""
    name = call.args[0] if call.args else None
    is_text = isinstance(name, ast.Constant) and isinstance(name.value, str)
    return not (is_text and str(name.value).partition(".")[0] in UNPICKLERS)


def _is(node: ast.expr | None, wanted: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is wanted
