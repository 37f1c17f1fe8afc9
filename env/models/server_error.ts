/** Reads the errors of endpoints, which have many formats, to determine the message and whether a retry may succeed. */

import type { FailureKind } from "../errors.ts";
import { kindOfStatus, retryAfterOf } from "./call_policy.ts";
import { isContextFull } from "./context_full.ts";
import {
  isRecord,
  type JsonRecord,
  numberOf,
  wordsIn,
} from "./loose_fields.ts";

/** An error that a server returned. */
export interface ServerError {
  /** The server's message and, if the server is a gateway that quotes the provider, the provider's message. */
  readonly words: string;
  /** The failure kind, or `server_error` if the error does not specify a kind. */
  readonly kind: FailureKind;
  /** The HTTP status of the response, or the status that its body names. Omitted if neither is known. */
  readonly status?: number;
  /** The wait that the server requested, in milliseconds. Omitted if it requested none. */
  readonly retryAfterMs?: number;
  /** Whether the conversation no longer fits in the model's context. */
  readonly isContextFull: boolean;
}

/** The response that contained the error. */
export interface ErrorOrigin {
  /** The HTTP status of the response, if it is an error status. */
  readonly status?: number;
  readonly headers?: { get(name: string): string | null };
}

/**
 * Returns the error in a body. The body itself may be the error, or a field of the body may contain it.
 * @returns The fields of the error, or `null` if there is none.
 */
export function errorIn(body: unknown): JsonRecord | null {
  if (Array.isArray(body)) return errorAt(body);
  if (wordsIn(body) !== undefined) return { message: body };
  if (!isRecord(body)) return null;
  const inner = nestedError(body);
  if (inner !== null) return { ...outerFields(body, inner), ...inner };
  return wordsOf(body) === undefined ? null : body;
}

/**
 * Reads the message, the failure kind and the requested wait of an error.
 * @param error The fields returned by {@linkcode errorIn}.
 */
export function readServerError(
  error: JsonRecord,
  { status: answered, headers = new Headers() }: ErrorOrigin = {},
): ServerError {
  const words = fullMessage(error);
  const names = namesIn(error);
  const status = answered ?? statusIn(error, words);
  const isFull = isContextFull(words, names);
  const retryAfterMs = retryAfterOf(headers, Date.now()) ??
    waitIn(error, words);
  return {
    words,
    kind: isFull ? "refused" : kindOf({ words, names, status }),
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    isContextFull: isFull,
  };
}

/** The fields of a body that may contain an error, as used by OpenAI, JSON:API, FastAPI and MiniMax. */
const PLACES = ["error", "errors", "detail", "base_resp"];

/**
 * Returns the error that a field of the body contains, or `null` if there is none. A field that reports success is not
 * an error. A body with an error may also contain an answer.
 */
export function nestedError(body: JsonRecord): JsonRecord | null {
  // Alongside `choices`, `detail` is not an error.
  const places = "choices" in body
    ? PLACES.filter((place) => place !== "detail")
    : PLACES;
  for (const place of places) {
    const error = errorAt(body[place]);
    if (error !== null) return error;
  }
  return null;
}

/** Maximum nesting depth of errors. */
const MAX_DEPTH = 8;

function errorAt(value: unknown, depth = 0): JsonRecord | null {
  if (depth > MAX_DEPTH) return null;
  if (Array.isArray(value)) {
    return value.map((one) => errorAt(one, depth + 1))
      .find((error) => error !== null) ?? null;
  }
  if (wordsIn(value) !== undefined) return { message: value };
  if (value === true) return {};
  if (typeof value === "number") return isFine(value) ? null : { code: value };
  if (!isRecord(value)) return null;
  const deeper = errorAt(value["error"], depth + 1);
  if (deeper !== null) return { ...value, ...deeper };
  return wordsOf(value) !== undefined || codesIn(value).length > 0
    ? value
    : null;
}

