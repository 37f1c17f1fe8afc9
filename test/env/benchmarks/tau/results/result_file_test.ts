import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import {
  readResultFile,
  resultFaults,
} from "../../../../../env/benchmarks/tau/results/result_file.ts";
import { DataError } from "../../../../../env/errors.ts";
import {
  type JsonValue,
  printPythonJson,
} from "../../../../../env/python/python_json.ts";
import {
  failedRecord,
  resultText,
} from "../../../../support/published_results.ts";

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Returns a minimal record of an episode in the format that τ-bench writes. */
function record(task: number): JsonValue {
  return new Map<string, JsonValue>([
    ["task_id", task],
    ["reward", 1],
    ["info", new Map()],
    ["traj", [
      new Map([["role", "user"], ["content", "hi"]]),
      new Map([["role", "assistant"], ["content", "bye"]]),
      new Map([["role", "user"], ["content", "###STOP###"]]),
    ]],
    ["trial", 0],
  ]);
}

Deno.test("readResultFile() marks an episode that ended with an exception as failed, without a reward", () => {
  const text = resultText([record(0), failedRecord(1), record(2)]);
  const { records, faults } = readResultFile(bytesOf(text), "r.json");
  assert.equal(faults.length, 0);
  assert.deepEqual(
    records.map(({ number, stop, reward }) => [
      number,
      stop,
      reward?.value ?? null,
    ]),
    [[1, "user_stop", 1], [2, "failed", null], [3, "user_stop", 1]],
  );
  assert.deepEqual(records[1]?.failure, {
    kind: "rate_limited",
    source: "user",
    message: "litellm.RateLimitError: too many requests",
  });
});

Deno.test("readResultFile() skips and names invalid records", () => {
  const bad: [value: JsonValue, words: RegExp][] = [
    [7, /record 2 is not an object/],
    [null, /record 2 is not an object/],
    [[], /record 2 is not an object/],
    [new Map(), /record 2 has no task_id/],
    [new Map([["task_id", "x"]]), /record 2 has no task_id/],
    [new Map([["task_id", NaN]]), /record 2 has no task_id/],
    [new Map([["task_id", 1]]), /record 2 has no conversation/],
    [
      new Map<string, JsonValue>([["task_id", 1], ["traj", "none"]]),
      /record 2 has no conversation/,
    ],
    [
      new Map<string, JsonValue>([["task_id", 1], ["traj", []]]),
      /record 2 has neither a conversation.* nor an error/,
    ],
    [
      new Map<string, JsonValue>([["task_id", 1], ["traj", [new Map(), 3]]]),
      /record 2 has a message that is not an object \(traj\[1\]\)/,
    ],
  ];
  for (const [value, words] of bad) {
    const text = resultText([record(0), value, record(2)]);
    const file = readResultFile(bytesOf(text), "r.json");
    assert.deepEqual(file.records.map(({ task }) => task), [0, 2]);
    assert.match(resultFaults(file) ?? "", words);
    assert.match(resultFaults(file) ?? "", /^1 of 3 records cannot be read: /);
  }
});

Deno.test("readResultFile() reads JSON lines with blank lines, CRLF, a byte order mark and a truncated line", () => {
  const lines = [record(0), record(1), record(2)].map((one) =>
    printPythonJson(one)
  );
  const texts: [text: string, tasks: number[], faults: RegExp | null][] = [
    [lines.join("\n"), [0, 1, 2], null],
    [`\ufeff${lines.join("\r\n")}\r\n\r\n`, [0, 1, 2], null],
    [
      [lines[0], "{", lines[2]].join("\n"),
      [0, 2],
      /line 2 is not JSON/,
    ],
    [
      [lines[0], "", lines[1], lines[2]!.slice(0, 40)].join("\n"),
      [0, 1],
      /line 4 is not JSON/,
    ],
  ];
  for (const [text, tasks, words] of texts) {
    for (const bytes of [bytesOf(text), gzipSync(bytesOf(text))]) {
      const file = readResultFile(bytes, "r.jsonl");
      assert.deepEqual(file.records.map(({ task }) => task), tasks);
      const said = resultFaults(file);
      if (words === null) assert.equal(said, null);
      else assert.match(said ?? "", words);
    }
  }
  const torn = [...bytesOf(lines[0]!), 10, 0xff, 0xfe, 10];
  const { records, faults } = readResultFile(
    new Uint8Array([...torn, ...bytesOf(lines[2]!)]),
    "r.jsonl",
  );
  assert.deepEqual(records.map(({ task }) => task), [0, 2]);
  assert.match(faults[0]?.what ?? "", /line 2 is not UTF-8/);
});

Deno.test("readResultFile() reads the complete records of a truncated list", () => {
  const text = resultText([record(0), record(1), record(2)]);
  for (const cut of [2, 30, 60]) {
    const file = readResultFile(bytesOf(text.slice(0, -cut)), "r.json");
    assert.deepEqual(file.records.map(({ task }) => task), [0, 1]);
    assert.match(
      resultFaults(file) ?? "",
      /record 3 is not JSON, and no record after it can be read/,
    );
  }
});

Deno.test("readResultFile() rejects a file without records and describes its content", () => {
  for (const text of ["", "[]", "{}", "nothing", "[1, 2]", '"text"']) {
    assert.throws(
      () => readResultFile(bytesOf(text), "r.json"),
      (error) =>
        error instanceof DataError &&
        /is not a result file/.test(error.message),
      text,
    );
  }
});
