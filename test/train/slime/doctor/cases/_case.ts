/** A case of a check: a world, and what is to be found in it. */

import type { CheckContext } from "../../../../../train/slime/doctor/check.ts";
import {
  checkContext,
  slimeOf,
  toldShell,
} from "../../../../support/doctor.ts";

/** One world for a check. */
export interface Case {
  readonly check: string;
  readonly state: "pass" | "warn" | "fail" | "skipped";
  /** What it is a case of. */
  readonly name: string;
  /** What is found, for all but passes also how it is fixed. */
  readonly says: RegExp;
  readonly fix?: RegExp;
  readonly world: (
    held: AsyncDisposableStack,
    dir: string,
  ) => CheckContext | Promise<CheckContext>;
}

/** A recipe over one host whose commands answer as told. */
export function onHost(
  answers: Parameters<typeof toldShell>[0],
  sets: readonly string[] = [],
): CheckContext {
  return checkContext(slimeOf(sets), { hosts: [toldShell(answers)] });
}
