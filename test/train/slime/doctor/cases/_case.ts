/** A test case of a check: a world, and the expected findings. */

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
  /** What the case shows. */
  readonly name: string;
  /** The expected finding and, unless it is a pass, its fix. */
  readonly says: RegExp;
  readonly fix?: RegExp;
  readonly world: (
    held: AsyncDisposableStack,
    dir: string,
  ) => CheckContext | Promise<CheckContext>;
}

/** A recipe with one host whose commands give scripted answers. */
export function onHost(
  answers: Parameters<typeof toldShell>[0],
  sets: readonly string[] = [],
): CheckContext {
  return checkContext(slimeOf(sets), { hosts: [toldShell(answers)] });
}
