/**
 * Tests confined tasks from outside, in separate processes, each of which has only the permissions that its command
 * line needs.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Confinement } from "../../tasks/_confine.ts";
import { task as evaluate } from "../../tasks/evaluate.ts";
import { task as mock } from "../../tasks/mock.ts";
import { task as train } from "../../tasks/train.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask } from "../support/task_process.ts";

const MODULE = fileURLToPath(
  new URL("../support/confined_task.ts", import.meta.url),
);

const ALL = [
  "--allow-read",
  "--allow-write",
  "--allow-net",
  "--allow-run",
  "--allow-env=LET_THROUGH,KEPT_BACK",
];

function confined(permissions: readonly string[], args: readonly string[]) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, MODULE, ...args],
    stdout: "piped",
    stderr: "piped",
  });
}

/** Starts a task in a separate process, and waits until the task prints that it is working. */
async function atWork(...args: string[]) {
  const child = confined(ALL, args).spawn();
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let stderr = "";
  while (!stderr.includes("at work")) {
    const { value, done } = await reader.read();
    assert.ok(!done, `it ended before: ${stderr}`);
    stderr += value;
  }
  async function rest() {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      stderr += value;
    }
    await child.stdout.cancel();
    return { code: (await child.status).code, stderr };
  }
  return { child, rest };
}

Deno.test("main() confines a task to the permissions that its command line needs", () =>
  inTempDir(async (dir) => {
    const allowed = join(dir, "allowed");
    const args = ["--json", "--allowed", allowed];
    const asked = {
      inside: true,
      outside: false,
      net: false,
      run: false,
      letThrough: true,
      keptBack: false,
    };
    const { code, stdout } = await confined(ALL, args).output();
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), asked);
    // A process with fewer permissions than the task requests runs with those.
    const less = await confined(["--allow-read"], args).output();
    assert.deepEqual(JSON.parse(new TextDecoder().decode(less.stdout)), {
      ...asked,
      inside: false,
      letThrough: false,
    });
  }));

Deno.test("main() passes on a confined task's errors and exit status", async () => {
  const crashed = await confined(ALL, ["--crash"]).output();
  assert.equal(crashed.code, 1);
  assert.match(
    new TextDecoder().decode(crashed.stderr),
    /^error: TypeError: crashed\n[\s\S]*\nhint: report this bug/,
  );
  const misused = await confined(ALL, ["--foo"]).output();
  assert.equal(misused.code, 2);
});

Deno.test("main() passes the first Ctrl-C to a confined task, which saves its work", async () => {
  const { child, rest } = await atWork();
  child.kill("SIGINT");
  const { code, stderr } = await rest();
  assert.equal(code, 130);
  assert.match(stderr, /press Ctrl-C again to stop immediately\nsaved\n$/);
});

Deno.test("main() ends a busy task on the second Ctrl-C, and a task with nothing to save on the first", async () => {
  const busy = await atWork("--busy");
  busy.child.kill("SIGINT");
  busy.child.kill("SIGTERM");
  assert.equal((await busy.rest()).code, 130);
  const planning = await atWork("--busy", "--dry-run");
  planning.child.kill("SIGINT");
  const { code, stderr } = await planning.rest();
  assert.equal(code, 130);
  assert.doesNotMatch(stderr, /saved|Finishing/);
});

/** Flags for a world with so few tasks that it is generated instantly. */
const SMALL = ["train", "dev", "test"]
  .flatMap((split) => ["--set", `data.generated.${split}Tasks=6`]);
Deno.test("every dry run has no write permission and ends on the first Ctrl-C", async () => {
  const runs = "runs";
  for (
    const [{ confine }, flags] of [
      [mock, { out: "world", runs }],
      [train, { runs, set: [], track: [] }],
      [evaluate, { runs, track: [] }],
    ] as const
  ) {
    const ask = confine as (given: unknown) => unknown;
    const plan = await ask({ flags: { ...flags, dryRun: true }, operands: [] });
    const { write, endsAtOnce } = plan as Confinement;
    assert.deepEqual([write, endsAtOnce], [[], true]);
    const real = await ask({
      flags: { ...flags, dryRun: false },
      operands: [],
    });
    assert.notEqual((real as Confinement).endsAtOnce, true);
    assert.equal((real as Confinement).write.length, 1);
  }
});

const EXPERT = [
  ...["--agent", "expert", "--task-ids", "0", "--name", "e"],
  ...SMALL,
];

Deno.test("evaluate writes its run to --runs or TAULAB_RUNS, where other tasks find it", () =>
  inTempDir(async (dir) => {
    const named = join(dir, "not", "there yet");
    const byFlag = await runTask("evaluate", [...EXPERT, "--runs", named]);
    assert.equal(byFlag.code, 0, byFlag.stderr);
    const env = { TAULAB_RUNS: join(dir, "by variable") };
    const byVariable = await runTask("evaluate", EXPERT, { env });
    assert.equal(byVariable.code, 0, byVariable.stderr);
    for (
      const [args, options] of [
        [["--runs", named], {}],
        [[], { env }],
      ] as const
    ) {
      const found = await runTask("diagnose", [...args, "--json"], options);
      assert.equal(found.code, 0, found.stderr);
      assert.equal(JSON.parse(found.stdout).episodes, 1);
    }
  }));

Deno.test("a task that lacks a permission names the command that has it", () =>
  inTempDir(async (dir) => {
    for (
      const [name, args] of [["evaluate", EXPERT], ["train", SMALL]] as const
    ) {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--no-prompt", "--allow-read", "--allow-env"],
          ...[`--allow-write=${join(dir, "allowed")}`, `tasks/${name}.ts`],
          ...["--runs", join(dir, "denied"), ...args],
        ],
      }).output();
      assert.equal(code, 1);
      const text = new TextDecoder().decode(stderr);
      assert.match(
        text,
        /^error: .*Deno was not allowed to write to ".*denied.*\nhint: /m,
      );
      assert.ok(
        text.includes(`--allow-write=${join(dir, "denied")} tasks/${name}.ts`),
        text,
      );
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
  }));

Deno.test("a task can use a domain that a preloaded script registers", () =>
  inTempDir(async (dir) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--allow-read", "--allow-env"],
        ...[`--allow-write=${dir}`],
        ...[
          "--preload=test/support/library_desk/register.ts",
          "tasks/evaluate.ts",
        ],
        ...["--env", "desks.library", "--agent", "expert", "--dry-run"],
        ...["--runs", dir, "--json"],
      ],
    }).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.equal(code, 0, decode(stderr));
    assert.match(JSON.parse(decode(stdout)).data, /library/);
  }));
