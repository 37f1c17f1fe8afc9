/** Converts the exception that ended a τ-bench episode to a `Failure` with a source and a kind. */

import type { FailureKind } from "../../../errors.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import type { Failure } from "../../../types.ts";
import { textOf } from "../../results/loose_json.ts";

/**
 * For each kind of failure, the lowercase words that identify it in an exception of litellm or a server. The first
 * kind that matches is used.
 */
const KINDS: readonly (readonly [FailureKind, readonly string[]])[] = [
  ["rate_limited", ["ratelimit", "rate limit", "429"]],
  ["timeout", ["timeout", "timed out"]],
  ["connection", ["connection"]],
  ["refused", ["authentication", "badrequest", "notfound", "permission"]],
  ["bad_response", ["jsondecode", "expecting value"]],
  ["server_error", ["internalserver", "serviceunavailable", "apierror"]],
];

/**
 * For each source of failures, the part of a path that identifies it in a traceback. The innermost frame that contains
 * one of these parts determines the source.
 */
const SOURCES: readonly (readonly [Failure["source"], string])[] = [
  ["user", "envs/user.py"],
  ["model", "/agents/"],
  ["environment", "/envs/"],
];

/** Returns the failure of an episode, or `null` if `info` has neither an error nor a traceback. */
export function failureOf(info: JsonObject): Failure | null {
  if (!info.has("error") && !info.has("traceback")) return null;
  const [message, traceback] = [
    textOf(info, "error"),
    textOf(info, "traceback"),
  ];
  const last = traceback.trimEnd().split("\n").at(-1) ?? "";
  return {
    kind: kindOf(`${message} ${last}`.toLowerCase()),
    source: sourceOf(traceback),
    message: message || last || "an exception without a message",
  };
}

/** Returns the kind of failure that the words of an exception identify, or `bug` if no word matches. */
function kindOf(words: string): FailureKind {
  return KINDS.find(([, signs]) => signs.some((sign) => words.includes(sign)))
    ?.[0] ?? "bug";
}

function sourceOf(traceback: string): Failure["source"] {
  const found = SOURCES.map(([source, path]) => ({
    source,
    at: traceback.lastIndexOf(path),
  }));
  const [innermost] = found.filter(({ at }) => at >= 0)
    .sort((a, b) => b.at - a.at);
  return innermost?.source ?? "model";
}
