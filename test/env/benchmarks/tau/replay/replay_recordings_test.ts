import assert from "node:assert/strict";
import { DataError, messageOf } from "../../../../../env/errors.ts";
import { gunzipSync } from "node:zlib";
import { loadTauBench } from "../../../../../env/benchmarks/tau/tau_bench.ts";
import {
  describeMismatch,
  type Mismatch,
  replayFiles,
  replayRecording,
} from "../../../../../env/benchmarks/tau/replay/replay_recordings.ts";
import {
  type JsonObject,
  type JsonValue,
  printPythonJson,
} from "../../../../../env/python/python_json.ts";
import { member } from "../../../../../env/python/python_object.ts";
import { objectsAt } from "../../../../../env/row.ts";
import { readRecording } from "../../../../../env/benchmarks/tau/replay/recording.ts";
import {
  NO_TAU_BENCH,
  recordingPath,
  TAU_BENCH,
} from "../../../../support/tau_bench.ts";

const AIRLINE = [
  "gold_airline_test.jsonl.gz",
  "fuzz_airline.jsonl.gz",
  "fuzz_reward_airline.jsonl.gz",
  "trajectories_airline_dev.json.gz",
  "hostile_airline.jsonl.gz",
];

const RETAIL = [
  "gold_retail_dev.jsonl.gz",
  "gold_retail_train.jsonl.gz",
  "fuzz_retail.jsonl.gz",
  "fuzz_reward_retail.jsonl.gz",
  "hostile_retail.jsonl.gz",
];

Deno.test({
  name: "replayFiles() agrees with every recording of τ-bench's retail",
  ignore: NO_TAU_BENCH,
  async fn() {
    const mismatches: string[] = [];
    const reports = await replayFiles(RETAIL.map(recordingPath), {
      tauBench: TAU_BENCH,
      onMismatch: (mismatch) => mismatches.push(describeMismatch(mismatch)),
    });
    assert.deepEqual(mismatches, []);
    assert.deepEqual(
      reports.map(({ format, records, steps }) => [format, records, steps]),
      [["gold", 20, 25], ["gold", 150, 231], ["fuzz", 300, 1310], [
        "fuzz_reward",
        120,
        1179,
      ], ["fuzz", 375, 2091]],
    );
  },
});

