"""What an expression of PromQL asks for. For text that promtool took; it is no judge of syntax."""

import collections
import re

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\[\w+\]|[a-zA-Z_:][\w:]*|\d[\w.]*|=~|!~|!=|\S')
_GROUPING = ("by", "without", "on", "ignoring", "group_left", "group_right")
_OPERATORS = ("and", "or", "unless", "offset", "bool")

# matchers: (label, operator, value as it is written)
Selector = collections.namedtuple("Selector", "name matchers")
Expression = collections.namedtuple("Expression", "selectors grouping windows counted")


def parse(text):
    """`grouping`: the labels of by, without and on; `counted`: what stands at once in rate() or increase()."""
    tokens = collections.deque(_TOKEN.findall(text))
    found = Expression([], set(), [], set())
    function = None
    while tokens:
        token = tokens.popleft()
        follows = tokens[0] if tokens else ""
        if token in _GROUPING:
            found.grouping.update(label for label in _until(tokens, ")") if re.match(r"\w", label))
        elif token.startswith("["):
            found.windows.append(token[1:-1])
        elif re.match(r"[a-zA-Z_:]", token) and token not in _OPERATORS:
            if follows == "(" or follows in _GROUPING:
                function = token
                continue
            matched = _until(tokens, "}") if follows == "{" else []
            words = [word for word in matched if word not in "{,}"]
            found.selectors.append(Selector(token, [(words[at], words[at + 1], words[at + 2][1:-1])
                                                    for at in range(0, len(words), 3)]))
            if function in ("rate", "increase"):
                found.counted.add(token)
        function = function if token == "(" else None
    return found


def _until(tokens, end):
    taken = []
    while taken[-1:] != [end]:
        taken.append(tokens.popleft())
    return taken
