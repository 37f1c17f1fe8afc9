/**
 * Reads Inspect logs (`.eval`) of tasks like τ-bench's, and converts them to the type of τ-bench's result files.
 * Samples become tasks, epochs become trials, messages become the conversation, and a score becomes the reward.
 *
 * @see UKGovernmentBEIS/inspect_ai at 0.3.285, src/inspect_ai/log/_log.py (EvalSample) and _recorders/eval.py.
 */

import { DataError, messageOf } from "../../errors.ts";
import type { RecordFault } from "../../json_records.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../../python/python_json.ts";
import type { RewardCheck } from "../../types.ts";
import { readZip, type ZipEntries } from "../../zip_archive.ts";
import { mapOf, numberOf, objectsOf, textOf } from "../results/loose_json.ts";
import {
  readResultRecords,
  type ResultFile,
} from "../tau/results/result_file.ts";

/** The key in a sample's metadata under which logs written by taulab store the `info` of a τ-bench result. */
export const OWN_METADATA = "taulab";

/** Matches the path of a sample in the log's archive. */
const SAMPLE = /^samples\/(.+)_epoch_(\d{1,9})\.json$/;

/** The numeric values of the scores that Inspect's scorers record as text. */
const WORDS: Readonly<Record<string, number>> = {
  C: 1,
  I: 0,
  P: 0.5,
  N: 0,
  true: 1,
  false: 0,
  yes: 1,
  no: 0,
};

/**
 * Reads an Inspect log.
 * @throws {DataError} If the bytes are not an Inspect log, or the log has no readable sample.
 */
export function readEvalLog(bytes: Uint8Array, path: string): ResultFile {
  const entries = readZip(bytes, path);
  const names = [...entries.keys()].filter((name) => SAMPLE.test(name));
  if (names.length === 0) {
    throw new DataError(
      `"${path}" has no samples: ${
        entries.has("header.json") || entries.has("_journal/start.json")
          ? "the evaluation ended before its first sample"
          : "it is a zip archive, but not an Inspect log"
      }`,
      { path, hint: "pass an .eval file with samples" },
    );
  }
  const samples = readSamples(entries, names);
  const positions = new Map<string, number>();
  for (const { id } of samples.read) {
    if (!positions.has(id)) positions.set(id, positions.size);
  }
  const checks = new Map<number, readonly RewardCheck[]>();
  const records = samples.read.map(({ sample, id, epoch, number }) => {
    const position = /^\d{1,9}$/.test(id) ? Number(id) : positions.get(id)!;
    checks.set(number, checksOf(sample));
    return { number, record: recordOf(sample, { position, epoch }) };
  });
  const file = readResultRecords(records, path, samples.faults);
  return {
    ...file,
    records: file.records.map((record) => {
      const { reward, number } = record;
      const found = checks.get(number) ?? [];
      return reward === null || found.length === 0
        ? record
        : { ...record, reward: { ...reward, checks: found } };
    }),
  };
}

interface ReadSample {
  readonly sample: JsonObject;
  readonly id: string;
  readonly epoch: number;
  readonly number: number;
}

/**
 * Reads the samples of a log, sorted by task id (numeric ids by value), then by epoch. Samples that cannot be read are
 * returned as faults.
 */
function readSamples(
  entries: ZipEntries,
  names: readonly string[],
): { readonly read: ReadSample[]; readonly faults: RecordFault[] } {
  const placed = names.map((name) => {
    const [, id = "", epoch = ""] = SAMPLE.exec(name) ?? [];
    return { name, id, epoch: Number(epoch) };
  }).sort((a, b) =>
    a.id.localeCompare(b.id, "en", { numeric: true }) || a.epoch - b.epoch
  );
  const read: ReadSample[] = [];
  const faults: RecordFault[] = [];
  placed.forEach(({ name, id, epoch }, i) => {
    const number = i + 1;
    try {
      const text = new TextDecoder("utf-8", { fatal: true })
        .decode(entries.get(name)!());
      const sample = parsePythonJson(text);
      if (sample instanceof Map) read.push({ sample, id, epoch, number });
      else faults.push({ number, what: `sample "${name}" is not an object` });
    } catch (error) {
      faults.push({
        number,
        what: `sample "${name}" cannot be read (${messageOf(error)})`,
      });
    }
  });
  return { read, faults };
}

