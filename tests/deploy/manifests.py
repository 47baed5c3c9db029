"""Reads the files of deploy/kubernetes strictly: repeated keys, keys that are no text, and aliases are errors."""

import pathlib

try:
    import yaml
except ImportError:
    yaml = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = "kustomization.yaml"
SEVERAL = ("PrometheusRule",)  # kinds of which a folder has several objects


def skip_reason():
    """One line, where YAML cannot be read; else None."""
    return None if yaml else "not installed: python3-yaml, for the python3 that CMake found"


def _mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key, (position, _) in zip(keys, node.value):
        if not isinstance(key, str):
            raise ValueError(f"{position.start_mark}: the key {key!r} is no string")
        if keys.count(key) > 1:
            raise ValueError(f"{position.start_mark}: repeated key {key}")
    return loader.construct_mapping(node, deep=True)


def parse(text, name="text"):
    """Parses a text with one document."""

    class Strict(yaml.SafeLoader):
        """Rejects repeated keys, keys that are no strings, and aliases, which readers of manifests do not expect."""

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
    """The folders of the base and its components, by name."""
    return {str(path.parent.relative_to(BASE)): path.parent for path in sorted(BASE.rglob(KUSTOMIZATION))}


def key(value):
    """The kind of an object, followed by its name if there are several of that kind."""
    return f"{value['kind']} {value['metadata']['name']}" if value["kind"] in SEVERAL else value["kind"]


def objects(folder):
    """The resources of the folder's kustomization by key. A second one of a key is an error."""
    found = {}
    for name in read(folder / KUSTOMIZATION).get("resources", []):
        read_object = read(folder / name)
        if found.setdefault(key(read_object), read_object) is not read_object:
            raise ValueError(f"{folder / name}: second {key(read_object)}")
    return found


def _keys(path):
    """The keys of a path. A slash within a key is written ~1, as in JSON pointers."""
    return [key.replace("~1", "/") for key in path.split("/")]


def at(value, path):
    """The value at a path like "spec/containers/0/name", or None."""
    for key in _keys(path):
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = (value or {}).get(key)
    return value


def put(value, path, new):
    """Sets the value at a path and creates the maps on the way. None deletes it."""
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
    """Parses a quantity in Mi, the only unit of these files."""
    if not quantity.endswith("Mi"):
        raise ValueError(f"invalid quantity {quantity!r}: expected Mi")
    return int(quantity.removesuffix("Mi"))