Deno.test({
  name:
    "replayRecording() reports altered values in a recording with their position",
  ignore: NO_TAU_BENCH,
  async fn() {
    const alterations: [
      file: string,
      alter: (text: string) => string,
      field: string,
      step: number | null,
    ][] = [
      [
        RETAIL[0] ?? "",
        (text) => text.replace("cancelled", "canceled"),
        "observation",
        1,
      ],
      [
        RETAIL[0] ?? "",
        (text) => text.replace(/("final_data_hash": ")./, "$1x"),
        "final_data_hash",
        null,
      ],
      [
        RETAIL[0] ?? "",
        (text) => text.replace(/("gt_data_hash": ")./, "$1x"),
        "gt_data_hash",
        null,
      ],
      [
        RETAIL[0] ?? "",
        (text) => text.replace('{"reward": 1.0', '{"reward": 0.0'),
        "reward",
        null,
      ],
      [
        RETAIL[0] ?? "",
        (text) => text.replace('"r_actions": 1.0', '"r_actions": 0.5'),
        "reward_info",
        null,
      ],
      [
        RETAIL[2] ?? "",
        (text) => text.replace(/("data_hash": ")./, "$1x"),
        "data_hash",
        1,
      ],
      [
        RETAIL[2] ?? "",
        (text) => text.replace(/"data_hash": "\w+"/, '"x": 0'),
        "data_hash",
        1,
      ],
      [
        RETAIL[2] ?? "",
        (text) => text.replace('"observation": "4.0"', '"observation": "4"'),
        "observation",
        1,
      ],
      [
        RETAIL[3] ?? "",
        (text) => text.replace('"user_reply": "ok"', '"user_reply": "OK"'),
        "observation",
        1,
      ],
      [
        RETAIL[3] ?? "",
        (text) => text.replace('"done": false', '"done": true'),
        "done",
        1,
      ],
      [
        RETAIL[3] ?? "",
        (text) => text.replace(/("data_hash_before_reward": ")./, "$1x"),
        "data_hash_before_reward",
        3,
      ],
      [
        RETAIL[3] ?? "",
        (text) =>
          text.replace('"actions_logged": [', '"actions_logged": ["x", '),
        "actions_logged",
        null,
      ],
    ];
    const dataset = await loadTauBench(TAU_BENCH, "retail");
    for (const [file, alter, field, step] of alterations) {
      const text = new TextDecoder().decode(
        gunzipSync(Deno.readFileSync(recordingPath(file))),
      );
      const start = field === "data_hash"
        ? firstLineWith(text, '"data_hash"')
        : text.indexOf("{");
      const line = text.slice(start, text.indexOf("\n", start));
      const altered = alter(line);
      assert.notEqual(altered, line, field);
      const found: Mismatch[] = [];
      const recording = readRecording(
        new TextEncoder().encode(altered),
        "altered",
      );
      const report = await replayRecording(recording, {
        dataset,
        onMismatch: (mismatch) => found.push(mismatch),
      });
      assert.equal(report.mismatches, found.length);
      const mismatch = found.find((one) => one.field === field);
      assert.ok(mismatch, `${file}: ${field}`);
      assert.equal(mismatch.record, 1);
      if (field !== "data_hash") assert.equal(mismatch.step, step);
      assert.match(
        describeMismatch(mismatch),
        /^altered: record 1 \(.*\).*, \w+: expected .*, got /,
      );
    }
  },
});

Deno.test({
  name:
    "replayRecording() scores trajectories of every domain, as one array or as lines",
  ignore: NO_TAU_BENCH,
  async fn() {
    const dataset = await loadTauBench(TAU_BENCH, "retail");
    const { records } = readRecording(
      Deno.readFileSync(recordingPath(RETAIL[3] ?? "")),
      "fuzz_reward",
    );
    const trajectories = records.map(asTrajectory).filter((one) =>
      one !== undefined
    );
    assert.ok(trajectories.length > 30);
    const asArray = printPythonJson(trajectories);
    const byLine = trajectories.map((one) => printPythonJson(one)).join("\n");
    for (const text of [asArray, byLine]) {
      const recording = readRecording(new TextEncoder().encode(text), "t");
      const report = await replayRecording(recording, { dataset });
      assert.deepEqual(
        [report.format, report.records, report.mismatches],
        ["trajectories", trajectories.length, 0],
      );
    }
    const altered = asArray.replace(
      '"reward_info": {"reward": 1.0',
      '"reward_info": {"reward": 0.0',
    );
    const recording = readRecording(new TextEncoder().encode(altered), "t");
    assert.equal((await replayRecording(recording, { dataset })).mismatches, 1);
  },
});

Deno.test({
  name:
    "replayFiles() agrees with every recording of τ-bench's airline, including 100 conversations with a model",
  ignore: NO_TAU_BENCH,
  async fn() {
    const mismatches: string[] = [];
    const reports = await replayFiles(AIRLINE.map(recordingPath), {
      tauBench: TAU_BENCH,
      onMismatch: (mismatch) => mismatches.push(describeMismatch(mismatch)),
    });
    assert.deepEqual(mismatches, []);
    assert.deepEqual(
      reports.map(({ format, records, steps }) => [format, records, steps]),
      [["gold", 10, 23], ["fuzz", 300, 1338], ["fuzz_reward", 30, 146], [
        "trajectories",
        100,
        1381,
      ], ["fuzz", 417, 2418]],
    );
  },
});

Deno.test("readRecording() describes the problem with an invalid file", () => {
  const wrong: [content: string | Uint8Array, message: RegExp][] = [
    ["", /"f": it has no records/],
    ["[]", /"f": it has no records/],
    ["7", /"f": record 1 is not an object/],
    [
      '{"a": 1}',
      /"f": its records have an unknown format; use a recording in one of these formats: trajectories, /,
    ],
    ['{"case": ', /"f": line 1 is not JSON: expected one complete object/],
    [
      new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2]),
      /"f": it is damaged or not text/,
    ],
    [new Uint8Array([0xff, 0xfe, 0]), /"f": it is damaged or not text/],
  ];
  for (const [content, message] of wrong) {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    assert.throws(
      () => readRecording(bytes, "f"),
      (error) => error instanceof DataError && message.test(messageOf(error)),
    );
  }
});

Deno.test({
  name: "replayRecording() names the invalid record and field",
  ignore: NO_TAU_BENCH,
  async fn() {
    const dataset = await loadTauBench(TAU_BENCH, "retail");
    const replay = (text: string) =>
      replayRecording(readRecording(new TextEncoder().encode(text), "f"), {
        dataset,
      });
    const fuzz =
      '{"env": "retail", "case": 0, "steps": [], "final_data_hash": ""}';
    const wrong =
      `{"env": "retail", "case": 1, "steps": [{"name": 1}], "final_data_hash": ""}`;
    const fault =
      /record 2 is not a valid "fuzz" record: field "steps\.0\.name": expected string/;
    const { unreadable = [] } = await replay(`${fuzz}\n${wrong}`);
    assert.match(unreadable[0]?.what ?? "", fault);
    await assert.rejects(
      replay(
        `${wrong}\n{"env": "retail", "case": 1, "steps": [{"name": 1}], "final_data_hash": ""}`,
      ),
      /record 2 is not a valid "fuzz" record: field "steps\.0\.name": expected string/,
    );
    const gold =
      '{"env": "retail", "split": "dev", "task_index": 20, "steps": [], "final_data_hash": "", "gt_data_hash": "", "reward_without_responds": {"reward": 0.0, "info": {}}}';
    await assert.rejects(
      replay(gold),
      /record 1 refers to task 20 of the split "dev", whose size is 20/,
    );
  },
});

/**
 * Converts a recorded scripted episode to a trajectory. Returns `undefined` unless the episode was scored exactly once,
 * at its last step.
 */
function asTrajectory(record: JsonObject): JsonObject | undefined {
  const steps = objectsAt(record, "steps");
  const last = steps.at(-1);
  const rewardInfo = last?.get("reward_info");
  const stateHash = last?.get("data_hash_before_reward");
  const scored = steps.filter((step) => step.get("done") === true).length;
  if (scored !== 1 || rewardInfo === undefined || stateHash === undefined) {
    return undefined;
  }
  return new Map<string, JsonValue>([
    ["task_index", member(record, "task_index")],
    ["trial", 0],
    ["ended_done", true],
    ["steps", steps.map(asTrajectoryStep)],
    ["reward_info", rewardInfo],
    ["data_hash_before_reward", stateHash],
  ]);
}

function asTrajectoryStep(step: JsonObject): JsonObject {
  const pick = (keys: string[]) =>
    keys.map((key): [string, JsonValue] => [key, member(step, key)]);
  return new Map<string, JsonValue>([
    ["action", new Map(pick(["name", "kwargs"]))],
    ...pick(["observation", "reward", "done"]),
  ]);
}

function firstLineWith(text: string, part: string): number {
  return text.lastIndexOf("\n", text.indexOf(part)) + 1;
}
