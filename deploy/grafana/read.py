#!/usr/bin/env python3
"""Reads the dashboard with Grafana's own SDK, the Python package grafana-foundation-sdk, and refuses what that does not know.

    read.py            what is beside this file
    read.py FILE       another one

The SDK's classes keep the fields that they know and drop all others without a word. So each part is read into its class and written
again, and what is lost on the way is a field that Grafana does not have. Before anything is called right, mistakes are planted one
by one, and each must be refused.
"""

import copy
import enum
import json
import sys
import typing
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import common, dashboard as sdk

MOST_PANELS = 12
COLUMNS = 24
# What a column of a panel may be told, by the panel's type. A stat has none.
CUSTOM = {"timeseries": common.GraphFieldConfig, "table": common.TableFieldOptions, "stat": None}


def lost(ours, theirs, path):
    """What stands in ours and not in theirs, or stands there otherwise."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            if name in theirs:
                yield from lost(value, theirs[name], f"{path}.{name}")
            else:
                yield f"{path}.{name} is not known"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for at, (one, other) in enumerate(zip(ours, theirs)):
            yield from lost(one, other, f"{path}[{at}]")
    elif ours != theirs:
        yield f"{path} is {ours!r} and is read as {theirs!r}"


def named(hint):
    """The types that a hint names, those in unions one by one."""
    parts = typing.get_args(hint) if typing.get_origin(hint) is typing.Union else (hint,)
    return [one for part in parts for one in (named(part) if part is not hint else [part])]


def strange(value, path):
    """Values that are none of those that the SDK lists for their field. It takes any word, and Grafana would not."""
    if isinstance(value, list):
        for at, one in enumerate(value):
            yield from strange(one, f"{path}[{at}]")
    elif hasattr(value, "to_json"):
        hints = typing.get_type_hints(type(value))
        for name, part in vars(value).items():
            types = [one for one in named(hints.get(name)) if one is not type(None)]
            if part is not None and types and all(isinstance(one, enum.EnumMeta) for one in types):
                if not any(part in list(one) for one in types):
                    yield f"{path}.{name} cannot be {part!r}"
            yield from strange(part, f"{path}.{name}")


def read(kind, ours, path):
    """What a class of the SDK does not take of a part."""
    try:
        value = kind.from_json(ours)
        theirs = json.loads(json.dumps(value, cls=JSONEncoder))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        yield f"{path} cannot be read: {error!r}"
        return
    yield from lost(ours, theirs, path)
    yield from strange(value, path)


def fields(panel, path):
    """What is wrong with how a panel's fields are shown. The SDK reads these parts as anything."""
    custom, config = CUSTOM[panel["type"]], panel["fieldConfig"]
    groups = [(config["defaults"], f"{path}.defaults")]
    for at, one in enumerate(config["overrides"]):
        shown = {}
        for name, value in ((told["id"], told["value"]) for told in one["properties"]):
            of = shown.setdefault("custom", {}) if name.startswith("custom.") else shown
            of[name.removeprefix("custom.")] = value
        groups.append((shown, f"{path}.overrides[{at}]"))
    for shown, where in groups:
        yield from read(sdk.FieldConfig, shown, where)
        if custom is not None:
            yield from read(custom, shown.get("custom", {}), f"{where}.custom")
        elif shown.get("custom"):
            yield f"{where}.custom is not known"


def overlap(one, other):
    """Whether two panels lie on each other."""
    return all(one[at] < other[at] + other[size] and other[at] < one[at] + one[size] for at, size in ("xw", "yh"))


def of_panel(panel, path):
    """What is wrong with a panel by itself."""
    if panel.get("type") not in CUSTOM:
        yield f"{path} is of the type {panel.get('type')!r}"
        return
    yield from fields(panel, path)
    # The SDK has no class for what a transformation is told, and passes links through as they are.
    yield from (f"{path}.{name} is not read" for name in ("transformations", "links") if panel.get(name))
    place = panel["gridPos"]
    if place["x"] < 0 or place["x"] + place["w"] > COLUMNS or min(place["w"], place["h"]) < 1:
        yield f"{path} is not on the grid"
    yield from (f"{path} has no {name}" for name in ("title", "description") if not panel.get(name))
    if not panel["targets"]:
        yield f"{path} asks nothing"
    refs = [target.get("refId") for target in panel["targets"]]
    if len(set(refs)) != len(refs):
        yield f"{path} has queries of one name"
    for at, target in enumerate(panel["targets"]):
        where = f"{path}.targets[{at}]"
        yield from read(sdk.DataSourceRef, target["datasource"], f"{where}.datasource")
        yield from (f"{where} has no {name}" for name in ("expr", "refId") if not target.get(name))
        if panel["type"] != "table" and not target.get("legendFormat"):
            yield f"{where} has no legend"


