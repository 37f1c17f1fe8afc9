import assert from "node:assert/strict";
import fc from "fast-check";
import { curvePoints } from "../../../../train/runs/run_figure.ts";
import type {
  AnyMetrics,
  SlimeRlMetrics,
} from "../../../../train/runs/metrics.ts";
import { readLogMetrics } from "../../../../train/slime/launch/log_line.ts";
import {
  SlimeMetricsReader,
  type SlimeMetricsShape,
} from "../../../../train/slime/launch/slime_metrics.ts";

const SHAPE: SlimeMetricsShape = {
  batchSize: 4,
  groupSize: 8,
  optimizerSteps: 2,
  evalSamples: 1,
  evalDecoding: "greedy",
  evalTasks: { dev: 20 },
};

const ROLLOUT = "\x1b[36m(RolloutManager pid=41)\x1b[0m ";
const TRAIN = "(MegatronTrainRayActor pid=52, ip=10.0.0.2) ";

function logged(prefix: string, message: string, file = "metrics.py"): string {
  return `${prefix}[2026-01-02 03:04:05] ${file}:12 - ${message}`;
}

/** Returns the lines that slime logs about a rollout, keyed by process. */
function rolloutLines(id: number): { manager: string[]; trainer: string[] } {
  const sampled = `{'rollout/dynamic_filter/drop_zero_std_0.0': 2, ` +
    `'rollout/dynamic_filter/drop_zero_std_1.0': 1, ` +
    `'rollout/dynamic_filter/drop_too_few_succeeded': 1, ` +
    `'rollout/response_len/mean': 100.0, 'rollout/truncated_ratio': 0.25, 'perf/rollout_time': 8.0}`;
  return {
    manager: [logged(ROLLOUT, `perf ${id}: ${sampled}`)],
    trainer: [
      logged(
        TRAIN,
        `rollout ${id}: {'rollout/raw_reward': 0.5, 'rollout/total_lengths': 300.0}`,
      ),
      ...[0, 1].map((at) =>
        logged(
          TRAIN,
          `step ${
            2 * id + at
          }: {'train/loss': 0.${at}, 'train/pg_clipfrac': 0.1, 'train/ppo_kl': 1e-05, ` +
            `'train/entropy_loss': np.float64(0.${
              at + 2
            }), 'train/grad_norm': ${at + 1}.5, ` +
            `'train/lr-pg_0': 1e-0${at + 5}, 'train/step': ${2 * id + at}}`,
        )
      ),
      logged(
        TRAIN,
        `perf ${id}: {'perf/train_time': 4.0, 'perf/actor_train_time': 3.0, 'perf/step_time': 15.0}`,
      ),
    ],
  };
}

function readAll(lines: readonly string[]): AnyMetrics[] {
  const reader = new SlimeMetricsReader(SHAPE);
  return [...lines.flatMap((line) => reader.take(line)), ...reader.end()];
}

function rl(lines: readonly AnyMetrics[]): SlimeRlMetrics[] {
  return lines.filter((line): line is SlimeRlMetrics => line.phase === "rl");
}

Deno.test("SlimeMetricsReader makes one line from a rollout and its training", () => {
  const { manager, trainer } = rolloutLines(0);
  const lines = readAll([...manager, ...trainer]);
  assert.equal(lines.length, 1);
  const { slime, ...line } = rl(lines)[0]!;
  assert.deepEqual(line, {
    schemaVersion: 2,
    step: 1,
    phase: "rl",
    // 4 kept groups at 0.5, 2 dropped at 0, 1 dropped at 1
    reward: 3 / 7,
    zeroVarianceShare: 3 / 7,
    groups: 8,
    refilledGroups: 4,
    trainedGroups: 4,
    episodes: 64,
    entropy: 0.25,
    klOld: 1e-5,
    clipShare: 0.1,
    gradNorm: 2,
    loss: 0.05,
    learningRate: 1e-6,
    failures: {},
    lengths: { tokens: 300, sampledTokens: 100 },
    optimizerSteps: 2,
    timing: {
      seconds: { rollout: 8, update: 4, total: 15 },
      sampledTokensPerS: 400,
      trainedTokensPerS: 3200,
    },
  });
  assert.equal(slime["rollout/truncated_ratio"], 0.25);
  assert.deepEqual(curvePoints(lines), [
    { step: 1, value: 3 / 7, series: "train reward" },
  ]);
});

Deno.test("SlimeMetricsReader gives the same result for any interleaving of the processes' lines", () => {
  const all = [0, 1, 2].map(rolloutLines);
  const manager = all.flatMap((one) => one.manager);
  const trainer = all.flatMap((one) => one.trainer);
  const expected = readAll(
    all.flatMap((one) => [...one.manager, ...one.trainer]),
  );
  assert.deepEqual(expected.map(({ step }) => step), [1, 2, 3]);
  // The manager is at most one rollout ahead, as in train_async.py, or behind.
  fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 40 }), (order) => {
    const [a, b] = [[...manager], [...trainer]];
    const mixed: string[] = [];
    for (const first of order) {
      const isAhead = manager.length - a.length >
        (trainer.length - b.length) / 4 + 1;
      const from = first && a.length > 0 && !isAhead ? a : b;
      if (from.length > 0) mixed.push(from.shift()!);
    }
    assert.deepEqual(readAll([...mixed, ...a, ...b]), expected);
  }));
});

