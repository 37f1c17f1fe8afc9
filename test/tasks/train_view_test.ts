import assert from "node:assert/strict";
import { resultText } from "../../tasks/_train_view.ts";
import type { SessionResult } from "../../train/session.ts";

const RESULT: SessionResult = {
  steps: 4,
  coldStart: { sampled: 0.25, greedy: 0.315 },
  final: { sampled: 0.59, greedy: 0.3 },
  rlSeconds: 184.6,
  control: null,
  dev: 0.5,
  episodes: 10,
  failures: 0,
  outcome: "completed",
  wallS: 400,
  peakRssBytes: 1,
  trackers: [],
};

Deno.test("resultText() shows the cold start next to RL", () => {
  assert.equal(
    resultText(RESULT, []),
    `
pass^1 on test  cold start     RL    gain
──────────────  ──────────  ─────  ──────
sampled              0.250  0.590  +0.340
greedy               0.315  0.300  -0.015
`.trim(),
  );
});

Deno.test("resultText() shows the trained controls next to RL, and the steps of untrained controls", () => {
  const seconds = { sampled: 0.28, greedy: 0.36, steps: 540, seconds: 181 };
  const tokens = { sampled: null, greedy: null, steps: 1610, seconds: null };
  const text = resultText({ ...RESULT, control: { seconds, tokens } }, []);
  assert.equal(
    text,
    `
pass^1 on test  cold start  control     RL    gain  over control
──────────────  ──────────  ───────  ─────  ──────  ────────────
sampled              0.250    0.280  0.590  +0.340        +0.310
greedy               0.315    0.360  0.300  -0.015        -0.060

RL's steps took 3 min 05 s. Equivalent supervised steps: 540 for the same number of seconds (trained in 3 min 01 s), 1,610 for the same number of tokens (not trained)
`.trim(),
  );
});