def wrong(board):
    """All that is wrong with a dashboard, as lines."""
    found = list(read(sdk.Dashboard, board, "dashboard"))
    panels = board["panels"]
    if not 0 < len(panels) <= MOST_PANELS:
        found.append(f"there are {len(panels)} panels, and {MOST_PANELS} at the most are allowed")
    if len({panel["id"] for panel in panels}) != len(panels):
        found.append("two panels have one id")
    for at, panel in enumerate(panels):
        found.extend(of_panel(panel, f"dashboard.panels[{at}]"))
        before = (other for other in panels[:at] if overlap(panel["gridPos"], other["gridPos"]))
        found.extend(f"{panel['title']!r} lies on {other['title']!r}" for other in before)
    return found


def planted(board):
    """What a mistake is, a word of why it is refused, and the dashboard with it."""
    def panel(kind):
        return lambda copied: next(one for one in copied["panels"] if one["type"] == kind)

    def shown(panel):
        return panel["fieldConfig"]["defaults"]

    def override(panel):
        return panel["fieldConfig"]["overrides"][0]["properties"]

    first, table, stat = panel("timeseries"), panel("table"), panel("stat")
    # Each with a word of the reason for which it is to be refused.
    mistakes = {
        "a field of the dashboard": ("unheard", lambda all: all.update(unheard=1)),
        "a field of a variable": ("unheard", lambda all: all["templating"]["list"][0].update(unheard=1)),
        "a field of a panel": ("unheard", lambda all: first(all).update(unheard=1)),
        "an option of a timeseries": ("unheard", lambda all: first(all)["options"].update(unheard=1)),
        "an option of a table": ("unheard", lambda all: table(all)["options"].update(unheard=1)),
        "an option of a stat": ("unheard", lambda all: stat(all)["options"].update(unheard=1)),
        "an option of a legend": ("unheard", lambda all: first(all)["options"]["legend"].update(unheard=1)),
        "a field of a query": ("unheard", lambda all: first(all)["targets"][0].update(unheard=1)),
        "a field of a data source": ("unheard", lambda all: first(all)["targets"][0]["datasource"].update(unheard=1)),
        "a default": ("unheard", lambda all: shown(first(all)).update(unheard=1)),
        "a default of a timeseries": ("unheard", lambda all: shown(first(all))["custom"].update(unheard=1)),
        "a default of a table": ("unheard", lambda all: shown(table(all))["custom"].update(unheard=1)),
        "a default of a stat": ("not known", lambda all: shown(stat(all)).update(custom={"unheard": 1})),
        "a property of an override": ("unheard", lambda all: override(table(all)).append({"id": "unheard", "value": 1})),
        "a word for a style": ("unheard", lambda all: shown(first(all))["custom"].update(drawStyle="unheard")),
        "a type of panel": ("heatmap", lambda all: first(all).update(type="heatmap")),
        "a panel too many": ("at the most", lambda all: all["panels"].extend(all["panels"][:1] * MOST_PANELS)),
        "an id twice": ("one id", lambda all: all["panels"][1].update(id=all["panels"][0]["id"])),
        "a panel on another": ("lies on", lambda all: all["panels"][1].update(gridPos=all["panels"][0]["gridPos"])),
        "a query of nothing": ("has no expr", lambda all: first(all)["targets"][0].update(expr="")),
    }
    for what, (reason, plant) in mistakes.items():
        copied = copy.deepcopy(board)
        plant(copied)
        yield what, reason, copied


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("holdup.dashboard.json")
    board = json.loads(path.read_text(encoding="utf-8"))
    register_default_plugins()
    found = wrong(board)
    if found:
        sys.exit("\n".join(f"{path.name}: {line}" for line in found))
    mistakes = list(planted(board))
    missed = [what for what, reason, copied in mistakes if not any(reason in line for line in wrong(copied))]
    if missed:
        sys.exit(f"not noticed: {', '.join(missed)}")
    queries = sum(len(panel["targets"]) for panel in board["panels"])
    print(f"{path.name}: {len(board['panels'])} panels, {queries} queries, no unknown field; {len(mistakes)} mistakes were refused")


if __name__ == "__main__":
    main()
