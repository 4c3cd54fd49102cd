#!/usr/bin/env python3
"""A worker in mode json: one path in, one Item for each paragraph of that file out.

A request a line:  {"id": 7, "attempt": 1, "attrs": {..}, "item": "/some/file"}
A reply a line:    {"id": 7, "emit": [..]}  or  {"id": 7, "error": "..", "retry": false}
and before that, as often as it likes, {"id": 7, "heartbeat": 0.4}, which restarts the timeout.
"""
import json
import sys


def reply(request, **fields):
    print(json.dumps({"id": request["id"], **fields}), flush=True)


def paragraphs(text):
    return [part.split() for part in text.split("\n\n") if part.split()]


def work(request):
    path = request["item"]
    try:
        with open(path, encoding="utf-8") as file:
            found = paragraphs(file.read())
    except UnicodeDecodeError:
        return reply(request, error=f"{path}: not UTF-8 text", retry=False)
    except OSError as error:  # gone or not ours: another try would not find it either
        return reply(request, error=str(error), retry=False)

    emit = []
    for number, words in enumerate(found):
        if number % 100 == 0:
            reply(request, heartbeat=number / len(found))
        emit.append({
            "item": {"file": path, "paragraph": number + 1, "words": len(words),
                     "begins": " ".join(words[:6])},
            "attrs": {"words": len(words)},  # what `when:` of the next stage looks at
        })
    return reply(request, emit=emit)  # an empty list is fine: a file without paragraphs


for line in sys.stdin:
    work(json.loads(line))
