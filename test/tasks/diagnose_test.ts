import assert from "node:assert/strict";
import { join } from "node:path";
import { writeFailedRun } from "../support/failed_run.ts";
import { chatAnswer, modelServer } from "../support/model_server.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask } from "../support/task_process.ts";

Deno.test("diagnose: a table, the first decisive errors, and nothing of a model", () =>
  inTempDir(async (dir) => {
    await writeFailedRun(join(dir, "e"));
    const { code, stdout, stderr } = await runTask("diagnose", [
      ...["--runs", dir],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /e: 4 of 6 episodes without the reward/);
    assert.match(stdout, /agent +3 +75\.0%/);
    assert.match(stdout, /infrastructure: the user failed: timeout/);
    assert.match(stdout, /should be/);
    const few = await runTask("diagnose", ["e", "--runs", dir, "--show", "1"]);
    assert.match(few.stdout, /and 3 more; --show N/);
  }));

Deno.test("diagnose --judge: verdicts beside the rules; a judge that fails says nothing", () =>
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

Deno.test("diagnose: refuses what is no run, and says what is missing", () =>
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
          /no episodes of --source foo\nhint: its sources are \S/,
        ],
        [
          ["--step", "99"],
          /no episodes of --step 99\nhint: its steps are \d+ to \d+/,
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