/** Checks whether a code reports success or is missing. */
function isFine(code: unknown): boolean {
  return [undefined, null, "", 0, 200, "0", "200", "success", "ok"].includes(
    typeof code === "string" ? code.toLowerCase() : code as number,
  );
}

/**
 * Returns the sibling fields of a nested error that add details to it. Fields that the error also has are omitted. If
 * both the error and the body have a message, the body's is returned as `metadata.raw`.
 */
function outerFields(body: JsonRecord, inner: JsonRecord): JsonRecord {
  const outer: Record<string, unknown> = {};
  for (const field of [...CODES, "message", "msg", "retry_after"]) {
    if (field in body && !(field in inner)) outer[field] = body[field];
  }
  // Spring puts a title into the error, and the cause into the message.
  const title = wordsIn(inner["message"]);
  const more = wordsIn(body["message"]);
  return title === undefined || more === undefined
    ? outer
    : { ...outer, metadata: { raw: more } };
}

const CODES = [
  "code",
  "status",
  "status_code",
  "statusCode",
  "error_code",
  "type",
];

function codesIn(error: JsonRecord): unknown[] {
  return CODES.map((field) => error[field]).filter((code) => !isFine(code));
}

const MESSAGES = [
  "message",
  "msg",
  "status_msg",
  "detail",
  "description",
  "error_msg",
  "error_message",
  "reason",
];

function wordsOf(error: JsonRecord): string | undefined {
  const words = MESSAGES.map((field) => wordsIn(error[field]))
    .find((words) => words !== undefined);
  // FastAPI names the invalid field of the request in `loc`.
  const { loc } = error;
  return words === undefined || !Array.isArray(loc)
    ? words
    : `${loc.join(".")}: ${words}`;
}

/** Joins the message of an error with the provider's name and message, if a gateway quotes them. */
function fullMessage(error: JsonRecord): string {
  const words = wordsOf(error) ?? JSON.stringify(error).slice(0, 2000);
  const metadata = error["metadata"];
  if (!isRecord(metadata)) return words;
  const raw = metadata["raw"];
  const quoted = wordsOf(errorIn(parsed(raw)) ?? {}) ?? wordsIn(raw);
  const provider = wordsIn(metadata["provider_name"]);
  return [words, provider, quoted]
    .filter((part, i) => part !== undefined && (i === 0 || part !== words))
    .join(": ");
}

function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return null; // not JSON: its text is used instead
  }
}

/** Returns the normalized error names among an error's codes, such as `rate_limit` for `RateLimitError`. */
function namesIn(error: JsonRecord): string[] {
  return codesIn(error).filter((code) => typeof code === "string")
    .map((code) => nameOf(code.slice(0, 100)));
}

/**
 * Normalizes names such as `RESOURCE_EXHAUSTED`, `overloaded_error` and `RateLimitError` to lower case with
 * underscores, without an `error` suffix.
 */
function nameOf(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase()
    .replace(/[^a-z0-9]+/g, "_").replace(/_(?:error|exception)$/, "");
}

/** Returns the HTTP status in an error's code or message, or `undefined` if they contain none. */
function statusIn(error: JsonRecord, words: string): number | undefined {
  const named = codesIn(error).map(numberOf).find(isStatus);
  if (named !== undefined) return named;
  const [, said] = STATUS_IN_WORDS.exec(words.slice(0, 1000)) ?? [];
  return said === undefined ? undefined : Number(said);
}

function isStatus(code: number | undefined): code is number {
  return code !== undefined && code >= 400 && code < 600;
}

/** Matches an HTTP status in a message: `Error code: 429 - …`, `HTTP 502`, `status=503`, `429 Too Many Requests`. */
const STATUS_IN_WORDS = /(?:\b(?:code|status|http)[ :=]{0,3}|^)([45]\d\d)\b/i;

/** The text that error messages quote if the body of a response is empty. */
export const EMPTY_BODY = "(empty response)";

/** Converts a response body without a recognizable error to an error. */
export function bodyAsError(text: string): JsonRecord {
  return { message: text.trim() === "" ? EMPTY_BODY : text };
}

