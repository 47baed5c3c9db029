"""The files of deploy/kubernetes, read strictly: what YAML lets pass in silence is an error here."""

import pathlib

try:
    import yaml
except ImportError:
    yaml = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = "kustomization.yaml"


def why_not():
    """One line, where YAML cannot be read; else None."""
    return None if yaml else "not installed: python3-yaml, for the python3 that CMake found"


def _mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key, (position, _) in zip(keys, node.value):
        if not isinstance(key, str):
            raise ValueError(f"{position.start_mark}: the key {key!r} is no text")
        if keys.count(key) > 1:
            raise ValueError(f"{position.start_mark}: {key} twice")
    return loader.construct_mapping(node, deep=True)


def parse(text, name="text"):
    """The one document of a text."""

    class Strict(yaml.SafeLoader):
        """No key twice, none that is no text; no aliases, which readers of manifests do not expect."""

        def compose_node(self, parent, index):
            if self.check_event(yaml.AliasEvent):
                raise ValueError(f"{self.peek_event().start_mark}: an alias")
            return super().compose_node(parent, index)

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
    loader = Strict(text)
    loader.name = str(name)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def read(path):
    return parse(path.read_text(encoding="utf-8"), path)


def folders():
    """The base, and its components by name."""
    return {str(path.parent.relative_to(BASE)): path.parent for path in sorted(BASE.rglob(KUSTOMIZATION))}


def objects(folder):
    """Of the resources that the folder's kustomization names, by kind: each is there once."""
    found = {}
    for name in read(folder / KUSTOMIZATION).get("resources", []):
        read_object = read(folder / name)
        if found.setdefault(read_object["kind"], read_object) is not read_object:
            raise ValueError(f"{folder / name}: a second {read_object['kind']}")
    return found


def _keys(path):
    """A slash within a key is written ~1, as in JSON pointers."""
    return [key.replace("~1", "/") for key in path.split("/")]


def at(value, path):
    """What stands there, as in "spec/containers/0/name"; None where nothing does."""
    for key in _keys(path):
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = (value or {}).get(key)
    return value


def put(value, path, new):
    """Puts `new` there, with the maps on the way; None takes away what stands there."""
    *way, last = _keys(path)
    for key in way:
        value = value[int(key)] if isinstance(value, list) else value.setdefault(key, {})
    if isinstance(value, list):
        value[int(last):int(last) + 1] = [] if new is None else [new]
    elif new is None:
        value.pop(last, None)
    else:
        value[last] = new


def mebibytes(quantity):
    """Of Kubernetes' quantities the one kind that these files have."""
    if not quantity.endswith("Mi"):
        raise ValueError(f"in Mi, not {quantity!r}")
    return int(quantity.removesuffix("Mi"))
