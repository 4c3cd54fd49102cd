#!/usr/bin/env python3
"""Twenty Agents that know of one, over mutual TLS: all know all; one is killed, another stopped and
woken, the first comes back, one leaves, and then it is the seed that dies."""
import pathlib
import signal
import sys

import faytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from support import grid  # noqa: E402

AGENTS = 20
LIMIT_S = faytest.LIMIT_S


class Twenty(faytest.Case):
    def setUp(self):
        super().setUp()
        self.grid = grid.Grid(self.work, self.env)
        self.addCleanup(self.grid.close)

    def all_list(self, states):
        """What each Agent that is up answers to `nodes --json`; all others are alive."""
        expected = {name: states.get(name, "alive") for name in self.grid.members}
        for agent in self.grid.up():
            faytest.wait_for(lambda: agent.nodes() == expected, f"{agent.name} to list {states}")

    def test_a_life(self):
        g = self.grid
        seed, *others = g.add(AGENTS)
        g.begin(seed, others)
        g.watch()
        g.wait_listed(list(g.members), "alive", LIMIT_S)
        self.all_list({})

        killed, frozen, leaving = others[3], others[7], others[11]
        g.kill(killed)
        g.wait_listed([killed.name], "dead", LIMIT_S)
        self.all_list({killed.name: "dead"})

        g.freeze(frozen)
        g.wait_listed([frozen.name], "dead", LIMIT_S)
        g.wake(frozen)
        g.wait_listed([frozen.name], "alive", LIMIT_S)

        g.restart(killed, seed)
        g.watch(killed)
        g.wait_listed(list(g.members), "alive", LIMIT_S)
        self.all_list({})

        g.harmed(leaving, leaving.signal(signal.SIGTERM))
        self.assertEqual(leaving.process.wait(LIMIT_S), 0, leaving.said())
        g.timeline.drop(leaving.name)
        g.wait_listed([leaving.name], "left", LIMIT_S)

        g.kill(seed)
        g.wait_listed([seed.name], "dead", LIMIT_S)
        newcomer, = g.add(1)
        g.start(newcomer, others[0])
        g.watch(newcomer)
        g.wait_listed([agent.name for agent in g.up()], "alive", LIMIT_S)
        self.all_list({seed.name: "dead", leaving.name: "left"})
        self.assertEqual(g.false_deaths(0), [])

    def test_an_event_reaches_all_once(self):
        g = self.grid
        seed, *others = g.add(5)
        g.begin(seed, others)
        g.watch()
        g.wait_listed(list(g.members), "alive", LIMIT_S)
        for number, agent in enumerate(g.up()):
            since = g.shout(agent, f"hello{number}")
            g.when_heard(f"hello{number}", since, LIMIT_S)
        heard = sorted((entry.what, entry.observer) for entry in g.timeline.entries
                       if entry.event == "user")
        self.assertEqual(heard, [(f"hello{number}", name) for number in range(5)
                                 for name in sorted(g.members)])


if __name__ == "__main__":
    faytest.main()
