import assert from "node:assert/strict";
import { openResults } from "../../../../env/benchmarks/results/open_results.ts";
import { DataError } from "../../../../env/errors.ts";
import { toPlain } from "../../../../env/python/python_json.ts";
import { writeZip } from "../../../../env/zip_archive.ts";

/** Creates a log with the given samples, keyed by their names in the archive. */
function logOf(samples: Readonly<Record<string, unknown>>): Uint8Array {
  return writeZip(
    new Map([
      ["header.json", "{}"],
      ...Object.entries(samples).map(([name, sample]) =>
        [`samples/${name}.json`, JSON.stringify(sample)] as const
      ),
    ]),
  );
}

const CONVERSATION = [
  { role: "system", content: "Help." },
  {
    role: "user",
    content: [{ type: "text", text: "Cancel " }, {
      type: "text",
      text: "#W1",
    }],
  },
  {
    role: "assistant",
    content: [{ type: "reasoning", reasoning: "hm" }, {
      type: "text",
      text: "Done.",
    }],
    tool_calls: [{ id: "1", function: "cancel", arguments: { id: 1 } }],
  },
  {
    role: "tool",
    content: "attachment://x",
    tool_call_id: "1",
    function: "cancel",
  },
];

Deno.test("openResults() reads an Inspect sample with messages, calls, attachments, score and explanation", () => {
  const score = { value: "C", answer: "yes", explanation: "as it should be" };
  const { records, fault } = openResults(
    logOf({
      "b/1_epoch_2": {
        input: "Cancel #W1",
        messages: CONVERSATION,
        attachments: { x: "a long answer" },
        scores: { style: { value: "warm" }, match: score },
      },
    }),
    "a.eval",
  );
  assert.equal(fault, null);
  const [record] = records;
  assert.equal(record?.trial, 1);
  assert.equal(record?.instruction, "Cancel #W1");
  assert.equal(record?.messages[1]?.get("content"), "Cancel \n#W1");
  assert.equal(record?.reward?.value, 1);
  assert.deepEqual(record?.reward?.checks, [
    { part: "style", counts: false, what: "score warm", met: null },
    {
      part: "match",
      counts: true,
      what: "yes",
      met: true,
      why: "as it should be",
    },
  ]);
  assert.deepEqual(record?.turns.map((turn) => toPlain(turn)), [{
    action: {
      type: "tool",
      call: { id: "1", name: "cancel", arguments: { id: 1 } },
    },
    observation: { source: "tool", content: "a long answer", done: false },
  }]);
});

Deno.test("openResults() marks a sample with an error as failed and skips a damaged one", () => {
  const error = { message: "APIConnectionError", traceback: "…" };
  const { records, fault } = openResults(
    logOf({
      "10_epoch_1": { messages: [], error },
      "9_epoch_1": { messages: CONVERSATION, scores: { r: { value: 0.5 } } },
      "x_epoch_1": [],
    }),
    "a.eval",
  );
  assert.deepEqual(
    records.map(({ task, reward, failure }) => [
      task,
      reward?.value ?? null,
      failure?.kind ?? null,
    ]),
    [[9, 0.5, null], [10, null, "connection"]],
  );
  assert.match(
    fault ?? "",
    /sample "samples\/x_epoch_1.json" is not an object/,
  );
});

Deno.test("openResults() describes an archive that is not a log, and a log without samples", () => {
  assert.throws(
    () => openResults(writeZip(new Map([["a", "b"]])), "a.zip"),
    (error) =>
      error instanceof DataError && /not an Inspect log/.test(error.message),
  );
  assert.throws(
    () => openResults(logOf({}), "a.eval"),
    /ended before its first/,
  );
});
