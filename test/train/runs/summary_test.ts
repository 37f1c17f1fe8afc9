import assert from "node:assert/strict";
import { resolveConfig } from "../../../train/config/config.ts";
import {
  curvePoints,
  curveSvg,
  curveText,
} from "../../../train/runs/run_figure.ts";
import type {
  ColdStartMetrics,
  EvalMetrics,
  Metrics,
} from "../../../train/runs/metrics.ts";
import { summarize } from "../../../train/runs/summary.ts";
import { secondsLeft } from "../../../train/progress/time_left.ts";

const timing = (total: number, trainedTokensPerS = 10) => ({
  seconds: { total, update: 2 },
  trainedTokensPerS,
});
const lengths = { turns: 1, tokens: 2, sampledTokens: 1 };

function cold(step: number): Metrics {
  return {
    schemaVersion: 2,
    step,
    phase: "cold_start",
    loss: 1,
    gradNorm: 1,
    learningRate: 1,
    tokens: 1,
    lossTokens: 1,
    timing: timing(2),
  };
}

function rl(step: number, reward: number): Metrics {
  return {
    schemaVersion: 2,
    step,
    phase: "rl",
    reward,
    groupVariance: 0,
    zeroVarianceShare: 0,
    groups: 1,
    refilledGroups: 0,
    trainedGroups: 1,
    episodes: 8,
    failures: { timeout: 1 },
    stopReasons: {},
    entropy: 1,
    klOld: 0,
    klReference: 0,
    clipShare: 0,
    gradNorm: 1,
    loss: 0,
    learningRate: 1,
    lengths,
    parseErrors: 0,
    timing: timing(3, 35),
  };
}

function evaluation(
  step: number,
  split: "dev" | "test",
  decoding: "sampled" | "greedy",
  pass1: number,
): Metrics {
  return {
    schemaVersion: 2,
    step,
    phase: "eval",
    split,
    decoding,
    tasks: 1,
    trials: 1,
    passK: [pass1],
    pass1,
    passByIntent: {},
    episodes: 10,
    failures: {},
    stopReasons: {},
    lengths,
    parseErrors: 0,
    timing: timing(5),
  };
}

function control(controlStep: number): Metrics {
  return {
    ...cold(4) as ColdStartMetrics,
    phase: "control",
    budget: "seconds",
    controlStep,
    controlSteps: 2,
  };
}

const lines = [
  cold(1),
  cold(2),
  evaluation(2, "test", "sampled", 0.4),
  evaluation(2, "test", "greedy", 0.5),
  evaluation(2, "dev", "sampled", 0.3),
  rl(3, 0.25),
  rl(4, 0.75),
  evaluation(4, "dev", "sampled", 0.7),
  evaluation(4, "test", "sampled", 0.8),
  evaluation(4, "test", "greedy", 0.9),
];

Deno.test("summarize() distinguishes the end of the cold start from the end of RL", () => {
  assert.deepEqual(summarize(lines, 2), {
    steps: 4,
    coldStart: { sampled: 0.4, greedy: 0.5 },
    final: { sampled: 0.8, greedy: 0.9 },
    rlSeconds: 4,
    control: null,
    dev: 0.7,
    episodes: 76,
    failures: 2,
  });
});

Deno.test("summarize() has no figures for phases that the run did not reach", () => {
  const { coldStart, final, dev } = summarize(lines.slice(0, 3), 2);
  assert.deepEqual(coldStart, { sampled: 0.4, greedy: null });
  assert.deepEqual(final, { sampled: null, greedy: null });
  assert.equal(dev, null);
});

/** The metrics of a run, followed by the metrics of its control. */
const controlled: Metrics[] = [
  ...lines,
  control(1),
  control(2),
  ...(["sampled", "greedy"] as const).map((decoding) => ({
    ...evaluation(4, "test", decoding, 0.45) as EvalMetrics,
    phase: "control_eval" as const,
    budget: "seconds" as const,
  })),
];

Deno.test("summarize() keeps a control's figures separate from RL's", () => {
  const { control, ...rest } = summarize(controlled, 2);
  const { control: none, ...before } = summarize(lines, 2);
  assert.equal(none, null);
  assert.deepEqual(rest, { ...before, episodes: before.episodes + 20 });
  assert.deepEqual(control?.seconds, {
    sampled: 0.45,
    greedy: 0.45,
    steps: 2,
    seconds: 4,
  });
  // A control limited by tokens would have 140 tokens, and each step takes 20.
  assert.deepEqual(control?.tokens, {
    sampled: null,
    greedy: null,
    steps: 7,
    seconds: null,
  });
});

Deno.test("secondsLeft() expects a control to take as long as RL, then counts its remaining steps", () => {
  const text =
    "coldStart: { steps: 2 }\nrl: { steps: 2 }\neval: { every: 2 }\ncontrol: { seconds: true }";
  const config = resolveConfig({ name: "test", text });
  const left = (count: number) =>
    secondsLeft(controlled.slice(0, count), config);
  assert.equal(left(5), undefined);
  // RL has one step of 3 s left, one evaluation on dev and two on test, 5 s each. The control then has 2 steps of 2 s
  // and two evaluations on test.
  assert.equal(left(6), 3 + 5 + 2 * 5 + 2 * 2 + 2 * 5);
  assert.equal(left(11), 2 + 2 * 5);
  assert.equal(left(13), 5);
  assert.equal(left(14), 0);
});

Deno.test("curvePoints() draws a control from the cold start to RL's last step", () => {
  const added = curvePoints(controlled).slice(curvePoints(lines).length);
  assert.deepEqual(added, [
    { step: 2, value: 0.4, series: "control pass^1, sampled" },
    { step: 4, value: 0.45, series: "control pass^1, sampled" },
    { step: 2, value: 0.5, series: "control pass^1, greedy" },
    { step: 4, value: 0.45, series: "control pass^1, greedy" },
  ]);
});

Deno.test("secondsLeft() extrapolates the remaining work from the pace so far", () => {
  const text = "coldStart: { steps: 2 }\nrl: { steps: 6 }\neval: { every: 2 }";
  const config = resolveConfig({ name: "test", text });
  assert.equal(secondsLeft(lines.slice(0, 5), config), undefined);
  // Four steps of 3 s are left, and four evaluations of 5 s: on dev after steps 6 and 8, and twice on test.
  assert.equal(secondsLeft(lines, config), 4 * 3 + 2 * 5 + 2 * 5);
});

Deno.test("curveText() draws columns as high as their values", () => {
  const text = curveText(curvePoints(lines), {
    series: "train reward",
    width: 10,
    height: 2,
  });
  assert.equal(text, "1.0 ┤ ▄\n0.0 ┤▄█\n    └── train reward");
  assert.equal(
    curveText([], { series: "train reward", width: 10, height: 2 }),
    "",
  );
});

Deno.test("curveSvg() draws every series, the same each time", async () => {
  const points = curvePoints(lines);
  const svg = await curveSvg(points, "reward");
  for (
    const name of [
      "train reward",
      "dev pass^1",
      "test pass^1, sampled",
      "test pass^1, greedy",
    ]
  ) {
    assert.ok(svg.includes(name), name);
  }
  assert.equal(svg.match(/<circle/g)?.length, 6);
  assert.equal(svg, await curveSvg(points, "reward"));
});