/** Converts a sample to a record in the format of τ-bench's result files. */
function recordOf(
  sample: JsonObject,
  { position, epoch }: { readonly position: number; readonly epoch: number },
): JsonObject {
  const attachments = mapOf(sample.get("attachments"));
  const own = mapOf(mapOf(sample.get("metadata")).get(OWN_METADATA));
  const error = mapOf(sample.get("error"));
  const info = new Map([
    ["task", objectOf({ instruction: inputOf(sample) })],
    ...own,
    ...(error.size === 0 ? [] : [
      ["error", textOf(error, "message")],
      ["traceback", textOf(error, "traceback")],
    ] as const),
  ]);
  return objectOf({
    task_id: position,
    trial: epoch - 1,
    reward: rewardIn(scoresOf(sample))?.value ?? null,
    info,
    traj: objectsOf(sample.get("messages"))
      .map((message) => messageIn(message, attachments)),
  });
}

/** A score and its name. */
interface NamedScore {
  readonly name: string;
  readonly score: JsonObject;
  readonly value: number | null;
}

function scoresOf(sample: JsonObject): NamedScore[] {
  return [...mapOf(sample.get("scores"))].map(([name, one]) => {
    const score = mapOf(one);
    return { name, score, value: valueOf(score.get("value")) };
  });
}

/**
 * Returns the score to use as the reward: the numeric score named `reward` or, if there is none, the first numeric
 * score. Returns `undefined` if no score is numeric.
 */
function rewardIn(scores: readonly NamedScore[]): NamedScore | undefined {
  const numbers = scores.filter(({ value }) => value !== null);
  return numbers.find(({ name }) => name === "reward") ?? numbers[0];
}

/**
 * Converts a score's value to a number. If the value is a dictionary, its `reward` is used. Returns `null` if the value
 * does not represent a number.
 */
function valueOf(value: JsonValue | undefined): number | null {
  if (value === true || value === false) return Number(value);
  if (typeof value === "string") return WORDS[value] ?? null;
  if (value instanceof Map) return valueOf(value.get("reward"));
  return numberOf(value);
}

/** Returns a check for each score, with the score's explanation, to be shown with the reward. */
function checksOf(sample: JsonObject): readonly RewardCheck[] {
  const scores = scoresOf(sample);
  const reward = rewardIn(scores);
  return scores.map((one) => {
    const why = textOf(one.score, "explanation");
    return {
      part: one.name,
      counts: one === reward,
      what: textOf(one.score, "answer") ||
        `score ${textOf(one.score, "value")}`,
      met: one.value === null ? null : one.value === 1,
      ...(why === "" ? {} : { why }),
    };
  });
}

/** Returns the sample's input as text: the input itself, or the texts of its user messages, joined by newlines. */
function inputOf(sample: JsonObject): string {
  const input = sample.get("input");
  if (typeof input === "string") return input;
  return objectsOf(input).filter((one) => one.get("role") === "user")
    .map((message) => textIn(message, new Map())).join("\n");
}

/** Converts an Inspect message to the format of OpenAI's API. */
function messageIn(message: JsonObject, attachments: JsonObject): JsonObject {
  const role = textOf(message, "role");
  const calls = objectsOf(message.get("tool_calls"));
  return objectOf({
    role,
    content: textIn(message, attachments),
    ...(message.has("function") ? { name: textOf(message, "function") } : {}),
    ...(role === "tool"
      ? { tool_call_id: textOf(message, "tool_call_id") }
      : {}),
    ...(calls.length === 0 ? {} : {
      tool_calls: calls.map((call) =>
        objectOf({
          id: textOf(call, "id"),
          type: "function",
          function: objectOf({
            name: textOf(call, "function"),
            arguments: mapOf(call.get("arguments")),
          }),
        })
      ),
    }),
  });
}

const ATTACHMENT = "attachment://";

/**
 * Joins the text parts of a message, and resolves references to attachments. Other parts, such as reasoning, are
 * omitted.
 */
function textIn(message: JsonObject, attachments: JsonObject): string {
  const content = message.get("content");
  const texts = typeof content === "string" ? [content] : objectsOf(content)
    .filter((part) => part.get("type") === "text")
    .map((part) => textOf(part, "text"));
  return texts.map((text) =>
    text.startsWith(ATTACHMENT)
      ? textOf(attachments, text.slice(ATTACHMENT.length)) || text
      : text
  ).join("\n");
}

function objectOf(members: Readonly<Record<string, JsonValue>>): JsonObject {
  return new Map(Object.entries(members));
}
