/** Checks which hosts answer, and whether their clocks agree. All other checks depend on this check. */

import { DataError, HostError } from "../../../env/errors.ts";
import type { Shell } from "../hosts/shell.ts";
import { type Check, fail, type Observed, pass, warn } from "./check.ts";
import { lastWords } from "./host_file.ts";

/** A host's first answer. */
export interface HostAnswer {
  readonly host: Shell;
  /**
   * How far the host's clock is ahead of this machine's, in milliseconds, accurate to about a second. It is negative if
   * the clock is behind, and `null` if the host does not answer with a time.
   */
  readonly skewMs: number | null;
  /** The reason why the host does not answer with a time; missing if it does. */
  readonly fault?: string;
}

/** Contacts every host, and reads its clock. */
export function contactHosts(
  hosts: readonly Shell[],
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<HostAnswer[]> {
  return Promise.all(hosts.map((host) => ask(host, options)));
}

async function ask(
  host: Shell,
  { signal, timeoutMs }: {
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
  },
): Promise<HostAnswer> {
  const late = AbortSignal.timeout(timeoutMs);
  const before = Date.now();
  try {
    const { code, stdout, stderr } = await orAborted(
      host.run({ script: "date +%s" }, {
        signal: AbortSignal.any([signal, late]),
      }),
      AbortSignal.any([signal, late]),
    );
    // The host read its clock between these two times. It dropped fractions of a second, which are 0.5 s on average.
    const here = (before + Date.now()) / 2;
    const there = Number(stdout.trim()) * 1000 + 500;
    if (code === 0 && there > 500) return { host, skewMs: there - here };
    return {
      host,
      skewMs: null,
      fault: code === 0
        ? `printed an unexpected time: "${stdout.slice(0, 100)}"`
        : `cannot run date: ${lastWords(stderr, code)}`,
    };
  } catch (error) {
    signal.throwIfAborted();
    const fault = late.aborted
      ? `did not answer within ${timeoutMs / 1000} s`
      : faultOf(error);
    return { host, skewMs: null, fault };
  }
}

/**
 * Returns the message of a {@linkcode HostError} or a {@linkcode DataError}.
 * @throws The error itself, if it is of another class.
 */
function faultOf(error: unknown): string {
  if (error instanceof HostError || error instanceof DataError) {
    return error.message;
  }
  throw error;
}

/**
 * Returns a promise that settles as the given promise does, but rejects as soon as the signal is aborted, even if the
 * shell ignores the signal.
 */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([promise, ended]).finally(() =>
    signal.removeEventListener("abort", abort)
  );
}

/** The maximum difference between clocks. A larger difference makes logs and leases on different hosts inconsistent. */
const MAX_SKEW_MS = 5000;

/**
 * Creates the `hosts` check from the hosts' first answers. The check always runs, because all other checks depend on
 * it.
 */
export function clocks(answers: readonly HostAnswer[]): Check {
  return {
    id: "hosts",
    order: 0,
    title: "every host answers, and the clocks agree",
    when: "always",
    run: () =>
      Promise.resolve(
        answers.map((one) => ({ ...look(one), host: one.host.name })),
      ),
  };
}

function look({ host, skewMs, fault }: HostAnswer): Observed {
  if (skewMs === null) {
    return fail(
      fault ?? "does not answer",
      `start the host, or fix its entry in hosts.yaml so that this command succeeds: ${
        host.describe({ script: "date" })
      }`,
    );
  }
  const seconds = Math.round(skewMs / 1000);
  if (Math.abs(skewMs) > MAX_SKEW_MS) {
    return warn(
      `the clock is ${Math.abs(seconds)} s ${
        seconds > 0 ? "ahead of" : "behind"
      } this machine's`,
      "synchronize the clock with NTP (chronyc makestep, or timedatectl set-ntp true)",
    );
  }
  return pass("answers, and its clock agrees");
}
