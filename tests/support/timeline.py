"""What the members of a cluster say of each other: lines of many pipes, as one list of entries.

    pipe of n1 --line--> parse --> entries    in the order in which they came
    pipe of n2 --line-->   |  '--> views      {observer: {node: state}}, as of now
                           '-----> heard      {name of a user event: {observer: when}}

Nothing is polled while a time is taken: an entry has the time at which it happened, as the observer
says it, or at which its line was read, where it says none.
"""
import collections
import os
import select
import threading
import time

PAUSE_S = 0.02  # between two looks at a condition: times come from entries, not from looking

# event: "member", then `what` is a state; or "user", then `what` is the event's name.
Entry = collections.namedtuple("Entry", "at observer event node what")


class Late(Exception):
    """What was waited for has not happened."""


class Timeline:
    """`parse` makes (at, event, node, what) of a line, or None. One thread reads all pipes."""

    def __init__(self, parse):
        self.parse = parse
        self.entries, self.views, self.heard = [], {}, {}
        self.news = threading.Condition()
        self.pipes = {}  # descriptor: [observer, file, the line's beginning]
        self.epoll = select.epoll()
        self.closing, self.fault = False, None  # a line that `parse` cannot make sense of
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def add(self, observer, pipe):
        """What the observer said before is in the entries; its view begins anew."""
        with self.news:
            self.views[observer] = {}
            self.pipes[pipe.fileno()] = [observer, pipe, b""]
        self.epoll.register(pipe.fileno(), select.EPOLLIN)

    def drop(self, observer):
        with self.news:
            self.views.pop(observer, None)

    def close(self):
        self.closing = True
        self.reader.join()
        for _, pipe, _ in self.pipes.values():
            pipe.close()
        self.epoll.close()

    def read(self):
        while not self.closing:
            for descriptor, _ in self.epoll.poll(0.2):
                data = os.read(descriptor, 1 << 16)
                now = time.time()
                with self.news:
                    if data:
                        self.take(self.pipes[descriptor], data, now)
                    else:
                        self.epoll.unregister(descriptor)
                        self.pipes.pop(descriptor)[1].close()
                    self.news.notify_all()

    def take(self, source, data, now):
        *lines, source[2] = (source[2] + data).split(b"\n")
        for line in lines:
            try:
                found = self.parse(line, now)
            except (ValueError, KeyError, TypeError) as why:
                self.fault = f"{source[0]} says {line!r}: {why!r}"
                continue
            if found is not None:
                self.enter(Entry(found[0], source[0], *found[1:]))

    def enter(self, entry):
        self.entries.append(entry)
        if entry.event == "user":
            self.heard.setdefault(entry.what, {}).setdefault(entry.observer, entry.at)
        elif entry.observer in self.views:
            self.views[entry.observer][entry.node] = entry.what

    def wait(self, condition, limit):
        """Whether it was true in time."""
        end = time.monotonic() + limit
        while True:
            with self.news:
                if self.fault is not None:
                    raise ValueError(self.fault)
                if condition():
                    return True
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.news.wait(min(left, 0.5))
            time.sleep(PAUSE_S)

    def firsts(self, node, state, since):
        """{observer: when it first listed the node so, from that time on}"""
        found = {}
        with self.news:
            for entry in self.entries:
                if (entry.event == "member" and entry.node == node and entry.what == state
                        and entry.at >= since):
                    found.setdefault(entry.observer, entry.at)
        return found
