/** One check, made within its time. */

import {
  type Check,
  type CheckContext,
  fail,
  faultOf,
  type Finding,
} from "./check.ts";

/** Until a check is given up, where it does not say. */
const CHECK_MS = 60_000;

/** Makes one check, within its time and whatever it throws. */
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
    // A check that does not heed its signal is not waited for either.
    const found = await Promise.race([
      look(check, { ...context, signal }),
      timeout,
    ]);
    const observed = found === "late" ? [lateFault(timeoutMs)] : found;
    return observed.map((one) => ({ ...one, check: check.id }));
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener("abort", end);
    late.abort(new Error("The check's time is over"));
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
    `gave no answer within ${timeoutMs / 1000} s`,
    "see whether the host or the server that it asks hangs, or give it more time by --timeout",
  );
}