/**
 * The failure kinds, keyed by error name as normalized by {@linkcode nameOf}. OpenAI, Anthropic, Google and gateways
 * use these names.
 */
const KINDS: ReadonlyMap<string, FailureKind> = new Map([
  ...names("rate_limited", [
    "rate_limit",
    "rate_limit_exceeded",
    "rate_limited",
    "resource_exhausted",
    "throttling",
    "too_many_requests",
  ]),
  ...names("timeout", [
    "deadline_exceeded",
    "gateway_timeout",
    "request_timeout",
    "timeout",
  ]),
  ...names("refused", [
    "authentication",
    "bad_request",
    "failed_precondition",
    "forbidden",
    "invalid_api_key",
    "invalid_argument",
    "invalid_model",
    "invalid_request",
    "model_not_found",
    "not_found",
    "payment_required",
    "permission",
    "permission_denied",
    "unauthenticated",
    "unauthorized",
    "unprocessable_entity",
    "unsupported_parameter",
    "unsupported_value",
  ]),
  ...names("server_error", [
    "api",
    "bad_gateway",
    "internal",
    "internal_server",
    "overloaded",
    "server",
    "server_overloaded",
    "service_unavailable",
    "unavailable",
  ]),
]);

function names(
  kind: FailureKind,
  all: readonly string[],
): [string, FailureKind][] {
  return all.map((name) => [name, kind]);
}

/**
 * The names of errors about exhausted credit. Messages are not checked, since Gemini also reports rate limits as an
 * exceeded quota.
 */
const SPENT: ReadonlySet<string> = new Set([
  "billing_hard_limit_reached",
  "exceeded_current_quota",
  "insufficient_balance",
  "insufficient_credits",
  "insufficient_quota",
]);

/** The failure kinds by message, for errors without a status or a known name. */
const KINDS_OF_WORDS: readonly [RegExp, FailureKind][] = [
  [
    /rate.?limit|too many requests|quota|throttl|resource.?exhausted/i,
    "rate_limited",
  ],
  [/timed? ?out|deadline/i, "timeout"],
  [
    /(?:invalid|incorrect|missing|expired) (?:api|access)[ _-]?(?:key|token)|unauthori[sz]ed|unauthenticated|permission denied|forbidden|insufficient (?:balance|credit|fund)|no credits|(?:does not|doesn't) exist|no such model|model\b[^.\n]{0,80}not found/i,
    "refused",
  ],
];

function kindOf(
  { words, names, status }: {
    words: string;
    names: readonly string[];
    status: number | undefined;
  },
): FailureKind {
  if (names.some((name) => SPENT.has(name))) return "refused";
  if (status !== undefined) return kindOfStatus(status) ?? "bad_response";
  const named = names.map((name) => KINDS.get(name)).find(Boolean);
  if (named !== undefined) return named;
  const said = words.slice(0, 1000);
  const [, kind] = KINDS_OF_WORDS.find(([pattern]) => pattern.test(said)) ?? [];
  return kind ?? "server_error";
}

/**
 * Returns the wait that an error requests, in milliseconds, or `undefined` if it requests none. The wait is in a field,
 * or in the message as worded by Gemini, OpenAI or Groq.
 */
function waitIn(error: JsonRecord, words: string): number | undefined {
  const seconds = numberOf(error["retry_after"]);
  if (seconds !== undefined && seconds >= 0) return seconds * 1000;
  const [, minutes = "0", amount, unit] = WAIT.exec(words.slice(0, 4000)) ?? [];
  if (amount === undefined) return undefined;
  const scale = unit === "ms" ? 1 : 1000;
  return Number(minutes) * 60_000 + Number(amount) * scale;
}

/** Matches a requested wait in a message: `Please retry in 20.04s`, `try again in 1m2.5s`, `try again in 350ms`. */
const WAIT =
  /(?:retry|try again) in (?:(\d{1,4})m)?(\d{1,8}(?:\.\d{1,12})?)(ms|s)\b/i;
