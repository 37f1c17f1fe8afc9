import assert from "node:assert/strict";
import type { Dataset } from "../../../env/types.ts";
import {
  readExpression,
  readQuery,
} from "../../../notebooks/viewer/page/filter.js";
import {
  advisoriesOf,
  type AdvisoryFacts,
  filterText,
} from "../../../train/diagnosis/advisories.ts";
import type { EpisodeTally } from "../../../train/runs/episode_tally.ts";
import type { AnyMetrics, RlMetrics } from "../../../train/runs/metrics.ts";

/** Returns the episode counts of a healthy run, for which there are no advisories. */
function healthy(): EpisodeTally {
  return {
    episodes: 1000,
    failures: [],
    source: "rl",
    from: 11,
    to: 20,
    isTraining: true,
    inWindow: {
      episodes: 320,
      scored: 320,
      groups: Array.from({ length: 40 }, (_, i) => ({
        task: `t${i % 10}`,
        scored: 8,
        best: 1,
        worst: 0,
      })),
      faults: new Map([["leak", 3]]),
      tools: new Set(["get", "cancel"]),
      tasks: ["t1", "t2"],
    },
    parseErrors: Array.from({ length: 20 }, (_, i) => ({
      step: i + 1,
      errors: 2,
      episodes: 32,
    })),
    earlierTools: new Set(["get", "cancel"]),
  };
}

const line = (step: number, more: Partial<RlMetrics> = {}) =>
  ({
    phase: "rl",
    step,
    reward: 0.5,
    entropy: 0.4,
    zeroVarianceShare: 0.2,
    trainedGroups: 4,
    groups: 4,
    klOld: 0.001,
    ...more,
  }) as AnyMetrics;

const lines = Array.from({ length: 20 }, (_, i) => line(i + 1));

const dataset = {
  splits: ["train"],
  tools: ["get", "cancel", "refund"].map((name) => ({
    type: "function",
    function: { name, description: "", parameters: {} },
  })),
  tasks: () =>
    [["t1", "cancel"], ["t2", "refund"], ["t3", "refund"], ["t4", "of_user"]]
      .map(([id, name]) => ({ id, actions: [{ name, arguments: new Map() }] })),
} as unknown as Dataset;

const of = (facts: Partial<AdvisoryFacts>) =>
  advisoriesOf({ lines, tally: healthy(), dataset: null, ...facts });

const within = (more: Partial<EpisodeTally["inWindow"]>): EpisodeTally => ({
  ...healthy(),
  inWindow: { ...healthy().inWindow, ...more },
});

const groups = (best: number, worst: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    task: `t${i}`,
    scored: 8,
    best,
    worst,
  }));

Deno.test("advisoriesOf() returns nothing for a healthy run and for an empty one", () => {
  assert.deepEqual(of({}), []);
  assert.deepEqual(of({ lines: [], tally: null }), []);
});

Deno.test("advisoriesOf() reports groups that earned no reward, with the tasks that were never solved", () => {
  const tally = within({ groups: [...groups(0, 0, 6), ...groups(1, 0, 4)] });
  const [one, ...others] = of({ tally });
  assert.deepEqual(others, []);
  assert.equal(one?.kind, "all_zero_groups");
  assert.equal(one?.title, "6 of 10 groups earned no reward");
  assert.match(one?.evidence ?? "", /tasks that were never solved: t4, t5\./);
  assert.deepEqual(one?.filter, { source: "rl", step: "11..20", reward: "0" });
  assert.equal(of({ tally: within({ groups: groups(0, 0, 3) }) }).length, 0);
});

Deno.test("advisoriesOf() reports steps with nothing to learn from, and groups that all succeed", () => {
  const idle = Array.from(
    { length: 20 },
    (_, i) => line(i, { trainedGroups: i < 14 ? 4 : 0 }),
  );
  const [nothing] = of({ lines: idle });
  assert.match(nothing?.title ?? "", /last 6 steps of RL/);
  assert.match(
    nothing?.evidence ?? "",
    /^In steps 11 to 20, no episode earned the reward in \d+ of \d+ groups/,
  );
  const solved = of({ tally: within({ groups: groups(1, 1, 10) }) });
  assert.deepEqual(
    solved.map(({ kind, level }) => [kind, level]),
    [["all_solved_groups", "note"]],
  );
});

