import assert from "node:assert/strict";
import { join } from "node:path";
import { writeFailedRun } from "../support/failed_run.ts";
import { chatAnswer, modelServer } from "../support/model_server.ts";
import {
  failedRecord,
  resultRecord,
  resultText,
  writeResultWorld,
} from "../support/published_results.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask } from "../support/task_process.ts";

Deno.test("diagnose prints a table and the first decisive errors, without a model", () =>
  inTempDir(async (dir) => {
    await writeFailedRun(join(dir, "e"));
    const { code, stdout, stderr } = await runTask("diagnose", [
      ...["--runs", dir],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^warning: 1 episode failed because of the user\n.*timeout 1.*\n +episodes: failed_by=user\n/,
    );
    assert.match(stdout, /e: 4 of 6 episodes earned no reward/);
    assert.match(stdout, /agent +3 +75\.0%/);
    assert.match(stdout, /infrastructure: the user failed: timeout/);
    assert.match(stdout, /should be/);
    const few = await runTask("diagnose", ["e", "--runs", dir, "--show", "1"]);
    assert.match(few.stdout, /and 3 more: pass --show N/);
  }));

Deno.test("diagnose --judge prints verdicts next to the rules; a failed judge has no verdict", () =>
  inTempDir(async (dir) => {
    await writeFailedRun(join(dir, "e"));
    await using server = modelServer({
      answer: ({ index }) =>
        index === 0
          ? chatAnswer("ready")
          : index === 1
          ? chatAnswer("I think it was the agent")
          : chatAnswer(
            '{"fault": "agent", "kind": "goal_partly_done", "why": "it left"}',
          ),
    });
    const { code, stdout, stderr } = await runTask("diagnose", [
      ...["e", "--runs", dir, "--judge", "org/judge", "--json"],
      ...["--judge-base-url", `${server.url}/v1`, "--concurrency", "1"],
    ]);
    assert.equal(code, 0, stderr);
    const { agreement, diagnoses } = JSON.parse(stdout);
    assert.equal(agreement.both, 3);
    assert.equal(agreement.share, 1);
    assert.equal(diagnoses.length, 4);
    assert.equal(
      diagnoses.find((one: { fault: { by: string } }) =>
        one.fault.by === "infrastructure"
      ).verdict,
      undefined,
      "what infrastructure broke is not asked about",
    );
    const asked = JSON.stringify(server.requests[1]?.body);
    assert.match(asked, /The actions that were expected/);
  }));

Deno.test("diagnose rejects a path that is not a run, and reports what is missing", () =>
  inTempDir(async (dir) => {
    const none = await runTask("diagnose", ["--runs", dir]);
    assert.equal(none.code, 2);
    assert.match(
      none.stderr,
      /There is no run in .*\nhint: .*"deno task train"/,
    );
    await writeFailedRun(join(dir, "e"));
    for (
      const [args, message] of [
        [
          ["--source", "foo"],
          /no episodes for --source foo\nhint: pass --source evaluate\/test$/m,
        ],
        [
          ["--step", "99"],
          /no episodes for --step 99\nhint: pass --step \d+$/m,
        ],
      ] as const
    ) {
      const { code, stderr } = await runTask("diagnose", [
        ...["e", "--runs", dir],
        ...args,
      ]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
    const gone = await runTask("diagnose", ["x", "--runs", dir]);
    assert.equal(gone.code, 2);
    assert.match(gone.stderr, /There is no run at/);
  }));

Deno.test("diagnose reads tau-bench's own result file, and names failed and invalid records", () =>
  inTempDir(async (dir) => {
    const { dataset, dir: tauBench } = await writeResultWorld(dir);
    const [first, second, third] = dataset.tasks("test")
      .filter(({ outputs }) => outputs.length === 0);
    const was = { ...first!, userId: third!.userId, actions: third!.actions };
    const records = [
      await resultRecord(dataset, was, { isRight: false }),
      failedRecord(second!.index),
      7,
      await resultRecord(dataset, second!),
      await resultRecord(dataset, second!, { isRight: false, trial: 1 }),
    ];
    const path = join(dir, "results.json");
    await Deno.writeTextFile(path, resultText(records));
    const args = [path, "--tau-bench", tauBench];
    const { code, stdout, stderr } = await runTask("diagnose", args);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /3 of 4 episodes earned no reward/);
    assert.match(stdout, /infrastructure: the user failed: rate_limited/);
    assert.match(stdout, /episode 1: retail\/recorded\/\d+/);
    assert.match(
      stderr,
      /1 of 5 records cannot be read: record 3 is not an object/,
    );
    const { diagnoses, left_out } = JSON.parse(
      (await runTask("diagnose", [...args, "--json"])).stdout,
    );
    assert.deepEqual(diagnoses.map((one: { id: number }) => one.id), [1, 2, 5]);
    assert.equal(left_out.length, 1);
  }));

Deno.test("diagnose skips and names an episode whose conversation is damaged", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e");
    await writeFailedRun(path);
    const { DatabaseSync } = await import("node:sqlite");
    using db = new DatabaseSync(join(path, "episodes.db"));
    const { id } = db.prepare(
      "SELECT min(id) AS id FROM episodes WHERE reward = 0",
    ).get()!;
    db.prepare("UPDATE episodes SET turns = x'00ff' WHERE id = ?").run(id!);
    const { code, stdout, stderr } = await runTask("diagnose", [
      ...["e", "--runs", dir, "--json"],
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).diagnoses.length, 3);
    assert.match(stderr, new RegExp(`episode ${id}: .*is damaged`));
  }));
