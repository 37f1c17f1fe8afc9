/** Callers for tests: patient as told, and on no clock but the test's. */

import {
  type Caller,
  type CallPolicy,
  createCaller,
} from "../../env/models/call_policy.ts";

/** A caller that never really waits; `waits` holds how long it would have. */
export function testCaller(
  policy: Partial<CallPolicy> = {},
): Caller & { readonly waits: readonly number[] } {
  const waits: number[] = [];
  const caller = createCaller({
    source: "model",
    timeoutMs: 5000,
    retries: 6,
    backoffMs: 100,
    sleep(ms, { signal }) {
      signal?.throwIfAborted();
      waits.push(ms);
      return Promise.resolve();
    },
    ...policy,
  });
  return { ...caller, waits };
}