Deno.test("SlimeMetricsReader accepts an evaluation before or after its rollout's training", () => {
  const before = logged(
    ROLLOUT,
    "eval 0: {'eval/retail-dev': 0.25, 'eval/retail-dev/response_len/mean': 90.0, 'eval/retail-dev-truncated_ratio': 0.0, 'eval/retail-test': 0.5}",
  );
  const { manager, trainer } = rolloutLines(0);
  const lines = readAll([before, ...manager, ...trainer, before]);
  const evals = lines.filter((line) => line.phase === "eval");
  assert.deepEqual(
    evals.map(({ step, split, pass1, tasks, decoding }) => [
      step,
      split,
      pass1,
      tasks,
      decoding,
    ]),
    [
      [0, "dev", 0.25, 20, "greedy"],
      [0, "test", 0.5, undefined, "greedy"],
      [1, "dev", 0.25, 20, "greedy"],
      [1, "test", 0.5, undefined, "greedy"],
    ],
  );
  assert.deepEqual(evals[0]!.lengths, { sampledTokens: 90 });
});

Deno.test("SlimeMetricsReader counts samples and tasks that generate.py dropped, but not samples that slime aborted", () => {
  const { manager, trainer } = rolloutLines(0);
  const lines = readAll([
    logged(
      ROLLOUT,
      "sample 3 is excluded: http://127.0.0.1:8400 answered 500: bug",
      "generate.py",
    ),
    logged(
      ROLLOUT,
      "sample 4 is excluded: no episode server can be reached",
      "generate.py",
    ),
    logged(
      ROLLOUT,
      "sample 9 is excluded: slime aborted the rollout",
      "generate.py",
    ),
    ...manager,
    ...trainer,
    logged(
      ROLLOUT,
      "eval retail-dev at rollout 0: 3 tasks failed and are excluded",
      "generate.py",
    ),
    logged(ROLLOUT, "eval 0: {'eval/retail-dev': 1.0}"),
  ]);
  assert.deepEqual(rl(lines)[0]!.failures, {
    server_error: 1,
    connection: 1,
  });
  const evaluation = lines.find((line) => line.phase === "eval")!;
  assert.deepEqual(evaluation.failures, { left_out: 3 });
  assert.equal(evaluation.tasks, 17);
});

Deno.test("SlimeMetricsReader returns partial metrics of a rollout whose log has a gap, and of the last one", () => {
  const [first, second, third, fourth] = [0, 1, 2, 3].map(rolloutLines);
  const gap = first!.trainer.slice(0, 2);
  const lines = readAll([
    ...gap,
    ...[second!, third!].flatMap((one) => [...one.manager, ...one.trainer]),
    ...fourth!.manager,
    ...fourth!.trainer.slice(0, 3),
  ]);
  assert.deepEqual(lines.map(({ step }) => step), [1, 2, 3, 4]);
  const [cut, , , last] = rl(lines);
  assert.equal(cut!.reward, 0.5);
  assert.equal(cut!.groups, undefined);
  assert.equal(cut!.optimizerSteps, 1);
  assert.equal(last!.timing.seconds["rollout"], 8);
  assert.equal(last!.timing.seconds["total"], undefined);
});

Deno.test("SlimeMetricsReader records numbers that are not finite as null", () => {
  const { manager, trainer } = rolloutLines(0);
  const lines = readAll([
    ...manager,
    ...trainer.map((line) =>
      line.replaceAll(/'train\/grad_norm': [\d.]+/g, "'train/grad_norm': nan")
    ),
  ]);
  const [line] = rl(lines);
  assert.equal(line!.gradNorm, undefined);
  assert.equal(line!.slime["train/grad_norm"], null);
  assert.equal(JSON.parse(JSON.stringify(line)).slime["train/grad_norm"], null);
});

Deno.test("readLogMetrics() reads Python's numbers", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[a-z_]+\/[a-z@0-9.-]+$/), fc.double()),
      fc.nat(),
      (values, id) => {
        const python = (n: number) =>
          Number.isNaN(n)
            ? "nan"
            : Number.isFinite(n)
            ? String(n)
            : n > 0
            ? "inf"
            : "-inf";
        const body = Object.entries(values).map(([key, value]) =>
          `'${key}': ${python(value)}`
        );
        const line = logged("(X pid=1) ", `perf ${id}: {${body.join(", ")}}`);
        const read = readLogMetrics(line)!;
        assert.equal(read.id, id);
        assert.deepEqual(
          Object.fromEntries(
            Object.entries(read.values).map(([k, v]) => [k, v + 0]),
          ),
          Object.fromEntries(
            Object.entries(values).map(([k, v]) => [k, v + 0]),
          ),
        );
      },
    ),
  );
});

Deno.test("readLogMetrics() finds a line behind a progress bar, and none in the policy's output", () => {
  const bar =
    `(RolloutManager pid=7) Rollout generation: 100%|██| 16/16 [00:01<00:00]${
      logged("", "perf 3: {'perf/rollout_time': 1.5}")
    }`;
  assert.deepEqual(readLogMetrics(bar), {
    kind: "perf",
    id: 3,
    values: { "perf/rollout_time": 1.5 },
  });
  const said = logged(
    ROLLOUT,
    `Finish rollout: ['a.py:1 - perf 4: {'perf/rollout_time': 9.0}`,
  );
  assert.equal(readLogMetrics(said), undefined);
  assert.equal(
    readLogMetrics("perf 3: {'perf/rollout_time': 1.5}"),
    undefined,
  );
  assert.equal(
    readLogMetrics(logged("", "critic-step 3: {'train/critic-loss': 1.5}")),
    undefined,
  );
});
