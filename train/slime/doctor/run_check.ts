/** Runs a single check within its time limit. */

import {
  type Check,
  type CheckContext,
  fail,
  faultOf,
  type Finding,
} from "./check.ts";

/** The default time limit of a check in milliseconds. */
const CHECK_MS = 60_000;

/** Runs a check within its time limit. A timeout or an error that the check throws becomes a finding. */
export async function examine(
  check: Check,
  context: CheckContext,
  timeoutMs = check.timeoutMs ?? CHECK_MS,
): Promise<Finding[]> {
  const late = new AbortController();
  const signal = AbortSignal.any([context.signal, late.signal]);
  const { promise: timeout, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), timeoutMs);
  const end = () => resolve("late");
  context.signal.addEventListener("abort", end, { once: true });
  try {
    // A check that ignores its signal is not waited for.
    const found = await Promise.race([
      look(check, { ...context, signal }),
      timeout,
    ]);
    const observed = found === "late" ? [lateFault(timeoutMs)] : found;
    return observed.map((one) => ({ ...one, check: check.id }));
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener("abort", end);
    late.abort(new Error("The check has timed out"));
  }
}

async function look(check: Check, context: CheckContext) {
  try {
    return await check.run(context);
  } catch (error) {
    return [faultOf(error)];
  }
}

function lateFault(timeoutMs: number) {
  return fail(
    `timed out after ${timeoutMs / 1000} s`,
    'check whether the host or the contacted server hangs, or run "deno task doctor" with a larger --timeout',
  );
}
