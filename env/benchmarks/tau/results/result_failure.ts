/** The exception that ended an episode of τ-bench, as a failure of ours: what failed, and of which kind. */

import type { FailureKind } from "../../../errors.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import type { Failure } from "../../../types.ts";
import { textOf } from "../../results/loose_json.ts";

/** Words of litellm's exceptions and of servers, in lower case. The first kind that fits counts. */
const KINDS: readonly (readonly [FailureKind, readonly string[]])[] = [
  ["rate_limited", ["ratelimit", "rate limit", "429"]],
  ["timeout", ["timeout", "timed out"]],
  ["connection", ["connection"]],
  ["refused", ["authentication", "badrequest", "notfound", "permission"]],
  ["bad_response", ["jsondecode", "expecting value"]],
  ["server_error", ["internalserver", "serviceunavailable", "apierror"]],
];

/** Where a frame of the traceback says that something ran, the innermost last. */
const SOURCES: readonly (readonly [Failure["source"], string])[] = [
  ["user", "envs/user.py"],
  ["model", "/agents/"],
  ["environment", "/envs/"],
];

/** The failure of an episode; `null` where `info` says of none. */
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

/** What no word tells is taken for a fault of the program, as an exception is. */
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
