#!/usr/bin/env python3
"""Checks Kubernetes objects: reads {"NAME": OBJECT} and prints {"NAME": [FAULT]}.

Uses the types of Debian's client library, which is generated from Kubernetes' description of its API. Unknown keys and
missing required keys are faults.
"""

import json
import sys

from kubernetes import client

CLASSES = {"apps/v1 DaemonSet": "V1DaemonSet", "v1 ConfigMap": "V1ConfigMap", "v1 Namespace": "V1Namespace",
           "v1 ResourceQuota": "V1ResourceQuota", "v1 ServiceAccount": "V1ServiceAccount"}
PLAIN = {"bool": bool, "float": (int, float), "int": int, "str": str}


def is_required(model, attribute):
    """Whether the library requires the attribute."""
    blank = model.__new__(model)
    blank.local_vars_configuration = client.Configuration()
    try:
        setattr(blank, attribute, None)
    except ValueError:
        return True
    return False


def faults(value, kind, where):
    """The faults of a value. `kind` is the library's name of a type, such as `str` or `list[KIND]`."""
    if kind == "object":
        return []
    if kind in PLAIN:
        fits = isinstance(value, PLAIN[kind]) and (kind == "bool") == isinstance(value, bool)
        return [] if fits else [f"{where}: {value!r} is no {kind}"]
    if kind.startswith("list["):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [fault for i, item in enumerate(value) for fault in faults(item, kind[5:-1], f"{where}/{i}")]
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no map"]
    if kind.startswith("dict("):
        return [fault for key, item in value.items()
                for fault in faults(item, kind[5:-1].split(", ")[1], f"{where}/{key}")]
    model = getattr(client, kind)
    attributes = {key: attribute for attribute, key in model.attribute_map.items()}
    found = [f"{where}: {key} is missing" for key, attribute in attributes.items()
             if key not in value and is_required(model, attribute)]
    for key, item in value.items():
        if key not in attributes:
            found.append(f"{where}: {key} is unknown")
        else:
            found += faults(item, model.openapi_types[attributes[key]], f"{where}/{key}")
    return found


def main():
    objects = json.load(sys.stdin)
    print(json.dumps({name: faults(value, CLASSES[f"{value['apiVersion']} {value['kind']}"], "")
                      for name, value in objects.items()}))


if __name__ == "__main__":
    main()