Deno.test("advisoriesOf() distinguishes a collapse of entropy from a policy that has learned", () => {
  const fallen = (reward: number) =>
    Array.from(
      { length: 20 },
      (_, i) => line(i + 1, { entropy: i < 10 ? 0.4 : 0.05, reward }),
    );
  const [one] = of({ lines: fallen(0.5) });
  assert.equal(one?.kind, "entropy_collapse");
  assert.match(
    one?.evidence ?? "",
    /0\.400 nats in steps 1 to 5, 0\.050 in steps 16 to 20/,
  );
  assert.deepEqual(of({ lines: fallen(0.95) }), []);
  assert.deepEqual(of({ lines: fallen(0.5).slice(0, 9) }), []);
});

Deno.test("advisoriesOf() reports tools that tasks need but that were never called", () => {
  const [one, ...others] = of({ dataset });
  assert.deepEqual(others, []);
  assert.equal(one?.title, "refund was never called");
  assert.match(one?.evidence ?? "", /needed by 1 of 2 tasks/);
  assert.equal(one?.filter?.["task"], "t2");
  // Too few episodes, or a run that did not record tools.
  assert.deepEqual(of({ dataset, tally: within({ episodes: 9 }) }), []);
  assert.deepEqual(of({ dataset, tally: within({ tools: null }) }), []);
  // Without a dataset, the only known tools are those that were called earlier.
  const [stopped] = of({ tally: within({ tools: new Set(["get"]) }) });
  assert.equal(stopped?.title, "cancel is no longer called");
  assert.equal(stopped?.filter?.["step"], "<11");
});

Deno.test("advisoriesOf() reports an increase of unreadable answers", () => {
  const rising = (last: number): EpisodeTally => ({
    ...healthy(),
    parseErrors: healthy().parseErrors.map((one) => ({
      ...one,
      errors: one.step > 10 ? last : one.errors,
    })),
  });
  const [one] = of({ tally: rising(16) });
  assert.equal(one?.level, "warning");
  assert.match(one?.evidence ?? "", /0\.06 per episode in steps 1 to 5, 0\.50/);
  assert.equal(one?.filter?.["parse_errors"], ">0");
  assert.deepEqual(of({ tally: rising(5) }), []);
  const evaluation = { ...rising(80), isTraining: false, from: 0 };
  assert.equal(of({ lines: [], tally: evaluation })[0]?.kind, "parse_errors");
});

Deno.test("advisoriesOf() counts failures by source", () => {
  const tally = {
    ...healthy(),
    failures: [
      { source: "user", kind: "rate_limited", episodes: 60 },
      { source: "user", kind: "timeout", episodes: 2 },
      { source: "model", kind: "connection", episodes: 1 },
    ],
  };
  const all = of({ tally });
  assert.deepEqual(
    all.map(({ level, title, filter }) => [level, title, filter]),
    [
      ["warning", "62 episodes failed because of the user", {
        failed_by: "user",
      }],
      ["note", "1 episode failed because of the model", { failed_by: "model" }],
    ],
  );
  assert.match(all[0]?.evidence ?? "", /rate limited 60, timeout 2/);
});

Deno.test("advisoriesOf() reports stale samples", () => {
  const old = (staleness: number, stale_groups: number) =>
    lines.map((one) => ({
      ...one,
      slime: {
        "taulab/staleness": staleness,
        "taulab/stale_groups": stale_groups,
      },
    })) as AnyMetrics[];
  assert.deepEqual(of({ lines: old(0.5, 0) }), []);
  const [one] = of({ lines: old(1.5, 0) });
  assert.match(one?.title ?? "", /1\.5 rollouts old/);
  const [dropped] = of({ lines: old(0, 1) });
  assert.match(dropped?.title ?? "", /20\.0% of the groups were too old/);
});

Deno.test("advisoriesOf() counts faults of the simulated user", () => {
  const faults = new Map([["leak", 32], ["early_stop", 3]]);
  const [one] = of({ tally: within({ faults }) });
  assert.match(one?.evidence ?? "", /leak in 32 \(10\.0%\)\.$/);
  assert.equal(one?.filter?.["fault"], "leak");
});

Deno.test("every filter is valid in the viewer's links and on the command line", () => {
  const tally: EpisodeTally = {
    ...within({ groups: groups(0, 0, 10), faults: new Map([["echo", 99]]) }),
    failures: [
      { source: "unknown", kind: "timeout", episodes: 60 },
      { source: "user", kind: "timeout", episodes: 60 },
    ],
    parseErrors: healthy().parseErrors.map((one) => ({
      ...one,
      errors: one.step > 10 ? 99 : 0,
    })),
  };
  const all = of({ tally, dataset });
  assert.equal(all.length, 6);
  for (const { kind, filter } of all) {
    assert.ok(filter !== null, kind);
    const link = readQuery(new URLSearchParams(filter));
    assert.deepEqual(readQuery(readExpression(filterText(filter))), link);
  }
});
