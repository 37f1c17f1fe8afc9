import assert from "node:assert/strict";
import fc from "fast-check";
import { HostError } from "../../../../env/errors.ts";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";
import { quoteWords } from "../../../../train/slime/hosts/shell.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const shell = localShell();

Deno.test("localShell() passes words, environment and input unchanged", async () => {
  const text = fc.string({ unit: "binary", maxLength: 60 })
    .map((text) => text.replaceAll("\0", "").toWellFormed());
  await fc.assert(
    fc.asyncProperty(text, text, text, async (word, value, stdin) => {
      const { stdout, code } = await shell.run({
        script: `${quoteWords(["printf", "%s", word])}; printf '%s' "$V"; cat`,
        env: { V: value },
        stdin,
      });
      assert.deepEqual([stdout, code], [`${word}${value}${stdin}`, 0]);
    }),
    { numRuns: 60 },
  );
});

Deno.test("localShell() ends a command and everything that it started when aborted, even a process that ignores SIGTERM", async () => {
  await inTempDir(async (dir) => {
    const stop = new AbortController();
    const pids: string[] = [];
    const running = shell.run({
      script:
        "sleep 4720 & echo $!; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.2; done' & wait",
      cwd: dir,
    }, {
      signal: stop.signal,
      onLine: (line) => {
        if (pids.push(line) === 2) stop.abort(new Error("enough"));
      },
    });
    await assert.rejects(running, /enough/);
    const deadline = performance.now() + 15_000;
    for (const pid of pids) {
      while ((await shell.run({ script: `kill -0 ${pid}` })).code === 0) {
        assert.ok(performance.now() < deadline, `${pid} lives`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  });
});

Deno.test("localShell() throws only its signal's reason, before and while running", async () => {
  const reason = new Error("no time");
  await assert.rejects(
    shell.run({ script: "true" }, { signal: AbortSignal.abort(reason) }),
    reason,
  );
});

Deno.test("localShell() reports a command that was killed", async () => {
  await assert.rejects(
    shell.run({ script: "kill -KILL 0" }),
    (error: Error) =>
      error instanceof HostError && /killed/.test(error.message),
  );
});

Deno.test("localShell() rejects input that no shell accepts", async () => {
  await assert.rejects(shell.run({ script: "echo \0" }), TypeError);
  await assert.rejects(
    shell.run({ script: "true", env: { "A B": "1" } }),
    /"A B" is not a valid/,
  );
});

Deno.test("localShell() reads lines that end with a carriage return, and whole pages of output", async () => {
  const lines: string[] = [];
  const { stdout } = await shell.run({
    script: "printf '10%%\\r20%%\\r\\nend'; seq 1 50000",
  }, { onLine: (line) => lines.push(line) });
  assert.deepEqual(lines.slice(0, 3), ["10%", "20%", "end1"]);
  assert.equal(lines.length, 50_002);
  assert.ok(stdout.endsWith("50000\n"));
});
