/** Provides callers of model endpoints that do not wait in real time. */

import {
  type Caller,
  type CallPolicy,
  createCaller,
} from "../../env/models/call_policy.ts";

/** Creates a caller that never waits. It adds the milliseconds that it would have waited to `waits`. */
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
