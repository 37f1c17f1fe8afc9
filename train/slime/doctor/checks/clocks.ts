/** Hosts that answer, and whose clocks agree. */

import { type Check, fail, type Observed, pass, warn } from "../check.ts";
import type { Greeting } from "../greet.ts";

/** Beyond it, logs and leases of several hosts no longer line up. */
const MOST_SKEW_MS = 5000;

/** The check `hosts`, over what the hosts said; it is always made, as all others depend on it. */
export function clocks(greetings: readonly Greeting[]): Check {
  return {
    id: "hosts",
    title: "every host answers, and its clock agrees",
    when: "always",
    run: () =>
      Promise.resolve(
        greetings.map((one) => ({ ...look(one), host: one.host.name })),
      ),
  };
}

function look({ host, skewMs, fault }: Greeting): Observed {
  if (skewMs === null) {
    return fail(
      fault ?? "does not answer",
      `start it, or fix its entry in hosts.yaml, until this works: ${
        host.describe({ script: "date" })
      }`,
    );
  }
  const seconds = Math.round(skewMs / 1000);
  if (Math.abs(skewMs) > MOST_SKEW_MS) {
    return warn(
      `its clock is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead" : "behind"}`,
      "set it by NTP (chronyc makestep, or timedatectl set-ntp true)",
    );
  }
  return pass("answers; its clock agrees");
}
