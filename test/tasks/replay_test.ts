import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import {
  NO_TAU_BENCH,
  recordingPath,
  TAU_BENCH,
} from "../support/tau_bench.ts";
import {
  NO_TAU3_BENCH,
  TAU3_BENCH,
  tau3RecordingPath,
} from "../support/tau3_bench.ts";

const ROOT = new URL("../../", import.meta.url);
const DEV = recordingPath("gold_retail_dev.jsonl.gz");

/** Runs `deno task replay` as a separate process. */
async function replay(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "replay", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", TAU_BENCH_DIR: "" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

Deno.test({
  name: "replay exits with 0 and prints a table if everything agrees",
  ignore: NO_TAU_BENCH,
  async fn() {
    const { code, stdout } = await replay("--tau-bench", TAU_BENCH, DEV);
    assert.match(stdout, /^file +format +domain +records +steps +mismatches\n/);
    assert.match(stdout, /\ntotal +20 +25 +0\n$/);
    assert.equal(code, 0);
  },
});

Deno.test({
  name:
    "replay exits with 1 and prints one line per mismatch; --json only has counts",
  ignore: NO_TAU_BENCH,
  async fn() {
    const path = await Deno.makeTempFile({ suffix: ".jsonl" });
    try {
      const text = new TextDecoder().decode(
        gunzipSync(await Deno.readFile(DEV)),
      );
      await Deno.writeTextFile(path, text.replace("cancelled", "canceled"));
      const people = await replay("--tau-bench", TAU_BENCH, DEV, path);
      assert.equal(people.code, 1);
      const lines = people.stdout.split("\n").filter((line) =>
        line.startsWith(`${path}: record`)
      );
      assert.equal(lines.length, 1);
      assert.match(
        lines[0] ?? "",
        /record 1 \(dev\/0\), step 1, observation: expected ….*canceled.*, got ….*cancelled/,
      );
      const programs = await replay(
        "--json",
        "--tau-bench",
        TAU_BENCH,
        DEV,
        path,
      );
      assert.equal(programs.code, 1);
      assert.deepEqual(JSON.parse(programs.stdout), {
        files: [
          {
            path: DEV,
            format: "gold",
            domain: "retail",
            records: 20,
            steps: 25,
            mismatches: 0,
          },
          {
            path,
            format: "gold",
            domain: "retail",
            records: 20,
            steps: 25,
            mismatches: 1,
          },
        ],
        records: 40,
        steps: 50,
        mismatches: 1,
      });
    } finally {
      await Deno.remove(path);
    }
  },
});

Deno.test({
  name: "replay exits with 2 if a file cannot be replayed, and says why",
  ignore: NO_TAU_BENCH,
  async fn() {
    const misuses: [args: string[], message: RegExp][] = [
      [
        ["--tau-bench", TAU_BENCH],
        /No recordings were given\nhint: pass one or more files/,
      ],
      [[DEV], /TAU_BENCH_DIR is empty/],
      [["--tau-bench", "no/such/dir", DEV], /Cannot find "no\/such\/dir/],
      [
        ["--tau-bench", TAU_BENCH, "no/such/file"],
        /Cannot read the recording "no\/such\/file"/,
      ],
      [
        ["--tau-bench", TAU_BENCH, `${TAU_BENCH}/README.md`],
        /is not JSON/,
      ],
      [
        ["--tau-bnch", TAU_BENCH, DEV],
        /Unknown flag "--tau-bnch"; did you mean "--tau-bench"\?/,
      ],
    ];
    for (const [args, message] of misuses) {
      const { code, stdout, stderr } = await replay(...args);
      assert.match(stderr, message);
      assert.equal(code, 2);
      assert.equal(stdout, "");
    }
  },
});

Deno.test({
  name: "replay --tau3-bench prints the same table for τ³-bench's recordings",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const path = await Deno.makeTempFile({ suffix: ".jsonl" });
    try {
      const [line] = gunzipSync(
        await Deno.readFile(tau3RecordingPath("gold_telecom")),
      ).toString().split("\n");
      await Deno.writeTextFile(path, line ?? "");
      const args = ["--json", "--tau3-bench", TAU3_BENCH, path];
      const { code, stdout } = await replay(...args);
      assert.equal(code, 0);
      const { files, records, mismatches } = JSON.parse(stdout);
      assert.deepEqual([files[0].format, files[0].domain], ["gold", "telecom"]);
      assert.deepEqual([records, mismatches], [1, 0]);
      const both = await replay("--tau-bench", "x", ...args);
      assert.equal(both.code, 2);
    } finally {
      await Deno.remove(path);
    }
  },
});
