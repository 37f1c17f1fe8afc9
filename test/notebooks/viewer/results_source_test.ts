import assert from "node:assert/strict";
import { join } from "node:path";
import { readQuery } from "../../../notebooks/viewer/page/filter.js";
import { ResultsSource } from "../../../notebooks/viewer/results_source.ts";
import { diagnosisFindings } from "../../../notebooks/viewer/diagnosis_finder.ts";
import {
  resultRecord,
  resultText,
  writeResultWorld,
} from "../../support/published_results.ts";
import { inTempDir } from "../../support/temp_dir.ts";
import {
  NO_TAU_BENCH,
  recordingPath,
  TAU_BENCH,
} from "../../support/tau_bench.ts";

/**
 * A result file in τ-bench's format. Its messages include `null` content next to a call, arguments as text, and floats.
 */
const RESULT = `[{
  "task_id": 3, "reward": 0.0, "trial": 1,
  "info": {
    "task": {"user_id": "u", "instruction": "You want a refund.", "outputs": ["12.50"],
      "actions": [{"name": "cancel_pending_order", "kwargs": {"order_id": "#W1"}}]},
    "source": "user", "user_cost": 0.01,
    "reward_info": {"reward": 0.0, "info": {"r_outputs": 0.0, "outputs": {"12.50": false}},
      "actions": [{"name": "cancel_pending_order", "kwargs": {"order_id": "#W1"}}]}
  },
  "traj": [
    {"role": "system", "content": "policy"},
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function",
      "function": {"name": "calculate", "arguments": "{\\"expression\\": 1.0}"}}]},
    {"role": "tool", "tool_call_id": "c", "name": "calculate", "content": "1.0"},
    {"role": "assistant", "content": "It is one."},
    {"role": "user", "content": "###STOP###"}
  ]
}]`;

async function withResults(
  text: string,
  body: (source: ResultsSource, path: string) => Promise<void>,
): Promise<void> {
  await inTempDir(async (dir) => {
    const path = join(dir, "results.json");
    await Deno.writeTextFile(path, text);
    using source = new ResultsSource(path, { find: () => [] });
    await body(source, path);
  });
}

Deno.test("ResultsSource shows tau-bench's own results", async () => {
  await withResults(RESULT, async (source) => {
    const { run } = await source.view();
    assert.deepEqual([run.kind, run.episodes, run.pass1], ["results", 1, 0]);
    const episode = await source.episode(1);
    assert.deepEqual(
      episode.messages.map(({ role, turn }) => [role, turn]),
      [["system", null], ["user", null], ["assistant", 0], ["tool", 0], [
        "assistant",
        1,
      ], ["user", 1]],
    );
    assert.deepEqual(episode.messages[2]?.calls, [{
      name: "calculate",
      arguments: [["expression", "1.0"]],
    }]);
    assert.deepEqual(episode.reward, {
      checks: [],
      value: 0,
      database: null,
      outputs: 0,
      missingOutputs: ["12.50"],
    });
    assert.equal(episode.row.stop, "user_stop");
    assert.equal(episode.task?.instruction, "You want a refund.");
    const index = await source.index();
    await index.indexed();
    const ids = await index.ids(
      readQuery(new URLSearchParams("text=calculate&reason=missing_output")),
    );
    assert.deepEqual([...ids], [1]);
  });
});

Deno.test("ResultsSource rereads a changed file, and reports when it is gone", async () => {
  await withResults(RESULT, async (source, path) => {
    assert.equal((await source.index()).total, 1);
    const [one] = JSON.parse(RESULT);
    await Deno.writeTextFile(path, JSON.stringify([one, { ...one, trial: 2 }]));
    assert.equal((await source.index()).total, 2);
    await Deno.remove(path);
    await assert.rejects(source.index(), /is gone/);
    assert.match((await source.summary()).error ?? "", /is gone/);
  });
});

Deno.test("ResultsSource reports what a file contains instead of results", async () => {
  for (
    const [text, why] of [
      ["nothing", /no JSON|not JSON/],
      ["{}", /record 1 has no task_id/],
      ["[1]", /record 1 is not an object/],
      ['[{"task_id": 1}]', /record 1 has no conversation/],
      [
        '[{"traj": [{"role": "user", "content": ""}]}]',
        /record 1 has no task_id/,
      ],
    ] as const
  ) {
    await withResults(text, async (source) => {
      await assert.rejects(source.index(), why);
      assert.match((await source.summary()).error ?? "", why);
    });
  }
});

