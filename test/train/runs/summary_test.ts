import assert from "node:assert/strict";
import { resolveConfig } from "../../../train/config/config.ts";
import {
  curvePoints,
  curveSvg,
  curveText,
} from "../../../train/runs/run_figure.ts";
import type { Metrics } from "../../../train/runs/metrics.ts";
import { summarize } from "../../../train/runs/summary.ts";
import { secondsLeft } from "../../../train/progress/time_left.ts";

const timing = (total: number) => ({ seconds: { total } });
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
    timing: timing(3),
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

Deno.test("summarize() tells the end of the cold start from the end of RL", () => {
  assert.deepEqual(summarize(lines, 2), {
    steps: 4,
    coldStart: { sampled: 0.4, greedy: 0.5 },
    final: { sampled: 0.8, greedy: 0.9 },
    dev: 0.7,
    episodes: 76,
    failures: 2,
  });
});

Deno.test("summarize() of a run that did not come so far has no figures for it", () => {
  const { coldStart, final, dev } = summarize(lines.slice(0, 3), 2);
  assert.deepEqual(coldStart, { sampled: 0.4, greedy: null });
  assert.deepEqual(final, { sampled: null, greedy: null });
  assert.equal(dev, null);
});

Deno.test("secondsLeft() adds up what is to come at the pace so far", () => {
  const text = "coldStart: { steps: 2 }\nrl: { steps: 6 }\neval: { every: 2 }";
  const config = resolveConfig({ name: "test", text });
  assert.equal(secondsLeft(lines.slice(0, 5), config), undefined);
  // Four more steps of 3 s, dev after steps 6 and 8, test twice, 5 s each.
  assert.equal(secondsLeft(lines, config), 4 * 3 + 2 * 5 + 2 * 5);
});

Deno.test("curveText() is as high as its values", () => {
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
