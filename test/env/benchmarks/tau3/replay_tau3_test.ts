import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import {
  describeMismatch,
  type Mismatch,
} from "../../../../env/benchmarks/tau/replay/mismatch.ts";
import { replayTau3Files } from "../../../../env/benchmarks/tau3/replay/replay_tau3.ts";
import { ConfigError, DataError } from "../../../../env/errors.ts";
import {
  NO_TAU3_BENCH,
  TAU3_BENCH,
  tau3RecordingPath,
} from "../../../support/tau3_bench.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

/** Replays records that are given as text, and returns the report and the mismatches. */
async function replayText(text: string) {
  const mismatches: Mismatch[] = [];
  let reports: Awaited<ReturnType<typeof replayTau3Files>> = [];
  await inTempDir(async (dir) => {
    const path = `${dir}/records.jsonl`;
    await Deno.writeTextFile(path, text);
    reports = await replayTau3Files([path], {
      tau3Bench: TAU3_BENCH,
      onMismatch: (mismatch) => mismatches.push(mismatch),
    });
  });
  return { report: reports[0], mismatches };
}

/** Reads the lines of a recording. */
async function linesOf(name: string): Promise<string[]> {
  const bytes = await Deno.readFile(tau3RecordingPath(name));
  return new TextDecoder().decode(gunzipSync(bytes)).trim().split("\n");
}

const RECORDINGS = [
  "orchestrator",
  ...["airline", "retail", "telecom"].flatMap((domain) => [
    `gold_${domain}`,
    `evaluators_${domain}`,
  ]),
];

for (const name of RECORDINGS) {
  Deno.test({
    name: `replayTau3Files() agrees with the recording ${name}`,
    ignore: NO_TAU3_BENCH,
    async fn() {
      const lines = await linesOf(name);
      const { report, mismatches } = await replayText(lines.join("\n"));
      assert.deepEqual(mismatches.map(describeMismatch), []);
      assert.equal(report?.records, lines.length);
    },
  });
}

Deno.test({
  name:
    "replayTau3Files() names the record, the step and both values of a mismatch",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const gold = (await linesOf("gold_telecom"))[0] ?? "";
    const talk = (await linesOf("orchestrator")).find((line) =>
      line.includes('"domain": "telecom"') && line.includes("max_steps_")
    ) ?? "";
    const changes: [string, string, string, RegExp][] = [
      [
        gold,
        "Roaming is now ON",
        "Roaming is now OFF",
        /record 1 \(task .*\), step 1, content: expected ".*OFF.*got ".*ON/,
      ],
      [
        gold,
        '"final": {"db": "3',
        '"final": {"db": "4',
        /, final\.db: expected "4.*got "3/,
      ],
      [
        gold,
        '"reward": 1.0',
        '"reward": 0.0',
        /, gold: reward_info\.reward: expected "0\.0", got "1\.0"/,
      ],
      [talk, '"steps": ', '"steps": 1', /\(case \d+\), steps: expected "1/],
      [
        talk,
        '"termination_reason": "max_steps"',
        '"termination_reason": "user_stop"',
        /termination_reason: expected/,
      ],
    ];
    for (const [line, from, to, expected] of changes) {
      assert(line.includes(from), from);
      const { mismatches } = await replayText(line.replace(from, to));
      const texts = mismatches.map(describeMismatch);
      assert(
        texts.some((text) =>
          expected.test(text)
        ),
        `${expected}: ${texts}`,
      );
    }
  },
});

Deno.test({
  name: "replayTau3Files() rejects files that are not recordings",
  ignore: NO_TAU3_BENCH,
  async fn() {
    await assert.rejects(replayText('{"a": 1}'), DataError);
    await assert.rejects(
      replayText('{"domain": "telecom", "steps": [{"name": 1}]}'),
      /record 1 is not a valid "fuzz" record/,
    );
    await assert.rejects(
      replayTau3Files(["nowhere.jsonl"], { tau3Bench: TAU3_BENCH }),
      ConfigError,
    );
  },
});
