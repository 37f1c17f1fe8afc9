import assert from "node:assert/strict";
import { join } from "node:path";
import {
  describeMismatch,
  type Mismatch,
  replayFiles,
} from "../../../../../env/benchmarks/tau/replay/replay_recordings.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../../../../../env/python/python_json.ts";
import { objectAt, objectsAt } from "../../../../../env/row.ts";
import {
  failedRecord,
  resultRecord,
  resultText,
  type ResultWorld,
  writeResultWorld,
} from "../../../../support/published_results.ts";
import { inTempDir } from "../../../../support/temp_dir.ts";

/**
 * Writes a result file with the records that `make` returns, and replays them in the world to which they belong. Passes
 * the mismatches to `isSaid`, which by default fails if there are any.
 * @returns The report on the file.
 */
async function replayed(
  make: (world: ResultWorld) => Promise<JsonValue[]>,
  isSaid: (mismatches: readonly Mismatch[]) => void = (all) =>
    assert.deepEqual(all.map(describeMismatch), []),
) {
  let report: Awaited<ReturnType<typeof replayFiles>>[number] | undefined;
  await inTempDir(async (dir) => {
    const world = await writeResultWorld(dir);
    const path = join(dir, "results.json");
    await Deno.writeTextFile(path, resultText(await make(world)));
    const mismatches: Mismatch[] = [];
    [report] = await replayFiles([path], {
      tauBench: world.dir,
      onMismatch: (one) => mismatches.push(one),
    });
    isSaid(mismatches);
  });
  return report!;
}

function tasksOf({ dataset }: ResultWorld) {
  return dataset.tasks("test").slice(0, 4);
}

Deno.test("replayFiles() agrees with result files of tool-calling and text agents", async () => {
  const { format, records, mismatches, domain } = await replayed(
    async (world) =>
      await Promise.all(
        tasksOf(world).map((task, i) =>
          resultRecord(world.dataset, task, {
            isRight: i !== 1,
            style: i < 2 ? "calls" : "text",
          })
        ),
      ),
  );
  assert.deepEqual([format, domain, records, mismatches], [
    "results",
    "retail",
    4,
    0,
  ]);
});

Deno.test("replayFiles() reports altered values in a result file, record by record", async () => {
  const alterations: [
    alter: (record: JsonObject) => void,
    field: string,
  ][] = [
    [(record) => record.set("reward", 0), "reward"],
    [(record) => {
      const answer = objectsAt(record, "traj")
        .find((message) => message.get("role") === "tool")!;
      answer.set("content", "nothing");
    }, "observation"],
    [(record) => {
      const account = objectAt(
        objectAt(objectAt(record, "info"), "reward_info"),
        "info",
      );
      account.set("gt_data_hash", "0");
    }, "gt_data_hash"],
  ];
  for (const [alter, field] of alterations) {
    const report = await replayed(async (world) => {
      const records = await Promise.all(
        world.dataset.tasks("test").filter(({ outputs }) =>
          outputs.length === 0
        ).slice(0, 3).map((task) => resultRecord(world.dataset, task)),
      );
      alter(records[1]!);
      return records;
    }, (mismatches) => {
      assert.deepEqual(
        mismatches.map((one) => [one.record, one.field]),
        [[2, field]],
      );
    });
    assert.equal(report.mismatches, 1);
  }
});

Deno.test("replayFiles() scores with the file's gold actions if the task has changed", async () => {
  await replayed(async (world) => {
    const [task, other] = tasksOf(world);
    const was = {
      ...task!,
      instruction: "You want what you wanted then.",
      userId: other!.userId,
      actions: other!.actions,
      outputs: other!.outputs,
    };
    // With the current gold actions, it would fail.
    return [await resultRecord(world.dataset, was)];
  });
});

Deno.test("replayFiles() skips and names failed and unreadable records", async () => {
  const report = await replayed(async (world) => {
    const [first, second] = tasksOf(world);
    return [
      await resultRecord(world.dataset, first!),
      failedRecord(1),
      7,
      await resultRecord(world.dataset, second!),
      new Map([["task_id", 3]]),
    ];
  });
  assert.equal(report.records, 2);
  assert.deepEqual(report.skipped?.map(({ number }) => number), [2]);
  assert.match(
    report.skipped?.[0]?.what ?? "",
    /failed when it was recorded: litellm/,
  );
  assert.deepEqual(report.unreadable?.map(({ number }) => number), [3, 5]);
});

Deno.test("replayFiles() distinguishes a file from another dataset from one with mismatches", async () => {
  const isOther = (record: JsonObject) => {
    const account = objectAt(
      objectAt(objectAt(record, "info"), "reward_info"),
      "info",
    );
    account.set("gt_data_hash", "0");
  };
  const report = await replayed(async (world) => {
    const tasks = world.dataset.tasks("test")
      .filter(({ outputs }) => outputs.length === 0).slice(0, 3);
    const records = await Promise.all(
      tasks.map((task) => resultRecord(world.dataset, task)),
    );
    records.forEach(isOther);
    return records;
  });
  assert.deepEqual(report.otherData, { golds: 3, differences: 3 });
});

Deno.test("replayFiles() skips a damaged line of a recording and replays the others", async () => {
  await inTempDir(async (dir) => {
    const world = await writeResultWorld(dir);
    const tasks = tasksOf(world);
    const line = (call: JsonValue) => resultText([call]).slice(1, -1);
    const fuzz = (observation: string) =>
      parsePythonJson(
        `{"env": "retail", "case": 1, "steps": [{"name": "calculate",
        "kwargs": {"expression": "1 + 1"}, "observation": "${observation}"}],
        "final_data_hash": "${world.dataset.database.hash()}"}`,
      );
    assert.ok(tasks.length > 0);
    const path = join(dir, "fuzz.jsonl");
    await Deno.writeTextFile(
      path,
      [
        "{",
        line(fuzz("2.0")),
        "[]",
        line(new Map([["case", 1], ["steps", 1]])),
        line(fuzz("2.0")),
      ].join("\r\n"),
    );
    const [report] = await replayFiles([path], { tauBench: world.dir });
    assert.deepEqual([report?.records, report?.mismatches], [2, 0]);
    assert.deepEqual(report?.unreadable?.map(({ number }) => number), [
      1,
      3,
      4,
    ]);
  });
});
