/**
 * Handles fields of an answer that the server expects back unchanged in later requests, such as thoughts and their
 * signatures. They are opaque: this module does not interpret them.
 *
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures (`extra_content`),
 * https://api-docs.deepseek.com/guides/thinking_mode (`reasoning_content`, required with tool calls),
 * https://openrouter.ai/docs/use-cases/reasoning-tokens (`reasoning_details`), and LiteLLM's `thinking_blocks` and
 * `provider_specific_fields`.
 */

import type OpenAI from "openai";
import type { OpaqueFields } from "../types.ts";
import type { CallFailure } from "./call_policy.ts";
import type { JsonRecord } from "./loose_fields.ts";

/** An answer in the format in which a request sends it back to the server. */
export type ApiAnswer = OpenAI.Chat.ChatCompletionAssistantMessageParam;

/** The opaque fields of a message, each with its initial mode. */
const MESSAGE_FIELDS: ReadonlyMap<string, Mode> = new Map([
  ["extra_content", "echoed"],
  ["provider_specific_fields", "echoed"],
  // Thoughts as plain text: OpenRouter and vLLM accept the field, other servers reject it.
  ["reasoning", "left_out"],
  ["reasoning_content", "echoed"],
  ["reasoning_details", "echoed"],
  ["thinking_blocks", "echoed"],
]);

/** The opaque fields of a call. Each has the same mode as the message field of the same name. */
const CALL_FIELDS = ["extra_content", "provider_specific_fields"];

/**
 * How an opaque field is handled. `echoed`: the field is sent back. `left_out`: the field is not sent back. `filled`:
 * the field is sent back, and an empty value is sent for answers without the field.
 */
type Mode = "echoed" | "left_out" | "filled";

/** Maps the mode of a field to its next mode after the server has reported that the field is missing. */
const MORE: Partial<Record<Mode, Mode>> = {
  left_out: "echoed",
  echoed: "filled",
};

/** Maps the mode of a field to its next mode after the server has rejected the field for any other reason. */
const LESS: Partial<Record<Mode, Mode>> = {
  echoed: "left_out",
  filled: "left_out",
};

/** The field that may be sent empty. DeepSeek requires it for each answer with a call, even without a thought. */
const FILLED = "reasoning_content";

/**
 * Matches errors about a missing field, such as DeepSeek's `Missing … field in the assistant message` and `must be
 * passed back to the API`.
 */
const MISSING =
  /\bmissing\b|must be (?:passed|provided|included|sent)|pass(?:ed)? back|(?:is|are) required/i;

/** Maximum number of mode changes per field, so that a server that rejects every mode is not retried forever. */
const MAX_LESSONS = 2;

/**
 * Returns the opaque fields of an answer and its first call, or `undefined` if there are none. Fields that are too long
 * or too deeply nested are dropped.
 */
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

/** Maximum length of an opaque field as JSON text. Opaque fields are recorded and sent back on every turn. */
const MAX_LENGTH = 2 ** 20;
/** Maximum nesting depth of an opaque field. */
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
 * A tracker of the opaque fields that a model's endpoint expects back. Some servers require a field that others reject,
 * so a rejection changes the field's mode for all conversations.
 */
export class Echo {
  readonly #modes = new Map(MESSAGE_FIELDS);
  readonly #lessons = new Map<string, number>();
  #version = 0;

  /** The number of mode changes so far. */
  get version(): number {
    return this.#version;
  }

  /** Returns a copy of an answer with the opaque fields that the server expects. */
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
   * Changes the modes after the server has rejected a request.
   * @param version The value of {@linkcode Echo.version} when the request was made.
   * @returns Whether a retry would send different fields.
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