Deno.test({
  name: "ResultsSource compares with tau-bench's data what a real agent did",
  ignore: NO_TAU_BENCH,
  fn: async () => {
    const path = recordingPath("trajectories_airline_dev.json.gz");
    using source = new ResultsSource(path, {
      find: diagnosisFindings,
      tauBench: TAU_BENCH,
    });
    const index = await source.index();
    assert.equal(index.total, 100);
    const failed = await index.ids(readQuery(new URLSearchParams("reward=0")));
    assert.ok(failed.length > 20);
    let [recorded, differing, unknown] = [0, 0, 0];
    for (const id of failed) {
      const { database, row } = await source.episode(id);
      // Three were truncated before they were scored, and the file has no gold for those.
      if (row.task === `task ${row.group}`) {
        unknown++;
        continue;
      }
      // A few tasks have been fixed since the file was made. They count as other tasks, whose gold is in the file.
      if (row.task === `airline/recorded/${row.group}`) recorded++;
      // The airline only has test tasks, whatever the file's name says.
      else assert.equal(row.task, `airline/test/${row.group}`);
      assert.equal(database.note, null);
      if (database.rows.some(({ isRight }) => !isRight)) differing++;
    }
    assert.ok(unknown <= 3);
    assert.ok(recorded < 0.2 * failed.length, `${recorded}`);
    // The others failed because of missing outputs.
    assert.ok(differing > failed.length / 2, `${differing}`);
  },
});

Deno.test("ResultsSource shows a failed episode as failed, and skips and reports a bad record", async () => {
  const [one] = JSON.parse(RESULT);
  const failed = {
    task_id: 4,
    reward: 0,
    info: { error: "connection reset", traceback: "…" },
    traj: [],
    trial: 0,
  };
  const text = JSON.stringify([one, failed, 7, { ...one, trial: 2 }]);
  await withResults(text, async (source) => {
    const { run } = await source.view();
    assert.deepEqual([run.episodes, run.pass1], [3, 0]);
    assert.match(
      run.error ?? "",
      /^1 of 4 records .*record 3 is not an object/,
    );
    const { row, failure, reward, findings } = await source.episode(2);
    assert.deepEqual([row.stop, row.failure, reward], [
      "failed",
      "connection",
      null,
    ]);
    assert.equal(failure?.message, "connection reset");
    assert.ok(findings.some(({ kind }) => kind === "failure"));
    assert.equal((await source.episode(4)).row.step, 2);
    await assert.rejects(source.episode(3), /no episode 3/);
  });
});

Deno.test("ResultsSource uses the gold recorded in the file if the task has changed since", async () => {
  await inTempDir(async (dir) => {
    const { dataset, dir: tauBench } = await writeResultWorld(dir);
    const [task, other] = dataset.tasks("test").filter(({ outputs }) =>
      outputs.length === 0
    );
    const was = { ...task!, userId: other!.userId, actions: other!.actions };
    const records = [
      await resultRecord(dataset, was),
      await resultRecord(dataset, was, { isRight: false, trial: 1 }),
      await resultRecord(dataset, other!),
    ];
    const path = join(dir, "r.json");
    await Deno.writeTextFile(path, resultText(records));
    using source = new ResultsSource(path, {
      find: diagnosisFindings,
      tauBench,
    });
    const [right, wrong, today] = await Promise.all(
      [1, 2, 3].map((id) => source.episode(id)),
    );
    assert.equal(right?.row.task, `retail/recorded/${task!.index}`);
    assert.equal(right?.reward?.value, 1);
    assert.ok(right?.database.rows.every(({ isRight }) => isRight));
    assert.ok(right!.database.rows.length > 0);
    assert.ok(wrong?.database.rows.some(({ isRight }) => !isRight));
    assert.ok(wrong?.findings.some(({ kind }) => kind === "decisive"));
    assert.equal(today?.row.task, other!.id);
  });
});

Deno.test("ResultsSource.episode() shows all trials of a task", async () => {
  const [one] = JSON.parse(RESULT);
  const text = JSON.stringify([{ ...one, trial: 0 }, one]);
  await withResults(text, async (source) => {
    const { siblings } = await source.episode(2);
    assert.deepEqual(siblings.map(({ row }) => row.id), [1, 2]);
  });
});
