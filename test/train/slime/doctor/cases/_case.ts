/** A test case of a check: a host or a recipe, and the expected finding. */

import type { CheckContext } from "../../../../../train/slime/doctor/check.ts";
import {
  checkContext,
  slimeOf,
  toldShell,
} from "../../../../support/doctor.ts";

/** A test case of a check. */
export interface Case {
  readonly check: string;
  readonly state: "pass" | "warn" | "fail" | "skipped";
  /** The situation that the case tests. */
  readonly name: string;
  /** Matches the expected finding and, unless the check passes, its fix. */
  readonly says: RegExp;
  readonly fix?: RegExp;
  readonly world: (
    held: AsyncDisposableStack,
    dir: string,
  ) => CheckContext | Promise<CheckContext>;
}

/** Creates a recipe's context with one host whose commands have scripted answers. */
export function onHost(
  answers: Parameters<typeof toldShell>[0],
  sets: readonly string[] = [],
): CheckContext {
  return checkContext(slimeOf(sets), { hosts: [toldShell(answers)] });
}
