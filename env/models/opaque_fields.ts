/**
 * Fields of an answer that its server wants back with the conversation, as they came: signatures of thoughts, and thoughts
 * themselves. Nobody reads them here.
 *
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures (`extra_content`),
 * https://api-docs.deepseek.com/guides/thinking_mode (`reasoning_content`, wanted back beside calls),
 * https://openrouter.ai/docs/use-cases/reasoning-tokens (`reasoning_details`), and LiteLLM's `thinking_blocks` and
 * `provider_specific_fields`.
 */

import type OpenAI from "openai";
import type { OpaqueFields } from "../types.ts";
import type { CallFailure } from "./call_policy.ts";
import type { JsonRecord } from "./loose_fields.ts";

/** An answer, as it is sent back. */
export type ApiAnswer = OpenAI.Chat.ChatCompletionAssistantMessageParam;

/** Of a message, and whether they are sent back before a server asks for them or refuses them. */
const MESSAGE_FIELDS: ReadonlyMap<string, Mode> = new Map([
  ["extra_content", "echoed"],
  ["provider_specific_fields", "echoed"],
  // The thought in words alone: OpenRouter and vLLM take it, others refuse it.
  ["reasoning", "left_out"],
  ["reasoning_content", "echoed"],
  ["reasoning_details", "echoed"],
  ["thinking_blocks", "echoed"],
]);

/** Of a call; what a server says of one of them holds for both. */
const CALL_FIELDS = ["extra_content", "provider_specific_fields"];

/** `filled`: sent back, and empty with answers that have none. */
type Mode = "echoed" | "left_out" | "filled";

/** After a server said that a field is missing. */
const MORE: Partial<Record<Mode, Mode>> = {
  left_out: "echoed",
  echoed: "filled",
};

/** After a server said anything else of it. */
const LESS: Partial<Record<Mode, Mode>> = {
  echoed: "left_out",
  filled: "left_out",
};

/** The field that may be empty: DeepSeek wants it of each answer with a call, also where nothing was thought. */
const FILLED = "reasoning_content";

/** DeepSeek: `Missing … field in the assistant message`, `must be passed back to the API`. */
const MISSING =
  /\bmissing\b|must be (?:passed|provided|included|sent)|pass(?:ed)? back|(?:is|are) required/i;

/** A server that cannot be pleased is told so, and not asked for ever. */
const MAX_LESSONS = 2;

/** Picks the opaque fields of an answer and of its first call; `undefined` where there are none. */
export function opaqueFieldsOf(
  message: JsonRecord,
  call: JsonRecord = {},
): OpaqueFields | undefined {
  const ofMessage = picked(message, [...MESSAGE_FIELDS.keys()]);
  const ofCall = picked(call, CALL_FIELDS);
  return ofMessage === undefined && ofCall === undefined ? undefined : {
    ...ofMessage === undefined ? {} : { message: ofMessage },
    ...ofCall === undefined ? {} : { call: ofCall },
  };
}

function picked(
  record: JsonRecord,
  names: readonly string[],
): JsonRecord | undefined {
  const fields = names.map((name) => [name, record[name]] as const)
    .filter(([, value]) =>
      value !== undefined && value !== null && isModest(value)
    );
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

/** A server may send anything: what is kept goes into records, and out again at each turn. */
const MAX_LENGTH = 2 ** 20;
const MAX_DEPTH = 64;

function isModest(value: unknown): boolean {
  return !isDeeper(value, MAX_DEPTH) &&
    JSON.stringify(value).length <= MAX_LENGTH;
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 ||
    Object.values(value).some((member) => isDeeper(member, depth - 1));
}

/**
 * What one model's endpoint wants back. Servers differ, and the same field is demanded by one and refused by another:
 * what a refusal says of a field is learnt once, for all conversations.
 */
export class Echo {
  readonly #modes = new Map(MESSAGE_FIELDS);
  readonly #lessons = new Map<string, number>();
  #version = 0;

  /** Grows with each lesson. */
  get version(): number {
    return this.#version;
  }

  /** An answer as it is sent back. */
  withFields(answer: ApiAnswer, opaque: OpaqueFields = {}): ApiAnswer {
    const { tool_calls: [first, ...others] = [] } = answer;
    const calls = first === undefined ? {} : {
      tool_calls: [{ ...first, ...this.#wanted(opaque.call) }, ...others],
    };
    return {
      ...answer,
      ...calls,
      ...this.#filled(),
      ...this.#wanted(opaque.message),
    };
  }

  /**
   * Learns from a refusal of a request that was made with the lessons up to `version`.
   * @returns Whether another request would have other fields.
   */
  learn(
    { kind, message, isContextFull }: CallFailure,
    version: number,
  ): boolean {
    if (kind !== "refused" || isContextFull) return false;
    if (version !== this.#version) return true;
    const isMissing = MISSING.test(message);
    for (const [name, mode] of this.#modes) {
      if (!new RegExp(`\\b${name}\\b`).test(message)) continue;
      const next = isMissing ? MORE[mode] : LESS[mode];
      const lessons = this.#lessons.get(name) ?? 0;
      if (next === undefined || lessons === MAX_LESSONS) continue;
      if (next === "filled" && name !== FILLED) continue;
      this.#modes.set(name, next);
      this.#lessons.set(name, lessons + 1);
      this.#version++;
      return true;
    }
    return false;
  }

  #wanted(fields: JsonRecord = {}): JsonRecord {
    return Object.fromEntries(
      Object.entries(fields).filter(([name]) =>
        this.#modes.get(name) !== "left_out"
      ),
    );
  }

  #filled(): JsonRecord {
    return this.#modes.get(FILLED) === "filled" ? { [FILLED]: "" } : {};
  }
}
